/* The store: what the shard keeps its state in. pg_store.c is the real one; tests have others that
 * fail on purpose.
 *
 * Blocking; each function says which thread calls it. One writer connection per store.
 */
#ifndef ROUTING_STORE_STORE_H
#define ROUTING_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "services/routing/domain/row.h"
#include "services/routing/domain/stored_event.h"

struct arena;
struct error;
struct change;

/* A shard as its owner holds it. */
struct shard_lease {
    int32_t shard_id;
    int64_t epoch; /* issued by the database at each take-over */
    int64_t batch; /* number of the newest committed batch */
    /* At a claim: when the lease was last renewed before, by whoever held it; 0: never held. The
     * time since then nobody ran the shard. */
    int64_t idle_since_us;
};

/* One transaction: rows folded to their last state, events, and one fence for each shard concerned.
 */
struct store_batch {
    const struct change *changes; /* no two with the same kind and key */
    size_t change_count;
    const struct store_event *events;
    size_t event_count;
    struct shard_lease
        *fences; /* as before the batch; `batch` is raised by one when it is committed */
    size_t fence_count;
};

enum store_result {
    STORE_COMMITTED,
    STORE_FENCED,      /* another owner has a shard: memory must be dropped */
    STORE_UNAVAILABLE, /* not known to be committed: send the same batch again later */
    STORE_REFUSED,     /* PostgreSQL refuses the contents; it will not pass by itself */
};

struct store;

typedef void(store_row_handler)(void *context, enum row_kind kind, const void *row);

struct store_operations {
    /* Takes the shards that are free, whose lease has run out, or that this owner held in an
     * earlier life; returns all it holds now, with their leases. owner: this replica's name. all:
     * no shard has another owner. ret_leases has room for all shards. database_time_us: the
     * database's clock at the answer. Committer's thread. */
    bool (*claim)(
        struct store *store,
        const char *owner,
        int64_t lease_us,
        struct shard_lease *ret_leases,
        size_t *ret_count,
        bool *ret_all,
        int64_t *ret_database_time_us,
        struct error *err);
    /* Prolongs the leases; false with STORE_FENCED's reason when one is lost. Committer's thread.
     */
    bool (*renew)(
        struct store *store,
        const char *owner,
        int64_t lease_us,
        const struct shard_lease *leases,
        size_t count,
        int64_t *ret_database_time_us,
        struct error *err);
    /* Gives the leases up. Committer's thread. */
    void (*release)(
        struct store *store,
        const char *owner,
        const struct shard_lease *leases,
        size_t count);
    /* Reads every row of the shards: kinds in the order of enum row_kind. A row is valid during the
     * call of its handler. Committer's thread. */
    bool (*load)(
        struct store *store,
        const struct shard_lease *leases,
        size_t count,
        store_row_handler *handler,
        void *context,
        struct error *err);
    /* Writes one batch. err says why unless committed. A batch whose COMMIT got no answer is
     * recognised when it is sent again, and not written twice. Committer's thread. */
    enum store_result (*write)(struct store *store, struct store_batch *batch, struct error *err);
    /* Reads events of a workspace after a sequence, oldest first, at most `limit`; resource filters
     * by one of task, worker or reservation id ("" for none). Everything returned lives in the
     * arena. Any thread (own connections). */
    bool (*read_events)(
        struct store *store,
        const struct store_event_query *query,
        struct arena *arena,
        struct store_event **ret_events,
        size_t *ret_count,
        struct error *err);
    /* Closes. */
    void (*close)(struct store *store);
};

/* First member of every implementation. */
struct store {
    const struct store_operations *operations;
};

/* The shard a workspace belongs to: a fixed hash of its id, modulo the number of shards stored at
 * first start. */
int32_t store_shard_of(const char *workspace_id, int32_t shard_count);

#endif
