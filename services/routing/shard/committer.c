/* The committer: takes the open group, writes it in one transaction, and lets what depends on it
 * go. It also keeps the leases and rebuilds the engines when their memory cannot be trusted any
 * more.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/json/json.h"
#include "common/value/value.h"
#include "services/routing/domain/engine.h"
#include "services/routing/operations/command.h"
#include "services/routing/operations/load.h"
#include "services/routing/operations/step.h"
#include "services/routing/shard/internal.h"

enum {
    RETRY_FIRST_US = 50 * 1000,
    RETRY_LONGEST_US = 2 * 1000 * 1000,
    LEASE_SHARE = 3,        /* renewed after a third of its length */
    LEASE_MARGIN_SHARE = 5, /* and trusted for a fifth less than it lasts */
};

static int64_t mono_us(const struct shards *shards)
{
    return clock_mono_us(shards->options.clock);
}

static void observe(
    struct shards *shards,
    enum shards_notice notice,
    int64_t value,
    const char *text)
{
    shards->options.observe(shards->options.context, notice, value, text);
}

/* Waits on `work` until the moment; with the mutex. */
static void wait_until(struct shards *shards, int64_t until_mono_us)
{
    struct timespec until = {
        .tv_sec = until_mono_us / 1000000,
        .tv_nsec = until_mono_us % 1000000 * 1000,
    };

    pthread_cond_timedwait(&shards->work, &shards->mutex, &until);
}

static void lock(struct shards *shards)
{
    atomic_store_explicit(&shards->take_wanted, true, memory_order_release);
    pthread_mutex_lock(&shards->mutex);
    atomic_store_explicit(&shards->take_wanted, false, memory_order_release);
}

static void unlock(struct shards *shards)
{
    pthread_mutex_unlock(&shards->mutex);
}

/* --- leases --- */

/* The database's clock was read between the two moments: the middle is the best guess. */
static void set_time(
    struct shards *shards,
    int64_t database_time_us,
    int64_t asked_mono_us,
    int64_t answered_mono_us)
{
    int64_t lease_us = shards->options.lease_us;

    lock(shards);
    shards->base_wall_us = database_time_us;
    shards->base_mono_us = asked_mono_us + (answered_mono_us - asked_mono_us) / 2;
    shards->lease_until_mono_us = asked_mono_us + lease_us - lease_us / LEASE_MARGIN_SHARE;
    unlock(shards);
    shards->renew_at_mono_us = asked_mono_us + lease_us / LEASE_SHARE;
}

static bool try_claim(struct shards *shards, bool *ret_all, struct error *err)
{
    struct store *store = shards->options.store;
    int64_t database_time_us = 0;
    int64_t asked = mono_us(shards);

    if (!store->operations->claim(
            store, shards->options.owner, shards->options.lease_us, shards->leases,
            &shards->lease_count, ret_all, &database_time_us, err)) {
        return false;
    }
    set_time(shards, database_time_us, asked, mono_us(shards));
    return true;
}

bool committer_claim(struct shards *shards, struct error *err)
{
    int64_t give_up = mono_us(shards) + 2 * shards->options.lease_us;
    bool all = false;

    for (;;) {
        if (!try_claim(shards, &all, err)) {
            return false;
        }
        if (all) {
            return true;
        }
        if (mono_us(shards) > give_up) {
            return FAIL(
                err, REASON_STORE_UNAVAILABLE,
                "another routing service owns the shards of this database and keeps its leases");
        }
        lock(shards);
        wait_until(shards, mono_us(shards) + shards->options.lease_us / 10);
        unlock(shards);
    }
}

/* With the mutex: the store has answered. True when steps were held back: then deadlines have to
 * make up for the time since it last did. */
static bool note_contact(struct shards *shards)
{
    int64_t now_us = mono_us(shards);
    bool held = shards->busy_since_mono_us != 0 &&
                now_us - shards->busy_since_mono_us > shards->options.hold_after_us;

    if (held) {
        shards->gap_us += now_us - shards->contact_mono_us;
        shards->resume_wanted = true;
    }
    shards->busy_since_mono_us = 0;
    shards->contact_mono_us = now_us;
    return held;
}

