/* What is written is what is loaded. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "services/routing/postgres/connection.h"
#include "services/routing/store/pg_store.h"
#include "tests/integration/routing/store/world.h"
#include "tests/support/pg.h"

static struct world world;

static void set_up(void)
{
    world_init(&world);
}

static void tear_down(void)
{
    world_deinit(&world);
}

TestSuite(rows, .init = set_up, .fini = tear_down);

/* A value for each field that differs from field to field and from salt to salt. */
static void fill(enum row_kind kind, void *row, int64_t salt, struct arena *arena)
{
    const struct row_type *type = &row_types[kind];

    for (size_t i = 0; i < type->field_count; i++) {
        char *at = (char *)row + type->fields[i].offset;
        int64_t number = salt * 1000 + (int64_t)i;
        int32_t small = (int32_t)-number;
        bool truth = number % 2 == 0;
        char *text = arena_printf(arena, "%s-%d-ä€\"{},\\NULL", type->fields[i].name, (int)salt);

        switch (type->fields[i].type) {
        case ROW_FIELD_TEXT:
            memcpy(at, &text, sizeof(text));
            break;
        case ROW_FIELD_INT64:
            number = INT64_MIN + number;
            memcpy(at, &number, sizeof(number));
            break;
        case ROW_FIELD_TIME:
            number = salt % 2 ? number - INT64_C(2208988800000000) : number + 1;
            memcpy(at, &number, sizeof(number));
            break;
        case ROW_FIELD_INT32:
            memcpy(at, &small, sizeof(small));
            break;
        case ROW_FIELD_BOOL:
            memcpy(at, &truth, sizeof(truth));
            break;
        }
    }
    *(char **)row = arena_strdup(arena, "acme"); /* the first field is the workspace */
}

struct loaded {
    struct arena *arena;
    enum row_kind kinds[64];
    void *rows[64];
    size_t count;
};

static void keep(void *context, enum row_kind kind, const void *row)
{
    struct loaded *loaded = context;

    cr_assert_lt(loaded->count, 64);
    loaded->kinds[loaded->count] = kind;
    loaded->rows[loaded->count++] = row_copy(kind, row, loaded->arena);
}

static struct loaded load(struct arena *arena)
{
    struct loaded loaded = {.arena = arena};
    struct error err;

    cr_assert(
        world.store->operations->load(
            world.store, world.leases, world.lease_count, keep, &loaded, &err),
        "%s", err.message);
    return loaded;
}

static bool contains(const struct loaded *loaded, enum row_kind kind, const void *row)
{
    for (size_t i = 0; i < loaded->count; i++) {
        if (loaded->kinds[i] == kind && row_equal(kind, loaded->rows[i], row)) {
            return true;
        }
    }
    return false;
}

static void write_all(const struct change *changes, size_t count)
{
    struct error err;

    cr_assert_eq(
        world_write(&world, world.store, changes, count, &err), STORE_COMMITTED, "%s", err.message);
}

Test(rows, come_back_with_every_field_of_every_kind)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct change changes[ROW_KIND_COUNT * 2];
    size_t count = 0;

    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        bool alone = row_types[kind].key_count == 1; /* one row a workspace */

        for (int64_t salt = 1; salt <= (alone ? 1 : 2); salt++) {
            void *row = row_new((enum row_kind)kind, arena);

            fill((enum row_kind)kind, row, salt, arena);
            changes[count++] = upsert((enum row_kind)kind, row);
        }
    }
    write_all(changes, count);

    struct loaded loaded = load(arena);

    cr_assert_eq(loaded.count, count);
    for (size_t i = 0; i < count; i++) {
        cr_expect(
            contains(&loaded, changes[i].kind, changes[i].row), "%s",
            row_types[changes[i].kind].name);
        cr_expect(i == 0 || loaded.kinds[i - 1] <= loaded.kinds[i]);
    }
}

Test(rows, come_back_empty_when_nothing_is_set)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct change changes[ROW_KIND_COUNT];

    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        void *row = row_new((enum row_kind)kind, arena);

        *(char **)row = arena_strdup(arena, "acme");
        changes[kind] = upsert((enum row_kind)kind, row);
    }
    write_all(changes, ROW_KIND_COUNT);

    struct loaded loaded = load(arena);

    cr_assert_eq(loaded.count, ROW_KIND_COUNT);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        cr_expect(contains(&loaded, changes[kind].kind, changes[kind].row));
    }
}

