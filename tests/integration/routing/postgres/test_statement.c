/* Parameters, results and transactions against a real server. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/routing/postgres/array.h"
#include "services/routing/postgres/connection.h"
#include "services/routing/postgres/result.h"
#include "services/routing/postgres/statement.h"
#include "tests/support/pg.h"

enum {
    WAIT_MS = 20000,
    COLUMN_COUNT = 8
};

static char *url;
static PGconn *connection;

static void connect_to_new_database(void)
{
    url = test_database_new();
    connection = test_connect(url);
}

static void disconnect(void)
{
    connection = postgres_disconnect(connection);
    free(url);
}

TestSuite(postgres, .init = connect_to_new_database, .fini = disconnect);

static const struct postgres_statement echo = {
    "echo", "SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::integer[],"
            " $5::smallint[], $6::boolean[], $7::timestamptz[], $8::jsonb[])"
            " AS t (a, b, c, d, e, f, g, h)"};

static const struct postgres_column echo_columns[COLUMN_COUNT] = {
    {"a", POSTGRES_TEXT       },
    {"b", POSTGRES_BYTEA      },
    {"c", POSTGRES_INT8       },
    {"d", POSTGRES_INT4       },
    {"e", POSTGRES_INT2       },
    {"f", POSTGRES_BOOL       },
    {"g", POSTGRES_TIMESTAMPTZ},
    {"h", POSTGRES_JSONB      },
};

static void init_arrays(struct postgres_array arrays[COLUMN_COUNT])
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        postgres_array_init(&arrays[i], echo_columns[i].type);
    }
}

static PGresult *run_echo(struct postgres_array arrays[COLUMN_COUNT])
{
    const struct postgres_statement *statements[] = {&echo};
    struct postgres_params params;
    struct postgres_call call = {.statement = &echo, .params = &params};
    struct error err;
    PGresult *result = NULL;

    postgres_params_init(&params);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        postgres_params_add_array(&params, &arrays[i]);
    }
    cr_assert(postgres_prepare(connection, statements, 1, WAIT_MS, &err), "%s", err.message);
    cr_assert(postgres_query(connection, &call, WAIT_MS, &result, &err), "%s", err.message);
    cr_assert(postgres_check_columns(result, echo_columns, COLUMN_COUNT, &err), "%s", err.message);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        postgres_array_deinit(&arrays[i]);
    }
    return result;
}

Test(postgres, gives_back_every_type_of_an_array_as_it_was)
{
    static const char bytes[] = {0, 1, (char)0xff, 0, 7};
    struct postgres_array arrays[COLUMN_COUNT];
    size_t size = 0;

    init_arrays(arrays);
    postgres_array_add_text(&arrays[0], "größer than \"NULL\", {a}");
    postgres_array_add_bytea(&arrays[1], bytes, sizeof(bytes));
    postgres_array_add_int8(&arrays[2], INT64_MIN);
    postgres_array_add_int4(&arrays[3], INT32_MIN);
    postgres_array_add_int2(&arrays[4], INT16_MIN);
    postgres_array_add_bool(&arrays[5], true);
    postgres_array_add_time(&arrays[6], INT64_C(1764000000123457));
    postgres_array_add_jsonb(&arrays[7], "{\"level\": 2}");

    CLEANUP(PQclear_at_exit) PGresult *result = run_echo(arrays);

    cr_assert_eq(PQntuples(result), 1);
    cr_assert_str_eq(postgres_get_text(result, 0, 0), "größer than \"NULL\", {a}");
    cr_assert_eq(memcmp(postgres_get_bytea(result, 0, 1, &size), bytes, sizeof(bytes)), 0);
    cr_assert_eq(size, sizeof(bytes));
    cr_assert_eq(postgres_get_int8(result, 0, 2), INT64_MIN);
    cr_assert_eq(postgres_get_int4(result, 0, 3), INT32_MIN);
    cr_assert_eq(postgres_get_int2(result, 0, 4), INT16_MIN);
    cr_assert(postgres_get_bool(result, 0, 5));
    cr_assert_eq(postgres_get_time_us(result, 0, 6), INT64_C(1764000000123457));
    cr_assert_str_eq(postgres_get_jsonb(result, 0, 7), "{\"level\": 2}");
}

Test(postgres, keeps_null_apart_from_empty)
{
    struct postgres_array arrays[COLUMN_COUNT];
    size_t size = 1;

    init_arrays(arrays);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        postgres_array_add_null(&arrays[i]);
    }
    postgres_array_add_text(&arrays[0], "");
    postgres_array_add_bytea(&arrays[1], "", 0);
    postgres_array_add_int8(&arrays[2], 0);
    postgres_array_add_int4(&arrays[3], 0);
    postgres_array_add_int2(&arrays[4], 0);
    postgres_array_add_bool(&arrays[5], false);
    postgres_array_add_time(&arrays[6], 0);
    postgres_array_add_jsonb(&arrays[7], "null");

    CLEANUP(PQclear_at_exit) PGresult *result = run_echo(arrays);

    cr_assert_eq(PQntuples(result), 2);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        cr_assert(postgres_get_null(result, 0, i));
        cr_assert_not(postgres_get_null(result, 1, i));
    }
    cr_assert_null(postgres_get_text(result, 0, 0));
    cr_assert_str_eq(postgres_get_text(result, 1, 0), "");
    cr_assert_not_null(postgres_get_bytea(result, 1, 1, &size));
    cr_assert_eq(size, 0);
    cr_assert_eq(postgres_get_time_us(result, 1, 6), 0);
    cr_assert_str_eq(postgres_get_jsonb(result, 1, 7), "null");
}

Test(postgres, takes_no_row_and_many_rows)
{
    struct postgres_array arrays[COLUMN_COUNT];

    init_arrays(arrays);
    PQclear(run_echo(arrays));

    test_sql(connection, "DEALLOCATE ALL");
    init_arrays(arrays);
    for (int row = 0; row < 10000; row++) {
        postgres_array_add_text(&arrays[0], "a text of some length");
        for (int i = 1; i < COLUMN_COUNT; i++) {
            if (i != 2) {
                postgres_array_add_null(&arrays[i]);
            }
        }
        postgres_array_add_int8(&arrays[2], row);
    }

    CLEANUP(PQclear_at_exit) PGresult *result = run_echo(arrays);

    cr_assert_eq(PQntuples(result), 10000);
    cr_assert_eq(postgres_get_int8(result, 9999, 2), 9999);
}

Test(postgres, names_the_column_that_is_not_the_expected_one)
{
    static const struct postgres_column wrong[COLUMN_COUNT] = {
        {"a", POSTGRES_INT4}
    };
    struct postgres_array arrays[COLUMN_COUNT];
    struct error err;

    init_arrays(arrays);

    CLEANUP(PQclear_at_exit) PGresult *result = run_echo(arrays);

    cr_assert_not(postgres_check_columns(result, wrong, COLUMN_COUNT, &err));
    cr_assert_eq(err.reason, REASON_INTERNAL);
    cr_assert_not_null(strstr(err.message, "column a of type 25"));
}

/* ---- transactions ---- */

