#include "services/routing/postgres/binaries.h"

#include <fcntl.h>
#include <glob.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/error/error.h"

/* Debian and Ubuntu; Red Hat's and the project's own packages; built from source. */
static const char *const known_places[] = {
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
};

/* First line of what a program prints; "" when it cannot be run. Searches PATH. */
static void first_line_of(const char *program, const char *argument, char *line, size_t size)
{
    CLEANUP(mem_free_at_exit) char *name = mem_strdup(program);
    CLEANUP(mem_free_at_exit) char *option = mem_strdup(argument);
    char *arguments[] = {name, option, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid = 0;
    int status = 0;
    ssize_t got = 0;

    line[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return;
    }
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    if (posix_spawnp(&pid, program, &actions, NULL, arguments, environ) == 0) {
        (void)close(ends[1]);
        ends[1] = -1;
        got = read(ends[0], line, size - 1); /* one short line arrives at once */
        (void)waitpid(pid, &status, 0);
    }
    line[got > 0 ? got : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[0]);
    if (ends[1] >= 0) {
        (void)close(ends[1]);
    }
}

int binaries_major(const char *directory)
{
    static const char prefix[] = "postgres (PostgreSQL) ";
    CLEANUP(mem_free_at_exit) char *initdb = mem_printf("%s/initdb", directory);
    CLEANUP(mem_free_at_exit) char *server = mem_printf("%s/postgres", directory);
    char line[128];

    if (access(initdb, X_OK) != 0 || access(server, X_OK) != 0) {
        return 0;
    }
    first_line_of(server, "--version", line, sizeof(line));
    if (strncmp(line, prefix, sizeof(prefix) - 1) != 0) {
        return 0;
    }
    return (int)strtol(line + sizeof(prefix) - 1, NULL, 10);
}

/* The best so far: the newest that will do. */
struct search {
    int major; /* wanted; 0: any */
    int best_major;
    char *best;
};

static void consider(struct search *search, const char *directory)
{
    int major = binaries_major(directory);

    if (major <= search->best_major || major < BINARIES_MAJOR_MIN ||
        (search->major && major != search->major)) {
        return;
    }
    free(search->best);
    search->best = mem_strdup(directory);
    search->best_major = major;
}

static void search_pattern(struct search *search, const char *pattern)
{
    glob_t found = {0};

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): at start, before there is a second thread */
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            consider(search, found.gl_pathv[i]);
        }
    }
    globfree(&found);
}

static void search_path(struct search *search)
{
    const char *path = getenv("PATH"); /* NOLINT(concurrency-mt-unsafe): at start, one thread */

    while (path && *path) {
        size_t length = strcspn(path, ":");
        CLEANUP(mem_free_at_exit) char *directory = mem_strndup(path, length);

        consider(search, directory);
        path += length + (path[length] == ':');
    }
}

static void search_pg_config(struct search *search)
{
    char line[512];

    first_line_of("pg_config", "--bindir", line, sizeof(line));
    if (line[0] == '/') {
        consider(search, line);
    }
}

bool binaries_find(const char *configured, int major, char **ret_directory, struct error *err)
{
    struct search search = {.major = major};

    if (configured && configured[0]) {
        consider(&search, configured);
    } else {
        for (size_t i = 0; i < sizeof(known_places) / sizeof(known_places[0]); i++) {
            search_pattern(&search, known_places[i]);
        }
        if (!search.best) {
            search_path(&search);
        }
        if (!search.best) {
            search_pg_config(&search);
        }
    }

    if (!search.best && major) {
        return FAIL(
            err, REASON_CONFIG_INVALID,
            "the embedded database was made by PostgreSQL %d, whose programs initdb and postgres "
            "are "
            "not in %s: install postgresql-%d, or give a database URL",
            major, configured && configured[0] ? configured : "any known place", major);
    }
    if (!search.best) {
        return FAIL(
            err, REASON_CONFIG_INVALID,
            "the PostgreSQL programs initdb and postgres (version %d or later) are not in %s: "
            "install the package postgresql, or give a database URL",
            BINARIES_MAJOR_MIN, configured && configured[0] ? configured : "any known place");
    }
    *ret_directory = search.best;
    return true;
}