/* A renewal that hangs or fails is an outage like a commit that does: deadlines may not pass
 * meanwhile. */
static void begin_contact(struct shards *shards)
{
    lock(shards);
    if (shards->busy_since_mono_us == 0) {
        shards->busy_since_mono_us = mono_us(shards);
    }
    unlock(shards);
}

static void end_contact(struct shards *shards)
{
    lock(shards);
    bool held = note_contact(shards);

    unlock(shards);
    if (held) {
        shards_wake(shards);
    }
}

/* False when somebody else has the shards. */
static bool renew_when_due(struct shards *shards)
{
    struct store *store = shards->options.store;
    struct error err;
    int64_t database_time_us = 0;
    int64_t asked = mono_us(shards);

    if (asked < shards->renew_at_mono_us) {
        return true;
    }
    begin_contact(shards);
    if (store->operations->renew(
            store, shards->options.owner, shards->options.lease_us, shards->leases,
            shards->lease_count, &database_time_us, &err)) {
        set_time(shards, database_time_us, asked, mono_us(shards));
        end_contact(shards);
        return true;
    }
    observe(shards, SHARDS_RENEWAL_FAILED, 0, err.message);
    shards->renew_at_mono_us = asked + shards->options.lease_us / LEASE_SHARE / 4;
    return err.reason != REASON_STORE_FENCED;
}

/* --- loading --- */

struct loading {
    struct engines *engines;
    struct json_reader reader; /* its arena is reset after each row */
    int64_t rows;
    bool ok;
    struct error *err;
};

static void load_row(void *context, enum row_kind kind, const void *row)
{
    struct loading *loading = context;
    const char *text = engine_json_text(kind, row);
    bool has_json = text && *text;
    struct value value;

    if (!loading->ok) {
        return;
    }
    loading->rows++;
    loading->ok =
        (!has_json || json_parse(&loading->reader, text, strlen(text), &value, loading->err)) &&
        engine_load_row(loading->engines, kind, row, has_json ? &value : NULL, loading->err);
    arena_reset(loading->reader.arena);
}

/* How long nobody ran the shards, by the database's clock. */
static int64_t idle_time(struct shards *shards)
{
    int64_t since_us = 0;

    for (size_t i = 0; i < shards->lease_count; i++) {
        if (shards->leases[i].idle_since_us > since_us) {
            since_us = shards->leases[i].idle_since_us;
        }
    }

    int64_t idle_us = shards->base_wall_us - since_us;

    return since_us > 0 && idle_us > 0 ? idle_us : 0;
}

/* Engine time goes on where it stopped. */
static int64_t newest_time(struct engines *engines)
{
    int64_t newest_us = 0;

    for (const struct engine *engine = engines_find_after(engines, ""); engine;
         engine = engines_find_after(engines, engine->workspace_id)) {
        if (engine->progress.last_time_us > newest_us) {
            newest_us = engine->progress.last_time_us;
        }
    }
    return newest_us;
}

bool committer_load(struct shards *shards, struct engines **ret_engines, struct error *err)
{
    struct store *store = shards->options.store;
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    CLEANUP(engines_free_at_exit) struct engines *engines = engines_new(shards->options.keys);
    struct loading loading = {
        .engines = engines,
        .reader = {.keys = shards->options.keys, .arena = arena, .max_bytes = SIZE_MAX},
        .ok = true,
        .err = err,
    };

    if (!store->operations->load(
            store, shards->leases, shards->lease_count, load_row, &loading, err) ||
        !loading.ok) {
        return false;
    }
    engines_loaded(engines);

    int64_t newest_us = newest_time(engines);

    lock(shards);
    if (newest_us > shards->newest_time_us) {
        shards->newest_time_us = newest_us;
    }
    shards->gap_us += idle_time(shards);
    shards->resume_wanted = true;
    shards->busy_since_mono_us = 0;
    shards->contact_mono_us = mono_us(shards);
    unlock(shards);
    observe(shards, SHARDS_LOADED, loading.rows, "");
    *ret_engines = STEAL(engines);
    return true;
}

