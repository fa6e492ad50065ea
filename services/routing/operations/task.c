/* Tasks (rows 39 to 56): create, update, delete and the verbs. */
#include "services/routing/domain/task.h"

#include <string.h>

#include "common/base/arena.h"
#include "common/value/value.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/line.h"
#include "services/routing/domain/object.h"
#include "services/routing/operations/check.h"
#include "services/routing/operations/define.h"
#include "services/routing/operations/settle.h"
#include "services/routing/operations/task_life.h"

/* The one that is named, or the only one there is. */
static const struct workflow *choose_workflow(
    struct work *work,
    const char *workflow_id,
    struct error *err)
{
    struct record_tree *workflows = &work->engine->records[ROW_WORKFLOW];

    if (workflow_id[0]) {
        return (struct workflow *)work_find(work, ROW_WORKFLOW, workflow_id, "task.workflow", err);
    }
    if (work->engine->counts[ROW_WORKFLOW] != 1) {
        FAIL_FIELD(
            err, REASON_FIELD_REQUIRED, "task.workflow",
            "task.workflow is required: the workspace has %zu workflows",
            work->engine->counts[ROW_WORKFLOW]);
        return NULL;
    }
    return (struct workflow *)RB_MIN(record_tree, workflows);
}

static bool check_virtual_start_time(const struct work *work, int64_t time_us, struct error *err)
{
    if (time_us > work->now_us) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, "task.virtual_start_time",
            "task.virtual_start_time must not be in the future");
    }
    if (time_us < VIRTUAL_START_TIME_MIN_US) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, "task.virtual_start_time",
            "task.virtual_start_time must not be before 1900");
    }
    return true;
}

static bool check_priority(int32_t priority, struct error *err)
{
    return check_range("task.priority", priority, 0, INT32_MAX, err);
}

static bool check_create(
    struct work *work,
    const struct create_request *request,
    struct task_row *row,
    struct error *err)
{
    bool has_ttl = (request->given & ROW_MASK(TASK_FIELD_ttl_us)) != 0 || row->ttl_us != 0;
    const struct workflow *workflow = NULL;

    if (!check_new_id(work, ROW_TASK, request->id, "task_id", err) ||
        !check_priority(row->priority, err) ||
        !check_virtual_start_time(work, row->virtual_start_time_us, err) ||
        (has_ttl && !check_duration("task.ttl", row->ttl_us, TASK_TTL_MAX_US, err)) ||
        !check_room(work, ROW_TASK, TASKS_MAX, err)) {
        return false;
    }
    workflow = choose_workflow(work, row->workflow_id, err);
    if (!workflow ||
        !work_find(work, ROW_TASK_CHANNEL, row->task_channel_id, "task.task_channel", err)) {
        return false;
    }
    row->workflow_id = arena_strdup(work->step->arena, workflow->row.id);
    row->ttl_us = has_ttl ? row->ttl_us : TASK_TTL_DEFAULT_US;
    return true;
}

/* What the client gave, and nothing that is output only. */
static struct task_row *read_task(struct work *work, const struct task_row *wanted)
{
    struct arena *arena = work->step->arena;
    struct task_row *row = row_new(ROW_TASK, arena);
    const char *attributes = text_or_empty(wanted->attributes);
    const char *channel_id = text_or_empty(wanted->task_channel_id);

    row->workflow_id = arena_strdup(arena, text_or_empty(wanted->workflow_id));
    row->task_channel_id = arena_strdup(arena, channel_id[0] ? channel_id : "default");
    row->attributes = arena_strdup(arena, attributes[0] ? attributes : "{}");
    row->priority = wanted->priority;
    row->ttl_us = wanted->ttl_us;
    row->virtual_start_time_us = wanted->virtual_start_time_us;
    return row;
}

