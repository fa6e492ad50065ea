#include "services/routing/postgres/result.h"

#include <endian.h>
#include <string.h>

#include "common/error/error.h"
#include "services/routing/postgres/array.h"

bool postgres_check_columns(
    const PGresult *result,
    const struct postgres_column *columns,
    size_t count,
    struct error *err)
{
    if ((size_t)PQnfields(result) != count) {
        return FAIL(
            err, REASON_INTERNAL, "PostgreSQL sent %d columns where %zu were expected",
            PQnfields(result), count);
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = PQfname(result, (int)i);

        if (strcmp(name, columns[i].name) != 0 || PQftype(result, (int)i) != columns[i].type ||
            PQfformat(result, (int)i) != 1) {
            return FAIL(
                err, REASON_INTERNAL,
                "PostgreSQL sent column %s of type %u where %s of type %u was expected", name,
                PQftype(result, (int)i), columns[i].name, columns[i].type);
        }
    }
    return true;
}

bool postgres_get_null(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column);
}

const char *postgres_get_text(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

const char *postgres_get_jsonb(const PGresult *result, int row, int column)
{
    const char *bytes = postgres_get_text(result, row, column);

    return bytes ? bytes + 1 : NULL; /* the version of the binary form stands before the text */
}

const void *postgres_get_bytea(const PGresult *result, int row, int column, size_t *ret_size)
{
    *ret_size = (size_t)PQgetlength(result, row, column);
    return postgres_get_text(result, row, column);
}

bool postgres_get_bool(const PGresult *result, int row, int column)
{
    const char *bytes = postgres_get_text(result, row, column);

    return bytes && *bytes;
}

int16_t postgres_get_int2(const PGresult *result, int row, int column)
{
    const char *bytes = postgres_get_text(result, row, column);
    uint16_t wire = 0;

    if (bytes) {
        memcpy(&wire, bytes, sizeof(wire));
    }
    return (int16_t)be16toh(wire);
}

int32_t postgres_get_int4(const PGresult *result, int row, int column)
{
    const char *bytes = postgres_get_text(result, row, column);
    uint32_t wire = 0;

    if (bytes) {
        memcpy(&wire, bytes, sizeof(wire));
    }
    return (int32_t)be32toh(wire);
}

int64_t postgres_get_int8(const PGresult *result, int row, int column)
{
    const char *bytes = postgres_get_text(result, row, column);
    uint64_t wire = 0;

    if (bytes) {
        memcpy(&wire, bytes, sizeof(wire));
    }
    return (int64_t)be64toh(wire);
}

int64_t postgres_get_time_us(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column)
               ? 0
               : postgres_get_int8(result, row, column) + POSTGRES_EPOCH_US;
}