static const struct postgres_statement insert = {
    "insert", "INSERT INTO things (id, size) SELECT * FROM unnest($1::text[], $2::integer[])"};
static const struct postgres_statement fence = {
    "fence", "WITH fenced AS (UPDATE fences SET batch = $1::bigint WHERE batch = $2::bigint"
             " RETURNING 1) SELECT 1 / count(*) FROM fenced"};
static const struct postgres_statement slow = {"slow", "SELECT pg_sleep(600)"};
static const struct postgres_statement die = {
    "die", "SELECT pg_terminate_backend(pg_backend_pid())"};

struct batch {
    struct postgres_array ids;
    struct postgres_array sizes;
    struct postgres_params rows;
    struct postgres_params fence;
    struct postgres_call calls[3];
};

static void batch_init(struct batch *batch, const char *id, int64_t next, int64_t previous)
{
    postgres_array_init(&batch->ids, POSTGRES_TEXT);
    postgres_array_init(&batch->sizes, POSTGRES_INT4);
    postgres_array_add_text(&batch->ids, id);
    postgres_array_add_int4(&batch->sizes, 5);
    postgres_params_init(&batch->rows);
    postgres_params_add_array(&batch->rows, &batch->ids);
    postgres_params_add_array(&batch->rows, &batch->sizes);
    postgres_params_init(&batch->fence);
    postgres_params_add_int8(&batch->fence, next);
    postgres_params_add_int8(&batch->fence, previous);
    batch->calls[0] = (struct postgres_call){.statement = &insert, .params = &batch->rows};
    batch->calls[1] = (struct postgres_call){.statement = &fence, .params = &batch->fence};
}