/* --- one batch --- */

static struct shard_lease *find_lease(struct shards *shards, int32_t shard_id)
{
    for (size_t i = 0; i < shards->lease_count; i++) {
        if (shards->leases[i].shard_id == shard_id) {
            return &shards->leases[i];
        }
    }
    abort(); /* a step of a shard that is not ours */
}

static void add_fence(struct shards *shards, const struct step *step, struct store_batch *batch)
{
    int32_t shard = store_shard_of(step->workspace_id, (int32_t)shards->lease_count);

    for (size_t i = 0; i < batch->fence_count; i++) {
        if (batch->fences[i].shard_id == shard) {
            return;
        }
    }
    batch->fences[batch->fence_count++] = *find_lease(shards, shard);
}

static void build_batch(
    struct shards *shards,
    const struct group *group,
    struct arena *arena,
    struct store_batch *ret_batch)
{
    size_t event_count = 0;
    size_t packed = 0;

    for (size_t i = 0; i < group->count; i++) {
        event_count += group->items[i].step->event_count;
    }

    struct store_event *events = arena_new_array(arena, struct store_event, event_count);

    *ret_batch = (struct store_batch){.events = events, .event_count = event_count};
    ret_batch->fences = arena_new_array(arena, struct shard_lease, shards->lease_count);
    group_fold(group, arena, ret_batch);
    for (size_t i = 0; i < group->count; i++) {
        const struct step *step = group->items[i].step;

        if (step->change_count > 0 || step->event_count > 0) {
            add_fence(shards, step, ret_batch);
        }
        for (size_t j = 0; j < step->event_count; j++) {
            shards->options.pack(step->workspace_id, &step->events[j], arena, &events[packed++]);
        }
    }
}

static void remember_fences(struct shards *shards, const struct store_batch *batch)
{
    for (size_t i = 0; i < batch->fence_count; i++) {
        find_lease(shards, batch->fences[i].shard_id)->batch = batch->fences[i].batch;
    }
}

/* With the mutex. A shard that was lost has nothing that a stop could wait for. */
static bool must_give_up(const struct shards *shards)
{
    return shards->stopping &&
           (shards->state == SHARDS_LOST || mono_us(shards) >= shards->stop_deadline_mono_us);
}

/* Sleeps before another try; false when it is time to give up. */
static bool pause_before_retry(struct shards *shards, int64_t *delay_us)
{
    int64_t until = mono_us(shards) + *delay_us;

    lock(shards);
    while (mono_us(shards) < until && !must_give_up(shards)) {
        bool sooner = shards->stopping && shards->stop_deadline_mono_us < until;

        wait_until(shards, sooner ? shards->stop_deadline_mono_us : until);
    }
    bool go_on = !must_give_up(shards);

    unlock(shards);
    *delay_us = *delay_us * 2 > RETRY_LONGEST_US ? RETRY_LONGEST_US : *delay_us * 2;
    return go_on;
}

/* Writes until it is known how it ended. STORE_UNAVAILABLE only when told to stop meanwhile. */
static enum store_result write_batch(
    struct shards *shards,
    struct store_batch *batch,
    struct error *err)
{
    struct store *store = shards->options.store;
    int64_t since = mono_us(shards);
    int64_t delay_us = RETRY_FIRST_US;
    enum store_result result = store->operations->write(store, batch, err);

    if (result != STORE_UNAVAILABLE) {
        return result;
    }
    observe(shards, SHARDS_COMMIT_FAILED, 0, err->message);
    while (result == STORE_UNAVAILABLE && pause_before_retry(shards, &delay_us)) {
        result = store->operations->write(store, batch, err);
    }
    if (result != STORE_UNAVAILABLE) {
        shards->renew_at_mono_us = 0;
        (void)renew_when_due(shards); /* a loss is noticed again */
        observe(shards, SHARDS_COMMIT_RECOVERED, mono_us(shards) - since, "");
    }
    return result;
}