static bool create_task(struct work *work, const struct create_request *request, struct error *err)
{
    const struct task_row *wanted = request->row;
    struct task_row *row = NULL;
    struct task *task = NULL;
    bool repeated = false;

    if (!check_repeated(work, &request->key, "create_task", ROW_TASK, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    if (!check_attributes("task.attributes", wanted->attributes, request->json, err)) {
        return false;
    }
    row = read_task(work, wanted);
    if (!check_create(work, request, row, err)) {
        return false;
    }
    task = task_begin(work, row, request->id, request->json);
    task_start(work, task);
    remember_request(work, &request->key, "create_task", task->row.id);
    settle(work); /* so that the reply shows a reservation that was made at once */
    work_reply(work, &task->record);
    return true;
}
DEFINE_OPERATION(create_task, false)

static bool check_update(
    struct work *work,
    const struct task *task,
    const struct update_request *request,
    struct error *err)
{
    const struct task_row *wanted = request->row;
    uint64_t mask = request->mask;

    if (!check_mask(ROW_TASK, mask, err) || !check_etag(&task->record, request->etag, err)) {
        return false;
    }
    if (task_ended(task)) {
        return FAIL(
            err, REASON_STATE_FORBIDS, "task %s cannot be updated because it is %s", task->row.id,
            task_state_name((enum task_state)task->row.state));
    }
    return (!(mask & ROW_MASK(TASK_FIELD_attributes)) ||
            check_attributes("task.attributes", wanted->attributes, request->json, err)) &&
           (!(mask & ROW_MASK(TASK_FIELD_priority)) || check_priority(wanted->priority, err)) &&
           (!(mask & ROW_MASK(TASK_FIELD_ttl_us)) ||
            check_duration("task.ttl", wanted->ttl_us, TASK_TTL_MAX_US, err)) &&
           (!(mask & ROW_MASK(TASK_FIELD_virtual_start_time_us)) ||
            check_virtual_start_time(work, wanted->virtual_start_time_us, err));
}

static void set_fields(struct task *task, const struct update_request *request)
{
    const struct task_row *wanted = request->row;
    uint64_t mask = request->mask;

    if (mask & ROW_MASK(TASK_FIELD_attributes)) {
        const char *text = text_or_empty(wanted->attributes);

        row_set_text(&task->row.attributes, text[0] ? text : "{}");
        value_free(task->attributes);
        task->attributes = attributes_copy(text[0] ? request->json : NULL);
    }
    if (mask & ROW_MASK(TASK_FIELD_priority)) {
        task->row.priority = wanted->priority;
    }
    if (mask & ROW_MASK(TASK_FIELD_virtual_start_time_us)) {
        /* Unset: back to the creation time. */
        task->row.virtual_start_time_us = wanted->virtual_start_time_us
                                              ? wanted->virtual_start_time_us
                                              : task->row.create_time_us;
    }
    if (mask & ROW_MASK(TASK_FIELD_ttl_us)) {
        task->row.ttl_us = wanted->ttl_us;
        if (task->row.state == TASK_PENDING || task->row.state == TASK_RESERVED) {
            task->row.expire_time_us = task_wait_expire_time_us(task);
        }
    }
}

static bool update_task(struct work *work, const struct update_request *request, struct error *err)
{
    struct task *task = NULL;
    bool repeated = false;

    if (!check_repeated(work, &request->key, "update_task", ROW_TASK, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    task = (struct task *)work_find(work, ROW_TASK, request->id, NULL, err);
    if (!task || !check_update(work, task, request, err)) {
        return false;
    }
    work_touch(work, &task->record);
    work_forget_task(work, task);
    line_leave(task);
    set_fields(task, request);
    work_task_changed(work, task);
    work_tell_task(work, "task.updated", task, "Task %s was changed.", task->row.id);
    remember_request(work, &request->key, "update_task", task->row.id);
    settle(work);
    work_reply(work, &task->record);
    return true;
}
DEFINE_OPERATION(update_task, false)

static bool delete_task(struct work *work, const struct delete_request *request, struct error *err)
{
    struct task *task = (struct task *)work_find(work, ROW_TASK, request->id, NULL, err);

    if (!task || !check_etag(&task->record, request->etag, err)) {
        return false;
    }
    task_delete(work, task);
    return true;
}
DEFINE_OPERATION(delete_task, false)

/* The task, when its etag is right and its state may become `state`. */
static struct task *find_for_verb(
    struct work *work,
    const struct task_verb_request *request,
    enum task_state state,
    const char *verb,
    struct error *err)
{
    struct task *task = (struct task *)work_find(work, ROW_TASK, request->id, NULL, err);

    if (!task || !check_etag(&task->record, request->etag, err) ||
        !check_length("reason", request->reason, REASON_CHARACTERS_MAX, err)) {
        return NULL;
    }
    if (!task_state_can_become((enum task_state)task->row.state, state)) {
        FAIL(
            err, REASON_STATE_FORBIDS, "task %s cannot be %s because it is %s", task->row.id, verb,
            task_state_name((enum task_state)task->row.state));
        return NULL;
    }
    return task;
}

static bool cancel_task(
    struct work *work,
    const struct task_verb_request *request,
    struct error *err)
{
    struct task *task = find_for_verb(work, request, TASK_CANCELED, "canceled", err);

    if (!task) {
        return false;
    }
    task_cancel(work, task, text_or_empty(request->reason), "task_canceled");
    work_reply(work, &task->record);
    return true;
}
DEFINE_OPERATION(cancel_task, false)

static bool wrap_up_task(
    struct work *work,
    const struct task_verb_request *request,
    struct error *err)
{
    struct task *task = find_for_verb(work, request, TASK_WRAPPING, "wrapped up", err);

    if (!task) {
        return false;
    }
    task_wrap_up(work, task, text_or_empty(request->reason));
    work_reply(work, &task->record);
    return true;
}
DEFINE_OPERATION(wrap_up_task, false)

static bool complete_task(
    struct work *work,
    const struct task_verb_request *request,
    struct error *err)
{
    struct task *task = find_for_verb(work, request, TASK_COMPLETED, "completed", err);

    if (!task) {
        return false;
    }
    task_complete(work, task, text_or_empty(request->reason));
    work_reply(work, &task->record);
    return true;
}
DEFINE_OPERATION(complete_task, false)
