/* Secrets that have to be computed with, such as a key to sign by. Most secrets never come to a skill: the host puts them into its
 * requests. To see one, the world needs `import skillhall:secrets/reveal@0.1.0;`, and skill.toml `reveal = true` in the secret's entry. */
#ifndef SKILLHALL_SECRETS_H
#define SKILLHALL_SECRETS_H

#include "text.h"

/* The secret's value, to be overwritten and freed; NULL if there is none of that name or it is not for this skill to see. */
static inline char *secrets_get(const char *name) {
    skill_string_t wanted = text_of(name), value;
    if (!skillhall_secrets_reveal_get(&wanted, &value)) return NULL;
    char *found = text_c(&value);
    skill_string_free(&value);
    return found;
}

#endif
