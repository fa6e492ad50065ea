/* The embedded database: a private PostgreSQL in our data directory, our child, for whoever starts
 * the routing service without a database URL.
 *
 *     <data>/lock          held for our life: one routing service per data directory
 *     <data>/postgres/     the cluster; made by initdb at the first start
 *     <data>/socket/       its UNIX socket, mode 0700: no TCP, no password, nobody else can reach
 * it <data>/postgres.log  what initdb and the server say
 *
 * Durable as any other (fsync and synchronous_commit on, checksums). As root we run it as the user
 * postgres, else nobody, since PostgreSQL refuses root.
 *
 * Who ends it: embedded_stop, by a fast shutdown. When we are killed, the kernel sends it the same
 * signal (child.h). Should it survive even so, the next start finds it by its working directory and
 * ends it cleanly before it starts its own: a server that we did not start ourselves would be one
 * that we cannot wait for. Start, keep and stop from the main thread, before grpc_init.
 */
#ifndef ROUTING_POSTGRES_EMBEDDED_H
#define ROUTING_POSTGRES_EMBEDDED_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/attr.h"

struct error;
struct embedded;

struct embedded_options {
    const char *data_directory;     /* made when missing, with its parents */
    const char *binaries_directory; /* NULL: searched, see binaries.h */
    const char *const *settings;    /* more of "name=value", NULL at the end; or NULL */
};

/* Blocks until the server takes connections: about 1 s, at the first start 3 s, after a crash as
 * long as recovery takes (5 minutes at most). Every failure is one line that says what to do.
 */
MUST_USE bool embedded_start(
    const struct embedded_options *options,
    struct embedded **ret_embedded,
    struct error *err);
/* Waits for the fast shutdown; NULL is fine; returns NULL. The data stay. */
struct embedded *embedded_stop(struct embedded *embedded);

/* Looks whether the server still runs and starts it again when it has died. Once a second or so. */
MUST_USE bool embedded_keep(struct embedded *embedded, struct error *err);

/* For postgres_connect: the database "cordboard". Borrowed. */
const char *embedded_url(const struct embedded *embedded);
/* The postmaster. */
pid_t embedded_pid(const struct embedded *embedded);

DEFINE_CLEANUP(struct embedded *, embedded_stop)

#endif
