/* Leases, epochs and the fence: who may write, and what is known when an answer is lost. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

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

TestSuite(fence, .init = set_up, .fini = tear_down, .timeout = 60);

static enum store_result write_task(struct world *as, struct store *store, const char *id)
{
    struct change change = upsert(ROW_TASK, a_task(id));
    struct error err;

    return world_write(as, store, &change, 1, &err);
}

static const char *stored_tasks(void)
{
    return test_sql_value(world.sql, "SELECT string_agg(id, ' ' ORDER BY id) FROM tasks");
}

/* ---- leases ---- */

Test(fence, gives_a_shard_to_one_owner_until_the_lease_runs_out)
{
    struct store *other = world_open(&world, 0);
    struct world others = world;

    cr_assert_not(world_claim(&others, other, "two", LEASE_US));
    cr_assert_eq(others.lease_count, 0);

    test_sql(world.sql, "UPDATE shards SET lease_expire_time = now() WHERE shard_id = 2");
    cr_assert_not(world_claim(&others, other, "two", LEASE_US));
    cr_assert_eq(others.lease_count, 1);
    cr_assert_eq(others.leases[0].shard_id, 2);
    cr_assert_eq(others.leases[0].epoch, 2);

    cr_assert_not(world_claim(&world, world.store, "one", LEASE_US));
    cr_assert_eq(world.lease_count, 3);
    cr_assert_eq(world.leases[0].epoch, 1, "what is held keeps its epoch");
    other->operations->close(other);
}

Test(fence, takes_back_at_once_what_the_owner_held_in_an_earlier_life)
{
    struct store *reborn = world_open(&world, 0);
    struct world next = world;

    cr_assert(world_claim(&next, reborn, "one", LEASE_US));
    cr_assert_eq(next.leases[0].epoch, 2);
    cr_assert_eq(write_task(&world, world.store, "t1"), STORE_FENCED);
    cr_assert_eq(write_task(&next, reborn, "t2"), STORE_COMMITTED);
    cr_assert_str_eq(stored_tasks(), "t2");
    reborn->operations->close(reborn);
}

Test(fence, says_since_when_nobody_ran_a_shard)
{
    struct store *other = world_open(&world, 0);
    struct world others = world;

    cr_assert_eq(world.leases[0].idle_since_us, 0);
    test_sql(
        world.sql, "UPDATE shards SET lease_expire_time = now(),"
                   " renew_time = '2026-01-01 00:00:00.000001Z'");
    cr_assert(world_claim(&others, other, "two", LEASE_US));
    cr_assert_eq(others.leases[0].idle_since_us, INT64_C(1767225600000001));
    other->operations->close(other);
}

Test(fence, renews_what_is_held_and_tells_what_is_lost)
{
    int64_t database_time_us = 0;
    struct error err;
    const struct store_operations *operations = world.store->operations;

    cr_assert(operations->renew(
        world.store, "one", 2 * LEASE_US, world.leases, world.lease_count, &database_time_us,
        &err));
    cr_assert_gt(database_time_us, 0);
    cr_assert_str_eq(
        test_sql_value(
            world.sql, "SELECT count(*) FROM shards"
                       " WHERE lease_expire_time > now() + interval '90 s'"),
        "4");

    test_sql(world.sql, "UPDATE shards SET owner = 'two', epoch = 2 WHERE shard_id = 1");
    cr_assert_not(operations->renew(
        world.store, "one", LEASE_US, world.leases, world.lease_count, &database_time_us, &err));
    cr_assert_eq(err.reason, REASON_STORE_FENCED);
}

Test(fence, lets_another_have_released_shards_at_once)
{
    struct store *other = world_open(&world, 0);
    struct world others = world;

    world.store->operations->release(world.store, "one", world.leases, world.lease_count);
    cr_assert(world_claim(&others, other, "two", LEASE_US));
    other->operations->close(other);
}

/* ---- the fence ---- */

