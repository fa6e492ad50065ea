#include "common/error/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/utf8.h"

static const struct {
    const char *name;
    enum error_code code;
    const char *advice;
} reasons[REASON_COUNT] = {
#define REASON(name, code, advice) [REASON_##name] = {#name, ERROR_##code, advice},
#include "common/error/reasons.def"
#undef REASON
};

/* As vsnprintf; but text that does not fit ends with a whole character, because a client gets it as
 * UTF-8. */
static void print(char *text, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void print(char *text, size_t size, const char *format, va_list args)
{
    int length = vsnprintf(text, size, format, args);
    size_t last = size - 1;

    if (length < 0 || (size_t)length < size) {
        return;
    }
    while (last > 0 && ((unsigned char)text[last - 1] & 0xc0U) == 0x80U) {
        last--;
    }
    /* `last` is behind the character's first byte now: keep it only when it is whole. */
    if (last > 0 && utf8_character_size(text + last - 1, size - last) == 0) {
        text[last - 1] = '\0';
    }
}

static void print_text(char *text, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);

static void print_text(char *text, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print(text, size, format, args);
    va_end(args);
}

bool error_report(
    struct error *err,
    enum error_reason reason,
    const char *file,
    int line,
    const char *format,
    ...)
{
    va_list args;

    err->reason = reason;
    err->file = file;
    err->line = line;
    err->field[0] = '\0';
    err->retry_delay_ms = 0;
    err->metadata_count = 0;

    va_start(args, format);
    print(err->message, sizeof(err->message), format, args);
    va_end(args);

    return false;
}

void error_set_message(struct error *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print(err->message, sizeof(err->message), format, args);
    va_end(args);
}

bool error_in_field(struct error *err, const char *path, bool reported)
{
    print_text(err->field, sizeof(err->field), "%s", path);
    return reported;
}

void error_add_metadata(struct error *err, const char *key, const char *format, ...)
{
    va_list args;

    if (err->metadata_count == ERROR_METADATA_MAX) {
        return;
    }

    struct error_metadata *pair = &err->metadata[err->metadata_count++];

    print_text(pair->key, sizeof(pair->key), "%s", key);
    va_start(args, format);
    print(pair->value, sizeof(pair->value), format, args);
    va_end(args);
}

enum error_code error_code(enum error_reason reason)
{
    return reasons[reason].code;
}

const char *error_code_name(enum error_code code)
{
    static const char *const names[] = {
        [ERROR_OK] = "OK",
        [ERROR_CANCELLED] = "CANCELLED",
        [ERROR_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
        [ERROR_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
        [ERROR_NOT_FOUND] = "NOT_FOUND",
        [ERROR_ALREADY_EXISTS] = "ALREADY_EXISTS",
        [ERROR_PERMISSION_DENIED] = "PERMISSION_DENIED",
        [ERROR_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
        [ERROR_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
        [ERROR_ABORTED] = "ABORTED",
        [ERROR_OUT_OF_RANGE] = "OUT_OF_RANGE",
        [ERROR_UNIMPLEMENTED] = "UNIMPLEMENTED",
        [ERROR_INTERNAL] = "INTERNAL",
        [ERROR_UNAVAILABLE] = "UNAVAILABLE",
        [ERROR_UNAUTHENTICATED] = "UNAUTHENTICATED",
    };
    size_t count = sizeof(names) / sizeof(names[0]);

    return (size_t)code < count && names[code] ? names[code] : "UNKNOWN";
}

const char *error_reason_name(enum error_reason reason)
{
    return reasons[reason].name;
}

bool error_reason_find(const char *name, enum error_reason *ret_reason)
{
    size_t low = 0;
    size_t high = REASON_COUNT;

    while (low < high) { /* the table is sorted by name */
        size_t middle = (low + high) / 2;
        int order = strcmp(name, reasons[middle].name);

        if (order == 0) {
            *ret_reason = (enum error_reason)middle;
            return true;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}

const char *error_reason_advice(enum error_reason reason)
{
    return reasons[reason].advice;
}
