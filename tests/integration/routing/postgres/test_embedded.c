/* The embedded database through its life: first start, second start, and every bad end. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/routing/postgres/binaries.h"
#include "services/routing/postgres/connection.h"
#include "services/routing/postgres/embedded.h"
#include "tests/support/pg.h"

static char *data;

static void make_directory(void)
{
    data = test_directory_new();
}

static void remove_directory(void)
{
    test_directory_remove(data);
}

TestSuite(embedded, .init = make_directory, .fini = remove_directory, .timeout = 100);

static struct embedded *start(void)
{
    struct embedded_options options = {.data_directory = data};
    struct embedded *embedded = NULL;
    struct error err;

    cr_assert(embedded_start(&options, &embedded, &err), "%s", err.message);
    return embedded;
}

static void run_in(const struct embedded *embedded, const char *sql)
{
    PGconn *connection = test_connect(embedded_url(embedded));

    test_sql(connection, sql);
    postgres_disconnect(connection);
}

Test(embedded, keeps_its_data_from_one_start_to_the_next)
{
    struct embedded *embedded = start();

    run_in(embedded, "CREATE TABLE kept AS SELECT 42 AS n");
    embedded_stop(embedded);
    embedded = start();

    PGconn *connection = test_connect(embedded_url(embedded));

    cr_assert_str_eq(test_sql_value(connection, "SELECT n FROM kept"), "42");
    postgres_disconnect(connection);
    embedded_stop(embedded);
}

Test(embedded, is_durable_and_listens_on_its_own_socket_only)
{
    CLEANUP(embedded_stop_at_exit) struct embedded *embedded = start();
    CLEANUP(postgres_disconnect_at_exit) PGconn *connection = test_connect(embedded_url(embedded));

    cr_assert_str_eq(test_sql_value(connection, "SHOW fsync"), "on");
    cr_assert_str_eq(test_sql_value(connection, "SHOW synchronous_commit"), "on");
    cr_assert_str_eq(test_sql_value(connection, "SHOW full_page_writes"), "on");
    cr_assert_str_eq(test_sql_value(connection, "SHOW data_checksums"), "on");
    cr_assert_str_eq(test_sql_value(connection, "SHOW listen_addresses"), "");
    cr_assert_str_eq(test_sql_value(connection, "SHOW max_wal_size"), "8GB");
    cr_assert_not_null(
        strstr(test_sql_value(connection, "SHOW unix_socket_directories"), "/socket"));
}

Test(embedded, leaves_no_process_when_it_stops)
{
    struct embedded *embedded = start();
    pid_t postmaster = embedded_pid(embedded);

    embedded_stop(embedded);
    cr_assert_eq(kill(postmaster, 0), -1);
}

Test(embedded, starts_again_when_its_server_was_killed)
{
    CLEANUP(embedded_stop_at_exit) struct embedded *embedded = start();
    pid_t first = embedded_pid(embedded);
    struct error err;

    run_in(embedded, "CREATE TABLE kept AS SELECT 42 AS n");
    cr_assert(embedded_keep(embedded, &err));
    cr_assert_eq(embedded_pid(embedded), first);

    (void)kill(first, SIGKILL);
    while (embedded_pid(embedded) == first) {
        cr_assert(embedded_keep(embedded, &err), "%s", err.message);
    }
    run_in(embedded, "SELECT n FROM kept");
}

/* A routing service that is killed with its database in use; returns the postmaster it left. */
static pid_t leave_survivor(bool stopped)
{
    int ends[2];
    pid_t postmaster = 0;
    int status = 0;

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);

    pid_t service = fork();

    if (service == 0) {
        struct embedded *embedded = start();

        run_in(embedded, "CREATE TABLE kept AS SELECT 42 AS n");
        postmaster = embedded_pid(embedded);
        if (stopped) {
            (void)kill(postmaster, SIGSTOP); /* it cannot follow the kernel's signal */
        }
        (void)!write(ends[1], &postmaster, sizeof(postmaster));
        (void)kill(getpid(), SIGKILL);
    }

    (void)close(ends[1]);
    cr_assert_eq(read(ends[0], &postmaster, sizeof(postmaster)), (ssize_t)sizeof(postmaster));
    (void)close(ends[0]);
    (void)waitpid(service, &status, 0);
    return postmaster;
}

Test(embedded, takes_up_after_its_service_was_killed)
{
    (void)leave_survivor(false);

    CLEANUP(embedded_stop_at_exit) struct embedded *embedded = start();

    run_in(embedded, "SELECT n FROM kept");
}

