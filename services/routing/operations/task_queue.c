/* Task queues (rows 29 and 30). */
#include <string.h>

#include "common/base/arena.h"
#include "services/routing/domain/expression/expression.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/task.h"
#include "services/routing/domain/worker.h"
#include "services/routing/domain/workflow_document.h"
#include "services/routing/operations/check.h"
#include "services/routing/operations/define.h"

/* The empty text matches nobody: no expression. */
static bool compile(
    struct work *work,
    const char *text,
    struct expression **ret_expression,
    struct error *err)
{
    *ret_expression = NULL;
    if (!text[0]) {
        return true;
    }
    return expression_new(text, EXPRESSION_OF_QUEUE, work->engines->keys, ret_expression, err) ||
           error_in_field(err, "task_queue.target_workers", false);
}

static const char *wanted_expression(const struct create_request *request)
{
    const struct task_queue_row *wanted = request->row;
    const char *text = text_or_empty(wanted->target_workers);
    bool given = (request->given & ROW_MASK(TASK_QUEUE_FIELD_target_workers)) != 0;

    return text[0] || given ? text : "1==1";
}

static bool create_task_queue(
    struct work *work,
    const struct create_request *request,
    struct error *err)
{
    const struct task_queue_row *wanted = request->row;
    CLEANUP(expression_free_at_exit) struct expression *expression = NULL;
    struct task_queue_row row = *wanted;
    struct task_queue *queue = NULL;
    bool repeated = false;

    if (!check_repeated(work, &request->key, "create_task_queue", ROW_TASK_QUEUE, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    row.target_workers = arena_strdup(work->step->arena, wanted_expression(request));
    if (!check_new_id(work, ROW_TASK_QUEUE, request->id, "task_queue_id", err) ||
        !check_name("task_queue.display_name", wanted->display_name, err) ||
        !check_room(work, ROW_TASK_QUEUE, TASK_QUEUES_MAX, err) ||
        !compile(work, row.target_workers, &expression, err)) {
        return false;
    }
    queue = (struct task_queue *)work_create(work, ROW_TASK_QUEUE, &row, request->id);
    queue->expression = STEAL(expression);
    task_queue_gather(work->engine, queue);
    work_tell(
        work, "task-queue.created", &queue->record, "Task queue %s was created.", queue->row.id);
    remember_request(work, &request->key, "create_task_queue", queue->row.id);
    work_reply(work, &queue->record);
    return true;
}
DEFINE_OPERATION(create_task_queue, false)

static void set_expression(
    struct work *work,
    struct task_queue *queue,
    const char *text,
    struct expression *expression)
{
    struct membership *membership = NULL;

    row_set_text(&queue->row.target_workers, text);
    expression_free(queue->expression);
    queue->expression = expression;
    task_queue_gather(work->engine, queue);
    TAILQ_FOREACH(membership, &queue->members, by_member)
    {
        work_worker_changed(work, membership->worker);
    }
    work_tell(
        work, "task-queue.expression.updated", &queue->record,
        "Task queue %s has another expression.", queue->row.id);
}

static bool update_task_queue(
    struct work *work,
    const struct update_request *request,
    struct error *err)
{
    const struct task_queue_row *wanted = request->row;
    CLEANUP(expression_free_at_exit) struct expression *expression = NULL;
    bool renames = (request->mask & ROW_MASK(TASK_QUEUE_FIELD_display_name)) != 0;
    bool targets = (request->mask & ROW_MASK(TASK_QUEUE_FIELD_target_workers)) != 0;
    struct task_queue *queue = NULL;
    bool repeated = false;

    if (!check_repeated(work, &request->key, "update_task_queue", ROW_TASK_QUEUE, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    queue = (struct task_queue *)work_find(work, ROW_TASK_QUEUE, request->id, NULL, err);
    if (!queue || !check_mask(ROW_TASK_QUEUE, request->mask, err) ||
        !check_etag(&queue->record, request->etag, err) ||
        (renames && !check_name("task_queue.display_name", wanted->display_name, err)) ||
        (targets && !compile(work, text_or_empty(wanted->target_workers), &expression, err))) {
        return false;
    }
    work_touch(work, &queue->record);
    if (renames) {
        row_set_text(&queue->row.display_name, wanted->display_name);
        work_tell(
            work, "task-queue.updated", &queue->record, "Task queue %s was renamed.",
            queue->row.id);
    }
    if (targets) {
        set_expression(work, queue, text_or_empty(wanted->target_workers), STEAL(expression));
    }
    remember_request(work, &request->key, "update_task_queue", queue->row.id);
    work_reply(work, &queue->record);
    return true;
}
DEFINE_OPERATION(update_task_queue, false)

static bool names(struct work *work, const struct workflow *workflow, const char *queue_id)
{
    const char *const *ids = NULL;
    size_t count = workflow_document_queues(workflow->document, work->step->arena, &ids);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(ids[i], queue_id) == 0) {
            return true;
        }
    }
    return false;
}

static const struct workflow *workflow_naming(struct work *work, const char *queue_id)
{
    struct record *record = NULL;

    RB_FOREACH(record, record_tree, &work->engine->records[ROW_WORKFLOW])
    {
        if (names(work, (struct workflow *)record, queue_id)) {
            return (struct workflow *)record;
        }
    }
    return NULL;
}

static const struct task *task_in(struct work *work, const char *queue_id)
{
    struct record *record = NULL;

    RB_FOREACH(record, record_tree, &work->engine->records[ROW_TASK])
    {
        const struct task *task = (struct task *)record;

        if (!task_ended(task) && strcmp(task->row.task_queue_id, queue_id) == 0) {
            return task;
        }
    }
    return NULL;
}

static bool delete_task_queue(
    struct work *work,
    const struct delete_request *request,
    struct error *err)
{
    struct task_queue *queue =
        (struct task_queue *)work_find(work, ROW_TASK_QUEUE, request->id, NULL, err);
    const struct workflow *workflow = NULL;
    const struct task *task = NULL;

    if (!queue || !check_etag(&queue->record, request->etag, err)) {
        return false;
    }
    workflow = workflow_naming(work, queue->row.id);
    if (workflow) {
        return FAIL(
            err, REASON_RESOURCE_IN_USE, "workflow %s names task queue %s", workflow->row.id,
            queue->row.id);
    }
    task = task_in(work, queue->row.id);
    if (task) {
        return FAIL(
            err, REASON_RESOURCE_IN_USE, "task %s is in task queue %s", task->row.id,
            queue->row.id);
    }
    work_tell(
        work, "task-queue.deleted", &queue->record, "Task queue %s was deleted.", queue->row.id);
    task_queue_disband(queue);
    work_delete(work, &queue->record);
    return true;
}
DEFINE_OPERATION(delete_task_queue, false)
