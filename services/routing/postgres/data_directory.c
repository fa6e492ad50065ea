#include "services/routing/postgres/data_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/routing/postgres/child.h"

enum {
    FREE_BYTES_MIN = 128 * 1024 * 1024,
    LOG_BYTES_MAX = 16 * 1024 * 1024,
    TREE_DESCRIPTORS = 16
};

/* PostgreSQL adds this to the socket's directory. */
#define SOCKET_NAME "/.s.PGSQL.5432"

static bool make_with_parents(const char *path, struct error *err)
{
    CLEANUP(mem_free_at_exit) char *partial = mem_strdup(path);

    for (char *end = strchr(partial + 1, '/');; end = strchr(end + 1, '/')) {
        if (end) {
            *end = '\0';
        }
        if (mkdir(partial, 0755) != 0 && errno != EEXIST) {
            return FAIL(
                err, REASON_CONFIG_INVALID,
                "cannot make the data directory %s: %s: choose another, or make it writable", path,
                strerrordesc_np(errno));
        }
        if (!end) {
            return true;
        }
        *end = '/';
    }
}

/* The user that runs PostgreSQL has to pass through, no more; it need not list or write here. */
static bool let_pass(const char *path, const struct child_user *user, struct error *err)
{
    struct stat status;

    if (access(path, W_OK | X_OK) != 0) {
        return FAIL(
            err, REASON_CONFIG_INVALID,
            "cannot write in the data directory %s: %s: choose another, or make it writable", path,
            strerrordesc_np(errno));
    }
    if (user->drop && stat(path, &status) == 0 && status.st_uid == geteuid()) {
        (void)chmod(path, (status.st_mode & 07777) | S_IXGRP | S_IXOTH);
    }
    if (!child_user_can_enter(user, path)) {
        return FAIL(
            err, REASON_CONFIG_INVALID,
            "the user %s, as which root runs PostgreSQL, may not enter %s: choose a data directory "
            "outside of private ones such as /root",
            user->name, path);
    }
    return true;
}

static bool check_path(const char *path, struct error *err)
{
    size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path) - sizeof("/socket" SOCKET_NAME);

    if (strlen(path) > room) {
        return FAIL(
            err, REASON_CONFIG_INVALID,
            "the data directory's path is too long for a UNIX socket in it (%zu characters, at "
            "most "
            "%zu): %s",
            strlen(path), room, path);
    }
    if (strpbrk(path, ",\"'\\\n")) {
        return FAIL(
            err, REASON_CONFIG_INVALID,
            "the data directory's path must not contain quotes, commas, backslashes or line ends: "
            "%s",
            path);
    }
    return true;
}

