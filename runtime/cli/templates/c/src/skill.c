/* The skill. What it offers stands in wit/skill.wit; build/skill.h has it in C, once it has been built. */

#include "skill.h"
#include "skillhall/text.h"

/* What stands between words and at the ends of lines. */
static bool is_blank(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Characters of UTF-8, which the host has checked: bytes that do not go on with one. */
static size_t characters(const uint8_t *text, size_t length) {
    size_t count = 0;
    for (size_t at = 0; at < length; at++) count += (text[at] & 0xC0) != 0x80;
    return count;
}

/* What is given as an argument is the skill's to free; what it fills in is its caller's. */
bool exports_api_count(skill_string_t *text, exports_api_counts_t *counts, exports_api_count_error_t *error) {
    size_t words = 0, lines = 0, longest = 0, longest_at = 0, longest_length = 0;
    if (text->len == 0) {
        error->tag = EXPORTS_API_COUNT_ERROR_EMPTY;
        skill_string_free(text);
        return false;
    }
    for (size_t at = 0; at < text->len;) {
        size_t begin = at;
        while (at < text->len && !is_blank(text->ptr[at])) at++;
        if (at > begin) {
            size_t length = characters(text->ptr + begin, at - begin);
            words++;
            if (length >= longest) {
                longest = length;
                longest_at = begin;
                longest_length = at - begin;
            }
        }
        for (; at < text->len && is_blank(text->ptr[at]); at++) lines += text->ptr[at] == '\n';
    }
    lines += text->ptr[text->len - 1] != '\n';
    counts->words = (uint32_t)words;
    counts->lines = (uint32_t)lines;
    counts->characters = (uint32_t)characters(text->ptr, text->len);
    counts->longest.is_some = words > 0;
    if (words > 0) counts->longest.val = text_copy(text->ptr + longest_at, longest_length);
    skill_string_free(text);
    return true;
}
