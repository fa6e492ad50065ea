/* The log: one event, one line, written with one write(2) to the standard error.
 *
 *     2026-01-05T10:12:03.512Z INFO  reservation_accepted trace=7f3a worker=k2 waited_ms=8210
 *
 * What may be logged is a table per service (or common module), log_events.def:
 *
 *     LOG_EVENT(reservation_accepted, INFO, "A worker took a task.")
 *
 * declared by its log_events.h and defined by its log_events.c (see LOG_EVENT_DECLARE below), and
 * logged by name:
 *
 *     LOG(&request->log, reservation_accepted, LOG_TEXT("worker", id), LOG_INT("waited_ms", ms));
 *
 * Values are escaped: nothing that comes from outside can break a line or forge a field. Never log
 * secrets, whole phone numbers, attributes of tasks, or SDP at INFO.
 *
 * Any thread may log, except those that must never wait: a reader that does not read its pipe stops
 * write(2). So media threads do not log; they post a message to the thread that owns the call.
 *
 * Levels: ERROR: somebody must act. WARN: noticed, and went on. INFO: a change worth a line in
 * production. DEBUG: everything else.
 */
#ifndef COMMON_LOG_LOG_H
#define COMMON_LOG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct clock;
struct error;

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARN,
    LOG_ERROR,
    LOG_LEVEL_COUNT
};

enum log_format {
    LOG_FORMAT_TEXT,
    LOG_FORMAT_JSON
};

struct log_event {
    const char *name;
    enum log_level level;
    const char *sentence; /* for docs/reference/log-events.md */
};

enum log_field_kind {
    LOG_FIELD_END,
    LOG_FIELD_TEXT,
    LOG_FIELD_INT,
    LOG_FIELD_REAL,
    LOG_FIELD_BOOL,
    LOG_FIELD_ERROR
};

struct log_field {
    enum log_field_kind kind;
    const char *key; /* a constant, snake_case, with its unit */
    union {
        const char *text; /* NULL: the field is left out */
        int64_t number;
        double real;
        bool flag;
        const struct error *error;
    };
};

/* Whose doing this is. Each may be NULL, and is then left out; so may the context. */
struct log_context {
    const char *trace;   /* one id from the INVITE to the decision */
    const char *request; /* id of the API request */
    const char *call;    /* SIP Call-ID */
};

/* Before it is called, the log is text, at INFO, on the standard error. */
struct log_options {
    enum log_level level;
    enum log_format format;
    int descriptor;            /* 0: the standard error */
    const struct clock *clock; /* NULL: the system's */
};

/* NOLINTBEGIN(bugprone-macro-parentheses): names, types and initialisers take no parentheses. */

#define LOG_TEXT(key_, value)                                                                      \
    {                                                                                              \
        .kind = LOG_FIELD_TEXT, .key = (key_), .text = (value)                                     \
    }
#define LOG_INT(key_, value)                                                                       \
    {                                                                                              \
        .kind = LOG_FIELD_INT, .key = (key_), .number = (value)                                    \
    }
#define LOG_REAL(key_, value)                                                                      \
    {                                                                                              \
        .kind = LOG_FIELD_REAL, .key = (key_), .real = (value)                                     \
    }
#define LOG_BOOL(key_, value)                                                                      \
    {                                                                                              \
        .kind = LOG_FIELD_BOOL, .key = (key_), .flag = (value)                                     \
    }
/* Becomes reason=, error=, and what else the error knows: field=, at=. */
#define LOG_FAILURE(err)                                                                           \
    {                                                                                              \
        .kind = LOG_FIELD_ERROR, .error = (err)                                                    \
    }

/* LOG(context, event [, fields...]) */
#define LOG(context, event, ...)                                                                   \
    log_write(                                                                                     \
        (context), &log_event_##event,                                                             \
        (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.kind = LOG_FIELD_END}})

/* For a log_events.h: `#define LOG_EVENT LOG_EVENT_DECLARE`, include the table, `#undef LOG_EVENT`;
 * likewise for its log_events.c. */
#define LOG_EVENT_DECLARE(name, level, sentence) extern const struct log_event log_event_##name;
#define LOG_EVENT_DEFINE(name_, level_, sentence_)                                                 \
    const struct log_event log_event_##name_ = {#name_, LOG_##level_, sentence_};

#define LOG_EVENT_LISTED(name, level, sentence) &log_event_##name,

/* NOLINTEND(bugprone-macro-parentheses) */

/* Called by main before it starts threads. */
void log_start(const struct log_options *options);
/* Any thread, at any time. */
void log_set_level(enum log_level level);
/* For what is costly to prepare. */
bool log_enabled(enum log_level level);
/* Lines that could not be written, since the start. */
int64_t log_lines_lost(void);

/* Through LOG. `fields` ends with LOG_FIELD_END. */
void log_write(
    const struct log_context *context,
    const struct log_event *event,
    const struct log_field *fields);

/* A table, ended by NULL, is sorted, without repetition, and each event has its sentence. Each
 * service's unit tests call it. */
MUST_USE bool log_events_check(const struct log_event *const *table, struct error *err);

const char *log_level_name(enum log_level level);                     /* "INFO" */
bool log_level_parse(const char *name, enum log_level *ret_level);    /* any case */
bool log_format_parse(const char *name, enum log_format *ret_format); /* "text", "json" */

#endif
