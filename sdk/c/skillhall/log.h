/* One line in the receipt of the call for each message, up to a bound. The world needs `import wasi:logging/logging@0.1.0-draft;`. */
#ifndef SKILLHALL_LOG_H
#define SKILLHALL_LOG_H

#include "text.h"

static inline void log_as(wasi_logging_logging_level_t level, const char *message) {
    skill_string_t context = text_of("skill"), said = text_of(message);
    wasi_logging_logging_log(level, &context, &said);
}

/* The skill cannot do what it was asked. */
static inline void log_error(const char *message) { log_as(WASI_LOGGING_LOGGING_LEVEL_ERROR, message); }
/* The skill goes on, but the caller should know. */
static inline void log_warn(const char *message) { log_as(WASI_LOGGING_LOGGING_LEVEL_WARN, message); }
/* What the skill did. */
static inline void log_info(const char *message) { log_as(WASI_LOGGING_LOGGING_LEVEL_INFO, message); }
/* For the author. */
static inline void log_debug(const char *message) { log_as(WASI_LOGGING_LOGGING_LEVEL_DEBUG, message); }

#endif
