/* The engine against a model that is too simple to be wrong: one queue, lists that are searched
 * from end to end. Task by task, the engine must give the same worker, so there is never an
 * inversion among callers or among workers.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "services/routing/domain/task.h"
#include "tests/support/routing_invariants.h"
#include "tests/support/routing_world.h"

enum {
    WORKERS = 7,
    TASKS = 600,
    SEEDS = 6,
};

struct model_task {
    char id[16];
    int32_t priority;
    int64_t start_us;
    int worker; /* who has it; NOBODY while it waits; DONE */
};

enum {
    NOBODY = -1,
    DONE = -2
};

struct model_worker {
    char id[16];
    int64_t last_assignment_us;
    int task; /* NOBODY while it is idle */
};

struct sim {
    struct world world;
    uint64_t random;
    struct model_task tasks[TASKS];
    int task_count;
    struct model_worker workers[WORKERS];
};

static size_t pick(struct sim *sim, size_t count)
{
    sim->random = sim->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)((sim->random >> 33) % count);
}

static bool serves_before(const struct model_task *one, const struct model_task *other)
{
    if (one->priority != other->priority) {
        return one->priority > other->priority;
    }
    if (one->start_us != other->start_us) {
        return one->start_us < other->start_us;
    }
    return strcmp(one->id, other->id) < 0;
}

static int first_waiting(const struct sim *sim)
{
    int best = NOBODY;

    for (int i = 0; i < sim->task_count; i++) {
        if (sim->tasks[i].worker == NOBODY &&
            (best == NOBODY || serves_before(&sim->tasks[i], &sim->tasks[best]))) {
            best = i;
        }
    }
    return best;
}

static int longest_idle(const struct sim *sim)
{
    int best = NOBODY;

    for (int i = 0; i < WORKERS; i++) {
        const struct model_worker *worker = &sim->workers[i];

        if (worker->task == NOBODY &&
            (best == NOBODY ||
             worker->last_assignment_us < sim->workers[best].last_assignment_us)) {
            best = i; /* of equals the one with the smaller id, which comes first here */
        }
    }
    return best;
}

/* What the model says must happen now, and that it has. */
static void match(struct sim *sim)
{
    int task = first_waiting(sim);
    int worker = longest_idle(sim);

    if (task != NOBODY && worker != NOBODY) {
        const struct reservation *offer = world_offer(&sim->world, sim->tasks[task].id);

        cr_assert_not_null(offer, "%s should have gone to somebody", sim->tasks[task].id);
        cr_assert_str_eq(offer->row.worker_id, sim->workers[worker].id);
        sim->tasks[task].worker = worker;
        sim->workers[worker].task = task;
    }
}

static void arrive(struct sim *sim)
{
    struct model_task *task = &sim->tasks[sim->task_count];

    *task = (struct model_task){
        .priority = (int32_t)pick(sim, 3), .start_us = sim->world.now_us, .worker = NOBODY};
    (void)snprintf(task->id, sizeof(task->id), "t%zu-%d", pick(sim, 10), sim->task_count);
    sim->task_count++;
    world_task_of(&sim->world, task->id, "main", "", task->priority);
    match(sim);
}

static void finish(struct sim *sim)
{
    struct model_worker *worker = &sim->workers[pick(sim, WORKERS)];
    const char *task_id = NULL;

    if (worker->task == NOBODY) {
        return;
    }
    task_id = sim->tasks[worker->task].id;
    cr_assert(world_accept(&sim->world, world_offer(&sim->world, task_id)));
    cr_assert(world_task_verb(&sim->world, &operation_complete_task, task_id));
    worker->last_assignment_us = sim->world.now_us;
    sim->tasks[worker->task].worker = DONE;
    worker->task = NOBODY;
    match(sim);
}

static void run(uint64_t seed)
{
    struct sim *sim = calloc(1, sizeof(*sim));

    sim->random = seed;
    world_init(&sim->world);
    for (int i = 0; i < WORKERS; i++) {
        (void)snprintf(sim->workers[i].id, sizeof(sim->workers[i].id), "w%d", i);
        sim->workers[i].task = NOBODY;
        world_worker(&sim->world, sim->workers[i].id, "");
    }
    while (sim->task_count < TASKS) {
        /* Busy and slack spells, and now and then two things in the same microsecond. */
        size_t load = sim->task_count / 50 % 2 ? 3 : 5;

        sim->world.now_us += (int64_t)pick(sim, 3);
        if (pick(sim, 8) < load) {
            arrive(sim);
        } else {
            finish(sim);
        }
    }
    check_reload(&sim->world);
    world_deinit(&sim->world);
    free(sim);
}

Test(order, is_that_of_the_model_task_by_task, .timeout = 55)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        (void)fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
        run(seed);
    }
}