/* Everything that waited for the group goes, in the order of its steps. */
static void release_group(
    struct shards *shards,
    struct group *group,
    const struct store_batch *batch)
{
    const struct store_event *events = batch->events;

    for (size_t i = 0; i < group->count; i++) {
        const struct group_item *item = &group->items[i];

        if (item->step->event_count > 0 || item->step->effect_count > 0) {
            shards->options.publish(shards->options.context, item->step, events);
        }
        if (item->command) {
            item->command->answer(item->command->context, item->step);
        }
        events += item->step->event_count;
    }
    observe(shards, SHARDS_COMMITTED, (int64_t)group->count, "");
    group_clear(group);
}

static void refuse_group(struct group *group, enum error_reason reason, const char *why)
{
    for (size_t i = 0; i < group->count; i++) {
        if (group->items[i].command) {
            command_refuse(group->items[i].command, reason, why);
        }
    }
    group_clear(group);
}

/* --- when memory cannot be trusted any more --- */

/* Takes everything that is not durable out of the shards. */
static void take_all(struct shards *shards, struct group *group, enum shards_state state)
{
    lock(shards);
    group_append(group, &shards->inflight);
    group_append(group, &shards->open);
    shards->state = state;
    shards->busy_since_mono_us = 0;
    unlock(shards);
    shards_wake(shards); /* what was held back is refused */
}

/* New memory, nothing of it uncommitted. */
static void install(struct shards *shards, struct engines *engines)
{
    lock(shards);
    struct engines *old = shards->engines;

    shards->engines = engines;
    shards->durable_batch = shards->open.number;
    shards->open.number++;
    engines->open_batch = shards->open.number;
    shards->state = SHARDS_RUNNING;
    unlock(shards);
    engines_free(old);
    shards_wake(shards);
}

static void refuse_from_now_on(struct shards *shards)
{
    lock(shards);
    shards->state = SHARDS_LOST;
    unlock(shards);
    shards_wake(shards);
}

/* Loads until it works; NULL when told to stop meanwhile. */
static struct engines *load_again(struct shards *shards)
{
    int64_t delay_us = RETRY_FIRST_US;
    struct engines *engines = NULL;
    struct error err;
    bool all = false;

    for (;;) {
        bool claimed = try_claim(shards, &all, &err);

        if (claimed && all && committer_load(shards, &engines, &err)) {
            return engines;
        }
        if (claimed && !all) {
            (void)FAIL(&err, REASON_STORE_FENCED, "the shards have another owner");
            refuse_from_now_on(shards);
        }
        observe(shards, SHARDS_COMMIT_FAILED, 0, err.message);
        if (!pause_before_retry(shards, &delay_us)) {
            return NULL;
        }
    }
}

static void recover_from_loss(struct shards *shards, struct group *group)
{
    take_all(shards, group, SHARDS_LOST);
    observe(shards, SHARDS_LEASE_LOST, 0, ""); /* from now on nothing is answered but refusals */
    refuse_group(group, REASON_STORE_UNAVAILABLE, "another instance has taken this workspace over");

    struct engines *engines = load_again(shards);

    if (engines) {
        install(shards, engines);
    }
}

/* Runs one command by itself and answers it; false when the memory has to be loaded again. */
static bool run_alone(struct shards *shards, struct engines *engines, struct command *command)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct group alone = {.number = 0};
    struct store_batch batch;
    struct error err;

    lock(shards);
    struct step *step = shards_run(shards, engines, command);

    unlock(shards);
    group_add(&alone, command, step);
    build_batch(shards, &alone, arena, &batch);

    enum store_result result =
        batch.fence_count > 0 ? write_batch(shards, &batch, &err) : STORE_COMMITTED;

    if (result == STORE_COMMITTED) {
        remember_fences(shards, &batch);
        release_group(shards, &alone, &batch);
        group_deinit(&alone);
        return true;
    }
    if (result == STORE_REFUSED) {
        observe(shards, SHARDS_COMMAND_POISONED, 0, command->operation->name);
        refuse_group(&alone, REASON_INTERNAL, "the store refuses what this request would write");
    } else {
        refuse_group(&alone, REASON_STORE_UNAVAILABLE, "the store cannot be written");
    }
    group_deinit(&alone);
    return false;
}

