/* How an event becomes a line. Pure: the tests of the format need no descriptor and no clock. */
#ifndef COMMON_LOG_LINE_H
#define COMMON_LOG_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "common/log/log.h"

enum {
    /* PIPE_BUF: a line is written whole even when several processes share the pipe. */
    LOG_LINE_SIZE = 4096,
    /* Of one value, before escaping; longer ones are cut and end in "...". */
    LOG_VALUE_MAX = 1024
};

struct log_line {
    const struct log_context *context;
    const struct log_event *event;
    const struct log_field *fields;
    int64_t wall_us;
};

/* Prints the line with its newline, without a NUL; returns its length. Fields that do not fit are
 * left out, and `truncated` says so. */
size_t log_line_print(
    const struct log_line *line,
    enum log_format format,
    char text[LOG_LINE_SIZE]);

#endif
