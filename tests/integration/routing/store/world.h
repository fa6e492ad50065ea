/* A database of one's own, and stores on it. */
#ifndef TESTS_INTEGRATION_ROUTING_STORE_WORLD_H
#define TESTS_INTEGRATION_ROUTING_STORE_WORLD_H

#include <libpq-fe.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error/error.h"
#include "services/routing/operations/step.h"
#include "services/routing/store/store.h"

enum {
    SHARDS = 4
};

#define LEASE_US INT64_C(60000000)

struct world {
    char *url;
    PGconn *sql; /* for looking */
    struct store *store;
    struct shard_lease leases[SHARDS];
    size_t lease_count;
};

/* One store that holds all shards, as owner "one". */
void world_init(struct world *world);
void world_deinit(struct world *world);

struct store *world_open(const struct world *world, int64_t answer_timeout_ms);
/* Claims for the owner; the leases go to world->leases. Returns whether all are held. */
bool world_claim(struct world *world, struct store *store, const char *owner, int64_t lease_us);

/* A task of workspace "acme" with this id, good until the next call. */
const struct task_row *a_task(const char *id);
struct change upsert(enum row_kind kind, const void *row);
struct change erase(enum row_kind kind, const void *row);

/* Writes changes with the fence of acme's shard as world->leases has it. */
enum store_result world_write(
    struct world *world,
    struct store *store,
    const struct change *changes,
    size_t count,
    struct error *err);
struct shard_lease *world_lease(struct world *world);

#endif
