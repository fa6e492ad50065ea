/* What the two threads of the shards share. Lock order: only `mutex` exists. */
#ifndef ROUTING_SHARD_INTERNAL_H
#define ROUTING_SHARD_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/error/error.h"
#include "services/routing/shard/group.h"
#include "services/routing/shard/shard.h"
#include "services/routing/store/store.h"

struct engines;

enum {
    SHARDS_MAX = 1024
};

enum shards_state {
    SHARDS_RUNNING,
    SHARDS_RELOADING, /* the committer rebuilds the engines; commands wait */
    SHARDS_LOST,      /* another owner may have the shards; commands are answered UNAVAILABLE */
};

struct shards {
    struct shards_options options;
    char *owner;
    struct mailbox *mailbox;
    pthread_t engine_thread;
    pthread_t committer_thread;
    _Atomic bool take_wanted; /* the committer wants the mutex: let it pass */
    _Atomic bool wake_posted; /* wake_node is in the mailbox */
    struct mailbox_node wake_node;

    /* Engine's thread only. */
    struct command *backlog; /* taken from the mailbox, oldest first */
    struct command *backlog_last;
    _Atomic size_t waiting; /* commands posted and not run */
    int64_t next_sweep_mono_us;

    pthread_mutex_t mutex; /* guards all that follows */
    pthread_cond_t work;   /* for the committer: the group has items, or stop */
    enum shards_state state;
    struct engines *engines;
    struct group open;
    struct group inflight;
    int64_t durable_batch;
    /* Since when the store owes an answer to a commit or a renewal, however often it was asked; 0:
     * it owes none. */
    int64_t busy_since_mono_us;
    int64_t contact_mono_us; /* when it last gave one */
    bool resume_wanted;      /* a gap must be made up for before anything else */
    int64_t gap_us;          /* time without commits */
    bool stopping;           /* no more steps will come */
    int64_t stop_deadline_mono_us;
    int64_t base_wall_us; /* engine time = base_wall + (mono - base_mono) */
    int64_t base_mono_us;
    int64_t newest_time_us; /* engine time never goes back */
    uint64_t random;
    int64_t lease_until_mono_us; /* what the last renewal is trusted for */

    /* Committer's thread only. */
    struct shard_lease leases[SHARDS_MAX];
    size_t lease_count;
    int64_t renew_at_mono_us;
};

/* The committer's thread; main function and start. */
void *committer_run(void *shared); /* struct shards */
/* Claims and loads; called before the threads start and after a loss. */
bool committer_claim(struct shards *shards, struct error *err);
bool committer_load(struct shards *shards, struct engines **ret_engines, struct error *err);

/* With the mutex. Engine time now; never goes back. */
int64_t shards_now_us(struct shards *shards);
/* With the mutex. Runs one command on the engines as one step that is not in any group yet. */
struct step *shards_run(
    struct shards *shards,
    struct engines *engines,
    const struct command *command);
/* Any thread: the engine's thread looks at everything again. */
void shards_wake(struct shards *shards);

/* Answers with an error that has nothing to do with the command. */
void command_refuse(struct command *command, enum error_reason reason, const char *why);

#endif
