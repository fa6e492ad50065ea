/* The shard on a real PostgreSQL: durable before visible, group commit, and starting again. */
#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/value/keys.h"
#include "services/routing/domain/row.h"
#include "services/routing/operations/operations.h"
#include "services/routing/operations/requests.h"
#include "services/routing/operations/step.h"
#include "services/routing/postgres/connection.h"
#include "services/routing/shard/shard.h"
#include "services/routing/store/pg_store.h"
#include "services/routing/store/store.h"
#include "tests/support/pg.h"

enum {
    CREATES = 64
};

#define LONG_US INT64_C(60000000)

static char *url;
static PGconn *sql;
static struct store *store;
static struct shards *shards;
static struct value_keys *keys;
static struct arena *arena;
static atomic_size_t published; /* events */
static int64_t hold_after_us = LONG_US;
static int64_t sweep_interval_us = LONG_US;

static void pack(
    const char *workspace_id,
    const struct event *event,
    struct arena *step_arena,
    struct store_event *ret_packed)
{
    *ret_packed = (struct store_event){
        .workspace_id = workspace_id,
        .sequence = event->sequence,
        .time_us = event->time_us,
        .type = arena_strdup(step_arena, event->type),
        .task_id = "",
        .worker_id = "",
        .reservation_id = "",
        .payload = (const uint8_t *)"",
    };
}

static void publish(void *context, const struct step *step, const struct store_event *events)
{
    (void)context;
    (void)events;
    atomic_fetch_add(&published, step->event_count);
}

static void observe(void *context, enum shards_notice notice, int64_t value, const char *text)
{
    (void)context;
    (void)notice;
    (void)value;
    (void)text;
}

static void start(void)
{
    struct pg_store_options store_options = {.url = url, .shard_count = 8};
    struct shards_options options = shards_default_options();
    struct error err;

    cr_assert(pg_store_open(&store_options, &store, &err), "%s", err.message);
    options.keys = keys;
    options.store = store;
    options.clock = clock_system();
    options.owner = "one";
    options.hold_after_us = hold_after_us;
    options.sweep_interval_us = sweep_interval_us;
    options.pack = pack;
    options.publish = publish;
    options.observe = observe;
    cr_assert(shards_start(&options, &shards, &err), "%s", err.message);
}

static void stop(void)
{
    shards_stop(shards, LONG_US);
    shards_free(shards);
    store->operations->close(store);
}

static void set_up(void)
{
    url = test_database_new();
    sql = test_connect(url);
    keys = value_keys_new(VALUE_KEYS_DEFAULT);
    arena = arena_new();
    start();
}

static void tear_down(void)
{
    stop();
    arena_free(arena);
    value_keys_free(keys);
    postgres_disconnect(sql);
    free(url);
}

TestSuite(commit, .init = set_up, .fini = tear_down, .timeout = 60);

/* ---- asking ---- */

struct question {
    struct command command;
    struct create_request create;
    struct get_request get;
    atomic_bool answered;
    bool ok;
    struct error error;
};

static void note_answer(void *context, const struct step *step)
{
    struct question *question = context;

    question->ok = step->ok;
    question->error = step->error;
    atomic_store(&question->answered, true);
}

static struct question *ask(const struct operation *operation, const void *request)
{
    struct question *question = arena_new_object(arena, struct question);

    question->command = (struct command){
        .operation = operation,
        .workspace_id = "acme",
        .request = request,
        .answer = note_answer,
        .context = question,
    };
    shards_post(shards, &question->command);
    return question;
}

static struct question *ask_create(
    const struct operation *operation,
    enum row_kind kind,
    const char *id)
{
    struct create_request *create = arena_new_object(arena, struct create_request);
    void *row = row_new(kind, arena);

    if (kind == ROW_WORKSPACE) {
        ((struct workspace_row *)row)->display_name = arena_strdup(arena, "Acme");
    } else {
        ((struct worker_row *)row)->display_name = arena_strdup(arena, id);
    }
    create->id = id;
    create->row = row;
    create->key.id = "";
    return ask(operation, create);
}