/* A timer's step that is refused comes again as soon as the state is loaded: not in a hot loop. */
static void slow_down_without_commands(struct shards *shards, const struct group *group)
{
    int64_t delay_us = RETRY_LONGEST_US;

    for (size_t i = 0; i < group->count; i++) {
        if (group->items[i].command) {
            return;
        }
    }
    observe(shards, SHARDS_COMMAND_POISONED, 0, "timer");
    (void)pause_before_retry(shards, &delay_us);
}

static void recover_from_poison(struct shards *shards, struct group *group)
{
    struct engines *engines = NULL;

    take_all(shards, group, SHARDS_RELOADING);
    slow_down_without_commands(shards, group);
    for (size_t i = 0; i < group->count; i++) {
        struct command *command = group->items[i].command;

        if (!command) {
            continue; /* a timer is due again after loading */
        }
        if (!engines) {
            engines = load_again(shards);
        }
        if (!engines) {
            command_refuse(command, REASON_STORE_UNAVAILABLE, "the store cannot be read");
        } else if (!run_alone(shards, engines, command)) {
            engines = engines_free(engines);
        }
    }
    group_clear(group);

    if (!engines) {
        engines = load_again(shards);
    }
    if (engines) {
        install(shards, engines);
    }
}

/* --- the thread --- */

static void commit(struct shards *shards, struct group *group)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct store_batch batch;
    struct error err;

    build_batch(shards, group, arena, &batch);

    enum store_result result =
        batch.fence_count > 0 ? write_batch(shards, &batch, &err) : STORE_COMMITTED;

    if (result == STORE_COMMITTED) {
        remember_fences(shards, &batch);
        lock(shards);
        shards->durable_batch = group->number;
        group_append(group, &shards->inflight); /* reads that came to wait meanwhile */
        bool held = note_contact(shards);

        unlock(shards);
        release_group(shards, group, &batch);
        if (held) {
            shards_wake(shards);
        }
        return;
    }
    if (result == STORE_FENCED) {
        recover_from_loss(shards, group);
    } else if (result == STORE_REFUSED) {
        recover_from_poison(shards, group);
    } else {
        take_all(shards, group, SHARDS_LOST);
        refuse_group(
            group, REASON_STORE_UNAVAILABLE, "the store could not be written before the stop");
    }
}

/* With the mutex: moves the open group out, and opens the next. */
static void take_open(struct shards *shards, struct group *ret_group)
{
    struct group taken = shards->open;

    shards->open = *ret_group; /* its array is used again */
    shards->open.count = 0;
    shards->open.change_count = 0;
    shards->open.number = taken.number + 1;
    shards->engines->open_batch = shards->open.number;
    if (shards->busy_since_mono_us == 0) {
        shards->busy_since_mono_us = mono_us(shards);
    }
    *ret_group = taken;
}

void *committer_run(void *shared)
{
    struct shards *shards = shared;
    struct group group = {0};

    for (;;) {
        if (!renew_when_due(shards)) {
            recover_from_loss(shards, &group);
        }
        lock(shards);
        while (shards->open.count == 0 && !shards->stopping &&
               mono_us(shards) < shards->renew_at_mono_us) {
            wait_until(shards, shards->renew_at_mono_us);
        }
        bool stop = shards->stopping && shards->open.count == 0;
        bool work = shards->open.count > 0;

        if (work) {
            take_open(shards, &group);
        }
        unlock(shards);
        if (work) {
            commit(shards, &group);
        } else if (stop) {
            break;
        }
    }
    group_deinit(&group);
    shards->options.store->operations->release(
        shards->options.store, shards->options.owner, shards->leases, shards->lease_count);
    return NULL;
}
