#include "common/log/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/log/line.h"

/* The logger: the one global that is not constant. The plain fields are set before threads start.
 */
static struct {
    enum log_format format;
    int descriptor;
    const struct clock *clock;
    _Atomic(int) level;
    _Atomic(int64_t) lost;
} logger = {.descriptor = STDERR_FILENO, .level = LOG_INFO};

static const char *const level_names[LOG_LEVEL_COUNT] =
    {[LOG_DEBUG] = "DEBUG", [LOG_INFO] = "INFO", [LOG_WARN] = "WARN", [LOG_ERROR] = "ERROR"};

void log_start(const struct log_options *options)
{
    logger.format = options->format;
    logger.descriptor = options->descriptor ? options->descriptor : STDERR_FILENO;
    logger.clock = options->clock;
    log_set_level(options->level);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&logger.level, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&logger.level, memory_order_relaxed);
}

int64_t log_lines_lost(void)
{
    return atomic_load_explicit(&logger.lost, memory_order_relaxed);
}

void log_write(
    const struct log_context *context,
    const struct log_event *event,
    const struct log_field *fields)
{
    if (!log_enabled(event->level)) {
        return;
    }

    int saved = errno; /* a caller may log between a failure and its report */
    char text[LOG_LINE_SIZE];
    const struct log_line line = {
        .context = context,
        .event = event,
        .fields = fields,
        .wall_us = clock_wall_us(logger.clock ? logger.clock : clock_system()),
    };
    size_t length = log_line_print(&line, logger.format, text);
    ssize_t written;

    do {
        written = write(logger.descriptor, text, length);
    } while (written < 0 && errno == EINTR);

    if (written != (ssize_t)length) {
        (void)atomic_fetch_add_explicit(&logger.lost, 1, memory_order_relaxed);
    }
    errno = saved;
}

bool log_events_check(const struct log_event *const *table, struct error *err)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

    for (; *table; table++) {
        const char *name = (*table)->name;
        const char *sentence = (*table)->sentence;
        size_t length = strlen(sentence);

        if (name[strspn(name, small)] != '\0') {
            return FAIL(err, REASON_INTERNAL, "%s: names are snake_case", name);
        }
        if (length < 10 || sentence[length - 1] != '.' || strchr(sentence, '\n')) {
            return FAIL(err, REASON_INTERNAL, "%s: needs a sentence, with its full stop", name);
        }
        if (table[1] && strcmp(name, table[1]->name) >= 0) {
            return FAIL(err, REASON_INTERNAL, "%s: does not come before %s", name, table[1]->name);
        }
    }
    return true;
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

bool log_level_parse(const char *name, enum log_level *ret_level)
{
    for (int level = 0; level < LOG_LEVEL_COUNT; level++) {
        if (strcasecmp(name, level_names[level]) == 0) {
            *ret_level = (enum log_level)level;
            return true;
        }
    }
    return false;
}

bool log_format_parse(const char *name, enum log_format *ret_format)
{
    if (strcasecmp(name, "text") == 0) {
        *ret_format = LOG_FORMAT_TEXT;
        return true;
    }
    if (strcasecmp(name, "json") == 0) {
        *ret_format = LOG_FORMAT_JSON;
        return true;
    }
    return false;
}