static bool claim(struct data_directory *directory, struct error *err)
{
    CLEANUP(mem_free_at_exit) char *path = mem_printf("%s/lock", directory->path);
    char holder[32] = "";

    directory->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (directory->lock_fd < 0) {
        return FAIL(err, REASON_CONFIG_INVALID, "cannot open %s: %s", path, strerrordesc_np(errno));
    }
    if (flock(directory->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t got = pread(directory->lock_fd, holder, sizeof(holder) - 1, 0);

        holder[got > 0 ? got : 0] = '\0';
        holder[strcspn(holder, "\n")] = '\0';
        return FAIL(
            err, REASON_CONFIG_INVALID,
            "another routing service (process %s) uses the data directory %s: stop it, or choose "
            "another directory",
            holder, directory->path);
    }

    int length = snprintf(holder, sizeof(holder), "%d\n", (int)getpid());

    if (ftruncate(directory->lock_fd, 0) != 0 ||
        pwrite(directory->lock_fd, holder, (size_t)length, 0) != length) {
        return FAIL(
            err, REASON_CONFIG_INVALID, "cannot write %s: %s: free some space", path,
            strerrordesc_np(errno));
    }
    return true;
}

static bool check_space(const char *path, struct error *err)
{
    struct statvfs status;

    if (statvfs(path, &status) == 0 && status.f_bavail * status.f_frsize < FREE_BYTES_MIN) {
        return FAIL(
            err, REASON_CONFIG_INVALID,
            "the disk of the data directory %s is full (%lu MB free, %d MB needed): free some "
            "space, "
            "or choose another directory",
            path, (unsigned long)(status.f_bavail * status.f_frsize >> 20), FREE_BYTES_MIN >> 20);
    }
    return true;
}

static bool open_log(struct data_directory *directory, struct error *err)
{
    CLEANUP(mem_free_at_exit) char *older = mem_printf("%s.1", directory->log);
    struct stat status;

    if (stat(directory->log, &status) == 0 && status.st_size > LOG_BYTES_MAX) {
        (void)rename(directory->log, older);
    }
    directory->log_fd =
        open(directory->log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (directory->log_fd < 0) {
        return FAIL(
            err, REASON_CONFIG_INVALID, "cannot open %s: %s", directory->log,
            strerrordesc_np(errno));
    }
    return true;
}

bool data_directory_open(
    struct data_directory *directory,
    const char *path,
    const struct child_user *user,
    struct error *err)
{
    *directory = (struct data_directory){.lock_fd = -1, .log_fd = -1};
    if (!path[0] || !make_with_parents(path, err)) {
        return path[0] ? false : FAIL(err, REASON_CONFIG_INVALID, "the data directory is not set");
    }

    directory->path = realpath(path, NULL);
    if (!directory->path) {
        return FAIL(
            err, REASON_CONFIG_INVALID, "the data directory %s cannot be used: %s", path,
            strerrordesc_np(errno));
    }
    directory->cluster = mem_printf("%s/postgres", directory->path);
    directory->socket = mem_printf("%s/socket", directory->path);
    directory->log = mem_printf("%s/postgres.log", directory->path);

    return check_path(directory->path, err) && let_pass(directory->path, user, err) &&
           claim(directory, err) && check_space(directory->path, err) && open_log(directory, err);
}

void data_directory_close(struct data_directory *directory)
{
    if (directory->log_fd >= 0) {
        (void)close(directory->log_fd);
    }
    if (directory->lock_fd >= 0) {
        (void)close(directory->lock_fd);
    }
    free(directory->path);
    free(directory->cluster);
    free(directory->socket);
    free(directory->log);
    *directory = (struct data_directory){.lock_fd = -1, .log_fd = -1};
}

bool data_directory_make(const char *path, const struct child_user *user, struct error *err)
{
    if ((mkdir(path, 0700) != 0 && errno != EEXIST) ||
        (user->drop && lchown(path, user->uid, user->gid) != 0)) {
        return FAIL(err, REASON_CONFIG_INVALID, "cannot make %s: %s", path, strerrordesc_np(errno));
    }
    return true;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

bool data_directory_remove(const char *path)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): at start, before there is a second thread */
    return nftw(path, remove_entry, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0 ||
           errno == ENOENT;
}

off_t data_directory_log_end(const struct data_directory *directory)
{
    struct stat status;

    return fstat(directory->log_fd, &status) == 0 ? status.st_size : 0;
}

void data_directory_log_fault(
    const struct data_directory *directory,
    off_t from,
    char *line,
    size_t size)
{
    char text[8192];
    ssize_t got = pread(directory->log_fd, text, sizeof(text) - 1, from);
    bool telling = false;
    char *rest = text;
    char *each = NULL;

    text[got > 0 ? got : 0] = '\0';
    (void)snprintf(line, size, "it said nothing");
    while ((each = strsep(&rest, "\n"))) {
        bool fault = strstr(each, "FATAL:") || strstr(each, "PANIC:") || strstr(each, "error:");

        if (each[0] && (fault || !telling)) {
            (void)snprintf(line, size, "%s", each);
            telling = telling || fault;
        }
    }
}

int data_directory_major(const struct data_directory *directory)
{
    CLEANUP(mem_free_at_exit) char *path = mem_printf("%s/PG_VERSION", directory->cluster);
    char text[16] = "";
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0) {
        return 0;
    }

    ssize_t got = read(file, text, sizeof(text) - 1);

    (void)close(file);
    text[got > 0 ? got : 0] = '\0';
    return (int)strtol(text, NULL, 10);
}
