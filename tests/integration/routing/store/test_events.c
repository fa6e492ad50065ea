/* Events: appended with their batch, read back by sequence and filter, from any thread. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "common/base/arena.h"
#include "services/routing/store/pg_store.h"
#include "tests/integration/routing/store/world.h"
#include "tests/support/pg.h"

enum {
    EVENTS = 100,
    READERS = 20
};

static struct world world;
static const uint8_t payload[] = {0, 1, 0xff, 0};

/* Hundred events of acme: task t0 or t1 in turn, worker ada on every tenth, reservation r on one.
 */
static void set_up(void)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct store_event *events = arena_new_array(arena, struct store_event, EVENTS);
    struct error err;

    world_init(&world);
    for (int i = 0; i < EVENTS; i++) {
        events[i] = (struct store_event){
            .workspace_id = "acme",
            .sequence = i + 1,
            .time_us = INT64_C(1764000000000000) + i,
            .type = "task.created",
            .task_id = i % 2 ? "t1" : "t0",
            .worker_id = i % 10 ? "" : "ada",
            .reservation_id = i == 55 ? "r" : "",
            .payload = payload,
            .payload_size = i ? sizeof(payload) : 0,
        };
    }

    struct store_batch batch = {
        .events = events,
        .event_count = EVENTS,
        .fences = world_lease(&world),
        .fence_count = 1,
    };

    cr_assert_eq(
        world.store->operations->write(world.store, &batch, &err), STORE_COMMITTED, "%s",
        err.message);
}

static void tear_down(void)
{
    world_deinit(&world);
}

TestSuite(events, .init = set_up, .fini = tear_down, .timeout = 60);

static size_t read_some(
    const struct store_event_query *query,
    struct arena *arena,
    struct store_event **ret_events)
{
    size_t count = 0;
    struct error err;

    cr_assert(
        world.store->operations->read_events(world.store, query, arena, ret_events, &count, &err),
        "%s", err.message);
    return count;
}

Test(events, come_back_as_they_were_oldest_first)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct store_event_query query = {
        .workspace_id = "acme",
        .limit = 1000,
        .task_id = "",
        .worker_id = "",
        .reservation_id = ""};
    struct store_event *events = NULL;

    cr_assert_eq(read_some(&query, arena, &events), EVENTS);
    for (int i = 0; i < EVENTS; i++) {
        cr_assert_eq(events[i].sequence, i + 1);
    }
    cr_assert_str_eq(events[10].workspace_id, "acme");
    cr_assert_eq(events[10].time_us, INT64_C(1764000000000010));
    cr_assert_str_eq(events[10].type, "task.created");
    cr_assert_str_eq(events[10].task_id, "t0");
    cr_assert_str_eq(events[10].worker_id, "ada");
    cr_assert_str_eq(events[10].reservation_id, "");
    cr_assert_eq(events[10].payload_size, sizeof(payload));
    cr_assert_eq(memcmp(events[10].payload, payload, sizeof(payload)), 0);
    cr_assert_eq(events[0].payload_size, 0);
}

Test(events, are_read_in_pages_behind_a_sequence)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct store_event_query query = {
        .workspace_id = "acme",
        .after_sequence = 90,
        .limit = 7,
        .task_id = "",
        .worker_id = "",
        .reservation_id = ""};
    struct store_event *events = NULL;

    cr_assert_eq(read_some(&query, arena, &events), 7);
    cr_assert_eq(events[0].sequence, 91);
    query.after_sequence = 97;
    cr_assert_eq(read_some(&query, arena, &events), 3);
    query.after_sequence = 100;
    cr_assert_eq(read_some(&query, arena, &events), 0);
    query.workspace_id = "other";
    query.after_sequence = 0;
    cr_assert_eq(read_some(&query, arena, &events), 0);
}

Test(events, are_found_by_task_worker_or_reservation)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct store_event_query query = {
        .workspace_id = "acme",
        .limit = 1000,
        .task_id = "t1",
        .worker_id = "",
        .reservation_id = ""};
    struct store_event *events = NULL;

    cr_assert_eq(read_some(&query, arena, &events), 50);
    query.task_id = "";
    query.worker_id = "ada";
    cr_assert_eq(read_some(&query, arena, &events), 10);
    query.worker_id = "";
    query.reservation_id = "r";
    cr_assert_eq(read_some(&query, arena, &events), 1);
    cr_assert_eq(events[0].sequence, 56);
}

static void *read_all(void *ret_count)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct store_event_query query = {
        .workspace_id = "acme",
        .limit = 1000,
        .task_id = "",
        .worker_id = "",
        .reservation_id = ""};
    struct store_event *events = NULL;

    *(size_t *)ret_count = read_some(&query, arena, &events);
    return NULL;
}

Test(events, are_read_by_many_threads_over_few_connections)
{
    pthread_t threads[READERS];
    size_t counts[READERS] = {0};

    for (int i = 0; i < READERS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, read_all, &counts[i]), 0);
    }
    for (int i = 0; i < READERS; i++) {
        (void)pthread_join(threads[i], NULL);
        cr_assert_eq(counts[i], EVENTS);
    }
    cr_assert_lt(
        strtol(
            test_sql_value(
                world.sql, "SELECT count(*) FROM pg_stat_activity"
                           " WHERE application_name = 'cordboard-routing reader'"
                           " AND datname = current_database()"),
            NULL, 10),
        9);
}

Test(events, are_read_again_after_the_connections_were_lost)
{
    size_t count = 0;

    (void)read_all(&count);
    test_sql(
        world.sql, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                   " WHERE application_name = 'cordboard-routing reader'"
                   " AND datname = current_database()");
    (void)read_all(&count);
    cr_assert_eq(count, EVENTS);
}

Test(events, of_a_batch_that_was_fenced_off_are_not_stored)
{
    struct store_event event = {
        .workspace_id = "acme",
        .sequence = 101,
        .time_us = 1,
        .type = "x",
        .task_id = "",
        .worker_id = "",
        .reservation_id = ""};
    struct store_batch batch = {
        .events = &event, .event_count = 1, .fences = world_lease(&world), .fence_count = 1};
    struct error err;

    test_sql(world.sql, "UPDATE shards SET epoch = epoch + 1");
    cr_assert_eq(world.store->operations->write(world.store, &batch, &err), STORE_FENCED);
    cr_assert_str_eq(test_sql_value(world.sql, "SELECT max(sequence) FROM events"), "100");
}
