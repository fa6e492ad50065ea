/* A value: what a piece of JSON means. Task and worker attributes are values; expressions read
 * them.
 *
 * A value is 16 bytes, copied freely; what it points to (text, items, members) belongs to the arena
 * or to the block it was made in and is never changed afterwards, so any thread may read it.
 * `value_copy` packs a whole tree into one block of the heap: one allocation, one free.
 *
 * Numbers are exact: an integer is an int64_t, everything else a double. (JSON text with an integer
 * beyond 64 bits is refused by common/json.) The text a client sent is kept by whoever has to give
 * it back; printing a value may write a number differently (1.50 becomes 1.5).
 *
 * Depth and size are limited by whoever makes the value: common/json.
 */
#ifndef COMMON_VALUE_VALUE_H
#define COMMON_VALUE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/value/keys.h"

struct arena;

enum value_type {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INTEGER,
    VALUE_REAL, /* finite */
    VALUE_TEXT,
    VALUE_LIST,
    VALUE_OBJECT
};

enum {
    VALUE_DEPTH_MAX = 64 /* lists and objects within each other; functions here recurse so deep */
};

struct value {
    enum value_type type;
    uint32_t count; /* bytes of text without its NUL, items of a list, members of an object */
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *text; /* UTF-8, ends with NUL, holds none */
        const struct value *items;
        const struct value_member *members; /* in the order given; no two with the same key */
    };
};

struct value_member {
    const struct value_key *key;
    struct value value;
};

/* One step of a path: into a member, or, when key is NULL, to an item of a list. */
struct value_step {
    const struct value_key *key;
    uint32_t index;
};

/* What is not there. */
extern const struct value value_null;

static inline struct value value_of_bool(bool boolean)
{
    return (struct value){.type = VALUE_BOOL, .boolean = boolean};
}

static inline struct value value_of_integer(int64_t integer)
{
    return (struct value){.type = VALUE_INTEGER, .integer = integer};
}

static inline struct value value_of_real(double real)
{
    return (struct value){.type = VALUE_REAL, .real = real};
}

/* The text is borrowed. NULL gives null. */
struct value value_of_text(const char *text);
/* The arrays are borrowed. */
struct value value_of_list(const struct value *items, size_t count);
struct value value_of_object(const struct value_member *members, size_t count);

static inline bool value_is_number(const struct value *value)
{
    return value->type == VALUE_INTEGER || value->type == VALUE_REAL;
}

/* null, true, false, a number or text. */
static inline bool value_is_scalar(const struct value *value)
{
    return value->type < VALUE_LIST;
}

/* "null", "true or false", "a number", "text", "a list", "an object": for messages. */
const char *value_type_words(enum value_type type);

/* These answer &value_null for what is not there, also in a value of another type. */
const struct value *value_get(const struct value *object, const struct value_key *key);
const struct value *value_get_named(const struct value *object, const char *name);
const struct value *value_at(const struct value *list, size_t index);
const struct value *value_follow(
    const struct value *value,
    const struct value_step *steps,
    size_t count);

/* Same type and content; an integer equals the real of the same value; members in any order. */
bool value_equal(const struct value *a, const struct value *b);
/* Equal values have equal hashes. Not for tables whose keys a stranger picks. */
uint64_t value_hash(const struct value *value, uint64_t seed);

/* A deep copy in one block; value_free frees it. NULL stays NULL. */
struct value *value_copy(const struct value *value);
struct value *value_free(struct value *value);
struct value *value_copy_to_arena(struct arena *arena, const struct value *value);
/* Bytes that the copy takes. */
size_t value_size(const struct value *value);

DEFINE_CLEANUP(struct value *, value_free)

#endif
