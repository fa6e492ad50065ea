/* The names of object members, each text kept once, so that looking a member up compares pointers.
 *
 * One table per process, made by main and handed down; it outlives every value and expression made
 * with it, and two values may only be compared by key when they share it. Any thread may intern at
 * any time: the table is an array of atomic pointers, entries are only ever added, and nobody
 * waits.
 *
 * Clients choose the keys, so the table is bounded. A key that is too long, or finds no free place,
 * stays loose: it lives in the arena of the value that named it and is compared by its text. A text
 * that is loose once is loose for ever (no place is freed), so "the same text" always means either
 * the same pointer or two loose keys with equal text.
 */
#ifndef COMMON_VALUE_KEYS_H
#define COMMON_VALUE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/attr.h"

struct arena;
struct value_keys;

struct value_key {
    uint32_t hash;
    uint32_t length;
    bool loose;
    char text[]; /* ends with NUL, holds none */
};

enum {
    VALUE_KEYS_DEFAULT = 1 << 16, /* places in a process's table: 512 KiB, some 60,000 keys */
    VALUE_KEY_INTERNED_MAX = 64   /* bytes; longer keys stay loose */
};

/* places: a power of two. */
struct value_keys *value_keys_new(size_t places);
struct value_keys *value_keys_free(struct value_keys *keys);

/* The key with this text; a loose one is made in the arena. */
const struct value_key *value_keys_intern(
    struct value_keys *keys,
    struct arena *arena,
    const char *text,
    size_t length);

static inline bool value_key_same(const struct value_key *a, const struct value_key *b)
{
    return a == b || (a->loose && b->loose && a->hash == b->hash && a->length == b->length &&
                      memcmp(a->text, b->text, a->length) == 0);
}

DEFINE_CLEANUP(struct value_keys *, value_keys_free)

#endif
