/* Named statements with binary parameters, one at a time or a whole transaction in one round trip.
 *
 * A wait for PostgreSQL always has an end: a stopped or unreachable server is STORE_UNAVAILABLE
 * after timeout_ms. Then, and whenever the connection was lost, postgres_usable() says false and
 * the caller connects again.
 */
#ifndef ROUTING_POSTGRES_STATEMENT_H
#define ROUTING_POSTGRES_STATEMENT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct error;
struct postgres_array;

enum {
    POSTGRES_PARAMS_MAX = 64
};

/* Constant text; every parameter has its type in the SQL: $1::text[]. */
struct postgres_statement {
    const char *name;
    const char *sql;
};

/* Parameters in order. Borrows text, bytes and arrays until the call that uses it returns. */
struct postgres_params {
    int count;
    const char *values[POSTGRES_PARAMS_MAX];
    int lengths[POSTGRES_PARAMS_MAX];
    uint64_t scalars[POSTGRES_PARAMS_MAX];
};

struct postgres_call {
    const struct postgres_statement *statement;
    struct postgres_params *params;
    int64_t affected; /* set by postgres_transact: rows written or returned */
};

enum postgres_outcome {
    POSTGRES_COMMITTED,
    POSTGRES_ROLLED_BACK, /* certainly nothing of it is stored */
    POSTGRES_UNKNOWN,     /* the answer did not arrive: look before sending it again */
};

struct postgres_transaction_result {
    enum postgres_outcome outcome;
    size_t failed_call; /* which call PostgreSQL refused; the count of calls: the commit itself */
};

/* Called for each row; false ends the query with the error it filled in. */
typedef bool(postgres_row)(void *context, const PGresult *row, struct error *err);

void postgres_params_init(struct postgres_params *params);
void postgres_params_add_array(struct postgres_params *params, struct postgres_array *array);
void postgres_params_add_bool(struct postgres_params *params, bool value);
void postgres_params_add_int2(struct postgres_params *params, int16_t value);
void postgres_params_add_int4(struct postgres_params *params, int32_t value);
void postgres_params_add_int8(struct postgres_params *params, int64_t value);
void postgres_params_add_time(struct postgres_params *params, int64_t time_us);
void postgres_params_add_text(struct postgres_params *params, const char *text); /* NULL: null */
void postgres_params_add_bytea(struct postgres_params *params, const void *bytes, int size);

/* Once per connection, all in one round trip. */
MUST_USE bool postgres_prepare(
    PGconn *connection,
    const struct postgres_statement *const *statements,
    size_t count,
    int64_t timeout_ms,
    struct error *err);

/* One prepared statement, by itself; the whole result in binary form. params: NULL for none. */
MUST_USE bool postgres_query(
    PGconn *connection,
    const struct postgres_call *call,
    int64_t timeout_ms,
    PGresult **ret_result,
    struct error *err);

/* The same row by row, in constant memory. timeout_ms counts anew for each wait. */
MUST_USE bool postgres_query_each(
    PGconn *connection,
    const struct postgres_call *call,
    int64_t timeout_ms,
    postgres_row *on_row,
    void *context,
    struct error *err);

/* All calls in one transaction and one round trip. A call that must undo everything when it finds
 * nothing (a fence) has to fail in SQL, since the commit is already on its way behind it.
 * ret_result is always written.
 */
MUST_USE bool postgres_transact(
    PGconn *connection,
    struct postgres_call *calls,
    size_t count,
    int64_t timeout_ms,
    struct postgres_transaction_result *ret_result,
    struct error *err);

/* Text without parameters, sent as it stands and possibly of many statements: for migrations, tests
 * and set-up. Fails when it is not finished after timeout_ms; 0: waits without end.
 */
MUST_USE bool postgres_run(
    PGconn *connection,
    const char *sql,
    int64_t timeout_ms,
    struct error *err);

/* Connected, in no transaction, and waiting for the next statement. */
bool postgres_usable(const PGconn *connection);

#endif
