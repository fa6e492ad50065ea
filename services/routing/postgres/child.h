/* A child process that runs as an unprivileged user, apart from our terminal and descriptors.
 *
 * The child has a session of its own, so that Ctrl-C in the terminal reaches us alone and we decide
 * when it ends. The kernel sends it SIGINT (PostgreSQL's fast shutdown) when the thread that
 * started it dies, whatever killed it: start children from the main thread. That is a second line
 * only: the signal may be lost when this process is killed between fork and prctl, and the next
 * start looks for survivors by itself (embedded.c).
 */
#ifndef ROUTING_POSTGRES_CHILD_H
#define ROUTING_POSTGRES_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/attr.h"

struct error;

/* Who the child is: ourselves, or when we are root the user `postgres`, else `nobody`. */
struct child_user {
    bool drop; /* we are root and change to these */
    uid_t uid;
    gid_t gid;
    char name[64];
};

struct child {
    pid_t pid;
    int fd; /* becomes readable when it has ended; -1: none */
};

MUST_USE bool child_user_find(struct child_user *ret_user, struct error *err);
/* True when that user may enter and read the directory. */
bool child_user_can_enter(const struct child_user *user, const char *directory);

/* Starts arguments[0] (a path) with its output appended to log_fd. */
MUST_USE bool child_start(
    const struct child_user *user,
    const char *const *arguments,
    int log_fd,
    struct child *ret_child,
    struct error *err);
/* True when it has ended within wait_ms; then the child is reaped and *ret_status is as of waitpid.
 */
bool child_wait(struct child *child, int64_t wait_ms, int *ret_status);
/* Starts and waits; true when it ended with code 0 within wait_ms, else it is killed. */
bool child_run(
    const struct child_user *user,
    const char *const *arguments,
    int log_fd,
    int64_t wait_ms);

#endif
