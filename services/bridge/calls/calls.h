/* Calls: the loop on the signalling thread. It takes what SIP, the routing service, the media and
 * the API say, runs the operations, and hands their effects to SIP, the media engine and the link.
 *
 *     calls = calls_new(&options);
 *     ... media_start with calls_handle_media, agent_open, the link ...
 *     calls_connect(calls, &peers);
 *     agent_start(agent, &(struct agent_owner){calls, calls_handle_signalling, calls_run,
 *                                              calls_wake_descriptor(calls)});
 *     ...
 *     calls_end_all(calls, ...); agent_stop; media_stop; calls_free
 *
 * Threads: functions named calls_post_... and calls_handle_media may be called from any thread;
 * they copy, post, and return. calls_handle_signalling and calls_run are for the signalling thread
 * alone. Every callback of ours is called on the signalling thread and may not block.
 */
#ifndef BRIDGE_CALLS_CALLS_H
#define BRIDGE_CALLS_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/uuid.h"
#include "services/bridge/domain/link.h"
#include "services/bridge/domain/signalling.h"
#include "services/bridge/media/media.h"
#include "services/bridge/operations/bridge.h"

struct calls;
struct calls_view;
struct clock;

/* What calls ask of the link; on the signalling thread. */
struct link_commands {
    /* Keeps a copy and delivers it, in order, however long that takes. */
    void (*report)(void *link, const struct report *report);
};

typedef void(random_source)(void *context, uint8_t *bytes, size_t count);

struct calls_options {
    struct bridge_options bridge;
    const struct clock *clock; /* NULL: the system's */
    random_source *random;     /* NULL: getrandom(2) */
    void *random_context;
};

/* The neighbours; borrowed until calls_free. */
struct calls_peers {
    const struct signalling_commands *signalling;
    void *sip;
    struct media *media;
    struct media_prompt *wait_audio; /* NULL: silence */
    const struct link_commands *link_commands;
    void *link;
};

struct calls *calls_new(const struct calls_options *options);
/* After the signalling thread and the media have stopped. What was posted and not taken is freed,
 * its handlers are not called. */
struct calls *calls_free(struct calls *calls);
/* Before the signalling thread starts. */
void calls_connect(struct calls *calls, const struct calls_peers *peers);

/* The signalling thread; the context is the struct calls. These fit struct agent_owner. */
void calls_handle_signalling(void *context, const struct signalling_event *event);
/* Takes what was posted and does what is due; returns the next deadline (monotonic microseconds,
 * INT64_MAX: none). */
int64_t calls_run(void *context, int64_t now_mono_us);
int calls_wake_descriptor(const struct calls *calls);

/* Any thread. */

/* A media_event_handler; the context is the struct calls. */
void calls_handle_media(void *context, const struct media_event *event);
/* In the order in which they were received, repeats left out. */
void calls_post_instruction(struct calls *calls, const struct instruction *instruction);
void calls_post_telephony(struct calls *calls, const struct telephony *telephony);
void calls_post_link_state(struct calls *calls, bool up);
/* New calls are refused from now on. */
void calls_post_drain(struct calls *calls);
/* Drains and ends every call. `on_idle` is called once, when none is left. */
void calls_post_end_all(struct calls *calls, void (*on_idle)(void *context), void *context);

/* What the bridge holds at one moment. The handler gets it to keep: calls_view_free it, on any
 * thread. Every report of before that moment was handed to the link before. */
typedef void(calls_view_handler)(void *context, struct calls_view *view);

/* What is asked for. */
struct calls_query {
    enum {
        CALLS_QUERY_SNAPSHOT,    /* for the link's hello: `snapshots` */
        CALLS_QUERY_CALLS,       /* `calls`: one by `id`, or up to `limit` after number `after` */
        CALLS_QUERY_CONFERENCES, /* `conferences`: likewise */
        CALLS_QUERY_HANG_UP, /* `calls`: the one that was hung up, as it is now; none: unknown */
    } kind;
    const char *id; /* NULL or "": a list */
    int64_t after;  /* 0: from the first */
    size_t limit;
    calls_view_handler *handler;
    void *context;
};

void calls_post_query(struct calls *calls, const struct calls_query *query);

struct leg_view {
    const char *party; /* "caller", or the worker's id */
    enum leg_state state;
    const char *sip_call_id;
    const char *remote_uri;
    int64_t answer_wall_us; /* 0: not answered */
    bool has_statistics;
    struct media_statistics statistics;
};

struct call_view {
    const char *id;
    int64_t number; /* pages go by it; never 0 */
    enum call_state state;
    const char *workspace_id;
    const char *task_id;
    const char *called_number;
    const char *caller_number;
    int64_t create_wall_us;
    const struct leg_view *legs;
    size_t leg_count;
};

struct participant_view {
    const char *party;
    int64_t join_wall_us;
};

struct conference_view {
    const char *id;
    int64_t number;
    const char *workspace_id;
    const char *call_id;
    int64_t create_wall_us;
    const struct participant_view *participants;
    size_t participant_count;
};

struct calls_view {
    struct arena *arena;
    const struct call_snapshot *snapshots;
    size_t snapshot_count;
    const struct call_view *calls;
    size_t call_count;
    const struct conference_view *conferences;
    size_t conference_count;
    bool more; /* the list goes on after its last number */
};

struct calls_view *calls_view_free(struct calls_view *view);

DEFINE_CLEANUP(struct calls *, calls_free)
DEFINE_CLEANUP(struct calls_view *, calls_view_free)

#endif
