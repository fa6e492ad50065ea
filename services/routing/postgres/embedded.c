#include "services/routing/postgres/embedded.h"

#include <dirent.h>
#include <errno.h>
#include <libpq-fe.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "services/routing/postgres/binaries.h"
#include "services/routing/postgres/child.h"
#include "services/routing/postgres/connection.h"
#include "services/routing/postgres/data_directory.h"
#include "services/routing/postgres/statement.h"

enum {
    INITDB_WAIT_MS = 120000,
    READY_WAIT_MS = 300000,
    READY_POLL_MS = 20,
    FAST_SHUTDOWN_WAIT_MS = 60000,
    IMMEDIATE_SHUTDOWN_WAIT_MS = 10000,
    SURVIVOR_POLL_MS = 50,
    CREATE_WAIT_MS = 60000,
    ARGUMENTS_MAX = 64
};

/* The rest stays as PostgreSQL has it: fsync, synchronous_commit and full_page_writes are on. */
static const char *const base_settings[] = {
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "port=5432",
    "max_connections=40",
    "shared_buffers=128MB",
    /* At full rate the default of 1 GB would mean a checkpoint every 11 s. */
    "max_wal_size=8GB",
    "checkpoint_timeout=15min",
    "log_checkpoints=off",
    "logging_collector=off",
    "log_line_prefix=%m [%p] ",
};

struct embedded {
    struct data_directory directory;
    struct child_user user;
    struct child server;
    char *binaries;
    char *url;
    char *maintenance_url; /* the database that initdb makes */
    char **settings;       /* ours and the caller's, "name=value"; NULL at the end */
    size_t setting_count;
};

/* ---- a server of an earlier life ---- */

static bool works_in(const char *pid, const char *cluster)
{
    CLEANUP(mem_free_at_exit) char *link = mem_printf("/proc/%s/cwd", pid);
    char target[PATH_MAX];
    ssize_t length = readlink(link, target, sizeof(target) - 1);

    target[length > 0 ? length : 0] = '\0';
    return strcmp(target, cluster) == 0;
}

/* A process whose working directory is the cluster: the postmaster, or when that was killed one of
 * its backends, which will notice by themselves. 0: none. This does not depend on postmaster.pid,
 * whose number may mean another process by now.
 */
static pid_t survivor(const struct data_directory *directory)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry = NULL;
    long lowest = 0;

    /* readdir is safe here: nobody else has this stream. */
    while (processes && (entry = readdir(processes))) { /* NOLINT(concurrency-mt-unsafe): as said */
        char *end = NULL;
        long pid = strtol(entry->d_name, &end, 10);

        if (pid > 0 && *end == '\0' && (!lowest || pid < lowest) &&
            works_in(entry->d_name, directory->cluster)) {
            lowest = pid;
        }
    }
    if (processes) {
        (void)closedir(processes);
    }
    return (pid_t)lowest;
}

/* The postmaster is named in the first line of its file; without it, whoever is left. */
static pid_t survivor_to_end(const struct data_directory *directory)
{
    CLEANUP(mem_free_at_exit) char *path = mem_printf("%s/postmaster.pid", directory->cluster);
    char pid[16] = "";
    FILE *file = fopen(path, "re");

    if (file) {
        char *line = fgets(pid, sizeof(pid), file);

        pid[line ? strcspn(pid, "\n") : 0] = '\0';
        (void)fclose(file);
    }
    return pid[0] && works_in(pid, directory->cluster) ? (pid_t)strtol(pid, NULL, 10)
                                                       : survivor(directory);
}

static void wait_for_exit(pid_t pid, int64_t wait_ms)
{
    struct pollfd ended = {.fd = pidfd_open(pid, 0), .events = POLLIN};

    if (ended.fd >= 0) {
        (void)poll(&ended, 1, (int)wait_ms);
        (void)close(ended.fd);
    }
}

