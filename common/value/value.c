#include "common/value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/value/number.h"

/* NOLINTBEGIN(misc-no-recursion): a tree is at most VALUE_DEPTH_MAX deep. */

const struct value value_null = {.type = VALUE_NULL};

struct value value_of_text(const char *text)
{
    if (!text) {
        return value_null;
    }
    return (struct value){.type = VALUE_TEXT, .count = (uint32_t)strlen(text), .text = text};
}

struct value value_of_list(const struct value *items, size_t count)
{
    return (struct value){.type = VALUE_LIST, .count = (uint32_t)count, .items = items};
}

struct value value_of_object(const struct value_member *members, size_t count)
{
    return (struct value){.type = VALUE_OBJECT, .count = (uint32_t)count, .members = members};
}

const char *value_type_words(enum value_type type)
{
    static const char *const words[] = {
        [VALUE_NULL] = "null",        [VALUE_BOOL] = "true or false", [VALUE_INTEGER] = "a number",
        [VALUE_REAL] = "a number",    [VALUE_TEXT] = "text",          [VALUE_LIST] = "a list",
        [VALUE_OBJECT] = "an object",
    };

    return words[type];
}

static const struct value *get_loose(const struct value *object, const struct value_key *key)
{
    for (uint32_t i = 0; i < object->count; i++) {
        if (value_key_same(object->members[i].key, key)) {
            return &object->members[i].value;
        }
    }
    return &value_null;
}

const struct value *value_get(const struct value *object, const struct value_key *key)
{
    if (object->type != VALUE_OBJECT) {
        return &value_null;
    }
    if (key->loose) {
        return get_loose(object, key);
    }

    /* Pointers only: reading each member's key would cost a cache miss apiece. */
    for (uint32_t i = 0; i < object->count; i++) {
        if (object->members[i].key == key) {
            return &object->members[i].value;
        }
    }
    return &value_null;
}

const struct value *value_get_named(const struct value *object, const char *name)
{
    if (object->type != VALUE_OBJECT) {
        return &value_null;
    }

    for (uint32_t i = 0; i < object->count; i++) {
        if (strcmp(object->members[i].key->text, name) == 0) {
            return &object->members[i].value;
        }
    }
    return &value_null;
}

const struct value *value_at(const struct value *list, size_t index)
{
    return list->type == VALUE_LIST && index < list->count ? &list->items[index] : &value_null;
}

const struct value *value_follow(
    const struct value *value,
    const struct value_step *steps,
    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        value = steps[i].key ? value_get(value, steps[i].key) : value_at(value, steps[i].index);
    }
    return value;
}

static bool items_equal(const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (!value_equal(&a->items[i], &b->items[i])) {
            return false;
        }
    }
    return true;
}

static bool members_equal(const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const struct value *other = value_get(b, a->members[i].key);

        if (other == &value_null || !value_equal(&a->members[i].value, other)) {
            return false;
        }
    }
    return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (value_is_number(a) && value_is_number(b)) {
        return number_compare(a, b) == 0;
    }
    if (a->type != b->type || a->count != b->count) {
        return false;
    }

    switch (a->type) {
    case VALUE_BOOL:
        return a->boolean == b->boolean;
    case VALUE_TEXT:
        return memcmp(a->text, b->text, a->count) == 0;
    case VALUE_LIST:
        return items_equal(a, b);
    case VALUE_OBJECT:
        return members_equal(a, b);
    case VALUE_NULL:
    case VALUE_INTEGER:
    case VALUE_REAL:
        break;
    }
    return true;
}

/* The finisher of MurmurHash3, over what was hashed so far and one more word. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0xff51afd7ed558ccdU;
    hash ^= hash >> 33;
    hash *= 0xc4ceb9fe1a85ec53U;
    return hash ^ (hash >> 33);
}

static uint64_t hash_bytes(const char *bytes, size_t size, uint64_t hash)
{
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        size_t left = size - i;

        memcpy(&word, bytes + i, left < sizeof(word) ? left : sizeof(word));
        hash = mix(hash, word);
    }
    return hash;
}

/* A whole real hashes as the integer it equals. */
static uint64_t hash_real(double real, uint64_t hash)
{
    if (real >= -0x1p63 && real < 0x1p63 && real == trunc(real)) {
        return mix(hash, (uint64_t)(int64_t)real);
    }

    uint64_t bits = 0;

    memcpy(&bits, &real, sizeof(bits));
    return mix(hash, bits);
}

