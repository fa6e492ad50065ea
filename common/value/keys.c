#include "common/value/keys.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/mem.h"

enum {
    PROBES = 32 /* bounds a look-up even when a client picks keys that collide */
};

struct value_keys {
    size_t mask;
    _Atomic(struct value_key *) places[];
};

/* FNV-1a, 32 bits. */
static uint32_t hash_text(const char *text, size_t length)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 16777619U;
    }
    return hash;
}

static bool key_is(const struct value_key *key, uint32_t hash, const char *text, size_t length)
{
    return key->hash == hash && key->length == length && memcmp(key->text, text, length) == 0;
}

static void key_fill(struct value_key *key, uint32_t hash, const char *text, size_t length)
{
    key->hash = hash;
    key->length = (uint32_t)length;
    memcpy(key->text, text, length);
    key->text[length] = '\0';
}

struct value_keys *value_keys_new(size_t places)
{
    assert(places > 0 && (places & (places - 1)) == 0);

    struct value_keys *keys =
        mem_alloc(sizeof(struct value_keys) + places * sizeof(keys->places[0]));

    keys->mask = places - 1;
    return keys;
}

struct value_keys *value_keys_free(struct value_keys *keys)
{
    if (!keys) {
        return NULL;
    }

    for (size_t i = 0; i <= keys->mask; i++) {
        free(atomic_load_explicit(&keys->places[i], memory_order_relaxed));
    }
    free(keys);
    return NULL;
}

/* Puts the key into an empty place; gives what stands there afterwards, ours or a faster thread's.
 */
static struct value_key *place_fill(
    _Atomic(struct value_key *) *place,
    uint32_t hash,
    const char *text,
    size_t length)
{
    struct value_key *key = mem_alloc(sizeof(struct value_key) + length + 1);
    struct value_key *found = NULL;

    key_fill(key, hash, text, length);
    if (atomic_compare_exchange_strong_explicit(
            place, &found, key, memory_order_acq_rel, memory_order_acquire)) {
        return key;
    }
    free(key);
    return found;
}

const struct value_key *value_keys_intern(
    struct value_keys *keys,
    struct arena *arena,
    const char *text,
    size_t length)
{
    uint32_t hash = hash_text(text, length);

    for (size_t i = 0; i < PROBES && length <= VALUE_KEY_INTERNED_MAX; i++) {
        _Atomic(struct value_key *) *place = &keys->places[(hash + i) & keys->mask];
        struct value_key *key = atomic_load_explicit(place, memory_order_acquire);

        if (!key) {
            key = place_fill(place, hash, text, length);
        }
        if (key_is(key, hash, text, length)) {
            return key;
        }
    }

    struct value_key *loose = arena_alloc(arena, sizeof(struct value_key) + length + 1);

    key_fill(loose, hash, text, length);
    loose->loose = true;
    return loose;
}