static bool end_survivors(const struct data_directory *directory, struct error *err)
{
    static const struct {
        int signal;
        int64_t wait_ms;
    } steps[] = {
        {SIGINT,  FAST_SHUTDOWN_WAIT_MS     },
        {SIGQUIT, IMMEDIATE_SHUTDOWN_WAIT_MS},
        {SIGKILL, IMMEDIATE_SHUTDOWN_WAIT_MS},
    };
    const struct clock *clock = clock_system();
    pid_t pid = 0;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int64_t until_us = clock_mono_us(clock) + steps[i].wait_ms * 1000;

        while ((pid = survivor_to_end(directory)) && clock_mono_us(clock) < until_us) {
            (void)kill(pid, steps[i].signal);
            (void)kill(pid, SIGCONT);
            wait_for_exit(pid, (until_us - clock_mono_us(clock)) / 1000);
        }
    }
    if (pid) {
        return FAIL(
            err, REASON_STORE_UNAVAILABLE,
            "an earlier PostgreSQL (process %d) in %s does not end: end it, then start again",
            (int)pid, directory->cluster);
    }

    /* What it left may name a number that belongs to another process by now, above all in a
     * container; PostgreSQL would refuse to start because of it.
     */
    CLEANUP(mem_free_at_exit) char *stale = mem_printf("%s/postmaster.pid", directory->cluster);

    (void)unlink(stale);
    return true;
}

/* ---- the cluster ---- */

static bool fail_from_log(
    const struct embedded *embedded,
    const char *what,
    off_t from,
    struct error *err)
{
    char line[200];

    data_directory_log_fault(&embedded->directory, from, line, sizeof(line));
    return FAIL(
        err, REASON_STORE_UNAVAILABLE, "%s: %s (more in %s)", what, line, embedded->directory.log);
}

/* Made beside its place and moved there when complete: a first start that is interrupted leaves no
 * half cluster behind.
 */
static bool make_cluster(const struct embedded *embedded, struct error *err)
{
    const struct data_directory *directory = &embedded->directory;
    CLEANUP(mem_free_at_exit) char *unfinished = mem_printf("%s.unfinished", directory->cluster);
    CLEANUP(mem_free_at_exit) char *initdb = mem_printf("%s/initdb", embedded->binaries);
    off_t log_end = data_directory_log_end(directory);
    const char *arguments[] = {
        initdb,         "--pgdata",   unfinished,        "--username",       "cordboard",
        "--auth=trust", "--locale=C", "--encoding=UTF8", "--data-checksums", "--no-instructions",
        NULL,
    };

    if (!data_directory_remove(unfinished)) {
        return FAIL(
            err, REASON_CONFIG_INVALID, "cannot remove %s: %s", unfinished, strerrordesc_np(errno));
    }
    if (!data_directory_make(unfinished, &embedded->user, err)) {
        return false;
    }
    if (!child_run(&embedded->user, arguments, directory->log_fd, INITDB_WAIT_MS)) {
        return fail_from_log(embedded, "initdb could not make the database", log_end, err);
    }
    if (rename(unfinished, directory->cluster) != 0) {
        return FAIL(
            err, REASON_CONFIG_INVALID, "cannot rename %s: %s", unfinished, strerrordesc_np(errno));
    }
    return true;
}

/* ---- the server ---- */

static bool launch(struct embedded *embedded, struct error *err)
{
    CLEANUP(mem_free_at_exit) char *server = mem_printf("%s/postgres", embedded->binaries);
    const char *arguments[ARGUMENTS_MAX * 2];
    size_t count = 0;

    arguments[count++] = server;
    arguments[count++] = "-D";
    arguments[count++] = embedded->directory.cluster;
    for (size_t i = 0; i < embedded->setting_count; i++) {
        arguments[count++] = "-c";
        arguments[count++] = embedded->settings[i];
    }
    arguments[count] = NULL;

    return child_start(
        &embedded->user, arguments, embedded->directory.log_fd, &embedded->server, err);
}

static bool await_ready(struct embedded *embedded, off_t log_end, struct error *err)
{
    int64_t deadline_mono_us = clock_mono_us(clock_system()) + READY_WAIT_MS * INT64_C(1000);
    int status = 0;

    while (PQping(embedded->maintenance_url) != PQPING_OK) {
        if (child_wait(&embedded->server, READY_POLL_MS, &status)) {
            return fail_from_log(embedded, "PostgreSQL did not start", log_end, err);
        }
        if (clock_mono_us(clock_system()) > deadline_mono_us) {
            return fail_from_log(embedded, "PostgreSQL is not ready after 5 minutes", log_end, err);
        }
    }
    return true;
}

static bool start_server(struct embedded *embedded, struct error *err)
{
    off_t log_end = data_directory_log_end(&embedded->directory);

    return end_survivors(&embedded->directory, err) &&
           data_directory_make(embedded->directory.socket, &embedded->user, err) &&
           launch(embedded, err) && await_ready(embedded, log_end, err);
}

