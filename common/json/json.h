/* JSON text to a value and back (RFC 8259). The only user of the JSON library.
 *
 * What PostgreSQL's jsonb would refuse is refused here, so that nothing fails later in a batch: NUL
 * (also as an escape), lone surrogates, bad UTF-8, numbers without end. Refused as well: a key that
 * comes twice (jsonb would silently keep the last), an integer beyond 64 bits (it could not be
 * compared exactly; write it as text), and more than VALUE_DEPTH_MAX levels.
 *
 * The original text is the caller's to keep when it must be given back byte by byte.
 */
#ifndef COMMON_JSON_JSON_H
#define COMMON_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

struct arena;
struct error;
struct value;
struct value_keys;

/* Where values go and how much text is welcome. */
struct json_reader {
    struct value_keys *keys;
    struct arena *arena;
    size_t max_bytes;
};

/* Any JSON value, in the arena. Fails with JSON_INVALID; the message names line, column and what
 * was expected, the metadata has "line" and "column" (from 1; columns in characters). Longer than
 * max_bytes: FIELD_TOO_LONG.
 */
MUST_USE bool json_parse(
    const struct json_reader *reader,
    const char *text,
    size_t length,
    struct value *ret_value,
    struct error *err);

/* The same, and it must be an object: attributes, documents. */
MUST_USE bool json_parse_object(
    const struct json_reader *reader,
    const char *text,
    size_t length,
    struct value *ret_value,
    struct error *err);

/* Compact text on the heap; parses to an equal value. */
char *json_print(const struct value *value);

#endif
