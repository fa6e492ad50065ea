#include "tests/integration/routing/store/world.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "services/routing/postgres/connection.h"
#include "services/routing/store/pg_store.h"
#include "tests/support/pg.h"

struct store *world_open(const struct world *world, int64_t answer_timeout_ms)
{
    struct pg_store_options options = {
        .url = world->url, .shard_count = SHARDS, .answer_timeout_ms = answer_timeout_ms};
    struct store *store = NULL;
    struct error err;

    cr_assert(pg_store_open(&options, &store, &err), "%s", err.message);
    return store;
}

bool world_claim(struct world *world, struct store *store, const char *owner, int64_t lease_us)
{
    int64_t database_time_us = 0;
    bool all = false;
    struct error err;

    cr_assert(
        store->operations->claim(
            store, owner, lease_us, world->leases, &world->lease_count, &all, &database_time_us,
            &err),
        "%s", err.message);
    cr_assert_gt(database_time_us, INT64_C(1700000000000000));
    return all;
}

void world_init(struct world *world)
{
    *world = (struct world){.url = test_database_new()};
    world->store = world_open(world, 0);
    world->sql = test_connect(world->url);
    cr_assert(world_claim(world, world->store, "one", LEASE_US));
}

void world_deinit(struct world *world)
{
    world->store->operations->close(world->store);
    postgres_disconnect(world->sql);
    free(world->url);
}

const struct task_row *a_task(const char *id)
{
    static struct task_row task;

    row_deinit(ROW_TASK, &task);
    row_init(ROW_TASK, &task);
    row_set_text(&task.workspace_id, "acme");
    row_set_text(&task.id, id);
    return &task;
}

struct change upsert(enum row_kind kind, const void *row)
{
    return (struct change){.kind = kind, .row = row};
}

struct change erase(enum row_kind kind, const void *row)
{
    return (struct change){.kind = kind, .deleted = true, .row = row};
}

struct shard_lease *world_lease(struct world *world)
{
    int32_t shard = store_shard_of("acme", SHARDS);

    for (size_t i = 0; i < world->lease_count; i++) {
        if (world->leases[i].shard_id == shard) {
            return &world->leases[i];
        }
    }
    cr_assert_fail("acme's shard is not held");
    return NULL;
}

enum store_result world_write(
    struct world *world,
    struct store *store,
    const struct change *changes,
    size_t count,
    struct error *err)
{
    struct store_batch batch = {
        .changes = changes,
        .change_count = count,
        .fences = world_lease(world),
        .fence_count = 1,
    };

    return store->operations->write(store, &batch, err);
}