static bool ensure_database(const struct embedded *embedded, struct error *err)
{
    CLEANUP(postgres_disconnect_at_exit) PGconn *connection = NULL;
    struct postgres_options options = {
        .url = embedded->maintenance_url, .statement_timeout_ms = CREATE_WAIT_MS};

    if (!postgres_connect(&options, &connection, err)) {
        return false;
    }
    return postgres_run(connection, "CREATE DATABASE cordboard", CREATE_WAIT_MS, err) ||
           strcmp(postgres_sqlstate(err), "42P04") == 0; /* it is there */
}

/* ---- life ---- */

static void add_setting(struct embedded *embedded, char *setting)
{
    embedded->settings =
        mem_realloc_array(embedded->settings, embedded->setting_count + 1, sizeof(char *));
    embedded->settings[embedded->setting_count++] = setting;
}

static bool collect_settings(
    struct embedded *embedded,
    const struct embedded_options *options,
    struct error *err)
{
    for (size_t i = 0; i < sizeof(base_settings) / sizeof(base_settings[0]); i++) {
        add_setting(embedded, mem_strdup(base_settings[i]));
    }
    add_setting(embedded, mem_printf("unix_socket_directories=\"%s\"", embedded->directory.socket));
    for (const char *const *setting = options->settings; setting && *setting; setting++) {
        add_setting(embedded, mem_strdup(*setting));
    }
    if (embedded->setting_count > ARGUMENTS_MAX - 4) {
        return FAIL(err, REASON_CONFIG_INVALID, "too many settings for the embedded database");
    }

    embedded->url = mem_printf(
        "host='%s' port=5432 user=cordboard dbname=cordboard", embedded->directory.socket);
    embedded->maintenance_url = mem_printf(
        "host='%s' port=5432 user=cordboard dbname=postgres connect_timeout=2",
        embedded->directory.socket);
    return true;
}

bool embedded_start(
    const struct embedded_options *options,
    struct embedded **ret_embedded,
    struct error *err)
{
    CLEANUP(embedded_stop_at_exit) struct embedded *embedded = mem_new(struct embedded);

    embedded->server.fd = -1;
    embedded->directory.lock_fd = -1;
    embedded->directory.log_fd = -1;
    if (!child_user_find(&embedded->user, err) ||
        !data_directory_open(&embedded->directory, options->data_directory, &embedded->user, err) ||
        !collect_settings(embedded, options, err)) {
        return false;
    }

    int major = data_directory_major(&embedded->directory);

    if (!binaries_find(options->binaries_directory, major, &embedded->binaries, err) ||
        (!major && !make_cluster(embedded, err)) || !start_server(embedded, err) ||
        !ensure_database(embedded, err)) {
        return false;
    }

    *ret_embedded = STEAL(embedded);
    return true;
}

static void stop_server(struct child *server)
{
    int status = 0;

    if (server->pid == 0) {
        return;
    }
    (void)kill(server->pid, SIGINT);
    (void)kill(server->pid, SIGCONT);
    if (child_wait(server, FAST_SHUTDOWN_WAIT_MS, &status)) {
        return;
    }
    (void)kill(server->pid, SIGQUIT);
    if (child_wait(server, IMMEDIATE_SHUTDOWN_WAIT_MS, &status)) {
        return;
    }
    (void)kill(server->pid, SIGKILL);
    (void)child_wait(server, IMMEDIATE_SHUTDOWN_WAIT_MS, &status);
}

struct embedded *embedded_stop(struct embedded *embedded)
{
    if (!embedded) {
        return NULL;
    }

    stop_server(&embedded->server);
    data_directory_close(&embedded->directory);
    for (size_t i = 0; i < embedded->setting_count; i++) {
        free(embedded->settings[i]);
    }
    free(embedded->settings);
    free(embedded->binaries);
    free(embedded->url);
    free(embedded->maintenance_url);
    free(embedded);
    return NULL;
}

bool embedded_keep(struct embedded *embedded, struct error *err)
{
    int status = 0;

    if (embedded->server.pid != 0 && !child_wait(&embedded->server, 0, &status)) {
        return true;
    }
    return start_server(embedded, err);
}

const char *embedded_url(const struct embedded *embedded)
{
    return embedded->url;
}

pid_t embedded_pid(const struct embedded *embedded)
{
    return embedded->server.pid;
}
