#include "tests/fakes/fake_store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "services/routing/operations/step.h"

enum {
    SEQUENCES_MAX = 16,
    WAIT_S = 20
};

struct row_list {
    void **rows;
    size_t count;
};

struct sequence {
    char *workspace_id;
    int64_t last;
};

struct fake_store {
    struct store store;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int32_t shard_count;
    bool held;
    bool away;
    bool lose_answer;
    bool taken;
    size_t waiting;
    size_t waiting_writes;
    char *refused_task;
    int64_t epoch;
    int64_t *batches; /* by shard */
    struct row_list rows[ROW_KIND_COUNT];
    struct sequence sequences[SEQUENCES_MAX];
    size_t commits;
};

static struct fake_store *fake_of(struct store *store)
{
    return (struct fake_store *)store;
}

static void require(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "fake store: not so: %s\n", what);
        abort();
    }
}

static bool fail_away(struct error *err)
{
    return FAIL(err, REASON_STORE_UNAVAILABLE, "the fake store is away");
}

/* With the mutex. */
static void wait_while_held(struct fake_store *fake, bool writing)
{
    fake->waiting++;
    fake->waiting_writes += writing;
    pthread_cond_broadcast(&fake->changed);
    while (fake->held) {
        pthread_cond_wait(&fake->changed, &fake->mutex);
    }
    fake->waiting--;
    fake->waiting_writes -= writing;
}

/* --- leases --- */

/* NOLINTNEXTLINE(readability-function-size): the parameters are store.h's */
static bool claim(
    struct store *store,
    const char *owner,
    int64_t lease_us,
    struct shard_lease *ret_leases,
    size_t *ret_count,
    bool *ret_all,
    int64_t *ret_database_time_us,
    struct error *err)
{
    struct fake_store *fake = fake_of(store);

    (void)owner;
    (void)lease_us;
    pthread_mutex_lock(&fake->mutex);
    wait_while_held(fake, false);
    bool ok = !fake->away || fail_away(err);

    *ret_count = 0;
    *ret_all = !fake->taken;
    *ret_database_time_us = clock_wall_us(clock_system());
    for (int32_t i = 0; ok && !fake->taken && i < fake->shard_count; i++) {
        ret_leases[(*ret_count)++] =
            (struct shard_lease){.shard_id = i, .epoch = fake->epoch, .batch = fake->batches[i]};
    }
    pthread_mutex_unlock(&fake->mutex);
    return ok;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are store.h's */
static bool renew(
    struct store *store,
    const char *owner,
    int64_t lease_us,
    const struct shard_lease *leases,
    size_t count,
    int64_t *ret_database_time_us,
    struct error *err)
{
    struct fake_store *fake = fake_of(store);
    bool ok = true;

    (void)owner;
    (void)lease_us;
    pthread_mutex_lock(&fake->mutex);
    wait_while_held(fake, false);
    *ret_database_time_us = clock_wall_us(clock_system());
    if (fake->away) {
        ok = fail_away(err);
    } else if (fake->taken || (count > 0 && leases[0].epoch != fake->epoch)) {
        ok = FAIL(err, REASON_STORE_FENCED, "the shards belong to another instance");
    }
    pthread_mutex_unlock(&fake->mutex);
    return ok;
}

static void release(
    struct store *store,
    const char *owner,
    const struct shard_lease *leases,
    size_t count)
{
    (void)store;
    (void)owner;
    (void)leases;
    (void)count;
}

/* --- rows --- */

static void keep_change(struct row_list *list, const struct change *change)
{
    size_t i = 0;

    while (i < list->count && row_compare_keys(change->kind, list->rows[i], change->row) != 0) {
        i++;
    }
    if (change->deleted) {
        if (i < list->count) {
            row_deinit(change->kind, list->rows[i]);
            free(list->rows[i]);
            list->rows[i] = list->rows[--list->count];
        }
        return;
    }
    if (i == list->count) {
        list->rows = mem_realloc_array(list->rows, list->count + 1, sizeof(void *));
        list->rows[i] = mem_alloc(row_types[change->kind].size);
        row_init(change->kind, list->rows[i]);
        list->count++;
    }
    row_assign(change->kind, list->rows[i], change->row);
}

static struct sequence *sequence_of(struct fake_store *fake, const char *workspace_id)
{
    for (size_t i = 0; i < SEQUENCES_MAX; i++) {
        struct sequence *sequence = &fake->sequences[i];

        if (!sequence->workspace_id) {
            sequence->workspace_id = mem_strdup(workspace_id);
        }
        if (strcmp(sequence->workspace_id, workspace_id) == 0) {
            return sequence;
        }
    }
    abort(); /* more workspaces than any test makes */
}

static bool load(
    struct store *store,
    const struct shard_lease *leases,
    size_t count,
    store_row_handler *handler,
    void *context,
    struct error *err)
{
    struct fake_store *fake = fake_of(store);

