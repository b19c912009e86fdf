/* Texts of the skill's world: a pointer and a length, without a zero at the end. */
#ifndef SKILLHALL_TEXT_H
#define SKILLHALL_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "skill.h"

/* A view of a C string, which stays its owner's: for arguments of what the host offers. */
static inline skill_string_t text_of(const char *text) {
    return (skill_string_t){.ptr = (uint8_t *)(uintptr_t)text, .len = strlen(text)};
}

/* A copy that the caller of the skill is given: for results and errors. Whoever receives it frees it. */
static inline skill_string_t text_copy(const void *bytes, size_t length) {
    skill_string_t copy = {.ptr = NULL, .len = length};
    if (length > 0) {
        copy.ptr = malloc(length);
        if (copy.ptr == NULL) abort();
        memcpy(copy.ptr, bytes, length);
    }
    return copy;
}

/* A copy with a zero at its end, to be freed with free(). */
static inline char *text_c(const skill_string_t *text) {
    char *copy = malloc(text->len + 1);
    if (copy == NULL) abort();
    if (text->len > 0) memcpy(copy, text->ptr, text->len);
    copy[text->len] = '\0';
    return copy;
}

/* Whether a text is this one. */
static inline bool text_is(const skill_string_t *text, const char *other) {
    return text->len == strlen(other) && (text->len == 0 || memcmp(text->ptr, other, text->len) == 0);
}

#endif
