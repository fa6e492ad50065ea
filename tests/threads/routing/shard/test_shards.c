/* The engine's thread and the committer's under concurrent posts, while the store hangs, fails,
 * loses answers and changes hands: every command is answered once, what was answered is stored, and
 * nothing else is. Under ThreadSanitizer this looks at every hand-over of memory between the two.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/mem.h"
#include "tests/fakes/fake_store.h"
#include "tests/support/shards_world.h"

enum {
    SENDERS = 4,
    ROUNDS = 12, /* of mischief */
    AT_ONCE = 10
};

struct mischief {
    struct shards_world *world;
    pthread_t thread;
    _Atomic bool over;
};

struct sender {
    struct shards_world *world;
    const struct mischief *mischief;
    pthread_t thread;
    int id;
};

static void require(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static char *task_id(const struct sender *sender, int number)
{
    return mem_printf("t-%d-%d", sender->id, number);
}

static void pass_ms(long ms)
{
    const struct timespec pause = {.tv_nsec = ms * 1000000};

    nanosleep(&pause, NULL);
}

/* Creates some tasks at once and reads them at once; true when all are made. */
static bool make_some(struct sender *sender, int first)
{
    struct asked *created[AT_ONCE];
    struct asked *read[AT_ONCE];
    int made = 0;

    for (int i = 0; i < AT_ONCE; i++) {
        CLEANUP(mem_free_at_exit) char *id = task_id(sender, first + i);

        created[i] = ask_create_task(sender->world, id);
        read[i] = ask_get_task(sender->world, id);
    }
    for (int i = 0; i < AT_ONCE; i++) {
        CLEANUP(mem_free_at_exit) char *id = task_id(sender, first + i);
        enum error_reason refused = refused_with(created[i]);
        enum error_reason unread = refused_with(read[i]);
        /* One that was refused may be there all the same: its answer was lost. */
        bool there = refused == NOT_REFUSED || refused == REASON_ALREADY_EXISTS;

        require(there || refused == REASON_STORE_UNAVAILABLE, "only a loss refuses");
        require(
            unread == NOT_REFUSED || unread == REASON_STORE_UNAVAILABLE ||
                (unread == REASON_NOT_FOUND && !there),
            "a task that was made is read");
        require(
            !there || fake_store_has_task(sender->world->store, "acme", id),
            "a task is stored before its answer");
        made += there;
    }
    return made == AT_ONCE;
}

static void *send_all(void *context)
{
    struct sender *sender = context;

    for (int first = 0; !sender->mischief->over; first += AT_ONCE) {
        while (!make_some(sender, first)) {
            pass_ms(5);
        }
        pass_ms(5);
    }
    return NULL;
}

static void *make_mischief(void *context)
{
    struct mischief *mischief = context;
    struct fake_store *store = mischief->world->store;

    for (int round = 0; round < ROUNDS; round++) {
        switch (round % 4) {
        case 0:
            fake_store_hold(store, true);
            pass_ms(30);
            fake_store_hold(store, false);
            break;
        case 1:
            fake_store_away(store, true);
            pass_ms(30);
            fake_store_away(store, false);
            break;
        case 2:
            fake_store_lose_answer(store);
            break;
        default:
            fake_store_take_away(store, true);
            fake_store_take_away(store, false);
            break;
        }
        pass_ms(20);
    }
    mischief->over = true;
    return NULL;
}

int main(void)
{
    struct shards_world world;
    struct sender senders[SENDERS] = {0};
    struct mischief mischief = {.world = &world};

    shards_world_init(&world);
    world.options.lease_us = 200000;
    world.options.hold_after_us = 10000;
    world.options.sweep_interval_us = 50000;
    shards_world_start_acme(&world, INT64_C(60) * 1000000);
    require(pthread_create(&mischief.thread, NULL, make_mischief, &mischief) == 0, "a thread");
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.world = &world, .mischief = &mischief, .id = i};
        require(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]) == 0, "a thread");
    }
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(senders[i].thread, NULL);
    }
    pthread_join(mischief.thread, NULL);
    require(notices_of(&world, SHARDS_SWEEP_MENDED) == 0, "the sweep finds nothing to mend");
    shards_world_deinit(&world);
    return 0;
}
