#include "services/routing/operations/settle.h"

#include "services/routing/domain/task.h"
#include "services/routing/matching/matching.h"
#include "services/routing/operations/reservation_life.h"
#include "services/routing/operations/work.h"

/* Serving somebody only takes capacity away, so what finds no partner now is done with; whatever
 * changes again during settling marks itself again. */
static struct task *first_of_tasks(struct work *work)
{
    struct task *best = NULL;
    struct task *task = NULL;
    struct task *next = NULL;

    TAILQ_FOREACH_SAFE(task, &work->engine->dirty_tasks, by_dirty, next)
    {
        if (best && task_before(best, task)) {
            continue;
        }
        if (matching_find_worker(task, work->now_us)) {
            best = task;
        } else {
            work_forget_task(work, task);
        }
    }
    return best;
}

static struct task *first_of_workers(struct work *work)
{
    struct task *best = NULL;
    struct worker *worker = NULL;
    struct worker *next = NULL;

    TAILQ_FOREACH_SAFE(worker, &work->engine->dirty_workers, by_dirty, next)
    {
        struct task *task = matching_find_task(worker, work->now_us);

        if (!task) {
            work_forget_worker(work, worker);
        } else if (!best || task_before(task, best)) {
            best = task;
        }
    }
    return best;
}

void settle(struct work *work)
{
    const char *actor = work->actor;

    for (;;) {
        struct task *task = first_of_tasks(work);
        struct task *wanted = first_of_workers(work);

        if (!task || (wanted && task_before(wanted, task))) {
            task = wanted;
        }
        if (!task) {
            break;
        }
        work->actor = "matcher";
        reservation_make(work, task, matching_find_worker(task, work->now_us));
        work->actor = actor;
    }
}
