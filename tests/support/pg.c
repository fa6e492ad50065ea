#include "tests/support/pg.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/routing/postgres/connection.h"
#include "services/routing/postgres/embedded.h"
#include "services/routing/postgres/statement.h"

/* Criterion runs each test in a process of its own: the environment is what reaches it. */
#define URL_VARIABLE "TEST_POSTGRES_URL"

enum {
    SQL_WAIT_MS = 60000,
    TREE_DESCRIPTORS = 16
};

struct test_cluster {
    char *directory;
    struct embedded *embedded;
};

static struct test_cluster *program_cluster;

char *test_directory_new(void)
{
    const char *base = getenv("TMPDIR");
    char *path = mem_printf("%s/cordboard-test-XXXXXX", base ? base : "/tmp");

    if (!mkdtemp(path) || chmod(path, 0711) != 0) {
        perror(path);
        abort();
    }
    return path;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void test_directory_remove(char *path)
{
    (void)nftw(path, remove_entry, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
    free(path);
}

struct test_cluster *test_cluster_start(enum test_cluster_kind kind)
{
    static const char *const fast[] = {
        "fsync=off", "full_page_writes=off", "max_connections=100", NULL};
    static const char *const durable[] = {"max_wal_size=256MB", NULL};
    struct test_cluster *cluster = mem_new(struct test_cluster);
    struct error err;

    cluster->directory = test_directory_new();

    struct embedded_options options = {
        .data_directory = cluster->directory,
        .settings = kind == TEST_CLUSTER_FAST ? fast : durable,
    };

    if (!embedded_start(&options, &cluster->embedded, &err)) {
        (void)fprintf(stderr, "test cluster: %s\n", err.message);
        abort();
    }
    return cluster;
}

struct test_cluster *test_cluster_stop(struct test_cluster *cluster)
{
    if (cluster) {
        embedded_stop(cluster->embedded);
        test_directory_remove(cluster->directory);
        free(cluster);
    }
    return NULL;
}

const char *test_cluster_url(const struct test_cluster *cluster)
{
    return embedded_url(cluster->embedded);
}

static pid_t parent_of(const char *pid)
{
    char *path = mem_printf("/proc/%s/stat", pid);
    char text[256] = "";
    FILE *file = fopen(path, "re");
    const char *name_end = NULL;

    free(path);
    if (file) {
        if (!fgets(text, sizeof(text), file)) {
            text[0] = '\0';
        }
        (void)fclose(file);
    }
    name_end = strrchr(text, ')'); /* "123 (postgres) S 45 ..." */
    return name_end ? (pid_t)strtol(name_end + strlen(") S"), NULL, 10) : 0;
}

/* The postmaster and its children; each has a session of its own. */
static void signal_all(pid_t postmaster, int number)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry = NULL;

    while (processes && (entry = readdir(processes))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 0 && (pid == postmaster || parent_of(entry->d_name) == postmaster)) {
            (void)kill(pid, number);
        }
    }
    if (processes) {
        (void)closedir(processes);
    }
}

void test_cluster_pause(const struct test_cluster *cluster)
{
    signal_all(embedded_pid(cluster->embedded), SIGSTOP);
}

void test_cluster_resume(const struct test_cluster *cluster)
{
    signal_all(embedded_pid(cluster->embedded), SIGCONT);
}

PGconn *test_connect(const char *url)
{
    struct postgres_options options = {.url = url, .role = POSTGRES_WRITER};
    struct error err;
    PGconn *connection = NULL;

    if (!postgres_connect(&options, &connection, &err)) {
        cr_assert_fail("%s", err.message);
    }
    return connection;
}

void test_sql(PGconn *connection, const char *sql)
{
    struct error err;

    if (!postgres_run(connection, sql, SQL_WAIT_MS, &err)) {
        cr_assert_fail("%s: %s", sql, err.message);
    }
}

const char *test_sql_value(PGconn *connection, const char *sql)
{
    static char value[1024];
    CLEANUP(PQclear_at_exit) PGresult *result = PQexec(connection, sql);

    cr_assert_eq(PQresultStatus(result), PGRES_TUPLES_OK, "%s", PQerrorMessage(connection));
    (void)snprintf(
        value, sizeof(value), "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    return value;
}

static char *read_text(const char *path)
{
    char *text = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "re");

    cr_assert_not_null(file, "%s", path);
    cr_assert_gt(getdelim(&text, &room, '\0', file), 0);
    (void)fclose(file);
    return text;
}

char *test_audit(PGconn *connection)
{
    CLEANUP(mem_free_at_exit) char *sql = read_text(AUDIT_SQL);
    CLEANUP(PQclear_at_exit) PGresult *result = PQexec(connection, sql);
    char *breaches = mem_strdup("");

    cr_assert_eq(PQresultStatus(result), PGRES_TUPLES_OK, "%s", PQerrorMessage(connection));
    for (int row = 0; row < PQntuples(result); row++) {
        char *more = mem_printf(
            "%s%s: %s\n", breaches, PQgetvalue(result, row, 0), PQgetvalue(result, row, 1));

        free(breaches);
        breaches = more;
    }
    return breaches;
}

char *test_database_new(void)
{
    static unsigned made;
    const char *url = getenv(URL_VARIABLE);
    char *name = mem_printf("test_%d_%u", (int)getpid(), made++);
    char *create = mem_printf("CREATE DATABASE %s STRATEGY file_copy", name);
    PGconn *connection = test_connect(url);
    char *database_url = mem_printf("%s dbname=%s", url, name);

    test_sql(connection, create);
    postgres_disconnect(connection);
    free(name);
    free(create);
    return database_url;
}

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
    (void)tests;
    program_cluster = test_cluster_start(TEST_CLUSTER_FAST);
    (void)setenv(URL_VARIABLE, test_cluster_url(program_cluster), 1);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    program_cluster = test_cluster_stop(program_cluster);
}
