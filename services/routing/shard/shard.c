#include "services/routing/shard/shard.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "services/routing/domain/engine.h"
#include "services/routing/operations/command.h"
#include "services/routing/operations/operations.h"
#include "services/routing/operations/requests.h"
#include "services/routing/operations/run_deadline.h"
#include "services/routing/operations/step.h"
#include "services/routing/shard/internal.h"

enum {
    RETRY_DELAY_MS = 1000
};

struct shards_options shards_default_options(void)
{
    return (struct shards_options){
        .lease_us = 10 * INT64_C(1000000),
        .command_limit = 100000,
        .hold_after_us = 2 * INT64_C(1000000),
        .sweep_interval_us = 30 * INT64_C(1000000),
    };
}

/* --- answers --- */

void command_refuse(struct command *command, enum error_reason reason, const char *why)
{
    struct step step = {0};

    (void)FAIL(&step.error, reason, "%s", why);
    step.error.retry_delay_ms = RETRY_DELAY_MS;
    command->answer(command->context, &step);
}

/* --- steps --- */

int64_t shards_now_us(struct shards *shards)
{
    int64_t now_us =
        shards->base_wall_us + clock_mono_us(shards->options.clock) - shards->base_mono_us;

    if (now_us > shards->newest_time_us) {
        shards->newest_time_us = now_us;
    }
    return shards->newest_time_us;
}

/* splitmix64, one draw per step: the step draws its own numbers from there. */
static uint64_t next_seed(struct shards *shards)
{
    return shards->random += UINT64_C(0x9e3779b97f4a7c15);
}

static struct step *new_step(struct shards *shards, const char *workspace_id)
{
    return step_new(arena_new(), workspace_id, shards_now_us(shards), next_seed(shards));
}

struct step *shards_run(
    struct shards *shards,
    struct engines *engines,
    const struct command *command)
{
    struct step *step = new_step(shards, command->workspace_id);
    struct engine *engine = engines_find(engines, command->workspace_id);

    step->actor = command->actor ? command->actor : "client";
    step->ok = command->operation->run(engines, engine, command->request, step, &step->error);
    return step;
}

/* Puts a finished step where its answer belongs. */
static void file_step(struct shards *shards, struct command *command, struct step *step)
{
    bool changed = step->change_count > 0 || step->event_count > 0 || step->effect_count > 0;

    if (changed || step->depends_on_batch >= shards->engines->open_batch) {
        group_add(&shards->open, command, step);
        pthread_cond_signal(&shards->work);
        return;
    }
    if (step->depends_on_batch > shards->durable_batch) {
        group_add(&shards->inflight, command, step);
        return;
    }
    if (command) {
        if (clock_mono_us(shards->options.clock) > shards->lease_until_mono_us) {
            command_refuse(
                command, REASON_STORE_UNAVAILABLE,
                "the lease could not be renewed: another instance may own this workspace");
        } else {
            command->answer(command->context, step);
        }
    }
    step_free(step);
}

/* Whether the store takes so long to answer that nothing new may be applied. */
static bool holding(const struct shards *shards)
{
    return shards->busy_since_mono_us != 0 &&
           clock_mono_us(shards->options.clock) - shards->busy_since_mono_us >
               shards->options.hold_after_us;
}

/* Runs an operation of our own on every workspace. */
static size_t run_everywhere(
    struct shards *shards,
    const struct operation *operation,
    const void *request)
{
    struct engine *engine = engines_find_after(shards->engines, "");
    size_t mended = 0;

    while (engine) {
        struct step *step = new_step(shards, engine->workspace_id);

        step->actor = "system";
        step->ok = operation->run(shards->engines, engine, request, step, &step->error);
        mended += step->mended;
        engine = engines_find_after(shards->engines, step->workspace_id);
        file_step(shards, NULL, step);
    }
    return mended;
}

static void make_up_for_gap(struct shards *shards)
{
    struct resume_request request = {.gap_us = shards->gap_us};

    shards->resume_wanted = false;
    shards->gap_us = 0;
    (void)run_everywhere(shards, &operation_resume_workspace, &request);
}

