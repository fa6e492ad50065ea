/* The data directory of the embedded database as a place: making it, claiming it, reading its log.
 * What is refused here is refused with the line that the administrator will read.
 */
#ifndef ROUTING_POSTGRES_DATA_DIRECTORY_H
#define ROUTING_POSTGRES_DATA_DIRECTORY_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/attr.h"

struct child_user;
struct error;

struct data_directory {
    char *path; /* absolute, without symbolic links */
    char *cluster;
    char *socket;
    char *log;
    int lock_fd;
    int log_fd;
};

/* Makes it when missing, checks that `user` can work in it, and claims it: a second claim, by any
 * process, is refused until _close. Safe to close when this failed.
 */
MUST_USE bool data_directory_open(
    struct data_directory *directory,
    const char *path,
    const struct child_user *user,
    struct error *err);
void data_directory_close(struct data_directory *directory);

/* A directory for the user alone; made when missing. */
MUST_USE bool data_directory_make(
    const char *path,
    const struct child_user *user,
    struct error *err);
/* Removes a whole tree; true when it is gone. */
bool data_directory_remove(const char *path);

/* Where the log ends now, and the line behind that place that says best what went wrong. */
off_t data_directory_log_end(const struct data_directory *directory);
void data_directory_log_fault(
    const struct data_directory *directory,
    off_t from,
    char *line,
    size_t size);

/* Major version in the cluster's PG_VERSION; 0: there is no cluster. */
int data_directory_major(const struct data_directory *directory);

#endif
