#include "common/json/json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/utf8.h"
#include "common/error/error.h"
#include "common/json/writer.h"
#include "common/value/value.h"

/* Two passes. The first one looks at the text only, and finds what the library would let through or
 * would find too late: nesting and numbers without end. The second one is the library's, and then
 * its tree is copied into the arena.
 */

enum {
    NUMBER_BYTES_MAX = 400,
    EXPONENT_MAX = 400 /* jsonb keeps 16,383 digits after the point; a double ends at 1e-324 */
};

struct text {
    const char *bytes;
    size_t length;
};

static bool fail_at(const struct text *text, size_t offset, const char *what, struct error *err)
{
    int line = 1;
    int column = 1;

    for (size_t i = 0; i < offset && i < text->length; i++) {
        if (text->bytes[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text->bytes[i] & 0xc0U) != 0x80U) {
            column++;
        }
    }

    (void)FAIL(err, REASON_JSON_INVALID, "line %d, column %d: %s", line, column, what);
    error_add_metadata(err, "line", "%d", line);
    error_add_metadata(err, "column", "%d", column);
    return false;
}

/* The offset after the string that begins at `at`, or the end of the text. */
static size_t skip_string(const struct text *text, size_t at)
{
    at++;
    while (at < text->length && text->bytes[at] != '"') {
        at += text->bytes[at] == '\\' ? 2 : 1;
    }
    return at < text->length ? at + 1 : text->length;
}

static bool begins_number(char byte)
{
    return (byte >= '0' && byte <= '9') || byte == '-';
}

static bool is_number_byte(char byte)
{
    return begins_number(byte) || byte == '+' || byte == '.' || byte == 'e' || byte == 'E';
}

static bool check_number(const struct text *text, size_t *at, struct error *err)
{
    size_t start = *at;
    const char *exponent = NULL;

    while (*at < text->length && is_number_byte(text->bytes[*at])) {
        if (text->bytes[*at] == 'e' || text->bytes[*at] == 'E') {
            exponent = text->bytes + *at + 1;
        }
        (*at)++;
    }
    if (*at - start > NUMBER_BYTES_MAX) {
        return fail_at(text, start, "a number of more than 400 digits", err);
    }

    long power = 0;

    for (const char *digit = exponent; digit && digit < text->bytes + *at; digit++) {
        if (*digit >= '0' && *digit <= '9' && power <= EXPONENT_MAX) {
            power = power * 10 + (*digit - '0');
        }
    }
    return power <= EXPONENT_MAX || fail_at(text, start, "an exponent above 400", err);
}

/* How many levels further inside the byte leads. */
static int step_inside(char byte)
{
    if (byte == '{' || byte == '[') {
        return 1;
    }
    return byte == '}' || byte == ']' ? -1 : 0;
}

static bool check_step(const struct text *text, size_t *at, int *depth, struct error *err)
{
    char byte = text->bytes[*at];

    if (byte == '"') {
        *at = skip_string(text, *at);
        return true;
    }
    if (begins_number(byte)) {
        return check_number(text, at, err);
    }
    *depth += step_inside(byte);
    if (*depth > VALUE_DEPTH_MAX) {
        return fail_at(text, *at, "more than 64 levels of lists and objects", err);
    }
    (*at)++;
    return true;
}

static bool check_text(const struct text *text, struct error *err)
{
    int depth = 0;
    size_t at = 0;

    while (at < text->length) {
        if (!check_step(text, &at, &depth, err)) {
            return false;
        }
    }
    return true;
}

static bool continues_word(char byte)
{
    return is_number_byte(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* The library counts to the end of the token it dislikes: where that token begins. */
static size_t token_start(const struct text *text, size_t end)
{
    size_t start = 0;

    while (start < end && start < text->length) {
        size_t next = text->bytes[start] == '"' ? skip_string(text, start) : start + 1;

        if (text->bytes[start] == '"' && next >= end) {
            return start;
        }
        start = next;
    }
    start = end < text->length ? end : text->length;
    while (start > 0 && continues_word(text->bytes[start - 1])) {
        start--;
    }
    return start == end && end > 0 ? end - 1 : start;
}

/* The library's words, where ours are clearer. True when it missed something at the end. */
static bool say(const json_error_t *error, char *message, size_t size)
{
    static const struct {
        const char *theirs;
        const char *ours;
    } words[] = {
        {"unexpected token",       "a value expected"                   },
        {"end of file expected",   "the end expected"                   },
        {"premature end of input", "this text is not closed"            },
        {"unexpected newline",     "this text is not closed on its line"},
    };
    static const char end[] = " near end of file";
    const char *text = error->text;
    size_t length = strlen(text);
    const char *start = "";

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strncmp(text, words[i].theirs, strlen(words[i].theirs)) == 0) {
            start = words[i].ours;
            text += strlen(words[i].theirs);
            length -= strlen(words[i].theirs);
            break;
        }
    }
    bool at_end = length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;

    length -= at_end ? strlen(end) : 0;
    (void)snprintf(
        message, size, "%s%.*s%s", start, (int)length, text, at_end ? ", found the end" : "");
    return at_end;
}

