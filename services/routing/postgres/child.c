#include "services/routing/postgres/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock/clock.h"
#include "common/error/error.h"

enum {
    EXIT_CANNOT_RUN = 127,
    PASSWORD_BUFFER_SIZE = 4096,
    ENTER_WAIT_MS = 10000
};

static bool find_by_name(const char *name, struct child_user *user)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char buffer[PASSWORD_BUFFER_SIZE];

    if (getpwnam_r(name, &entry, buffer, sizeof(buffer), &found) != 0 || !found ||
        found->pw_uid == 0) {
        return false;
    }
    *user = (struct child_user){.drop = true, .uid = found->pw_uid, .gid = found->pw_gid};
    (void)snprintf(user->name, sizeof(user->name), "%s", name);
    return true;
}

bool child_user_find(struct child_user *ret_user, struct error *err)
{
    if (geteuid() != 0) {
        *ret_user = (struct child_user){.uid = geteuid(), .gid = getegid(), .name = "this user"};
        return true;
    }
    /* PostgreSQL refuses to run as root. */
    return find_by_name("postgres", ret_user) || find_by_name("nobody", ret_user) ||
           FAIL(
               err, REASON_CONFIG_INVALID,
               "running as root, and there is no user postgres or nobody to run PostgreSQL as: "
               "create one, run as another user, or give a database URL");
}

/* In the child, between fork and exec: system calls only, other threads may hold any lock. */
static bool become(const struct child_user *user)
{
    return !user->drop ||
           (setgroups(1, &user->gid) == 0 && setresgid(user->gid, user->gid, user->gid) == 0 &&
            setresuid(user->uid, user->uid, user->uid) == 0);
}

static void default_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int number = 1; number < NSIG; number++) {
        (void)sigaction(number, &action, NULL);
    }
    (void)sigemptyset(&none);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the child of a fork has one thread */
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void run_child(
    const struct child_user *user,
    const char *const *arguments,
    int log_fd,
    pid_t parent)
{
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char locale[] = "LC_ALL=C";
    char zone[] = "TZ=UTC";
    char *environment[] = {path, locale, zone, NULL};
    char *const *argument_list = NULL;
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    default_signals();
    (void)setsid();
    (void)umask(S_IRWXG | S_IRWXO);
    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(log_fd, STDOUT_FILENO) < 0 ||
        dup2(log_fd, STDERR_FILENO) < 0 || chdir("/") != 0 || !become(user)) {
        _exit(EXIT_CANNOT_RUN);
    }
    (void)close_range(STDERR_FILENO + 1, ~0U, 0);

    /* After the change of user, which clears it. The parent may have died before. */
    (void)prctl(PR_SET_PDEATHSIG, SIGINT);
    if (getppid() != parent) {
        _exit(EXIT_CANNOT_RUN);
    }

    memcpy(&argument_list, &arguments, sizeof(argument_list)); /* execve's const is too weak */
    (void)execve(arguments[0], argument_list, environment);
    _exit(EXIT_CANNOT_RUN);
}

bool child_start(
    const struct child_user *user,
    const char *const *arguments,
    int log_fd,
    struct child *ret_child,
    struct error *err)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid == 0) {
        run_child(user, arguments, log_fd, parent);
    }
    if (pid < 0) {
        return FAIL(
            err, REASON_STORE_UNAVAILABLE, "cannot start %s: %s", arguments[0],
            strerrordesc_np(errno));
    }

    *ret_child = (struct child){.pid = pid, .fd = pidfd_open(pid, 0)};
    return true;
}

bool child_wait(struct child *child, int64_t wait_ms, int *ret_status)
{
    int64_t deadline_mono_us = clock_mono_us(clock_system()) + wait_ms * 1000;
    struct pollfd ended = {.fd = child->fd, .events = POLLIN};
    int64_t left_ms = wait_ms;
    int status = 0;

    /* A signal ends poll early. */
    while (left_ms > 0 && poll(&ended, 1, (int)left_ms) < 0 && errno == EINTR) {
        left_ms = (deadline_mono_us - clock_mono_us(clock_system())) / 1000;
    }
    if (waitpid(child->pid, &status, WNOHANG) == 0) {
        return false;
    }

    (void)close(child->fd);
    *child = (struct child){.fd = -1};
    *ret_status = status;
    return true;
}

bool child_run(
    const struct child_user *user,
    const char *const *arguments,
    int log_fd,
    int64_t wait_ms)
{
    struct child child = {.fd = -1};
    struct error err;
    int status = 0;

    if (!child_start(user, arguments, log_fd, &child, &err)) {
        return false;
    }
    if (!child_wait(&child, wait_ms, &status)) {
        (void)kill(child.pid, SIGKILL);
        (void)child_wait(&child, ENTER_WAIT_MS, &status);
        return false;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool child_user_can_enter(const struct child_user *user, const char *directory)
{
    struct child child;
    int status = 0;
    pid_t pid = user->drop ? fork() : -1;

    if (!user->drop) {
        return access(directory, R_OK | X_OK) == 0;
    }
    if (pid == 0) {
        _exit(become(user) && access(directory, X_OK) == 0 ? 0 : 1);
    }
    if (pid < 0) {
        return false;
    }
    child = (struct child){.pid = pid, .fd = pidfd_open(pid, 0)};
    return child_wait(&child, ENTER_WAIT_MS, &status) && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}