Test(fence, lets_a_former_owner_write_nothing_and_says_so)
{
    struct store *other = world_open(&world, 0);
    struct world others = world;
    struct change change = upsert(ROW_TASK, a_task("late"));
    struct error err;

    test_sql(world.sql, "UPDATE shards SET lease_expire_time = now()");
    cr_assert(world_claim(&others, other, "two", LEASE_US));

    cr_assert_eq(world_write(&world, world.store, &change, 1, &err), STORE_FENCED);
    cr_assert_eq(err.reason, REASON_STORE_FENCED);
    cr_assert_eq(world_lease(&world)->batch, 0);
    cr_assert_str_eq(stored_tasks(), "");
    cr_assert_eq(write_task(&others, other, "t1"), STORE_COMMITTED);
    cr_assert_str_eq(stored_tasks(), "t1");
    other->operations->close(other);
}

Test(fence, refuses_a_batch_that_is_not_the_next_one)
{
    world_lease(&world)->batch = 7;
    cr_assert_eq(write_task(&world, world.store, "t1"), STORE_FENCED);
    cr_assert_str_eq(stored_tasks(), "");
}

Test(fence, needs_every_shard_of_the_batch)
{
    struct change change = upsert(ROW_TASK, a_task("t1"));
    struct store_batch batch = {
        .changes = &change,
        .change_count = 1,
        .fences = world.leases,
        .fence_count = world.lease_count,
    };
    struct error err;

    cr_assert_eq(world.store->operations->write(world.store, &batch, &err), STORE_COMMITTED);
    for (size_t i = 0; i < world.lease_count; i++) {
        cr_assert_eq(world.leases[i].batch, 1);
    }
    test_sql(world.sql, "UPDATE shards SET epoch = 9 WHERE shard_id = 3");
    cr_assert_eq(world.store->operations->write(world.store, &batch, &err), STORE_FENCED);
    cr_assert_str_eq(test_sql_value(world.sql, "SELECT max(batch) FROM shards"), "1");
}

Test(fence, lets_the_owner_go_on_with_a_new_epoch_after_it_was_fenced_off)
{
    test_sql(world.sql, "UPDATE shards SET epoch = epoch + 1");
    cr_assert_eq(write_task(&world, world.store, "t1"), STORE_FENCED);
    (void)world_claim(&world, world.store, "one", LEASE_US);
    (void)world_claim(&world, world.store, "one", LEASE_US);
    cr_assert_eq(world.lease_count, SHARDS);
    cr_assert_eq(write_task(&world, world.store, "t1"), STORE_COMMITTED);
}

/* ---- lost connections ---- */

static void kill_writers(void)
{
    test_sql(
        world.sql, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                   " WHERE application_name = 'cordboard-routing writer'"
                   " AND datname = current_database()");
}

struct writing {
    pthread_t thread;
    struct store *store;
    enum store_result first;
    enum store_result last;
};

/* As the committer does: the same batch again until it is known how it ended. */
static void *write_until_known(void *context)
{
    struct writing *writing = context;
    struct change change = upsert(ROW_TASK, a_task("t1"));
    struct error err;

    writing->first = world_write(&world, writing->store, &change, 1, &err);
    writing->last = writing->first;
    while (writing->last == STORE_UNAVAILABLE) {
        writing->last = world_write(&world, writing->store, &change, 1, &err);
    }
    return NULL;
}

static void wait_until(const char *condition)
{
    while (strcmp(test_sql_value(world.sql, condition), "t") != 0) {
        /* the suite's time limit ends it */
    }
}

#define WRITERS_WAITING                                                                            \
    "SELECT count(*) >= 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"                    \
    " AND application_name = 'cordboard-routing writer' AND datname = current_database()"

Test(fence, finds_the_idle_connection_lost_and_writes_through_a_new_one)
{
    struct writing writing = {.store = world.store};

    kill_writers();
    (void)write_until_known(&writing);
    cr_assert_eq(writing.last, STORE_COMMITTED);
    cr_assert_str_eq(stored_tasks(), "t1");
    cr_assert_eq(world_lease(&world)->batch, 1);
}

