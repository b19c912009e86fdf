/* Calls of other skills. The world needs `import skillhall:tools/call@0.1.0;`, and skill.toml
 * `tools = [{ skill = "org.acme/other", version = "^1" }]` under [capabilities]. Each call goes through every gate of the host. */
#ifndef SKILLHALL_TOOLS_H
#define SKILLHALL_TOOLS_H

#include "text.h"

/* Calls a tool with its input as JSON, and waits. Gives the result as JSON, to be freed with free(); NULL if there is none: then `error`
 * says why, to be freed with skillhall_tools_call_error_free(). */
static inline char *tools_call(const char *skill, const char *tool, const char *input, skillhall_tools_call_error_t *error) {
    skill_string_t id = text_of(skill), name = text_of(tool), given = text_of(input), value;
    if (!skillhall_tools_call_call(&id, &name, &given, &value, error)) return NULL;
    char *result = text_c(&value);
    skill_string_free(&value);
    return result;
}

#endif
