/* struct shards on a fake store, with one workspace, "acme": queue "everyone", workflow "main".
 * What leaves, answers and publications, is noted in the order in which it does. For plain programs
 * as well as for Criterion: what must hold and does not aborts.
 */
#ifndef TESTS_SUPPORT_SHARDS_WORLD_H
#define TESTS_SUPPORT_SHARDS_WORLD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/error/error.h"
#include "services/routing/operations/operations.h"
#include "services/routing/shard/shard.h"

struct arena;
struct fake_store;
struct value_keys;

struct shards_world {
    struct fake_store *store;
    struct value_keys *keys;
    struct shards *shards;
    struct shards_options options; /* change before shards_world_start */
    pthread_mutex_t mutex;         /* guards what follows */
    pthread_cond_t changed;
    size_t left;          /* answers and publications so far */
    size_t publications;  /* of them */
    size_t effects;       /* in publications */
    size_t notices[16];   /* by enum shards_notice */
    int64_t notice_value; /* of the newest one */
};

/* The reason of an answer that is no refusal. */
#define NOT_REFUSED REASON_COUNT

/* One command and what became of it. */
struct asked {
    struct command command;
    struct shards_world *world;
    struct arena *arena; /* requests are made in it */
    bool answered;       /* with the world's mutex, as the rest */
    size_t place;        /* how much had left before */
    bool ok;
    enum error_reason reason;
    int retry_delay_ms;
    int32_t task_state;        /* when the reply is a task */
    int32_t reservation_state; /* when it is a reservation, with the next two */
    int64_t expire_time_us;
    char id[64];
};

void shards_world_init(struct shards_world *world);
/* Starts the shards on the store as it is. */
void shards_world_start(struct shards_world *world);
/* Start, and make acme; offers last as long as given. */
void shards_world_start_acme(struct shards_world *world, int64_t reservation_timeout_us);
void shards_world_stop(struct shards_world *world, int64_t grace_us);
/* Stops when that has not been done. */
void shards_world_deinit(struct shards_world *world);

/* Posts and returns at once. */
struct asked *ask(
    struct shards_world *world,
    struct arena *arena,
    const struct operation *operation,
    const void *request);
struct asked *ask_get_task(struct shards_world *world, const char *id);
struct asked *ask_create_task(struct shards_world *world, const char *id);
struct asked *ask_reservation_verb(
    struct shards_world *world,
    const struct operation *operation,
    const char *reservation_id);
struct asked *asked_free(struct asked *asked);

bool is_answered(struct asked *asked);
/* Waits; aborts when no answer comes within 20 s. */
void wait_for_answer(struct asked *asked);
/* Waits for the answer and frees; whether it was ok. */
bool answered_ok(struct asked *asked);
enum error_reason refused_with(struct asked *asked); /* the same; NOT_REFUSED when ok */
size_t notices_of(struct shards_world *world, enum shards_notice notice);
/* Waits until the notice has come so often. */
void wait_for_notices(struct shards_world *world, enum shards_notice notice, size_t count);
size_t how_much_left(struct shards_world *world);

/* A worker in activity "available". */
void make_available_worker(struct shards_world *world, const char *id);
/* The id of the task's only reservation, when there is one; into a buffer of 64. */
struct asked *ask_reservations_of(struct shards_world *world, const char *task_id);

DEFINE_CLEANUP(struct asked *, asked_free)

#endif
