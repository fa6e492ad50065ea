#include "common/log/line.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/attr.h"
#include "common/error/error.h"

enum {
    TAIL_SIZE = 32 /* kept free for the note that fields are missing and the end of the line */
};

/* The line as it grows. `full` is set when something did not fit; the field that it belongs to is
 * then taken back. */
struct printer {
    char *text;
    size_t length;
    size_t limit;
    enum log_format format;
    bool full;
};

static void put_bytes(struct printer *printer, const char *bytes, size_t size)
{
    if (printer->full || size > printer->limit - printer->length) {
        printer->full = true;
        return;
    }
    memcpy(printer->text + printer->length, bytes, size);
    printer->length += size;
}

static void put(struct printer *printer, const char *format, ...) PRINTF_LIKE(2, 3);

static void put(struct printer *printer, const char *format, ...)
{
    char piece[64];
    va_list args;

    va_start(args, format);
    int length = vsnprintf(piece, sizeof(piece), format, args);
    va_end(args);
    put_bytes(printer, piece, length > 0 ? (size_t)length : 0);
}

/* Length of the well-formed UTF-8 character at the front (RFC 3629), or 0. */
static size_t character_length(const unsigned char *bytes, size_t left)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t length;
    } forms[] = {
        {0x00, 0x7F, 0x00, 0x00, 1},
        {0xC2, 0xDF, 0x80, 0xBF, 2},
        {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3},
        {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4},
        {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    size_t form = 0;

    while (form < sizeof(forms) / sizeof(forms[0]) && bytes[0] > forms[form].first_high) {
        form++;
    }
    if (form == sizeof(forms) / sizeof(forms[0]) || bytes[0] < forms[form].first_low ||
        forms[form].length > left) {
        return 0;
    }
    if (forms[form].length > 1 &&
        (bytes[1] < forms[form].second_low || bytes[1] > forms[form].second_high)) {
        return 0;
    }
    for (size_t i = 2; i < forms[form].length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return forms[form].length;
}

/* Characters that end a line or steer a terminal: C0, DEL, C1, and Unicode's two line ends. */
static unsigned control_code(const unsigned char *bytes, size_t length)
{
    if (length == 1 && (bytes[0] < 0x20 || bytes[0] == 0x7F)) {
        return bytes[0];
    }
    if (length == 2 && bytes[0] == 0xC2 && bytes[1] < 0xA0) {
        return bytes[1];
    }
    if (length == 3 && bytes[0] == 0xE2 && bytes[1] == 0x80 && (bytes[2] & 0xFE) == 0xA8) {
        return 0x2000U + (bytes[2] & 0x3FU);
    }
    return 0;
}

static void put_character(struct printer *printer, const unsigned char *bytes, size_t length)
{
    unsigned control = control_code(bytes, length);

    if (bytes[0] == '"' || bytes[0] == '\\') {
        put(printer, "\\%c", bytes[0]);
    } else if (bytes[0] == '\n') {
        put(printer, "\\n");
    } else if (control) {
        put(printer, "\\u%04x", control);
    } else {
        put_bytes(printer, (const char *)bytes, length);
    }
}

/* The escapes are JSON's in both formats. */
static void put_quoted(struct printer *printer, const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t size = strnlen(text, LOG_VALUE_MAX + 1);
    bool cut = size > LOG_VALUE_MAX;
    size_t at = 0;

    size = cut ? LOG_VALUE_MAX : size;
    put(printer, "\"");
    while (at < size) {
        size_t length = character_length(bytes + at, size - at);

        if (length > 0) {
            put_character(printer, bytes + at, length);
        } else if (!cut || size - at > 3) { /* else only the end of a character that was cut */
            put(printer, "\\ufffd");
        }
        at += length > 0 ? length : 1;
    }
    put(printer, cut ? "...\"" : "\"");
}

static bool is_plain(const char *text)
{
    size_t length = strspn(
        text,
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/@+*,;~#%?!()[]<>$&");

    return length > 0 && length <= LOG_VALUE_MAX && text[length] == '\0';
}

static void put_key(struct printer *printer, const char *key)
{
    if (printer->format == LOG_FORMAT_JSON) {
        put(printer, ",\"");
        put_bytes(printer, key, strlen(key));
        put(printer, "\":");
    } else {
        put(printer, " ");
        put_bytes(printer, key, strlen(key));
        put(printer, "=");
    }
}

static void put_text(struct printer *printer, const char *key, const char *text)
{
    if (!text) {
        return;
    }

    put_key(printer, key);
    if (printer->format == LOG_FORMAT_TEXT && is_plain(text)) {
        put_bytes(printer, text, strlen(text));
    } else {
        put_quoted(printer, text);
    }
}

static void put_real(struct printer *printer, double real)
{
    if (isfinite(real)) {
        put(printer, "%.6g", real);
    } else {
        put(printer, printer->format == LOG_FORMAT_JSON ? "null" : "none");
    }
}

static void put_error(struct printer *printer, const struct error *err)
{
    char place[128];
    const char *file = err->file ? err->file : "";
    const char *common = strstr(file, "/common/");
    const char *services = strstr(file, "/services/");
    const char *start = common ? common + 1 : services ? services + 1 : file;

    (void)snprintf(place, sizeof(place), "%s:%d", start, err->line);
    put_text(printer, "reason", error_reason_name(err->reason));
    put_text(printer, "error", err->message);
    put_text(printer, "field", err->field[0] != '\0' ? err->field : NULL);
    put_text(printer, "at", place);
}

static void put_field(struct printer *printer, const struct log_field *field)
{
    size_t start = printer->length;

    switch (field->kind) {
    case LOG_FIELD_TEXT:
        put_text(printer, field->key, field->text);
        break;
    case LOG_FIELD_INT:
        put_key(printer, field->key);
        put(printer, "%lld", (long long)field->number);
        break;
    case LOG_FIELD_REAL:
        put_key(printer, field->key);
        put_real(printer, field->real);
        break;
    case LOG_FIELD_BOOL:
        put_key(printer, field->key);
        put(printer, field->flag ? "true" : "false");
        break;
    case LOG_FIELD_ERROR:
        put_error(printer, field->error);
        break;
    case LOG_FIELD_END:
        break;
    }

    if (printer->full) {
        printer->length = start;
    }
}

static void put_head(struct printer *printer, const struct log_line *line)
{
    time_t seconds = (time_t)(line->wall_us / 1000000);
    struct tm day;
    char time[40];

    (void)gmtime_r(&seconds, &day);
    size_t length = strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", &day);
    (void)snprintf(
        time + length, sizeof(time) - length, ".%03dZ", (int)(line->wall_us % 1000000 / 1000));

    if (printer->format == LOG_FORMAT_JSON) {
        put(printer, "{\"time\":\"%s\",\"level\":\"%s\"", time, log_level_name(line->event->level));
        put_text(printer, "event", line->event->name);
    } else {
        put(printer, "%s %-5s ", time, log_level_name(line->event->level));
        put_bytes(printer, line->event->name, strlen(line->event->name));
    }
}

size_t log_line_print(
    const struct log_line *line,
    enum log_format format,
    char text[LOG_LINE_SIZE]) /* NOLINT(readability-non-const-parameter): the printer writes it */
{
    struct printer printer = {.text = text, .limit = LOG_LINE_SIZE - TAIL_SIZE, .format = format};
    const struct log_context none = {NULL, NULL, NULL};
    const struct log_context *context = line->context ? line->context : &none;
    const struct log_field identity[] = {
        LOG_TEXT("trace", context->trace),
        LOG_TEXT("request", context->request),
        LOG_TEXT("call", context->call),
    };

    put_head(&printer, line);
    for (size_t i = 0; i < sizeof(identity) / sizeof(identity[0]); i++) {
        put_field(&printer, &identity[i]);
    }
    for (const struct log_field *field = line->fields; field->kind != LOG_FIELD_END; field++) {
        put_field(&printer, field);
    }

    printer.limit = LOG_LINE_SIZE;
    if (printer.full) {
        const struct log_field note = LOG_BOOL("truncated", true);

        printer.full = false;
        put_field(&printer, &note);
    }
    put(&printer, format == LOG_FORMAT_JSON ? "}\n" : "\n");
    return printer.length;
}
