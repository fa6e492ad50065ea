/* Inside the hub: its messages, what it remembers of each workspace, and the pieces that the kinds
 * of streams share. All of it lives on the hub's thread unless a comment says otherwise.
 */
#ifndef ROUTING_OUTLETS_HUB_H
#define ROUTING_OUTLETS_HUB_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/mailbox/mailbox.h"
#include "services/routing/outlets/outlets.h"
#include "services/routing/store/store.h"

struct arena;
struct link_hub;
struct rpc_payload;
struct rpc_stream;
struct session;
struct watch;

/* Something to do on the hub's thread. `run` owns the message. */
struct hub_message {
    struct mailbox_node node;
    void (*run)(struct hub *hub, struct hub_message *message);
};

/* The events of one committed step. Immutable; owned by the workspace's ring. */
struct publication {
    struct hub_message message;
    struct arena *arena; /* holds the publication itself */
    const char *workspace_id;
    const struct store_event *events;
    size_t event_count; /* at least one */
    const struct effect *effects;
    size_t effect_count;
    struct rpc_payload *watch_payload; /* for watchers without filter; NULL until one needs it */
    size_t bytes;
    TAILQ_ENTRY(publication) by_age;
};

TAILQ_HEAD(publication_list, publication);
LIST_HEAD(watch_list, watch);
LIST_HEAD(session_list, session);

/* What the hub knows of one workspace: its newest events, and who listens. */
struct topic {
    char *workspace_id;
    struct publication_list ring; /* gapless, oldest first */
    size_t ring_bytes;
    int64_t newest_sequence; /* published so far; 0: nothing since the start */
    struct watch_list watches;
    struct session_list sessions;
    RB_ENTRY(topic) by_id;
};

RB_HEAD(topic_tree, topic);
int topic_compare(struct topic *one, struct topic *other);
RB_PROTOTYPE(topic_tree, topic, by_id, topic_compare)

/* A thread that reads from the store, so that the hub never waits. */
struct history {
    pthread_t thread;
    struct mailbox *mailbox;
    struct store *store;
};

struct hub {
    struct hub_options options;
    _Atomic(struct shards *) shards;
    pthread_t thread;
    struct mailbox *mailbox;
    struct history history;
    struct topic_tree topics;
    struct link_hub *links;
    int64_t next_tick_mono_us;
};

/* Any thread. Consumes the message. */
void hub_post(struct hub *hub, struct hub_message *message);
int64_t hub_mono_us(const struct hub *hub);
struct shards *hub_shards(struct hub *hub);
/* Made when there is none yet. */
struct topic *hub_topic(struct hub *hub, const char *workspace_id);

void history_start(struct history *history, struct store *store);
void history_stop(struct history *history);

/* Appends to messages that hold packed events: a repeated message field, a number field. */
struct packed_response {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
};

void packed_add_event(
    struct packed_response *response,
    uint32_t field,
    const struct store_event *event);
void packed_add_number(struct packed_response *response, uint32_t field, int64_t number);
/* Makes the payload and frees the bytes. */
struct rpc_payload *packed_finish(struct packed_response *response);

/* Each kind of stream: a publication, and once a second or so the time. */
void watch_publish(struct hub *hub, struct topic *topic, struct publication *publication);
void watch_tick(struct hub *hub, struct topic *topic);
void session_publish(struct hub *hub, struct topic *topic, const struct publication *publication);
void session_tick(struct hub *hub, struct topic *topic);
struct link_hub *link_hub_new(void);
struct link_hub *link_hub_free(struct link_hub *links);
void link_publish(struct hub *hub, const struct publication *publication);
void link_tick(struct hub *hub);

#endif