/* False when none is due. */
static bool run_due_deadline(struct shards *shards)
{
    const char *workspace_id = NULL;
    int64_t due_us = 0;

    if (!engines_next_deadline(shards->engines, &due_us, &workspace_id) ||
        due_us > shards_now_us(shards)) {
        return false;
    }

    struct step *step = new_step(shards, workspace_id);

    step->actor = "timer";
    (void)engines_run_deadline(shards->engines, step);
    step->ok = true;
    file_step(shards, NULL, step);
    return true;
}

static void sweep(struct shards *shards)
{
    size_t mended = run_everywhere(shards, &operation_sweep_workspace, NULL);

    shards->next_sweep_mono_us =
        clock_mono_us(shards->options.clock) + shards->options.sweep_interval_us;
    if (mended > 0) {
        shards->options.observe(shards->options.context, SHARDS_SWEEP_MENDED, (int64_t)mended, "");
    }
}

/* --- the engine's thread --- */

void shards_wake(struct shards *shards)
{
    if (!atomic_exchange(&shards->wake_posted, true) &&
        !mailbox_post(shards->mailbox, &shards->wake_node)) {
        atomic_store(&shards->wake_posted, false); /* closed: the engine's thread is awake anyway */
    }
}

static void push_backlog(struct shards *shards, struct command *command)
{
    command->next = NULL;
    if (shards->backlog) {
        shards->backlog_last->next = command;
    } else {
        shards->backlog = command;
    }
    shards->backlog_last = command;
}

static void take_mail(struct shards *shards)
{
    struct mailbox_node *node = mailbox_take_all(shards->mailbox);

    while (node) {
        struct mailbox_node *next = node->next;

        if (node == &shards->wake_node) {
            atomic_store(&shards->wake_posted, false);
        } else {
            push_backlog(shards, MAILBOX_MESSAGE(node, struct command, node));
        }
        node = next;
    }
}

static struct command *pop_backlog(struct shards *shards)
{
    struct command *command = shards->backlog;

    shards->backlog = command->next;
    atomic_fetch_sub(&shards->waiting, 1);
    return command;
}

/* With the mutex: one step, or false when there is nothing to do now. */
static bool run_one(struct shards *shards)
{
    if (shards->state == SHARDS_LOST && shards->backlog) {
        command_refuse(
            pop_backlog(shards), REASON_STORE_UNAVAILABLE,
            "another instance has taken this workspace over");
        return true;
    }
    if (shards->state != SHARDS_RUNNING || holding(shards)) {
        return false;
    }
    if (shards->resume_wanted) {
        make_up_for_gap(shards);
        return true;
    }
    if (run_due_deadline(shards)) {
        return true;
    }
    if (clock_mono_us(shards->options.clock) >= shards->next_sweep_mono_us) {
        sweep(shards);
        return true;
    }
    if (shards->backlog) {
        struct command *command = pop_backlog(shards);

        file_step(shards, command, shards_run(shards, shards->engines, command));
        return true;
    }
    return false;
}

/* The engine would take the mutex again at once and starve the committer: step aside. */
static void let_committer_pass(struct shards *shards)
{
    while (atomic_load_explicit(&shards->take_wanted, memory_order_acquire)) {
        sched_yield();
    }
}

static bool run_step(struct shards *shards)
{
    let_committer_pass(shards);
    pthread_mutex_lock(&shards->mutex);
    bool more = run_one(shards);
    pthread_mutex_unlock(&shards->mutex);
    return more;
}

/* When to look again even if nothing is posted. While nothing may be run the committer wakes us. */
static int64_t next_wake_mono_us(struct shards *shards)
{
    int64_t wake = INT64_MAX;
    const char *workspace_id = NULL;
    int64_t due_us = 0;

    pthread_mutex_lock(&shards->mutex);
    if (shards->state == SHARDS_RUNNING && !holding(shards)) {
        wake = shards->next_sweep_mono_us;
        if (engines_next_deadline(shards->engines, &due_us, &workspace_id)) {
            int64_t mono_us = due_us - shards->base_wall_us + shards->base_mono_us;

            wake = mono_us < wake ? mono_us : wake;
        }
    }
    pthread_mutex_unlock(&shards->mutex);
    return wake;
}

