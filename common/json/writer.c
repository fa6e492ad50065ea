#include "common/json/writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/value/value.h"

enum {
    FIRST_SIZE = 128,
    NUMBER_SIZE = 40
};

static void put(struct json_writer *writer, const char *bytes, size_t size)
{
    if (writer->size - writer->length <= size) {
        writer->size = (writer->size ? writer->size * 2 : FIRST_SIZE) + size;
        writer->text = mem_realloc_array(writer->text, writer->size, 1);
    }
    memcpy(writer->text + writer->length, bytes, size);
    writer->length += size;
    writer->text[writer->length] = '\0';
}

static void put_text(struct json_writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

/* A value or key follows: it needs a comma unless it is the first of its kind. */
static void separate(struct json_writer *writer)
{
    if (writer->length == 0) {
        return;
    }

    char last = writer->text[writer->length - 1];

    if (last != '[' && last != '{' && last != ':') {
        put(writer, ",", 1);
    }
}

void json_begin(struct json_writer *writer, char bracket)
{
    separate(writer);
    put(writer, &bracket, 1);
}

void json_end(struct json_writer *writer, char bracket)
{
    put(writer, &bracket, 1);
}

static void put_escape(struct json_writer *writer, char character)
{
    char escape[8];

    if (character == '"' || character == '\\') {
        (void)snprintf(escape, sizeof(escape), "\\%c", character);
    } else if (character == '\n') {
        (void)snprintf(escape, sizeof(escape), "\\n");
    } else {
        (void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)(unsigned char)character);
    }
    put_text(writer, escape);
}

void json_write_bytes(struct json_writer *writer, const char *text, size_t length)
{
    size_t done = 0;

    separate(writer);
    put(writer, "\"", 1);
    for (size_t i = 0; i < length;) {
        size_t size = utf8_character_size(text + i, length - i);
        bool plain = size > 0 && (unsigned char)text[i] >= 0x20 && text[i] != '"' &&
                     text[i] != '\\' && text[i] != 0x7f;

        if (plain) {
            i += size;
            continue;
        }
        put(writer, text + done, i - done);
        if (size == 0 && text[i] != '\0') {
            put_text(writer, "\xef\xbf\xbd");
        } else {
            put_escape(writer, text[i]);
        }
        i++;
        done = i;
    }
    put(writer, text + done, length - done);
    put(writer, "\"", 1);
}

void json_write_text(struct json_writer *writer, const char *text)
{
    if (text) {
        json_write_bytes(writer, text, strlen(text));
    } else {
        json_write_null(writer);
    }
}

void json_write_key(struct json_writer *writer, const char *key)
{
    json_write_text(writer, key ? key : "");
    put(writer, ":", 1);
}

void json_write_integer(struct json_writer *writer, int64_t integer)
{
    char number[NUMBER_SIZE];

    separate(writer);
    (void)snprintf(number, sizeof(number), "%" PRId64, integer);
    put_text(writer, number);
}

void json_write_real(struct json_writer *writer, double real)
{
    char number[NUMBER_SIZE] = "null";

    /* The shortest form that reads back as the same double; 17 digits always do. */
    for (int digits = 15; digits <= 17 && isfinite(real); digits++) {
        (void)snprintf(number, sizeof(number), "%.*g", digits, real);
        if (strtod(number, NULL) == real) {
            break;
        }
    }
    /* It was not an integer when it was read, and must not become one. */
    if (isfinite(real) && !strpbrk(number, ".e")) {
        (void)strncat(number, ".0", sizeof(number) - strlen(number) - 1);
    }
    separate(writer);
    put_text(writer, number);
}

void json_write_bool(struct json_writer *writer, bool boolean)
{
    separate(writer);
    put_text(writer, boolean ? "true" : "false");
}

void json_write_null(struct json_writer *writer)
{
    separate(writer);
    put_text(writer, "null");
}

/* NOLINTBEGIN(misc-no-recursion): a value is at most VALUE_DEPTH_MAX deep. */

static void write_list(struct json_writer *writer, const struct value *list)
{
    json_begin(writer, '[');
    for (uint32_t i = 0; i < list->count; i++) {
        json_write_value(writer, &list->items[i]);
    }
    json_end(writer, ']');
}

static void write_object(struct json_writer *writer, const struct value *object)
{
    json_begin(writer, '{');
    for (uint32_t i = 0; i < object->count; i++) {
        json_write_key(writer, object->members[i].key->text);
        json_write_value(writer, &object->members[i].value);
    }
    json_end(writer, '}');
}

void json_write_value(struct json_writer *writer, const struct value *value)
{
    switch (value->type) {
    case VALUE_NULL:
        json_write_null(writer);
        break;
    case VALUE_BOOL:
        json_write_bool(writer, value->boolean);
        break;
    case VALUE_INTEGER:
        json_write_integer(writer, value->integer);
        break;
    case VALUE_REAL:
        json_write_real(writer, value->real);
        break;
    case VALUE_TEXT:
        json_write_bytes(writer, value->text, value->count);
        break;
    case VALUE_LIST:
        write_list(writer, value);
        break;
    case VALUE_OBJECT:
        write_object(writer, value);
        break;
    }
}

/* NOLINTEND(misc-no-recursion) */