static void batch_deinit(struct batch *batch)
{
    postgres_array_deinit(&batch->ids);
    postgres_array_deinit(&batch->sizes);
}

static void make_things(void)
{
    const struct postgres_statement *statements[] = {&insert, &fence, &slow, &die};
    struct error err;

    test_sql(
        connection, "CREATE TABLE things (id text PRIMARY KEY, size integer CHECK (size > 0));"
                    "CREATE TABLE fences (batch bigint); INSERT INTO fences VALUES (0)");
    cr_assert(postgres_prepare(connection, statements, 4, WAIT_MS, &err), "%s", err.message);
}

Test(postgres, commits_all_calls_together_in_one_transaction)
{
    struct batch batch;
    struct postgres_transaction_result result;
    struct error err;

    make_things();
    batch_init(&batch, "a", 1, 0);
    cr_assert(
        postgres_transact(connection, batch.calls, 2, WAIT_MS, &result, &err), "%s", err.message);
    batch_deinit(&batch);

    cr_assert_eq(result.outcome, POSTGRES_COMMITTED);
    cr_assert_eq(batch.calls[0].affected, 1);
    cr_assert(postgres_usable(connection));
    cr_assert_str_eq(test_sql_value(connection, "SELECT count(*) FROM things"), "1");
    cr_assert_str_eq(
        test_sql_value(connection, "SELECT t.xmin = f.xmin FROM things t, fences f"), "t");
}

Test(postgres, undoes_everything_when_the_last_call_fails)
{
    struct batch batch;
    struct postgres_transaction_result result;
    struct error err;

    make_things();
    batch_init(&batch, "a", 2, 1);
    cr_assert_not(postgres_transact(connection, batch.calls, 2, WAIT_MS, &result, &err));
    batch_deinit(&batch);

    cr_assert_eq(result.outcome, POSTGRES_ROLLED_BACK);
    cr_assert_eq(result.failed_call, 1);
    cr_assert_str_eq(postgres_sqlstate(&err), "22012");
    cr_assert(postgres_usable(connection));
    cr_assert_str_eq(test_sql_value(connection, "SELECT count(*) FROM things"), "0");
}

Test(postgres, says_which_call_was_refused_and_why)
{
    struct batch batch;
    struct postgres_transaction_result result;
    struct error err;

    make_things();
    test_sql(connection, "INSERT INTO things VALUES ('a', 1)");
    batch_init(&batch, "a", 1, 0);
    cr_assert_not(postgres_transact(connection, batch.calls, 2, WAIT_MS, &result, &err));
    batch_deinit(&batch);

    cr_assert_eq(result.outcome, POSTGRES_ROLLED_BACK);
    cr_assert_eq(result.failed_call, 0);
    cr_assert_eq(err.reason, REASON_INTERNAL);
    cr_assert_str_eq(postgres_sqlstate(&err), "23505");
    cr_assert_str_eq(test_sql_value(connection, "SELECT batch FROM fences"), "0");
}

Test(postgres, knows_that_a_backend_killed_inside_a_call_committed_nothing)
{
    struct batch batch;
    struct postgres_transaction_result result;
    struct error err;

    make_things();
    batch_init(&batch, "a", 1, 0);
    batch.calls[2] = (struct postgres_call){.statement = &die};
    cr_assert_not(postgres_transact(connection, batch.calls, 3, WAIT_MS, &result, &err));
    batch_deinit(&batch);

    cr_assert_eq(result.outcome, POSTGRES_ROLLED_BACK);
    cr_assert_eq(err.reason, REASON_STORE_UNAVAILABLE);
    cr_assert_str_eq(postgres_sqlstate(&err), "57P01");
    cr_assert_not(postgres_usable(connection));
}

