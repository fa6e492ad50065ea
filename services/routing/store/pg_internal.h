/* What the files of the PostgreSQL store share: the store itself and its writer connection.
 *
 * The fence. A shard's row holds epoch (raised by each take-over), batch (raised by each commit)
 * and writer (a number drawn for each of our connections, set when the connection takes the shard
 * over from the one before it). Each batch ends with an update of the rows of its shards that
 * matches all three and fails unless it finds every one. So neither a former owner nor a
 * transaction that a lost connection left behind can commit: after a reconnect `batch` says for
 * certain what is stored.
 */
#ifndef ROUTING_STORE_PG_INTERNAL_H
#define ROUTING_STORE_PG_INTERNAL_H

#include <libpq-fe.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "services/routing/postgres/array.h"
#include "services/routing/postgres/statement.h"
#include "services/routing/store/pg_table.h"
#include "services/routing/store/store.h"

enum {
    PG_READERS_MAX = 8,
    PG_EVENT_COLUMNS = 8
};

/* A shard as far as this store holds it. */
struct pg_held {
    int64_t epoch; /* 0: not held */
    int64_t batch; /* when the connection took it over; -1: another owner has it */
};

/* Connections for read_events, lent to any thread. */
struct pg_readers {
    pthread_mutex_t mutex;
    pthread_cond_t returned;
    PGconn *idle[PG_READERS_MAX];
    int idle_count;
    int lent_count;
};

struct pg_store {
    struct store store;
    char *url;
    int64_t answer_timeout_ms;
    int32_t shard_count;

    /* The committer's thread only. */
    PGconn *writer;
    int64_t writer_number; /* raised at each connecting */
    bool outcome_unknown;  /* of the last batch: `held` says it after the next connecting */
    struct pg_held *held;  /* by shard */
    struct pg_table tables[ROW_KIND_COUNT];
    struct postgres_array event_arrays[PG_EVENT_COLUMNS];
    struct postgres_array fence_arrays[3];

    struct pg_readers readers;
};

/* pg_store.c: a writer that works, connected again when it must be, with the shards it holds. */
MUST_USE bool pg_ensure_writer(struct pg_store *pg, struct error *err);

/* pg_lease.c */
extern const struct postgres_statement *const pg_lease_statements[];
extern const size_t pg_lease_statement_count;
/* Makes the writer connection the only one that can commit for the held shards. */
MUST_USE bool pg_take_over_held(struct pg_store *pg, struct error *err);
/* They are another's: a later claim takes them anew, with a new epoch. */
void pg_forget(struct pg_store *pg, const struct shard_lease *leases, size_t count);
/* Makes the rows of the shards at first start; refuses another count later. */
MUST_USE bool pg_make_shards(PGconn *connection, int32_t shard_count, struct error *err);
bool pg_claim(
    struct store *store,
    const char *owner,
    int64_t lease_us,
    struct shard_lease *ret_leases,
    size_t *ret_count,
    bool *ret_all,
    int64_t *ret_database_time_us,
    struct error *err);
bool pg_renew(
    struct store *store,
    const char *owner,
    int64_t lease_us,
    const struct shard_lease *leases,
    size_t count,
    int64_t *ret_database_time_us,
    struct error *err);
void pg_release(
    struct store *store,
    const char *owner,
    const struct shard_lease *leases,
    size_t count);

/* pg_write.c, pg_load.c */
extern const struct postgres_statement *const pg_write_statements[];
extern const size_t pg_write_statement_count;
extern const struct postgres_statement pg_list_workspaces;
enum store_result pg_write(struct store *store, struct store_batch *batch, struct error *err);
bool pg_load(
    struct store *store,
    const struct shard_lease *leases,
    size_t count,
    store_row_handler *handler,
    void *context,
    struct error *err);

/* pg_events.c */
void pg_readers_init(struct pg_readers *readers);
void pg_readers_deinit(struct pg_readers *readers);
bool pg_read_events(
    struct store *store,
    const struct store_event_query *query,
    struct arena *arena,
    struct store_event **ret_events,
    size_t *ret_count,
    struct error *err);

#endif