static struct question *ask_get(const struct operation *operation, const char *id)
{
    struct get_request *get = arena_new_object(arena, struct get_request);

    get->id = id;
    get->task_id = "";
    return ask(operation, get);
}

static bool await(struct question *question)
{
    while (!atomic_load(&question->answered)) {
        sched_yield(); /* the suite's time limit ends it */
    }
    return question->ok;
}

static void create_workspace(void)
{
    struct question *create = ask_create(&operation_create_workspace, ROW_WORKSPACE, "");

    cr_assert(await(create), "%s", create->error.message);
}

static void assert_all_is_well(void)
{
    CLEANUP(mem_free_at_exit) char *breaches = test_audit(sql);

    cr_assert_str_eq(breaches, "");
}

/* ---- holding the commit ---- */

/* The fence waits for these rows: everything of the batch is done but its commit. */
static PGconn *hold_commits(void)
{
    PGconn *holder = test_connect(url);

    test_sql(holder, "BEGIN; SELECT FROM shards FOR UPDATE");
    return holder;
}

static void await_held_commit(void)
{
    while (strcmp(
               test_sql_value(
                   sql, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                        " AND application_name = 'cordboard-routing writer'"
                        " AND datname = current_database()"),
               "1") != 0) {
        /* the suite's time limit ends it */
    }
}

static void let_commits_go(PGconn *holder)
{
    test_sql(holder, "COMMIT");
    postgres_disconnect(holder);
}

Test(commit, lets_nothing_out_that_depends_on_a_step_before_it_is_durable)
{
    create_workspace();

    size_t published_before = atomic_load(&published);
    PGconn *holder = hold_commits();
    struct question *create = ask_create(&operation_create_worker, ROW_WORKER, "ada");

    await_held_commit();

    struct question *read = ask_get(&operation_get_worker, "ada");
    struct question *refusal = ask_create(&operation_create_worker, ROW_WORKER, "ada");
    struct question *absent = ask_get(&operation_get_worker, "bob");

    /* Asked last and answered at once, since nothing of it waits: so the others were run before. */
    cr_assert(await(ask_get(&operation_get_activity, "offline")));
    cr_assert_not(atomic_load(&create->answered));
    cr_assert_not(atomic_load(&read->answered));
    cr_assert_not(atomic_load(&refusal->answered));
    cr_assert_eq(atomic_load(&published), published_before);
    cr_assert_str_eq(test_sql_value(sql, "SELECT count(*) FROM workers"), "0");

    let_commits_go(holder);
    cr_assert(await(create));
    cr_assert(await(read));
    cr_assert_not(await(refusal));
    cr_assert_eq(refusal->error.reason, REASON_ALREADY_EXISTS);
    cr_assert_not(await(absent));
    cr_assert_eq(absent->error.reason, REASON_NOT_FOUND);
    cr_assert_gt(atomic_load(&published), published_before);
    assert_all_is_well();
}

Test(commit, answers_nobody_before_the_row_is_in_the_database)
{
    create_workspace();
    for (int i = 0; i < 50; i++) {
        char *id = arena_printf(arena, "worker-%d", i);
        char *look = arena_printf(arena, "SELECT count(*) FROM workers WHERE id = '%s'", id);

        cr_assert(await(ask_create(&operation_create_worker, ROW_WORKER, id)));
        cr_assert_str_eq(test_sql_value(sql, look), "1");
    }
    assert_all_is_well();
}

static int64_t batches(void)
{
    return strtol(test_sql_value(sql, "SELECT sum(batch) FROM shards"), NULL, 10);
}