static void *engine_run(void *context)
{
    struct shards *shards = context;

    for (;;) {
        enum mailbox_wake wake = mailbox_wait(shards->mailbox, next_wake_mono_us(shards));

        take_mail(shards);
        while (run_step(shards)) {
            take_mail(shards);
        }
        if (wake == MAILBOX_CLOSED) {
            break;
        }
    }
    return NULL;
}

/* --- from outside --- */

void shards_post(struct shards *shards, struct command *command)
{
    if (atomic_fetch_add(&shards->waiting, 1) >= shards->options.command_limit) {
        atomic_fetch_sub(&shards->waiting, 1);
        command_refuse(command, REASON_OVERLOADED, "too many requests wait for the engine");
        return;
    }
    if (!mailbox_post(shards->mailbox, &command->node)) {
        atomic_fetch_sub(&shards->waiting, 1);
        command_refuse(command, REASON_SHUTTING_DOWN, "the routing service is shutting down");
    }
}

bool shards_ready(struct shards *shards, const char **ret_why)
{
    pthread_mutex_lock(&shards->mutex);
    const char *why = NULL;

    if (shards->stopping) {
        why = "shutting down";
    } else if (shards->state != SHARDS_RUNNING) {
        why = shards->state == SHARDS_LOST ? "lease lost" : "loading";
    } else if (holding(shards)) {
        why = "the database does not commit";
    }
    pthread_mutex_unlock(&shards->mutex);
    if (why) {
        *ret_why = why;
    }
    return !why;
}

struct shards *shards_free(struct shards *shards)
{
    if (!shards) {
        return NULL;
    }

    engines_free(shards->engines);
    free(shards->owner);
    group_deinit(&shards->open);
    group_deinit(&shards->inflight);
    mailbox_free(shards->mailbox);
    pthread_cond_destroy(&shards->work);
    pthread_mutex_destroy(&shards->mutex);
    free(shards);
    return NULL;
}

DEFINE_CLEANUP(struct shards *, shards_free)

static void init_monotonic_cond(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool shards_start(
    const struct shards_options *options,
    struct shards **ret_shards,
    struct error *err)
{
    CLEANUP(shards_free_at_exit) struct shards *shards = mem_new(struct shards);

    shards->options = *options;
    shards->owner = mem_strdup(options->owner);
    shards->options.owner = shards->owner;
    shards->mailbox = mailbox_new();
    pthread_mutex_init(&shards->mutex, NULL);
    init_monotonic_cond(&shards->work);
    if (getrandom(&shards->random, sizeof(shards->random), 0) != sizeof(shards->random)) {
        return FAIL(err, REASON_INTERNAL, "no random numbers from the kernel");
    }

    if (!committer_claim(shards, err) || !committer_load(shards, &shards->engines, err)) {
        return false;
    }
    shards->engines->open_batch = 1;
    shards->open.number = 1;
    shards->next_sweep_mono_us = clock_mono_us(options->clock) + options->sweep_interval_us;

    if (pthread_create(&shards->committer_thread, NULL, committer_run, shards) != 0) {
        return FAIL(err, REASON_INTERNAL, "cannot start the committer's thread");
    }
    if (pthread_create(&shards->engine_thread, NULL, engine_run, shards) != 0) {
        abort(); /* half a shard cannot be taken back */
    }
    *ret_shards = STEAL(shards);
    return true;
}

void shards_stop(struct shards *shards, int64_t grace_us)
{
    if (!shards) {
        return;
    }

    mailbox_close(shards->mailbox);
    pthread_join(shards->engine_thread, NULL);

    pthread_mutex_lock(&shards->mutex);
    shards->stopping = true;
    shards->stop_deadline_mono_us = clock_mono_us(shards->options.clock) + grace_us;
    pthread_cond_signal(&shards->work);
    pthread_mutex_unlock(&shards->mutex);
    pthread_join(shards->committer_thread, NULL);

    /* What was held back and never run. */
    while (shards->backlog) {
        command_refuse(
            pop_backlog(shards), REASON_SHUTTING_DOWN, "the routing service is shutting down");
    }
}
