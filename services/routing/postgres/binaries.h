/* Where the PostgreSQL server's programs are: a directory with `initdb` and `postgres`. */
#ifndef ROUTING_POSTGRES_BINARIES_H
#define ROUTING_POSTGRES_BINARIES_H

#include <stdbool.h>

#include "common/base/attr.h"

struct error;

/* configured: the setting, or NULL to search: where distributions put them (the newest), then PATH,
 * then what pg_config says. major: only that version will do, because a cluster of it exists; 0:
 * any of at least BINARIES_MAJOR_MIN. The directory is the caller's to free.
 */
MUST_USE bool binaries_find(
    const char *configured,
    int major,
    char **ret_directory,
    struct error *err);

/* Major version that `postgres --version` of this directory prints; 0: none there. */
int binaries_major(const char *directory);

enum {
    BINARIES_MAJOR_MIN = 14
};

#endif
