#include "services/routing/operations/walk.h"

#include <inttypes.h>
#include <string.h>

#include "services/routing/domain/line.h"
#include "services/routing/domain/task.h"
#include "services/routing/domain/worker.h"
#include "services/routing/domain/workflow_document.h"
#include "services/routing/matching/matching.h"
#include "services/routing/operations/task_life.h"
#include "services/routing/operations/work.h"

enum leaving {
    LEAVING_TIMED_OUT,
    LEAVING_SKIPPED,
};

/* Enters a filter: its first target, and its clock starts. */
static void enter_filter(struct work *work, struct task *task, int32_t filter)
{
    work_touch(work, &task->record);
    task->row.filter_index = filter;
    task->row.target_index = 0;
    task->row.target_start_time_us = work->now_us;
}

/* Moves to the place that follows; false at the end of the workflow. The default filter is for
 * tasks that no filter took: not for those that timed out of one (reference 4.3). */
static bool take_next_place(struct work *work, struct task *task, enum leaving leaving)
{
    const struct workflow_document *document = task->workflow->document;
    int32_t filter = task->row.filter_index;
    size_t next = 0;

    if (filter < 0) {
        return false;
    }
    if ((size_t)task->row.target_index + 1 < document->filters[filter].target_count) {
        task->row.target_index++;
        work_touch(work, &task->record);
        return true;
    }
    next = workflow_document_match(document, (size_t)filter + 1, task->attributes);
    if (next < document->filter_count) {
        enter_filter(work, task, (int32_t)next);
        return true;
    }
    if (leaving == LEAVING_SKIPPED && document->default_target) {
        enter_filter(work, task, TASK_FILTER_DEFAULT);
        return true;
    }
    return false;
}

static void enter_queue(struct work *work, struct task *task, const char *former_id)
{
    const char *queue_id = task->row.task_queue_id;

    if (former_id[0]) {
        work_tell_task(
            work, "task-queue.moved", task, "Task %s moved from queue %s to queue %s.",
            task->row.id, former_id, queue_id);
    }
    task->row.task_queue_enter_time_us = work->now_us;
    work_tell_task(
        work, "task-queue.entered", task, "Task %s entered queue %s.", task->row.id, queue_id);
}

static void set_target_clock(struct task *task, const struct workflow_target *target)
{
    task->row.target_expire_time_us =
        target->deadline_us ? task->row.target_start_time_us + target->deadline_us : 0;
}

/* Settles the task in the target where it stands now. */
static void enter_target(struct work *work, struct task *task)
{
    const struct workflow_target *target = task_target(task);
    const char *filter = task_filter_name(task);
    char former_id[64] = "";
    bool moves = strcmp(task->row.task_queue_id, target->queue_id) != 0;

    work_touch(work, &task->record);
    line_leave(task);
    if (moves) {
        strncpy(former_id, task->row.task_queue_id, sizeof(former_id) - 1);
        row_set_text(&task->row.task_queue_id, target->queue_id);
    }
    if (target->has_priority) {
        task->row.priority = target->priority;
    }
    set_target_clock(task, target);
    work_tell_task(
        work, "workflow.target-matched", task,
        "Task %s is in target %" PRId32 " of filter %s of workflow %s.", task->row.id,
        task->row.target_index, filter[0] ? filter : "(unnamed)", task->row.workflow_id);
    if (moves) {
        enter_queue(work, task, former_id);
    }
    work_task_changed(work, task);
}

/* Whether the task may not stay in the target it has just entered, and why. */
static bool must_leave(struct work *work, struct task *task, enum leaving *ret_leaving)
{
    const struct workflow_target *target = task_target(task);
    struct expression_subject subject;

    if (task->row.target_expire_time_us && task->row.target_expire_time_us <= work->now_us) {
        *ret_leaving = LEAVING_TIMED_OUT;
        return true;
    }
    if (!target->skip_if || !task->line || matching_find_worker(task, work->now_us)) {
        return false;
    }
    subject = task_queue_subject(task->line->queue, task);
    *ret_leaving = LEAVING_SKIPPED;
    return expression_matches(target->skip_if, &subject);
}

static void end_of_workflow(struct work *work, struct task *task, enum leaving leaving)
{
    bool timed_out = leaving == LEAVING_TIMED_OUT;

    work_tell_task(
        work, timed_out ? "workflow.timeout" : "workflow.skipped", task,
        "Task %s came to the end of workflow %s: %s.", task->row.id, task->row.workflow_id,
        timed_out ? "it was not assigned in time" : "no target takes it");
    task_cancel(work, task, timed_out ? "workflow.timeout" : "workflow.skipped", "task_canceled");
}

/* From the place the task has taken on, until it may stay somewhere. Each round moves it forward in
 * the document, so this ends. */
static void settle_in(struct work *work, struct task *task)
{
    enum leaving leaving = LEAVING_SKIPPED;

    enter_target(work, task);
    while (must_leave(work, task, &leaving)) {
        if (!take_next_place(work, task, leaving)) {
            end_of_workflow(work, task, leaving);
            return;
        }
        enter_target(work, task);
    }
}

void walk_from_top(struct work *work, struct task *task)
{
    const struct workflow_document *document = task->workflow->document;
    size_t filter = workflow_document_match(document, 0, task->attributes);

    work_tell_task(
        work, "workflow.entered", task, "Task %s entered workflow %s.", task->row.id,
        task->row.workflow_id);
    if (filter < document->filter_count) {
        enter_filter(work, task, (int32_t)filter);
    } else if (document->default_target) {
        enter_filter(work, task, TASK_FILTER_DEFAULT);
    } else {
        end_of_workflow(work, task, LEAVING_SKIPPED);
        return;
    }
    settle_in(work, task);
}

static void leave_target(struct work *work, struct task *task)
{
    work_tell_task(
        work, "task-queue.timeout", task,
        "Task %s waited in queue %s until its target's time was over.", task->row.id,
        task->row.task_queue_id);
    if (take_next_place(work, task, LEAVING_TIMED_OUT)) {
        settle_in(work, task);
    } else {
        end_of_workflow(work, task, LEAVING_TIMED_OUT);
    }
}

void walk_on(struct work *work, struct task *task)
{
    const struct workflow_target *target = task_target(task);

    if (!target) {
        walk_from_top(work, task);
        return;
    }
    if (strcmp(target->queue_id, task->row.task_queue_id) != 0) {
        settle_in(work, task); /* the document has changed meanwhile */
        return;
    }
    set_target_clock(task, target);
    if (task->row.target_expire_time_us && task->row.target_expire_time_us <= work->now_us) {
        leave_target(work, task);
    } else {
        work_task_changed(work, task);
    }
}

void walk_target_timed_out(struct work *work, struct task *task)
{
    line_leave(task);
    leave_target(work, task);
}

void walk_leave_lines(struct work *work, struct workflow *workflow)
{
    struct record *record = NULL;

    RB_FOREACH(record, record_tree, &work->engine->records[ROW_TASK])
    {
        struct task *task = (struct task *)record;

        if (task->workflow == workflow && task->line) {
            line_leave(task);
            work_forget_task(work, task);
        }
    }
}

void walk_new_document(struct work *work, struct workflow *workflow)
{
    struct record *record = NULL;
    struct record *next = NULL;

    RB_FOREACH_SAFE(record, record_tree, &work->engine->records[ROW_TASK], next)
    {
        struct task *task = (struct task *)record;

        if (task->workflow != workflow || task->row.state != TASK_PENDING) {
            continue;
        }
        if (task_target(task)) {
            settle_in(work, task);
        } else {
            walk_from_top(work, task);
        }
    }
}
