#include "tests/support/routing_invariants.h"

#include <criterion/criterion.h>
#include <string.h>

#include "services/routing/domain/reservation.h"
#include "services/routing/domain/task.h"
#include "services/routing/domain/worker.h"
#include "services/routing/matching/matching.h"
#include "services/routing/operations/load.h"
#include "tests/support/routing_world.h"

static void check_worker(const struct worker *worker)
{
    const struct worker_channel *share = NULL;

    TAILQ_FOREACH(share, &worker->channels, by_worker)
    {
        int32_t load = worker_load(worker, share->channel);

        if (load >= share->row.capacity) {
            cr_assert_not(share->open, "worker %s is full and open", worker->row.id);
        }
    }
}

static size_t live_reservations(const struct task *task)
{
    const struct reservation *reservation = NULL;
    size_t count = 0;

    TAILQ_FOREACH(reservation, &task->reservations, by_task)
    {
        count += reservation_live(reservation);
    }
    return count;
}

static void check_task(const struct task *task)
{
    /* By state of the task: the state of its live reservation; 0 for none. */
    static const enum reservation_state fitting[TASK_STATE_COUNT] = {
        [TASK_RESERVED] = RESERVATION_PENDING,
        [TASK_ASSIGNED] = RESERVATION_ACCEPTED,
        [TASK_WRAPPING] = RESERVATION_WRAPPING,
    };
    const struct reservation *live = task_live_reservation(task);
    enum reservation_state wanted = fitting[task->row.state];

    cr_assert_leq(live_reservations(task), 1, "task %s", task->row.id);
    cr_assert_eq(
        live ? (int)live->row.state : 0, (int)wanted, "task %s is %s", task->row.id,
        task_state_name((enum task_state)task->row.state));
    cr_assert_eq(task->line != NULL, task->row.state == TASK_PENDING, "task %s", task->row.id);
    if (!task->row.call_live || task_ended(task)) {
        cr_assert_neq(task->row.expire_time_us, 0, "task %s may stay for ever", task->row.id);
    }
    cr_assert_leq(task->row.assignment_count, 1000);
}

static void check_reservation(const struct reservation *reservation)
{
    if (reservation->row.state == RESERVATION_PENDING) {
        cr_assert_neq(reservation->row.expire_time_us, 0);
        cr_assert_eq(reservation->deadline.time_us, reservation->row.expire_time_us);
    }
    cr_assert_eq(reservation->live, reservation_live(reservation));
}

void check_invariants(struct world *world)
{
    struct engine *engine = world->engine;
    struct record *record = NULL;
    int64_t time_us = 0;
    const char *workspace_id = NULL;

    if (!engine) {
        return;
    }
    cr_assert(TAILQ_EMPTY(&engine->touched));
    cr_assert(TAILQ_EMPTY(&engine->dirty_tasks));
    cr_assert(TAILQ_EMPTY(&engine->dirty_workers));
    RB_FOREACH(record, record_tree, &engine->records[ROW_WORKER])
    {
        check_worker((struct worker *)record);
    }
    RB_FOREACH(record, record_tree, &engine->records[ROW_TASK])
    {
        check_task((struct task *)record);
    }
    RB_FOREACH(record, record_tree, &engine->records[ROW_RESERVATION])
    {
        check_reservation((struct reservation *)record);
    }
    if (engines_next_deadline(world->engines, &time_us, &workspace_id) &&
        time_us <= world->now_us) {
        return; /* due already: what it changes is not changed yet */
    }
    cr_assert_eq(
        matching_sweep(engine, world->now_us, SIZE_MAX), 0, "the sweep had to mend something");
}

static void check_same_links(
    enum row_kind kind,
    const struct record *one,
    const struct record *other)
{
    if (kind == ROW_TASK) {
        const struct task *task = (const struct task *)one;
        const struct task *copy = (const struct task *)other;

        cr_assert_eq(task->line != NULL, copy->line != NULL, "%s", task->row.id);
        cr_assert(!task->line || strcmp(task->line->queue->row.id, copy->line->queue->row.id) == 0);
        cr_assert_eq(task->state_deadline.time_us, copy->state_deadline.time_us);
        cr_assert_eq(task->target_deadline.time_us, copy->target_deadline.time_us);
        cr_assert_eq(live_reservations(task), live_reservations(copy));
    } else if (kind == ROW_WORKER) {
        struct worker_channel *share = TAILQ_FIRST(&((const struct worker *)one)->channels);
        struct worker_channel *copy = TAILQ_FIRST(&((const struct worker *)other)->channels);

        for (; share && copy;
             share = TAILQ_NEXT(share, by_worker), copy = TAILQ_NEXT(copy, by_worker)) {
            cr_assert(row_equal(ROW_WORKER_CHANNEL, &share->row, &copy->row));
            cr_assert_eq(share->open, copy->open);
        }
        cr_assert(!share && !copy);
    } else if (kind == ROW_TASK_QUEUE) {
        const struct task_queue *queue = (const struct task_queue *)one;
        const struct task_queue *copy = (const struct task_queue *)other;

        cr_assert_eq(queue->member_count, copy->member_count);
        cr_assert_eq(
            queue->waiting_count, copy->waiting_count, "queue %s: %zu waiting, after a reload %zu",
            queue->row.id, queue->waiting_count, copy->waiting_count);
    } else if (kind == ROW_WORKFLOW) {
        cr_assert_eq(
            ((const struct workflow *)one)->live_task_count,
            ((const struct workflow *)other)->live_task_count);
    }
}

static void check_same(struct engine *engine, struct engine *copy)
{
    cr_assert(row_equal(ROW_WORKSPACE, &engine->row, &copy->row));
    cr_assert(row_equal(ROW_PROGRESS, &engine->progress, &copy->progress));
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        struct record *one = RB_MIN(record_tree, &engine->records[kind]);
        struct record *other = RB_MIN(record_tree, &copy->records[kind]);

        cr_assert_eq(engine->counts[kind], copy->counts[kind], "%s", row_types[kind].name);
        for (; one && other; one = RB_NEXT(record_tree, &engine->records[kind], one),
                             other = RB_NEXT(record_tree, &copy->records[kind], other)) {
            cr_assert(
                row_equal((enum row_kind)kind, one->row, other->row), "%s %s differs",
                row_types[kind].name, one->id);
            check_same_links((enum row_kind)kind, one, other);
        }
        cr_assert(!one && !other);
    }
}

void check_reload(struct world *world)
{
    struct world copy = *world;

    copy.engines = NULL;
    world_restart(&copy);
    check_same(world->engine, copy.engine);
    cr_assert_eq(matching_sweep(copy.engine, world->now_us, SIZE_MAX), 0, "after a reload");
    engines_free(copy.engines);
}
