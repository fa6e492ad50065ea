#include "services/routing/operations/settle.h"

#include "common/base/arena.h"
#include "services/routing/domain/line.h"
#include "services/routing/domain/task.h"
#include "services/routing/matching/matching.h"
#include "services/routing/operations/reservation_life.h"
#include "services/routing/operations/work.h"

enum {
    MANY_WORKERS = 4 /* from here on it is cheaper to ask the lines than each worker */
};

static void serve(struct work *work, struct task *task)
{
    const char *actor = work->actor;

    work->actor = "matcher";
    reservation_make(work, task, matching_find_worker(task, work->now_us));
    work->actor = actor;
}

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

/* When many workers changed at once, most of them want the same task: the lines are asked instead,
 * of which there are few. */
struct waiting_line {
    struct line *line;      /* NULL when it is done with */
    struct task *candidate; /* nobody before it in the line can be served */
};

struct waiting_lines {
    struct waiting_line *items;
    size_t count;
};

static void count_lines(const struct task_queue *queue, size_t *count)
{
    const struct line *line = NULL;

    TAILQ_FOREACH(line, &queue->lines, by_queue)
    {
        ++*count;
    }
}

static void add_lines(struct task_queue *queue, struct waiting_lines *lines)
{
    struct line *line = NULL;

    TAILQ_FOREACH(line, &queue->lines, by_queue)
    {
        lines->items[lines->count++] =
            (struct waiting_line){.line = line, .candidate = line_first(line)};
    }
}

static struct waiting_lines gather_lines(struct work *work)
{
    struct record_tree *queues = &work->engine->records[ROW_TASK_QUEUE];
    struct waiting_lines lines = {0};
    struct record *record = NULL;
    size_t count = 0;

    RB_FOREACH(record, record_tree, queues)
    {
        count_lines((struct task_queue *)record, &count);
    }
    lines.items = arena_new_array(work->step->arena, struct waiting_line, count + 1);
    RB_FOREACH(record, record_tree, queues)
    {
        add_lines((struct task_queue *)record, &lines);
    }
    return lines;
}

static struct waiting_line *first_of_lines(struct waiting_lines *lines)
{
    struct waiting_line *best = NULL;

    for (size_t i = 0; i < lines->count; i++) {
        struct waiting_line *item = &lines->items[i];

        if (item->line && (!best || task_before(item->candidate, best->candidate))) {
            best = item;
        }
    }
    return best;
}

/* The line's next candidate; a line nobody could take from is done with. */
static void pass_over(struct waiting_line *item, struct task *next)
{
    item->candidate = next;
    if (!next || !matching_line_open(next)) {
        item->line = NULL;
    }
}

/* A candidate is served, or passed over when its worker was taken meanwhile. Tasks that come back
 * from a worker at once mark themselves and are looked at afterwards. */
static void settle_lines(struct work *work)
{
    struct waiting_lines lines = gather_lines(work);
    struct waiting_line *item = NULL;

    while ((item = first_of_lines(&lines))) {
        struct task *task = item->candidate;
        struct task *next = line_next(task);

        if (matching_find_worker(task, work->now_us)) {
            serve(work, task);
        }
        pass_over(item, next);
    }
}

static bool many_workers(struct work *work)
{
    const struct worker *worker = NULL;
    size_t count = 0;

    TAILQ_FOREACH(worker, &work->engine->dirty_workers, by_dirty)
    {
        if (++count == MANY_WORKERS) {
            return true;
        }
    }
    return false;
}

void settle(struct work *work)
{
    if (many_workers(work)) {
        settle_lines(work);
    }
    for (;;) {
        struct task *task = first_of_tasks(work);
        struct task *wanted = first_of_workers(work);

        if (!task || (wanted && task_before(wanted, task))) {
            task = wanted;
        }
        if (!task) {
            break;
        }
        serve(work, task);
    }
}
