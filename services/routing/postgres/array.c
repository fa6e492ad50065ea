/* Binary form (arrayfuncs.c, array_recv): five 32-bit words in network order: dimensions, has-null
 * flag, element type, length, lower bound; then each element as a 32-bit length (-1: null) and its
 * bytes. An array without elements has no dimension, and no length and bound.
 */
#include "services/routing/postgres/array.h"

#include <assert.h>
#include <endian.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

enum {
    HEADER_SIZE = 20,
    EMPTY_HEADER_SIZE = 12,
    FIRST_ROOM = 512,
    JSONB_VERSION = 1
};

static void put_bytes(uint8_t *at, const void *bytes, size_t size)
{
    if (size > 0) {
        memcpy(at, bytes, size);
    }
}

static void put_word(uint8_t *at, uint32_t word)
{
    assert(at);
    word = htobe32(word);
    memcpy(at, &word, sizeof(word));
}

void postgres_array_init(struct postgres_array *array, Oid element)
{
    *array = (struct postgres_array){.element = element, .used = HEADER_SIZE};
}

void postgres_array_deinit(struct postgres_array *array)
{
    free(array->bytes);
    postgres_array_init(array, array->element);
}

void postgres_array_reset(struct postgres_array *array)
{
    array->count = 0;
    array->has_null = false;
    array->used = HEADER_SIZE;
}

/* Room for `size` more bytes; returns where they go. */
static uint8_t *grow(struct postgres_array *array, size_t size)
{
    size_t needed = array->used + size;

    if (needed > array->room) {
        size_t room = array->room ? array->room : FIRST_ROOM;

        while (room < needed) {
            room *= 2;
        }
        array->bytes = mem_realloc_array(array->bytes, room, 1);
        array->room = room;
    }

    uint8_t *at = array->bytes + array->used;

    array->used = needed;
    return at;
}

/* Opens one element of `size` bytes; returns where its bytes go. */
static uint8_t *add(struct postgres_array *array, Oid element, size_t size)
{
    assert(array->element == element);
    assert(size <= INT_MAX);

    uint8_t *at = grow(array, sizeof(uint32_t) + size);

    put_word(at, (uint32_t)size);
    array->count++;
    return at + sizeof(uint32_t);
}

void postgres_array_add_null(struct postgres_array *array)
{
    put_word(grow(array, sizeof(uint32_t)), UINT32_MAX);
    array->has_null = true;
    array->count++;
}

void postgres_array_add_bool(struct postgres_array *array, bool value)
{
    *add(array, POSTGRES_BOOL, 1) = value ? 1 : 0;
}

void postgres_array_add_int2(struct postgres_array *array, int16_t value)
{
    uint16_t wire = htobe16((uint16_t)value);

    memcpy(add(array, POSTGRES_INT2, sizeof(wire)), &wire, sizeof(wire));
}

void postgres_array_add_int4(struct postgres_array *array, int32_t value)
{
    put_word(add(array, POSTGRES_INT4, sizeof(uint32_t)), (uint32_t)value);
}

static void add_64(struct postgres_array *array, Oid element, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);

    memcpy(add(array, element, sizeof(wire)), &wire, sizeof(wire));
}

void postgres_array_add_int8(struct postgres_array *array, int64_t value)
{
    add_64(array, POSTGRES_INT8, value);
}

void postgres_array_add_time(struct postgres_array *array, int64_t time_us)
{
    add_64(array, POSTGRES_TIMESTAMPTZ, time_us - POSTGRES_EPOCH_US);
}

void postgres_array_add_text(struct postgres_array *array, const char *text)
{
    if (!text) {
        postgres_array_add_null(array);
        return;
    }

    size_t size = strlen(text);

    put_bytes(add(array, POSTGRES_TEXT, size), text, size);
}

void postgres_array_add_jsonb(struct postgres_array *array, const char *json)
{
    if (!json) {
        postgres_array_add_null(array);
        return;
    }

    size_t size = strlen(json);
    uint8_t *at = add(array, POSTGRES_JSONB, size + 1);

    *at = JSONB_VERSION;
    put_bytes(at + 1, json, size);
}

void postgres_array_add_bytea(struct postgres_array *array, const void *bytes, size_t size)
{
    if (!bytes) {
        postgres_array_add_null(array);
        return;
    }

    put_bytes(add(array, POSTGRES_BYTEA, size), bytes, size);
}

const char *postgres_array_finish(struct postgres_array *array, int *ret_size)
{
    assert(array->used <= INT_MAX);
    if (!array->bytes) {
        (void)grow(array, 0);
    }

    put_word(array->bytes, array->count > 0 ? 1 : 0);
    put_word(array->bytes + 4, array->has_null ? 1 : 0);
    put_word(array->bytes + 8, array->element);
    put_word(array->bytes + 12, array->count);
    put_word(array->bytes + 16, 1);

    *ret_size = array->count > 0 ? (int)array->used : EMPTY_HEADER_SIZE;
    return (const char *)array->bytes;
}
