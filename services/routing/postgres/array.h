/* A one-dimensional array parameter in PostgreSQL's binary form: one column of a set-wise statement
 * (`... SELECT * FROM unnest($1::text[], $2::bigint[])`). Built once per batch, used again after a
 * reset, which keeps the memory.
 *
 * The caller adds every value through the function of the array's element type; another is a fault
 * of ours and caught by an assertion. Text must be UTF-8 without NUL: the door checks that.
 */
#ifndef ROUTING_POSTGRES_ARRAY_H
#define ROUTING_POSTGRES_ARRAY_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Object ids of the types we use; they are fixed for all servers (pg_type.dat). */
enum {
    POSTGRES_BOOL = 16,
    POSTGRES_BYTEA = 17,
    POSTGRES_INT8 = 20,
    POSTGRES_INT2 = 21,
    POSTGRES_INT4 = 23,
    POSTGRES_TEXT = 25,
    POSTGRES_TIMESTAMPTZ = 1184,
    POSTGRES_JSONB = 3802
};

/* Microseconds from the UNIX epoch to PostgreSQL's, 2000-01-01. */
#define POSTGRES_EPOCH_US INT64_C(946684800000000)

struct postgres_array {
    Oid element;
    uint32_t count;
    bool has_null;
    size_t used;
    size_t room;
    uint8_t *bytes; /* the header, filled in by _finish, then the elements */
};

void postgres_array_init(struct postgres_array *array, Oid element);
void postgres_array_deinit(struct postgres_array *array);
void postgres_array_reset(struct postgres_array *array);

void postgres_array_add_null(struct postgres_array *array);
void postgres_array_add_bool(struct postgres_array *array, bool value);
void postgres_array_add_int2(struct postgres_array *array, int16_t value);
void postgres_array_add_int4(struct postgres_array *array, int32_t value);
void postgres_array_add_int8(struct postgres_array *array, int64_t value);
/* Microseconds since the epoch. */
void postgres_array_add_time(struct postgres_array *array, int64_t time_us);
void postgres_array_add_text(struct postgres_array *array, const char *text);  /* NULL: null */
void postgres_array_add_jsonb(struct postgres_array *array, const char *json); /* NULL: null */
/* NULL bytes are null; an empty value is a pointer with size 0. */
void postgres_array_add_bytea(struct postgres_array *array, const void *bytes, size_t size);

/* Completes the header; the bytes stay valid until the array changes. */
const char *postgres_array_finish(struct postgres_array *array, int *ret_size);

#endif