uint64_t value_hash(const struct value *value, uint64_t seed)
{
    enum value_type type = value->type == VALUE_REAL ? VALUE_INTEGER : value->type;
    uint64_t hash = mix(seed, ((uint64_t)type << 32) | value->count);
    uint64_t sum = 0;

    switch (value->type) {
    case VALUE_BOOL:
        return mix(hash, value->boolean);
    case VALUE_INTEGER:
        return mix(hash, (uint64_t)value->integer);
    case VALUE_REAL:
        return hash_real(value->real, hash);
    case VALUE_TEXT:
        return hash_bytes(value->text, value->count, hash);
    case VALUE_LIST:
        for (uint32_t i = 0; i < value->count; i++) {
            hash = value_hash(&value->items[i], hash);
        }
        return hash;
    case VALUE_OBJECT:
        /* A sum, because members may come in any order. */
        for (uint32_t i = 0; i < value->count; i++) {
            sum += value_hash(&value->members[i].value, value->members[i].key->hash);
        }
        return mix(hash, sum);
    case VALUE_NULL:
        break;
    }
    return hash;
}

/* Packing: first the size of everything below a value, then the same walk again with memory. */

static size_t aligned(size_t size)
{
    return (size + 7U) & ~(size_t)7U;
}

static size_t key_size(const struct value_key *key)
{
    return key->loose ? aligned(sizeof(struct value_key) + key->length + 1) : 0;
}

static size_t size_below(const struct value *value)
{
    size_t size = 0;

    if (value->type == VALUE_TEXT) {
        return aligned((size_t)value->count + 1);
    }
    if (value->type == VALUE_LIST) {
        size = value->count * sizeof(struct value);
        for (uint32_t i = 0; i < value->count; i++) {
            size += size_below(&value->items[i]);
        }
    }
    if (value->type == VALUE_OBJECT) {
        size = value->count * sizeof(struct value_member);
        for (uint32_t i = 0; i < value->count; i++) {
            size += key_size(value->members[i].key) + size_below(&value->members[i].value);
        }
    }
    return size;
}

size_t value_size(const struct value *value)
{
    return sizeof(struct value) + size_below(value);
}

static void *take(unsigned char **block, size_t size)
{
    void *part = *block;

    *block += aligned(size);
    return part;
}

static const void *pack_bytes(const void *bytes, size_t size, unsigned char **block)
{
    void *copy = take(block, size);

    memcpy(copy, bytes, size);
    return copy;
}

static struct value pack(const struct value *value, unsigned char **block);

static const struct value *pack_items(const struct value *list, unsigned char **block)
{
    struct value *items = take(block, list->count * sizeof(struct value));

    for (uint32_t i = 0; i < list->count; i++) {
        items[i] = pack(&list->items[i], block);
    }
    return items;
}

static const struct value_member *pack_members(const struct value *object, unsigned char **block)
{
    struct value_member *members = take(block, object->count * sizeof(struct value_member));

    for (uint32_t i = 0; i < object->count; i++) {
        const struct value_key *key = object->members[i].key;

        members[i].key =
            key->loose ? pack_bytes(key, sizeof(struct value_key) + key->length + 1, block) : key;
        members[i].value = pack(&object->members[i].value, block);
    }
    return members;
}

static struct value pack(const struct value *value, unsigned char **block)
{
    struct value copy = *value;

    if (value->type == VALUE_TEXT) {
        copy.text = pack_bytes(value->text, (size_t)value->count + 1, block);
    } else if (value->type == VALUE_LIST) {
        copy.items = pack_items(value, block);
    } else if (value->type == VALUE_OBJECT) {
        copy.members = pack_members(value, block);
    }
    return copy;
}

/* NOLINTEND(misc-no-recursion) */

static struct value *pack_into(unsigned char *block, const struct value *value)
{
    struct value *root = take(&block, sizeof(struct value));

    *root = pack(value, &block);
    return root;
}

struct value *value_copy(const struct value *value)
{
    return value ? pack_into(mem_alloc(value_size(value)), value) : NULL;
}

struct value *value_copy_to_arena(struct arena *arena, const struct value *value)
{
    return value ? pack_into(arena_alloc(arena, value_size(value)), value) : NULL;
}

struct value *value_free(struct value *value)
{
    free(value);
    return NULL;
}