/* The library may quote half a character. */
static void repair(char *message)
{
    size_t length = strlen(message);

    for (size_t i = 0; i < length;) {
        size_t size = utf8_character_size(message + i, length - i);

        if (size == 0) {
            message[i] = '?';
            size = 1;
        }
        i += size;
    }
}

static bool fail_twice(const struct text *text, size_t start, size_t end, struct error *err)
{
    char message[ERROR_MESSAGE_SIZE]; /* what is cut here is cut again, with care, by fail_at */

    (void)snprintf(
        message, sizeof(message), "a key comes twice: %.*s", (int)(end - start),
        text->bytes + start);
    return fail_at(text, start, message, err);
}

static bool fail_from_library(const struct text *text, const json_error_t *error, struct error *err)
{
    char message[JSON_ERROR_TEXT_LENGTH + 40];
    size_t end = error->position > 0 ? (size_t)error->position : 0;
    size_t start = token_start(text, end);

    if (text->length == 0) {
        return fail_at(text, 0, "a JSON value expected, the text is empty", err);
    }

    switch ((int)json_error_code(error)) {
    case json_error_numeric_overflow:
        return fail_at(
            text, start,
            "a number beyond 64 bits, which could not be compared exactly; write it as text", err);
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return fail_at(text, start, "text may not hold NUL (\\u0000)", err);
    case json_error_duplicate_key:
        return fail_twice(text, start, end, err);
    default:
        break;
    }

    bool at_end = say(error, message, sizeof(message));

    repair(message);

    return fail_at(text, at_end ? text->length : start, message, err);
}

/* NOLINTBEGIN(misc-no-recursion): check_text has limited the depth. */

static struct value convert(json_t *json, struct value_keys *keys, struct arena *arena);

static struct value convert_list(const json_t *json, struct value_keys *keys, struct arena *arena)
{
    size_t count = json_array_size(json);
    struct value *items = arena_new_array(arena, struct value, count);

    for (size_t i = 0; i < count; i++) {
        items[i] = convert(json_array_get(json, i), keys, arena);
    }
    return value_of_list(items, count);
}

static struct value convert_object(json_t *json, struct value_keys *keys, struct arena *arena)
{
    size_t count = json_object_size(json);
    struct value_member *members = arena_new_array(arena, struct value_member, count);
    struct value_member *member = members;

    for (void *at = json_object_iter(json); at; at = json_object_iter_next(json, at)) {
        const char *key = json_object_iter_key(at);

        member->key = value_keys_intern(keys, arena, key, json_object_iter_key_len(at));
        member->value = convert(json_object_iter_value(at), keys, arena);
        member++;
    }
    return value_of_object(members, count);
}

static struct value convert(json_t *json, struct value_keys *keys, struct arena *arena)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return convert_object(json, keys, arena);
    case JSON_ARRAY:
        return convert_list(json, keys, arena);
    case JSON_STRING:
        return (struct value){
            .type = VALUE_TEXT,
            .count = (uint32_t)json_string_length(json),
            .text = arena_strndup(arena, json_string_value(json), json_string_length(json))};
    case JSON_INTEGER:
        return value_of_integer(json_integer_value(json));
    case JSON_REAL:
        return value_of_real(json_real_value(json));
    case JSON_TRUE:
        return value_of_bool(true);
    case JSON_FALSE:
        return value_of_bool(false);
    case JSON_NULL:
        break;
    }
    return value_null;
}

/* NOLINTEND(misc-no-recursion) */

bool json_parse(
    const struct json_reader *reader,
    const char *text,
    size_t length,
    struct value *ret_value,
    struct error *err)
{
    struct text whole = {text, length};
    json_error_t error = {0};

    if (length > reader->max_bytes) {
        return FAIL(
            err, REASON_FIELD_TOO_LONG, "%zu bytes of JSON; at most %zu", length,
            reader->max_bytes);
    }
    if (!check_text(&whole, err)) {
        return false;
    }

    json_t *json = json_loadb(text, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);

    if (!json) {
        return fail_from_library(&whole, &error, err);
    }
    *ret_value = convert(json, reader->keys, reader->arena);
    json_decref(json);
    return true;
}

bool json_parse_object(
    const struct json_reader *reader,
    const char *text,
    size_t length,
    struct value *ret_value,
    struct error *err)
{
    struct value value = value_null;

    if (!json_parse(reader, text, length, &value, err)) {
        return false;
    }
    if (value.type != VALUE_OBJECT) {
        struct text whole = {text, length};

        return fail_at(&whole, strspn(text, " \t\r\n"), "a JSON object expected: {...}", err);
    }
    *ret_value = value;
    return true;
}

char *json_print(const struct value *value)
{
    struct json_writer writer = {0};

    json_write_value(&writer, value);
    return writer.text;
}