Test(postgres, does_not_know_the_outcome_when_no_answer_comes_in_time)
{
    struct batch batch;
    struct postgres_transaction_result result;
    struct error err;

    make_things();
    batch_init(&batch, "a", 1, 0);
    batch.calls[2] = (struct postgres_call){.statement = &slow};
    cr_assert_not(postgres_transact(connection, batch.calls, 3, 100, &result, &err));
    batch_deinit(&batch);

    cr_assert_eq(result.outcome, POSTGRES_UNKNOWN);
    cr_assert_eq(err.reason, REASON_STORE_UNAVAILABLE);
    cr_assert_not(postgres_usable(connection));
}

Test(postgres, takes_a_transaction_larger_than_the_socket_buffers)
{
    enum {
        SIZE = 32 * 1024 * 1024
    };
    static const struct postgres_statement back = {"back", "SELECT $1::bytea"};
    const struct postgres_statement *statements[] = {&back};
    CLEANUP(mem_free_at_exit) char *bytes = mem_alloc(SIZE);
    struct postgres_params params;
    struct postgres_call calls[2] = {
        {.statement = &back, .params = &params},
        {.statement = &back, .params = &params}
    };
    struct postgres_transaction_result result;
    struct error err;

    postgres_params_init(&params);
    postgres_params_add_bytea(&params, bytes, SIZE);
    cr_assert(postgres_prepare(connection, statements, 1, WAIT_MS, &err), "%s", err.message);
    cr_assert(
        postgres_transact(connection, calls, 2, INT64_C(6) * WAIT_MS, &result, &err), "%s",
        err.message);
    cr_assert_eq(calls[1].affected, 1);
}

static bool count_row(void *context, const PGresult *row, struct error *err)
{
    int64_t *sum = context;

    (void)err;
    *sum += postgres_get_int8(row, 0, 0);
    return true;
}

Test(postgres, reads_row_by_row)
{
    static const struct postgres_statement numbers = {
        "numbers", "SELECT n FROM generate_series(1, $1::bigint) AS n"};
    const struct postgres_statement *statements[] = {&numbers};
    struct postgres_params params;
    struct postgres_call call = {.statement = &numbers, .params = &params};
    struct error err;
    int64_t sum = 0;

    postgres_params_init(&params);
    postgres_params_add_int8(&params, 100000);
    cr_assert(postgres_prepare(connection, statements, 1, WAIT_MS, &err), "%s", err.message);
    cr_assert(
        postgres_query_each(connection, &call, WAIT_MS, count_row, &sum, &err), "%s", err.message);
    cr_assert_eq(sum, INT64_C(100000) * 100001 / 2);
    cr_assert(postgres_usable(connection));
}

/* ---- connections ---- */

Test(postgres, gives_a_writer_the_plans_it_needs_and_keeps_the_options_of_the_url)
{
    CLEANUP(mem_free_at_exit)
    char *with_options = mem_printf("%s options='-c lock_timeout=4321'", url);
    CLEANUP(postgres_disconnect_at_exit) PGconn *writer = test_connect(with_options);

    cr_assert_str_eq(test_sql_value(writer, "SHOW enable_hashjoin"), "off");
    cr_assert_str_eq(test_sql_value(writer, "SHOW plan_cache_mode"), "force_generic_plan");
    cr_assert_str_eq(test_sql_value(writer, "SHOW lock_timeout"), "4321ms");
    cr_assert_str_eq(test_sql_value(writer, "SHOW application_name"), "cordboard-routing");
    cr_assert_str_eq(test_sql_value(writer, "SHOW statement_timeout"), "30s");
}

Test(postgres, is_unavailable_when_nobody_listens)
{
    struct postgres_options options = {.url = "host=/nonexistent"};
    PGconn *nobody = NULL;
    struct error err;

    cr_assert_not(postgres_connect(&options, &nobody, &err));
    cr_assert_eq(err.reason, REASON_STORE_UNAVAILABLE);
    cr_assert_null(nobody);
}

Test(postgres, refuses_a_url_that_is_none)
{
    struct postgres_options options = {.url = "postgresql://["};
    PGconn *nobody = NULL;
    struct error err;

    cr_assert_not(postgres_connect(&options, &nobody, &err));
    cr_assert_eq(err.reason, REASON_CONFIG_INVALID);
}
