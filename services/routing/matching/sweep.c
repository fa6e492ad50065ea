#include <string.h>

#include "services/routing/domain/engine.h"
#include "services/routing/domain/expression/expression.h"
#include "services/routing/domain/line.h"
#include "services/routing/domain/reservation.h"
#include "services/routing/domain/task.h"
#include "services/routing/domain/worker.h"
#include "services/routing/matching/matching.h"

/* Takes the task out of its line and lets it be placed afresh: it must come back to where it was.
 */
static size_t sweep_task(struct engine *engine, struct task *task)
{
    struct task_queue *queue = task->line ? task->line->queue : NULL;
    const struct workflow_target *target = task->line ? task->line->target : NULL;
    int64_t state_time_us = task->state_deadline.time_us;
    int64_t target_time_us = task->target_deadline.time_us;
    int32_t priority = task->line_priority;
    int64_t time_us = task->line_time_us;

    task_unindex(task);
    task_index(engine, task);
    return (task->line ? task->line->queue : NULL) != queue ||
           (task->line ? task->line->target : NULL) != target ||
           (task->line && (task->line_priority != priority || task->line_time_us != time_us)) ||
           task->state_deadline.time_us != state_time_us ||
           task->target_deadline.time_us != target_time_us;
}

/* Of one that has ended the deadline may have run already; nothing depends on it any more. */
static size_t sweep_reservation(struct reservation *reservation)
{
    bool live = reservation->live;
    int64_t time_us = reservation->deadline.time_us;

    if (!reservation_live(reservation)) {
        return live;
    }
    reservation_unindex(reservation);
    reservation_index(reservation);
    return reservation->live != live || reservation->deadline.time_us != time_us;
}

static size_t sweep_worker(struct engine *engine, struct worker *worker)
{
    size_t mended = 0;
    struct worker_channel *share = NULL;
    struct membership *membership = NULL;
    size_t before = 0;
    size_t after = 0;

    TAILQ_FOREACH(share, &worker->channels, by_worker)
    {
        bool open = share->open;

        worker_index(worker);
        mended += share->open != open;
    }
    RB_FOREACH(membership, membership_tree, &worker->queues)
    {
        struct expression_subject subject = worker_subject(worker, NULL);

        before++;
        mended += !membership->queue->expression ||
                  !expression_matches(membership->queue->expression, &subject);
    }
    worker_join_queues(engine, worker);
    RB_FOREACH(membership, membership_tree, &worker->queues)
    {
        after++;
    }
    return mended + (after > before ? after - before : 0);
}

size_t matching_sweep(struct engine *engine, int64_t now_us)
{
    size_t mended = 0;
    struct record *record = NULL;

    RB_FOREACH(record, record_tree, &engine->records[ROW_RESERVATION])
    {
        mended += sweep_reservation((struct reservation *)record);
    }
    RB_FOREACH(record, record_tree, &engine->records[ROW_WORKER])
    {
        mended += sweep_worker(engine, (struct worker *)record);
    }
    RB_FOREACH(record, record_tree, &engine->records[ROW_TASK])
    {
        mended += sweep_task(engine, (struct task *)record);
    }
    RB_FOREACH(record, record_tree, &engine->records[ROW_TASK])
    {
        mended += matching_find_worker((struct task *)record, now_us) != NULL;
    }
    return mended;
}
