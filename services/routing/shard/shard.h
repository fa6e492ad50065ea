/* The shards of this replica: all workspaces it owns, run on one thread, made durable by another.
 *
 *     post -> mailbox -> [engine thread: one command = one step] -> group -> [committer: one
 * COMMIT]
 *                                                                     -> answers, events, effects
 *
 * Self-clocking group commit: while one group is being written the next one gathers; there is no
 * timer. Nothing that depends on a step leaves before its group is durable: an answer waits for the
 * newest group that it depends on, even the answer to a read, even a refusal.
 *
 * While a group cannot be committed no new step that changes anything is applied; commands wait,
 * within a limit, and on return the deadlines that wait for people move by the gap. A group that
 * PostgreSQL refuses is thrown away with the memory it came from; the state is loaded again and its
 * commands run one by one, so that only the poisonous one fails. A replica whose fence does not
 * match any more drops its memory and answers UNAVAILABLE until it owns its shards again.
 */
#ifndef ROUTING_SHARD_SHARD_H
#define ROUTING_SHARD_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/mailbox/mailbox.h"

struct arena;
struct clock;
struct error;
struct event;
struct operation;
struct shards;
struct step;
struct store;
struct store_event;
struct value_keys;

/* Called exactly once for each command, when everything its answer depends on is durable; on the
 * committer's or the engine's thread. The step is valid during the call. It must not block. */
typedef void(command_answer)(void *context, const struct step *step);

/* A command and its request belong to whoever posted them, and must stay valid until the answer. */
struct command {
    struct mailbox_node node;
    const struct operation *operation;
    const char *workspace_id; /* "" for an operation that is about no single workspace */
    const void *request;      /* the operation's request struct */
    const char *actor;        /* who is behind it, for events; NULL: "client" */
    command_answer *answer;
    void *context;
    struct command *next; /* the shard's */
};

/* A committed step that changed something, in the order of the steps, before its own answer.
 * Committer's thread; must not block. events: packed, one for each of step->events. */
typedef void(
    step_published)(void *context, const struct step *step, const struct store_event *events);

/* Packs one event into its public message, in the arena. Committer's thread. */
typedef void(event_packer)(
    const char *workspace_id,
    const struct event *event,
    struct arena *arena,
    struct store_event *ret_packed);

/* What is worth a line in the log or a number; any of the shard's threads. */
enum shards_notice {
    SHARDS_COMMIT_FAILED,    /* the store is away; trying again */
    SHARDS_COMMIT_RECOVERED, /* value: microseconds it was away */
    SHARDS_RENEWAL_FAILED,   /* text: why; tried again before the lease runs out */
    SHARDS_LEASE_LOST,
    SHARDS_LOADED,           /* value: rows */
    SHARDS_COMMAND_POISONED, /* text: the operation */
    SHARDS_SWEEP_MENDED,     /* value: how many; a fault of ours */
    SHARDS_COMMITTED,        /* value: steps of one group */
};

typedef void(
    shards_observer)(void *context, enum shards_notice notice, int64_t value, const char *text);

struct shards_options {
    struct value_keys *keys; /* for attributes and documents; borrowed */
    struct store *store; /* borrowed; used by the committer's thread alone, but for read_events */
    const struct clock *clock; /* for monotonic time */
    const char *owner;         /* name of this replica in lease rows; copied */
    int64_t lease_us;          /* how long a lease lasts without being renewed */
    size_t command_limit;      /* commands that may wait; beyond it OVERLOADED */
    int64_t hold_after_us;     /* a commit that takes longer than this holds new steps back */
    int64_t sweep_interval_us; /* how often everything is derived anew */
    event_packer *pack;
    step_published *publish;
    shards_observer *observe;
    void *context; /* of publish and observe */
};

/* Command limit 100,000, lease 10 s, hold after 2 s, sweep every 30 s. */
struct shards_options shards_default_options(void);

/* Claims all shards, loads them and starts both threads. Waits for leases of an earlier owner to
 * run out, at most twice the lease's length. */
MUST_USE bool shards_start(
    const struct shards_options *options,
    struct shards **ret_shards,
    struct error *err);
/* Runs what was posted, commits it, gives the leases up, and waits; when the store is away, for
 * grace_us at the most: what is not durable by then is answered UNAVAILABLE. NULL is fine. */
void shards_stop(struct shards *shards, int64_t grace_us);
/* After shards_stop, and after all who may still post have stopped. NULL is fine. */
struct shards *shards_free(struct shards *shards);

/* Any thread. After shards_stop began the answer is SHUTTING_DOWN. */
void shards_post(struct shards *shards, struct command *command);

/* Any thread. Whether the shards are owned, loaded and able to commit; else why not. */
bool shards_ready(struct shards *shards, const char **ret_why);

#endif