Test(embedded, ends_a_postmaster_that_survived_its_service)
{
    pid_t survivor = leave_survivor(true);

    cr_assert_eq(kill(survivor, 0), 0, "it was to survive");

    CLEANUP(embedded_stop_at_exit) struct embedded *embedded = start();

    cr_assert_neq(embedded_pid(embedded), survivor);
    run_in(embedded, "SELECT n FROM kept");
}

Test(embedded, is_not_stopped_by_a_pid_file_that_names_another_process)
{
    embedded_stop(start());

    char *path = mem_printf("%s/postgres/postmaster.pid", data);
    FILE *file = fopen(path, "we");

    (void)fprintf(file, "%d\n%s/postgres\n1764000000\n5432\n", (int)getppid(), data);
    (void)fclose(file);
    embedded_stop(start());
    free(path);
}

static void refused(const struct embedded_options *options, const char *with)
{
    struct embedded *embedded = NULL;
    struct error err = {.message = ""};

    cr_assert_not(embedded_start(options, &embedded, &err));
    cr_assert_not_null(strstr(err.message, with), "%s", err.message);
    cr_assert_null(strchr(err.message, '\n'));
    cr_assert_null(embedded);
}

Test(embedded, refuses_a_second_service_on_the_same_directory)
{
    CLEANUP(embedded_stop_at_exit) struct embedded *embedded = start();
    CLEANUP(mem_free_at_exit) char *holder = mem_printf("process %d", (int)getpid());

    refused(&(struct embedded_options){.data_directory = data}, "another routing service");
    refused(&(struct embedded_options){.data_directory = data}, holder);
    run_in(embedded, "SELECT 1");
}

Test(embedded, says_what_to_do_when_the_directory_cannot_be_made)
{
    refused(&(struct embedded_options){.data_directory = "/proc/cordboard"}, "choose another");
}

Test(embedded, says_what_to_do_when_the_programs_are_missing)
{
    refused(
        &(struct embedded_options){.data_directory = data, .binaries_directory = "/nonexistent"},
        "install the package postgresql");
}

Test(embedded, says_which_version_the_data_need)
{
    char *cluster = mem_printf("%s/postgres", data);
    char *path = mem_printf("%s/PG_VERSION", cluster);

    cr_assert_eq(mkdir(cluster, 0700), 0);

    FILE *file = fopen(path, "we");

    (void)fprintf(file, "9\n");
    (void)fclose(file);
    refused(&(struct embedded_options){.data_directory = data}, "made by PostgreSQL 9");
    free(path);
    free(cluster);
}

Test(embedded, refuses_a_path_that_no_socket_can_have)
{
    char *path = mem_printf("%s/%0100d", data, 7);

    refused(&(struct embedded_options){.data_directory = path}, "too long");
    free(path);
}

Test(embedded, shows_the_servers_own_words_when_it_does_not_start)
{
    static const char *const settings[] = {"shared_buffers=nonsense", NULL};

    refused(
        &(struct embedded_options){.data_directory = data, .settings = settings}, "shared_buffers");
}

Test(embedded, tells_a_full_disk_in_one_line)
{
    if (geteuid() != 0) {
        remove_directory(); /* a test that is skipped is not tidied up after */
        cr_skip_test("needs root to mount a small file system");
    }

    char *small = mem_printf("%s/small", data);
    char *mount = mem_printf("mount -t tmpfs -o size=8m,mode=711 none %s", small);
    char *unmount = mem_printf("umount %s", small);

    cr_assert_eq(mkdir(small, 0711), 0);
    if (system(mount) != 0) { /* NOLINT(cert-env33-c): a test, constant words */
        remove_directory();
        cr_skip_test("cannot mount here");
    }
    refused(&(struct embedded_options){.data_directory = small}, "is full (");
    cr_assert_eq(system(unmount), 0); /* NOLINT(cert-env33-c): a test, constant words */
    free(small);
    free(mount);
    free(unmount);
}

Test(embedded, begins_anew_when_the_first_start_was_interrupted)
{
    char *unfinished = mem_printf("%s/postgres.unfinished", data);
    char *rest = mem_printf("%s/left", unfinished);

    cr_assert_eq(mkdir(unfinished, 0700), 0);
    cr_assert_eq(mkdir(rest, 0700), 0);
    embedded_stop(start());
    cr_assert_eq(access(unfinished, F_OK), -1);
    free(unfinished);
    free(rest);
}

Test(embedded, finds_the_programs_and_their_version)
{
    CLEANUP(mem_free_at_exit) char *directory = NULL;
    struct error err;

    cr_assert(binaries_find(NULL, 0, &directory, &err), "%s", err.message);
    cr_assert_geq(binaries_major(directory), BINARIES_MAJOR_MIN);
    cr_assert_eq(binaries_major("/nonexistent"), 0);
}
