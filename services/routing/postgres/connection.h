/* One connection to PostgreSQL, opened with the settings that a service which must notice trouble
 * soon needs, and the mapping of what PostgreSQL says to `struct error`.
 *
 * What passes by itself (connection lost, server stopping, too many connections, disk full, a
 * standby answering, a lock or time-out) is STORE_UNAVAILABLE: try again later. Everything else is
 * INTERNAL: the same statement would fail again. Both carry the metadata "sqlstate" when the server
 * gave one.
 *
 * A connection belongs to one thread at a time. Settings travel in the start-up packet, so a
 * connection made again has them at once; PgBouncer before 1.21 can stand neither these nor our
 * prepared statements: give the service a direct address.
 */
#ifndef ROUTING_POSTGRES_CONNECTION_H
#define ROUTING_POSTGRES_CONNECTION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

struct error;

enum {
    POSTGRES_SQLSTATE_SIZE = 6,
    POSTGRES_BACKOFF_MAX_MS = 5000
};

enum postgres_role {
    POSTGRES_READER, /* may be given any plan */
    POSTGRES_WRITER, /* upserts by array: generic plans over indexes only, see connection.c */
};

struct postgres_options {
    const char *url; /* URL or key=value; what it sets wins over the rest here */
    enum postgres_role role;
    const char *application_name; /* seen in pg_stat_activity; NULL: "cordboard-routing" */
    int connect_timeout_s;        /* 0: 5 */
    int statement_timeout_ms;     /* on the server; 0: 30 s; negative: none */
};

/* Blocks for connect_timeout_s at most (for each address the host has). */
MUST_USE bool postgres_connect(
    const struct postgres_options *options,
    PGconn **ret_connection,
    struct error *err);
/* NULL is fine; returns NULL. Open work is rolled back by the server. */
PGconn *postgres_disconnect(PGconn *connection);

/* Reports what `result` (NULL: the connection itself) says. doing: "write a batch". Returns false.
 */
bool postgres_fail(
    struct error *err,
    const PGconn *connection,
    const PGresult *result,
    const char *doing);
/* True when the trouble this SQLSTATE names passes by itself. NULL or "": no answer came: true. */
bool postgres_passes(const char *sqlstate);
/* The SQLSTATE that postgres_fail saw, "" when there was none. */
const char *postgres_sqlstate(const struct error *err);

/* How long to wait before connecting again: doubles from 50 ms to POSTGRES_BACKOFF_MAX_MS, spread
 * by `random` between half and whole. attempt counts from 0.
 */
int64_t postgres_backoff_ms(unsigned attempt, uint32_t random);

DEFINE_CLEANUP(PGconn *, postgres_disconnect)
DEFINE_CLEANUP(PGresult *, PQclear)

#endif
