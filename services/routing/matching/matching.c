#include "services/routing/matching/matching.h"

#include <string.h>
#include <strings.h>

#include "common/value/value.h"
#include "services/routing/domain/engine.h"
#include "services/routing/domain/expression/expression.h"
#include "services/routing/domain/line.h"
#include "services/routing/domain/task.h"
#include "services/routing/domain/worker.h"
#include "services/routing/domain/workflow_document.h"

static bool is_known_worker(
    const struct workflow_target *target,
    const struct expression_subject *subject,
    const struct worker *worker)
{
    struct value scratch = {0};
    const struct value *known = NULL;

    if (target->known_worker_kind == KNOWN_WORKER_NONE) {
        return true;
    }
    known = reference_read(&target->known_worker, subject, &scratch);
    if (known->type != VALUE_TEXT) {
        return false;
    }
    return target->known_worker_kind == KNOWN_WORKER_BY_ID
               ? strcmp(known->text, worker->row.id) == 0
               : strcasecmp(known->text, worker->row.display_name) == 0;
}

/* What is the same for all tasks of a line; asked of one of them. */
static bool fits_class(const struct task *task, const struct worker *worker)
{
    const struct workflow_target *target = task->line->target;
    const struct worker_channel *share = worker_channel_of(worker, task->channel);
    struct expression_subject subject = worker_subject(worker, task);

    return share && share->open && worker_serves(worker, task->line->queue) &&
           is_known_worker(target, &subject, worker) &&
           (!target->expression || expression_matches(target->expression, &subject));
}

bool matching_may_take(const struct task *task, const struct worker *worker, int64_t now_us)
{
    return task->line && fits_class(task, worker) && !task_keeps_away(task, worker, now_us);
}

/* True when `one` comes before `other` by the target's own order. */
static bool preferred(const struct task *task, const struct worker *one, const struct worker *other)
{
    struct expression_subject subject = worker_subject(one, task);
    struct expression_subject other_subject = worker_subject(other, task);

    return worker_order_compare(task->line->target->order_by, &subject, &other_subject) < 0;
}

struct worker *matching_find_worker(struct task *task, int64_t now_us)
{
    struct worker *best = NULL;
    struct worker_channel *share = NULL;

    if (!task->line) {
        return NULL;
    }
    for (share = task_channel_first_open(task->channel); share;
         share = worker_channel_next_open(share)) {
        if (!matching_may_take(task, share->worker, now_us)) {
            continue;
        }
        if (!task->line->target->order_by) {
            return share->worker;
        }
        /* They come longest idle first, so of equals the first one stays. */
        if (!best || preferred(task, share->worker, best)) {
            best = share->worker;
        }
    }
    return best;
}

bool matching_line_open(const struct task *task)
{
    struct worker_channel *share = task_channel_first_open(task->channel);

    while (share && !fits_class(task, share->worker)) {
        share = worker_channel_next_open(share);
    }
    return share != NULL;
}

static struct task *first_in_line(struct line *line, const struct worker *worker, int64_t now_us)
{
    struct task *task = line_first(line);

    if (!fits_class(task, worker)) {
        return NULL;
    }
    while (task && task_keeps_away(task, worker, now_us)) {
        task = line_next(task);
    }
    return task;
}

static struct task *earlier(struct task *one, struct task *other)
{
    if (!one || !other) {
        return one ? one : other;
    }
    return task_before(one, other) ? one : other;
}

static struct task *first_in_queue(
    const struct task_queue *queue,
    const struct worker *worker,
    int64_t now_us)
{
    struct task *best = NULL;
    struct line *line = NULL;

    TAILQ_FOREACH(line, &queue->lines, by_queue)
    {
        best = earlier(best, first_in_line(line, worker, now_us));
    }
    return best;
}

struct task *matching_find_task(struct worker *worker, int64_t now_us)
{
    struct task *best = NULL;
    struct membership *membership = NULL;

    RB_FOREACH(membership, membership_tree, &worker->queues)
    {
        best = earlier(best, first_in_queue(membership->queue, worker, now_us));
    }
    return best;
}
