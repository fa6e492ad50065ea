/* The bridge link, the bridge's end: one stream to the routing service, made again whenever it
 * breaks.
 *
 * Reports are kept until they are acknowledged and sent again after a break; instructions that were
 * seen before are acknowledged and dropped. While the routing service is away nothing is lost:
 * calls go on, reports gather.
 */
#ifndef BRIDGE_LINK_LINK_H
#define BRIDGE_LINK_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

struct calls;
struct clock;
struct link;
struct link_commands;

/* The link's state, for logs and readiness. On the link's thread. */
typedef void(link_observer)(void *context, bool up, const char *why);

struct link_options {
    const char *target;    /* the routing service, "127.0.0.1:7001" */
    const char *bridge_id; /* as an id of a resource, stable over restarts */
    struct calls *calls;   /* borrowed */
    const struct clock *clock;
    link_observer *observe;
    void *context;
};

/* Starts the link's thread and connects as soon as it can. Everything is copied. */
struct link *link_start(const struct link_options *options);
/* Gives reports that are not acknowledged up to grace_us, then ends. The calls must live until
 * then; NULL is fine. */
struct link *link_stop(struct link *link, int64_t grace_us);

/* Any thread: whether the routing service has taken this bridge in. */
bool link_up(struct link *link);

/* For calls_peers; the context is the link. */
extern const struct link_commands link_commands_table;

#endif