Test(fence, writes_a_batch_once_when_the_connection_is_killed_in_the_middle)
{
    PGconn *holder = test_connect(world.url);
    struct writing writing = {.store = world.store};

    test_sql(holder, "BEGIN; LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE");
    cr_assert_eq(pthread_create(&writing.thread, NULL, write_until_known, &writing), 0);
    wait_until(WRITERS_WAITING);
    kill_writers();
    test_sql(holder, "COMMIT");
    (void)pthread_join(writing.thread, NULL);

    cr_assert_eq(writing.first, STORE_UNAVAILABLE);
    cr_assert_eq(writing.last, STORE_COMMITTED);
    cr_assert_str_eq(stored_tasks(), "t1");
    cr_assert_eq(world_lease(&world)->batch, 1);
    cr_assert_str_eq(test_sql_value(world.sql, "SELECT max(batch) FROM shards"), "1");
    postgres_disconnect(holder);
}

/* The fence waits for a row; we give up; then PostgreSQL commits what we gave up. */
Test(fence, recognises_a_batch_that_was_committed_after_its_answer_was_given_up)
{
    PGconn *holder = test_connect(world.url);
    struct writing writing = {.store = world_open(&world, 300)};

    cr_assert(world_claim(&world, writing.store, "one", LEASE_US));
    test_sql(holder, "BEGIN; SELECT FROM shards FOR UPDATE");
    cr_assert_eq(pthread_create(&writing.thread, NULL, write_until_known, &writing), 0);
    wait_until("SELECT count(*) >= 2 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
               " AND application_name = 'cordboard-routing writer'"
               " AND datname = current_database()");
    test_sql(holder, "COMMIT");
    (void)pthread_join(writing.thread, NULL);

    cr_assert_eq(writing.last, STORE_COMMITTED);
    cr_assert_eq(world_lease(&world)->batch, 1);
    cr_assert_str_eq(test_sql_value(world.sql, "SELECT max(batch) FROM shards"), "1");
    cr_assert_str_eq(stored_tasks(), "t1");
    cr_assert_eq(write_task(&world, writing.store, "t2"), STORE_COMMITTED);
    writing.store->operations->close(writing.store);
    postgres_disconnect(holder);
}

/* The rows wait for a lock; we give up and connect anew; what we gave up must not commit later. */
Test(fence, keeps_a_transaction_that_was_given_up_from_committing_later)
{
    PGconn *holder = test_connect(world.url);
    struct store *store = world_open(&world, 300);
    struct task_row task = *a_task("t1");
    struct change change = upsert(ROW_TASK, &task);
    struct error err;

    cr_assert(world_claim(&world, store, "one", LEASE_US));
    cr_assert_eq(world_write(&world, store, &change, 1, &err), STORE_COMMITTED);
    test_sql(holder, "BEGIN; SELECT FROM tasks FOR UPDATE");
    task.priority = 7;
    cr_assert_eq(world_write(&world, store, &change, 1, &err), STORE_UNAVAILABLE);
    cr_assert_eq(err.reason, REASON_STORE_UNAVAILABLE);

    /* Another batch in its place, one that does not wait. */
    cr_assert_eq(write_task(&world, store, "t2"), STORE_COMMITTED);

    test_sql(holder, "COMMIT");
    wait_until("SELECT count(*) <= 2 FROM pg_stat_activity"
               " WHERE application_name = 'cordboard-routing writer'"
               " AND datname = current_database()");
    cr_assert_str_eq(stored_tasks(), "t1 t2");
    cr_assert_str_eq(test_sql_value(world.sql, "SELECT max(priority) FROM tasks"), "0");
    cr_assert_eq(world_lease(&world)->batch, 2);
    store->operations->close(store);
    postgres_disconnect(holder);
}

Test(fence, is_unavailable_while_the_server_is_stopped_and_goes_on_after)
{
    struct test_cluster *cluster = test_cluster_start(TEST_CLUSTER_DURABLE);
    struct world own = {.url = mem_strdup(test_cluster_url(cluster))};
    struct store *store = world_open(&own, 300);

    cr_assert(world_claim(&own, store, "one", LEASE_US));
    test_cluster_pause(cluster);
    cr_assert_eq(write_task(&own, store, "t1"), STORE_UNAVAILABLE);
    test_cluster_resume(cluster);

    enum store_result result = STORE_UNAVAILABLE;

    while (result == STORE_UNAVAILABLE) {
        result = write_task(&own, store, "t1");
    }
    cr_assert_eq(result, STORE_COMMITTED);
    cr_assert_eq(world_lease(&own)->batch, 1);
    store->operations->close(store);
    test_cluster_stop(cluster);
    free(own.url);
}