    (void)leases;
    (void)count;
    pthread_mutex_lock(&fake->mutex);
    wait_while_held(fake, false);
    bool ok = !fake->away || fail_away(err);

    for (int kind = 0; ok && kind < ROW_KIND_COUNT; kind++) {
        for (size_t i = 0; i < fake->rows[kind].count; i++) {
            handler(context, (enum row_kind)kind, fake->rows[kind].rows[i]);
        }
    }
    pthread_mutex_unlock(&fake->mutex);
    return ok;
}

/* --- writing --- */

static bool is_refused(const struct fake_store *fake, const struct store_batch *batch)
{
    for (size_t i = 0; i < batch->change_count; i++) {
        const struct change *change = &batch->changes[i];

        if (change->kind == ROW_TASK &&
            strcmp(((const struct task_row *)change->row)->id, fake->refused_task) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether this very batch was written before, and only its answer was lost. */
static bool is_written(const struct fake_store *fake, const struct store_batch *batch)
{
    size_t behind = 0;

    for (size_t i = 0; i < batch->fence_count; i++) {
        int64_t stored = fake->batches[batch->fences[i].shard_id];

        require(
            stored == batch->fences[i].batch || stored == batch->fences[i].batch + 1,
            "each batch comes after the one before");
        behind += stored == batch->fences[i].batch + 1;
    }
    require(behind == 0 || behind == batch->fence_count, "a batch is written as a whole");
    return behind > 0;
}

static void keep_batch(struct fake_store *fake, const struct store_batch *batch)
{
    for (size_t i = 0; i < batch->change_count; i++) {
        keep_change(&fake->rows[batch->changes[i].kind], &batch->changes[i]);
    }
    for (size_t i = 0; i < batch->event_count; i++) {
        struct sequence *sequence = sequence_of(fake, batch->events[i].workspace_id);

        require(
            batch->events[i].sequence == sequence->last + 1, "the sequence of events has no gap");
        sequence->last++;
    }
    for (size_t i = 0; i < batch->fence_count; i++) {
        fake->batches[batch->fences[i].shard_id]++;
    }
    fake->commits++;
}

/* With the mutex. */
static enum store_result write_now(
    struct fake_store *fake,
    struct store_batch *batch,
    struct error *err)
{
    if (fake->away) {
        (void)fail_away(err);
        return STORE_UNAVAILABLE;
    }
    require(batch->fence_count > 0, "every batch has a fence");
    if (fake->taken || batch->fences[0].epoch != fake->epoch) {
        (void)FAIL(err, REASON_STORE_FENCED, "the shards belong to another instance");
        return STORE_FENCED;
    }
    if (is_refused(fake, batch)) {
        (void)FAIL(err, REASON_INTERNAL, "the fake store refuses task %s", fake->refused_task);
        return STORE_REFUSED;
    }
    if (!is_written(fake, batch)) {
        keep_batch(fake, batch);
    }
    if (fake->lose_answer) {
        fake->lose_answer = false;
        (void)fail_away(err);
        return STORE_UNAVAILABLE;
    }
    for (size_t i = 0; i < batch->fence_count; i++) {
        batch->fences[i].batch++;
    }
    return STORE_COMMITTED;
}

static enum store_result write_batch(
    struct store *store,
    struct store_batch *batch,
    struct error *err)
{
    struct fake_store *fake = fake_of(store);

    pthread_mutex_lock(&fake->mutex);
    wait_while_held(fake, true);
    enum store_result result = write_now(fake, batch, err);

    pthread_mutex_unlock(&fake->mutex);
    return result;
}

static bool read_events(
    struct store *store,
    const struct store_event_query *query,
    struct arena *arena,
    struct store_event **ret_events,
    size_t *ret_count,
    struct error *err)
{
    (void)store;
    (void)query;
    (void)arena;
    (void)ret_events;
    *ret_count = 0;
    return FAIL(err, REASON_INTERNAL, "the fake store keeps no events");
}

static void close_nothing(struct store *store)
{
    (void)store;
}

static const struct store_operations operations = {
    .claim = claim,
    .renew = renew,
    .release = release,
    .load = load,
    .write = write_batch,
    .read_events = read_events,
    .close = close_nothing,
};

/* --- what tests do --- */

struct fake_store *fake_store_new(int32_t shard_count)
{
    struct fake_store *fake = mem_new(struct fake_store);

    fake->store.operations = &operations;
    pthread_mutex_init(&fake->mutex, NULL);
    pthread_cond_init(&fake->changed, NULL);
    fake->shard_count = shard_count;
    fake->batches = mem_new_array(int64_t, (size_t)shard_count);
    fake->refused_task = mem_strdup("");
    fake->epoch = 1;
    return fake;
}

struct fake_store *fake_store_free(struct fake_store *fake)
{
    if (!fake) {
        return NULL;
    }
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        for (size_t i = 0; i < fake->rows[kind].count; i++) {
            row_deinit((enum row_kind)kind, fake->rows[kind].rows[i]);
            free(fake->rows[kind].rows[i]);
        }
        free(fake->rows[kind].rows);
    }
    for (size_t i = 0; i < SEQUENCES_MAX; i++) {
        free(fake->sequences[i].workspace_id);
    }
    free(fake->refused_task);
    free(fake->batches);
    pthread_cond_destroy(&fake->changed);
    pthread_mutex_destroy(&fake->mutex);
    free(fake);
    return NULL;
}

struct store *fake_store_base(struct fake_store *fake)
{
    return &fake->store;
}

static void set_flag(struct fake_store *fake, bool *flag, bool value)
{
    pthread_mutex_lock(&fake->mutex);
    *flag = value;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->mutex);
}

void fake_store_hold(struct fake_store *fake, bool held)
{
    set_flag(fake, &fake->held, held);
}

void fake_store_away(struct fake_store *fake, bool away)
{
    set_flag(fake, &fake->away, away);
}

void fake_store_lose_answer(struct fake_store *fake)
{
    set_flag(fake, &fake->lose_answer, true);
}

void fake_store_take_away(struct fake_store *fake, bool taken)
{
    pthread_mutex_lock(&fake->mutex);
    fake->taken = taken;
    fake->epoch++;
    pthread_mutex_unlock(&fake->mutex);
}

void fake_store_refuse_task(struct fake_store *fake, const char *task_id)
{
    pthread_mutex_lock(&fake->mutex);
    free(fake->refused_task);
    fake->refused_task = mem_strdup(task_id);
    pthread_mutex_unlock(&fake->mutex);
}

static bool wait_for(struct fake_store *fake, const size_t *waiting)
{
    struct timespec until;
    bool in_time = true;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&fake->mutex);
    while (in_time && !(fake->held && *waiting > 0)) {
        in_time = pthread_cond_timedwait(&fake->changed, &fake->mutex, &until) == 0;
    }
    pthread_mutex_unlock(&fake->mutex);
    return in_time;
}

bool fake_store_wait_for_held_write(struct fake_store *fake)
{
    return wait_for(fake, &fake->waiting_writes);
}

bool fake_store_wait_for_held(struct fake_store *fake)
{
    return wait_for(fake, &fake->waiting);
}

bool fake_store_has_task(struct fake_store *fake, const char *workspace_id, const char *task_id)
{
    bool found = false;

    pthread_mutex_lock(&fake->mutex);
    for (size_t i = 0; i < fake->rows[ROW_TASK].count; i++) {
        const struct task_row *row = fake->rows[ROW_TASK].rows[i];

        found |= strcmp(row->workspace_id, workspace_id) == 0 && strcmp(row->id, task_id) == 0;
    }
    pthread_mutex_unlock(&fake->mutex);
    return found;
}

size_t fake_store_commits(struct fake_store *fake)
{
    pthread_mutex_lock(&fake->mutex);
    size_t commits = fake->commits;

    pthread_mutex_unlock(&fake->mutex);
    return commits;
}

int64_t fake_store_events(struct fake_store *fake)
{
    int64_t events = 0;

    pthread_mutex_lock(&fake->mutex);
    for (size_t i = 0; i < SEQUENCES_MAX; i++) {
        events += fake->sequences[i].last;
    }
    pthread_mutex_unlock(&fake->mutex);
    return events;
}
