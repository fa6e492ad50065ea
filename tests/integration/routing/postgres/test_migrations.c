/* Migrations against a real server: applied once, in order, by one of many. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/routing/postgres/connection.h"
#include "services/routing/postgres/migrations.h"
#include "tests/support/pg.h"

static char *url;
static char *directory;
static PGconn *connection;

static void write_file(const char *name, const char *sql)
{
    char *path = mem_printf("%s/%s", directory, name);
    FILE *file = fopen(path, "we");

    cr_assert_not_null(file);
    (void)fputs(sql, file);
    (void)fclose(file);
    free(path);
}

static void set_up(void)
{
    url = test_database_new();
    connection = test_connect(url);
    directory = test_directory_new();
    write_file("0001_first.sql", "CREATE TABLE first (n integer); INSERT INTO first VALUES (1);");
    write_file("0002_second.sql", "CREATE TABLE second (n integer);");
    write_file("README.md", "not a migration");
}

static void tear_down(void)
{
    connection = postgres_disconnect(connection);
    test_directory_remove(directory);
    free(url);
}

TestSuite(migrations, .init = set_up, .fini = tear_down);

static struct migrations_done run(void)
{
    struct migrations_done done = {0};
    struct error err;

    test_sql(connection, "DEALLOCATE ALL");
    cr_assert(migrations_run(connection, directory, &done, &err), "%s", err.message);
    return done;
}

static struct error run_refused(void)
{
    struct migrations_done done = {0};
    struct error err;

    test_sql(connection, "DEALLOCATE ALL");
    cr_assert_not(migrations_run(connection, directory, &done, &err));
    cr_assert_eq(PQtransactionStatus(connection), PQTRANS_IDLE);
    return err;
}

Test(migrations, are_applied_once_and_in_order)
{
    struct migrations_done done = run();

    cr_assert_eq(done.applied, 2);
    cr_assert_eq(done.version, 2);
    cr_assert_str_eq(
        test_sql_value(
            connection, "SELECT string_agg(name, ' ' ORDER BY apply_time) FROM schema_migrations"),
        "0001_first.sql 0002_second.sql");

    done = run();
    cr_assert_eq(done.applied, 0);
    cr_assert_eq(done.version, 2);
    cr_assert_str_eq(test_sql_value(connection, "SELECT count(*) FROM first"), "1");
}

Test(migrations, keep_the_sha256_of_the_file)
{
    write_file("0001_first.sql", "");
    (void)run();
    cr_assert_str_eq(
        test_sql_value(connection, "SELECT checksum FROM schema_migrations WHERE version = 1"),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

Test(migrations, refuse_a_file_that_was_changed_after_it_was_applied)
{
    (void)run();
    write_file("0001_first.sql", "CREATE TABLE other (n integer);");

    struct error err = run_refused();

    cr_assert_eq(err.reason, REASON_SCHEMA_MISMATCH);
    cr_assert_not_null(strstr(err.message, "0001_first.sql has changed"));
}

Test(migrations, refuse_a_database_from_a_newer_program)
{
    (void)run();
    test_sql(connection, "INSERT INTO schema_migrations VALUES (3, '0003_later.sql', 'x', now())");

    struct error err = run_refused();

    cr_assert_eq(err.reason, REASON_SCHEMA_MISMATCH);
    cr_assert_not_null(strstr(err.message, "0003 (0003_later.sql)"));
}

Test(migrations, leave_nothing_of_a_file_that_fails_and_go_on_when_it_is_mended)
{
    write_file("0002_second.sql", "CREATE TABLE second (n integer); SELECT nonsense;");

    struct error err = run_refused();

    cr_assert_not_null(strstr(err.message, "0002_second.sql"));
    cr_assert_not_null(strstr(err.message, "nonsense"));
    cr_assert_str_eq(test_sql_value(connection, "SELECT to_regclass('second')"), "");
    cr_assert_str_eq(test_sql_value(connection, "SELECT max(version) FROM schema_migrations"), "1");

    write_file("0002_second.sql", "CREATE TABLE second (n integer);");
    cr_assert_eq(run().applied, 1);
}

Test(migrations, refuse_a_gap_in_the_numbers)
{
    write_file("0004_fourth.sql", "SELECT 1;");
    cr_assert_not_null(strstr(run_refused().message, "0004_fourth.sql stands where 0003"));
}

Test(migrations, refuse_a_directory_without_files)
{
    char *files = directory;

    directory = mem_strdup("/nonexistent");
    cr_assert_eq(run_refused().reason, REASON_CONFIG_INVALID);
    free(directory);
    directory = files;
}

static void *run_beside(void *applied)
{
    PGconn *own = test_connect(url);
    struct migrations_done done = {0};
    struct error err;

    if (migrations_run(own, directory, &done, &err)) {
        *(int *)applied = done.applied;
    } else {
        cr_log_error("%s", err.message);
    }
    postgres_disconnect(own);
    return NULL;
}

Test(migrations, are_applied_by_one_of_several_that_start_together)
{
    enum {
        RUNNERS = 6
    };
    pthread_t threads[RUNNERS];
    int applied[RUNNERS];
    int sum = 0;

    for (int i = 0; i < RUNNERS; i++) {
        applied[i] = -100;
        cr_assert_eq(pthread_create(&threads[i], NULL, run_beside, &applied[i]), 0);
    }
    for (int i = 0; i < RUNNERS; i++) {
        (void)pthread_join(threads[i], NULL);
        sum += applied[i];
    }
    cr_assert_eq(sum, 2);
    cr_assert_str_eq(test_sql_value(connection, "SELECT count(*) FROM first"), "1");
}