Test(commit, takes_few_transactions_for_many_creates_at_once)
{
    struct question *creates[CREATES];

    create_workspace();

    int64_t before = batches();

    for (int i = 0; i < CREATES; i++) {
        creates[i] =
            ask_create(&operation_create_worker, ROW_WORKER, arena_printf(arena, "worker-%d", i));
    }
    for (int i = 0; i < CREATES; i++) {
        cr_assert(await(creates[i]));
    }
    cr_assert_lt(batches() - before, 32);
    cr_assert_gt(batches() - before, 0);
    cr_assert_str_eq(test_sql_value(sql, "SELECT count(*) FROM workers"), "64");
    assert_all_is_well();
}

Test(commit, keeps_everything_over_a_restart)
{
    create_workspace();
    cr_assert(await(ask_create(&operation_create_worker, ROW_WORKER, "ada")));
    stop();
    start();
    cr_assert(await(ask_get(&operation_get_worker, "ada")));
    cr_assert(await(ask_get(&operation_get_activity, "available")));
    cr_assert(await(ask_create(&operation_create_worker, ROW_WORKER, "bob")));
    assert_all_is_well();
}

static void kill_writer(void)
{
    test_sql(
        sql, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
             " WHERE application_name = 'cordboard-routing writer'"
             " AND datname = current_database()");
}

Test(commit, goes_on_when_the_connection_is_killed_in_the_middle)
{
    create_workspace();

    PGconn *holder = hold_commits();
    struct question *create = ask_create(&operation_create_worker, ROW_WORKER, "ada");

    await_held_commit();
    kill_writer();
    let_commits_go(holder);
    cr_assert(await(create));
    cr_assert_str_eq(test_sql_value(sql, "SELECT count(*) FROM workers"), "1");
    assert_all_is_well();
}

Test(commit, goes_on_while_connections_are_killed_all_the_time)
{
    struct question *creates[CREATES];

    create_workspace();
    for (int i = 0; i < CREATES; i++) {
        creates[i] =
            ask_create(&operation_create_worker, ROW_WORKER, arena_printf(arena, "worker-%d", i));
        if (i % 4 == 0) {
            kill_writer();
        }
    }
    for (int i = 0; i < CREATES; i++) {
        cr_assert(await(creates[i]));
    }
    cr_assert_str_eq(test_sql_value(sql, "SELECT count(*) FROM workers"), "64");
    assert_all_is_well();
}

Test(commit, answers_unavailable_when_another_instance_has_taken_over)
{
    create_workspace();
    test_sql(
        sql, "UPDATE shards SET owner = 'two', epoch = epoch + 1,"
             " lease_expire_time = now() + interval '1 hour'");

    struct question *create = ask_create(&operation_create_worker, ROW_WORKER, "ada");

    cr_assert_not(await(create));
    cr_assert_eq(error_code(create->error.reason), ERROR_UNAVAILABLE);
    cr_assert_str_eq(test_sql_value(sql, "SELECT count(*) FROM workers"), "0");

    /* It takes them back when they are free again. */
    test_sql(sql, "UPDATE shards SET lease_expire_time = now()");

    bool good = false;

    while (!good) {
        good = await(ask_create(&operation_create_worker, ROW_WORKER, "ada"));
    }
    assert_all_is_well();
}

/* CPU time that this process has used. */
static int64_t cpu_us(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec * INT64_C(1000000) + used.tv_nsec / 1000;
}

Test(commit, waits_for_a_slow_commit_without_burning_the_processor)
{
    struct timespec while_held = {.tv_sec = 1};

    stop();
    hold_after_us = 10000;
    sweep_interval_us = 50000;
    start();
    create_workspace();

    PGconn *holder = hold_commits();
    struct question *create = ask_create(&operation_create_worker, ROW_WORKER, "ada");

    await_held_commit();

    int64_t before_us = cpu_us();

    nanosleep(&while_held, NULL); /* what is measured: the sweep is due all the time */
    cr_assert_lt(cpu_us() - before_us, 100000);
    let_commits_go(holder);
    cr_assert(await(create));
}
