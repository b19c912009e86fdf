/* Values that the host gives to this skill. The world needs `import wasi:config/store@0.2.0-rc.1;`, and skill.toml `config = ["name"]`
 * under [capabilities]. */
#ifndef SKILLHALL_CONFIG_H
#define SKILLHALL_CONFIG_H

#include "text.h"

/* The value of a name, to be freed with free(); NULL if there is none. */
static inline char *config_get(const char *name) {
    skill_string_t key = text_of(name);
    skill_option_string_t value;
    wasi_config_store_error_t error;
    if (!wasi_config_store_get(&key, &value, &error)) {
        wasi_config_store_error_free(&error);
        return NULL;
    }
    char *found = value.is_some ? text_c(&value.val) : NULL;
    skill_option_string_free(&value);
    return found;
}

#endif
