/* Values out of a result in binary form. A statement names its columns in a constant table; the
 * table is checked against the result once, after that a column is its place in the table:
 *
 *     enum { TASK_ID, TASK_PRIORITY };
 *     static const struct postgres_column columns[] = {
 *         [TASK_ID] = {"id", POSTGRES_TEXT}, [TASK_PRIORITY] = {"priority", POSTGRES_INT4}};
 */
#ifndef ROUTING_POSTGRES_RESULT_H
#define ROUTING_POSTGRES_RESULT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct error;

struct postgres_column {
    const char *name;
    Oid type;
};

/* INTERNAL when the result has other columns: statement and table do not belong together. */
MUST_USE bool postgres_check_columns(
    const PGresult *result,
    const struct postgres_column *columns,
    size_t count,
    struct error *err);

/* Borrowed from the result, with a NUL behind the bytes; null is NULL. jsonb is read as its text.
 */
const char *postgres_get_text(const PGresult *result, int row, int column);
const char *postgres_get_jsonb(const PGresult *result, int row, int column);
const void *postgres_get_bytea(const PGresult *result, int row, int column, size_t *ret_size);

/* Null is false or 0; ask postgres_get_null where the difference counts. */
bool postgres_get_bool(const PGresult *result, int row, int column);
int16_t postgres_get_int2(const PGresult *result, int row, int column);
int32_t postgres_get_int4(const PGresult *result, int row, int column);
int64_t postgres_get_int8(const PGresult *result, int row, int column);
int64_t postgres_get_time_us(const PGresult *result, int row, int column);
bool postgres_get_null(const PGresult *result, int row, int column);

#endif
