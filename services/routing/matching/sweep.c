#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "services/routing/domain/engine.h"
#include "services/routing/domain/expression/expression.h"
#include "services/routing/domain/line.h"
#include "services/routing/domain/reservation.h"
#include "services/routing/domain/task.h"
#include "services/routing/domain/worker.h"
#include "services/routing/matching/matching.h"

/* Takes the task out of its line and lets it be placed afresh: it must come back to where it was.
 */
static size_t sweep_task(struct engine *engine, struct record *record)
{
    struct task *task = (struct task *)record;
    const struct task_queue *queue = task->line ? task->line->queue : NULL;
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
static size_t sweep_reservation(struct engine *engine, struct record *record)
{
    struct reservation *reservation = (struct reservation *)record;
    bool live = reservation->live;
    int64_t time_us = reservation->deadline.time_us;

    (void)engine;
    if (!reservation_live(reservation)) {
        return live;
    }
    reservation_unindex(reservation);
    reservation_index(reservation);
    return reservation->live != live || reservation->deadline.time_us != time_us;
}

static size_t wrong_shares(const struct worker *worker)
{
    const struct worker_channel *share = NULL;
    size_t wrong = 0;

    TAILQ_FOREACH(share, &worker->channels, by_worker)
    {
        wrong += share->open != worker_channel_can_take(share) ||
                 (share->open && share->idle_from_us != worker->row.last_assignment_time_us);
    }
    return wrong;
}

static size_t wrong_memberships(struct engine *engine, const struct worker *worker)
{
    struct expression_subject subject = worker_subject(worker, NULL);
    struct record *record = NULL;
    size_t wrong = 0;

    RB_FOREACH(record, record_tree, &engine->records[ROW_TASK_QUEUE])
    {
        struct task_queue *queue = (struct task_queue *)record;
        bool wanted = queue->expression && expression_matches(queue->expression, &subject);

        wrong += worker_serves(worker, queue) != wanted;
    }
    return wrong;
}

static size_t sweep_worker(struct engine *engine, struct record *record)
{
    struct worker *worker = (struct worker *)record;
    size_t wrong = wrong_shares(worker) + wrong_memberships(engine, worker);

    if (wrong) {
        worker_index(worker);
        worker_join_queues(engine, worker);
    }
    return wrong;
}

typedef size_t(sweep_record)(struct engine *engine, struct record *record);

/* Goes on where it stopped the last time. */
static size_t sweep_kind(
    struct engine *engine,
    enum row_kind kind,
    sweep_record *sweep,
    size_t limit)
{
    struct record_tree *tree = &engine->records[kind];
    bool everything = limit == SIZE_MAX;
    const char *after = engine->swept[kind] && !everything ? engine->swept[kind] : "";
    struct record *record = record_find_after(tree, after);
    struct record *last = NULL;
    size_t mended = 0;

    for (; record && limit > 0; limit--) {
        mended += sweep(engine, record);
        last = record;
        record = RB_NEXT(record_tree, tree, record);
    }
    free(engine->swept[kind]);
    engine->swept[kind] = record && last ? mem_strdup(last->id) : NULL;
    return mended;
}

/* Tasks of the line that somebody could have. */
static size_t servable(struct line *line, int64_t now_us)
{
    struct task *task = line_first(line);
    size_t count = 0;

    if (!matching_line_open(task)) {
        return 0;
    }
    for (; task; task = line_next(task)) {
        count += matching_find_worker(task, now_us) != NULL;
    }
    return count;
}

static size_t servable_in_queues(struct engine *engine, int64_t now_us)
{
    struct record *record = NULL;
    struct line *line = NULL;
    size_t count = 0;

    RB_FOREACH(record, record_tree, &engine->records[ROW_TASK_QUEUE])
    {
        TAILQ_FOREACH(line, &((struct task_queue *)record)->lines, by_queue)
        {
            count += servable(line, now_us);
        }
    }
    return count;
}

size_t matching_sweep(struct engine *engine, int64_t now_us, size_t limit)
{
    /* A worker costs as much as there are queues. */
    size_t workers = limit == SIZE_MAX ? limit : limit / (engine->counts[ROW_TASK_QUEUE] + 1) + 1;

    return sweep_kind(engine, ROW_RESERVATION, sweep_reservation, limit) +
           sweep_kind(engine, ROW_WORKER, sweep_worker, workers) +
           sweep_kind(engine, ROW_TASK, sweep_task, limit) + servable_in_queues(engine, now_us);
}