Test(rows, are_replaced_by_their_later_state_and_deleted_by_their_key)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct change changes[ROW_KIND_COUNT * 2];
    void *kept[ROW_KIND_COUNT];
    size_t count = 0;

    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        for (int64_t salt = 1; salt <= (row_types[kind].key_count == 1 ? 1 : 2); salt++) {
            void *row = row_new((enum row_kind)kind, arena);

            fill((enum row_kind)kind, row, salt, arena);
            changes[count++] = upsert((enum row_kind)kind, row);
        }
    }
    write_all(changes, count);

    /* The first row of each kind gets other values under the same key; the second one goes. */
    count = 0;
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        const struct row_type *type = &row_types[kind];
        size_t key_end = type->fields[type->key_count].offset;
        void *first = row_new((enum row_kind)kind, arena);
        void *second = row_new((enum row_kind)kind, arena);

        fill((enum row_kind)kind, first, 1, arena);
        fill((enum row_kind)kind, second, 2, arena);
        kept[kind] = row_copy((enum row_kind)kind, second, arena);
        memcpy(kept[kind], first, key_end);
        changes[count++] = upsert((enum row_kind)kind, kept[kind]);
        if (type->key_count > 1) {
            changes[count++] = erase((enum row_kind)kind, second);
        }
    }
    write_all(changes, count);

    struct loaded loaded = load(arena);

    cr_assert_eq(loaded.count, ROW_KIND_COUNT);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        cr_expect(contains(&loaded, (enum row_kind)kind, kept[kind]), "%s", row_types[kind].name);
    }
}

Test(rows, of_shards_that_were_not_asked_for_are_not_loaded)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct loaded loaded = {.arena = arena};
    struct shard_lease others[SHARDS];
    struct workspace_row workspace;
    struct change change;
    size_t count = 0;
    struct error err;

    row_init(ROW_WORKSPACE, &workspace);
    row_set_text(&workspace.workspace_id, "acme");
    change = upsert(ROW_WORKSPACE, &workspace);
    write_all(&change, 1);
    row_deinit(ROW_WORKSPACE, &workspace);

    for (size_t i = 0; i < world.lease_count; i++) {
        if (world.leases[i].shard_id != store_shard_of("acme", SHARDS)) {
            others[count++] = world.leases[i];
        }
    }
    cr_assert(world.store->operations->load(world.store, others, count, keep, &loaded, &err));
    cr_assert_eq(loaded.count, 0);
    cr_assert_eq(load(arena).count, 1);
}

Test(rows, that_postgresql_refuses_are_refused_and_nothing_else_is_harmed)
{
    struct change changes[1] = {upsert(ROW_TASK, a_task("t\xff"))};
    struct error err;

    cr_assert_eq(world_write(&world, world.store, changes, 1, &err), STORE_REFUSED);
    cr_assert_eq(err.reason, REASON_INTERNAL);
    cr_assert_str_eq(postgres_sqlstate(&err), "22021");
    cr_assert_eq(world_lease(&world)->batch, 0);

    changes[0] = upsert(ROW_TASK, a_task("t1"));
    write_all(changes, 1);
    cr_assert_str_eq(test_sql_value(world.sql, "SELECT string_agg(id, ' ') FROM tasks"), "t1");
}

Test(rows, in_large_batches_are_written_at_once)
{
    enum {
        COUNT = 5000
    };
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct change *changes = arena_new_array(arena, struct change, COUNT);

    for (int i = 0; i < COUNT; i++) {
        struct task_row *task = row_new(ROW_TASK, arena);

        task->workspace_id = arena_strdup(arena, "acme");
        task->id = arena_printf(arena, "t%d", i);
        task->attributes = arena_strdup(arena, "{\"language\": \"de\", \"level\": 3}");
        changes[i] = upsert(ROW_TASK, task);
    }
    write_all(changes, COUNT);
    cr_assert_str_eq(test_sql_value(world.sql, "SELECT count(*) FROM tasks"), "5000");
    cr_assert_str_eq(
        test_sql_value(world.sql, "SELECT count(DISTINCT xmin::text) FROM tasks"), "1");
}

/* ---- opening ---- */

Test(rows, belong_to_a_number_of_shards_that_cannot_change)
{
    struct pg_store_options options = {.url = world.url, .shard_count = SHARDS * 2};
    struct store *store = NULL;
    struct error err;

    cr_assert_not(pg_store_open(&options, &store, &err));
    cr_assert_eq(err.reason, REASON_CONFIG_INVALID);
    cr_assert_not_null(strstr(err.message, "made with 4 shards"));
}
