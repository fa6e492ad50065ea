/* Writes JSON piece by piece into a growing text; commas come by themselves. Whatever is put in,
 * what comes out is valid JSON: text that is not UTF-8 gets U+FFFD, a number that JSON does not
 * know becomes null. Nesting and keys are the caller's to get right.
 *
 *     struct json_writer writer = {0};
 *
 *     json_begin(&writer, '{');
 *     json_write_key(&writer, "sequence");
 *     json_write_integer(&writer, 7);
 *     json_end(&writer, '}');
 *     puts(writer.text);
 *     free(writer.text);
 */
#ifndef COMMON_JSON_WRITER_H
#define COMMON_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value;

struct json_writer {
    char *text; /* the caller's to free; NULL as long as nothing was written */
    size_t length;
    size_t size;
};

void json_begin(struct json_writer *writer, char bracket); /* '{' or '[' */
void json_end(struct json_writer *writer, char bracket);   /* '}' or ']' */
void json_write_key(struct json_writer *writer, const char *key);
void json_write_text(struct json_writer *writer, const char *text); /* NULL: null */
void json_write_bytes(struct json_writer *writer, const char *text, size_t length);
void json_write_integer(struct json_writer *writer, int64_t integer);
void json_write_real(struct json_writer *writer, double real);
void json_write_bool(struct json_writer *writer, bool boolean);
void json_write_null(struct json_writer *writer);
void json_write_value(struct json_writer *writer, const struct value *value);

#endif
