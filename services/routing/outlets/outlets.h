/* Outlets: what leaves the routing service after a commit, on streams: events to watchers, offers
 * to workers' desktops, instructions to bridges. One thread, the hub, owns all of it.
 */
#ifndef ROUTING_OUTLETS_OUTLETS_H
#define ROUTING_OUTLETS_OUTLETS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

struct clock;
struct error;
struct hub;
struct rpc_stream_handler;
struct shards;
struct step;
struct store;
struct store_event;
struct value_keys;

/* rpc_call_context() of every routing service. */
struct routing_rpc {
    struct shards *shards;
    struct value_keys *keys;
    struct hub *hub;
};

struct hub_options {
    const struct clock *clock;
    struct store *store;     /* for read_events alone */
    int64_t heartbeat_us;    /* a stream without messages gets one this often */
    int64_t bridge_lease_us; /* a bridge silent for so long is lost */
};

/* Starts the hub's thread. Publications are taken from now on; streams may come once the shards are
 * known. */
struct hub *hub_start(const struct hub_options *options);
void hub_set_shards(struct hub *hub, struct shards *shards);
/* The server must have been stopped: no stream may be open. */
struct hub *hub_stop(struct hub *hub);

/* shards_options.publish; context is the hub. */
void hub_publish(void *context, const struct step *step, const struct store_event *events);

/* Reads stored events on the hub's reader thread and calls back there. */
struct event_page {
    const struct store_event *events;
    size_t count;
};
typedef void(
    event_page_handler)(void *context, const struct event_page *page, const struct error *err);
struct store_event_query;
/* The query is copied, its texts too. */
void hub_read_events(
    struct hub *hub,
    const struct store_event_query *query,
    event_page_handler *handler,
    void *context);

/* EventService.WatchEvents, WorkerSessionService.AttachWorkerSession,
 * BridgeLinkService.AttachBridge. */
extern const struct rpc_stream_handler event_watch;
extern const struct rpc_stream_handler worker_session;
extern const struct rpc_stream_handler bridge_link;

#endif
