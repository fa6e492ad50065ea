#include "services/routing/operations/task_life.h"

#include <assert.h>

#include "common/value/value.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/line.h"
#include "services/routing/domain/object.h"
#include "services/routing/domain/reservation.h"
#include "services/routing/domain/task.h"
#include "services/routing/operations/instruct.h"
#include "services/routing/operations/reservation_life.h"
#include "services/routing/operations/walk.h"
#include "services/routing/operations/work.h"

int64_t task_wait_expire_time_us(const struct task *task)
{
    return task->row.call_live ? 0 : task->row.create_time_us + task->row.ttl_us;
}

struct task *task_begin(
    struct work *work,
    struct task_row *row,
    const char *id,
    const struct value *attributes)
{
    struct task *task = NULL;

    task_row_begin(row);
    if (!row->virtual_start_time_us) {
        row->virtual_start_time_us = work->now_us;
    }
    task = (struct task *)work_create(work, ROW_TASK, row, id);
    task->attributes = attributes_copy(attributes);
    task->workflow = engine_find_workflow(work->engine, task->row.workflow_id);
    task->channel = engine_find_task_channel(work->engine, task->row.task_channel_id);
    task->workflow->live_task_count++;
    task->channel->task_count++;
    task->row.expire_time_us = task_wait_expire_time_us(task);
    work_tell_task(work, "task.created", task, "Task %s was created.", task->row.id);
    return task;
}

void task_start(struct work *work, struct task *task)
{
    walk_from_top(work, task);
}

/* What COMPLETED and CANCELED have in common. */
static void end(struct work *work, struct task *task, enum task_state state, const char *reason)
{
    struct reservation *reservation = NULL;

    work_touch(work, &task->record);
    task_enter(task, state, work->now_us + TASK_RETENTION_US);
    if (reason[0]) { /* else the reason of its wrap-up, where it had one, stays */
        row_set_text(&task->row.reason, reason);
    }
    task->row.target_expire_time_us = 0;
    task->workflow->live_task_count--;
    work_forget_task(work, task);
    task_index(work->engine, task);
    TAILQ_FOREACH(reservation, &task->reservations, by_task)
    {
        reservation_index(reservation); /* nobody needs to wait for a second try any more */
    }
}

void task_cancel(struct work *work, struct task *task, const char *reason, const char *withdrawal)
{
    struct reservation *live = task_live_reservation(task);

    end(work, task, TASK_CANCELED, reason);
    if (live) {
        reservation_withdraw(work, live, withdrawal);
    }
    work_tell_task(
        work, "task.canceled", task, "Task %s was canceled: %s.", task->row.id,
        reason[0] ? reason : "no reason was given");
    instruct_release_call(work, task, "task_canceled");
}

void task_return(struct work *work, struct task *task)
{
    work_touch(work, &task->record);
    task_enter(task, TASK_PENDING, task_wait_expire_time_us(task));
}

void task_assign(struct work *work, struct task *task)
{
    work_touch(work, &task->record);
    /* A call's task ends with its leg, not by the clock. */
    task_enter(task, TASK_ASSIGNED, task->row.call_live ? 0 : work->now_us + TASK_ASSIGNED_MAX_US);
    task_index(work->engine, task);
}

void task_wrap_up(struct work *work, struct task *task, const char *reason)
{
    struct reservation *live = task_live_reservation(task);
    int64_t expire_time_us = work->now_us + task->workflow->row.wrap_up_timeout_us;

    work_touch(work, &task->record);
    task_enter(task, TASK_WRAPPING, expire_time_us);
    if (reason[0]) {
        row_set_text(&task->row.reason, reason);
    }
    task_index(work->engine, task);
    reservation_wrap_up(work, live, expire_time_us);
    work_tell_task(
        work, "task.wrapup", task, "Task %s is being wrapped up%s%s.", task->row.id,
        reason[0] ? ": " : "", reason);
}

void task_complete(struct work *work, struct task *task, const char *reason)
{
    struct reservation *live = task_live_reservation(task);

    end(work, task, TASK_COMPLETED, reason);
    reservation_complete(work, live);
    work_tell_task(
        work, "task.completed", task, "Task %s was completed%s%s.", task->row.id,
        reason[0] ? ": " : "", reason);
    instruct_release_call(work, task, "task_completed");
}

void task_forget(struct work *work, struct task *task)
{
    struct reservation *reservation = NULL;

    while ((reservation = TAILQ_FIRST(&task->reservations))) {
        reservation_forget(work, reservation);
    }
    if (!task_ended(task)) {
        task->workflow->live_task_count--;
    }
    task->channel->task_count--;
    work_forget_task(work, task);
    task_unindex(task);
    work_delete(work, &task->record);
}

static void release_everyone(struct work *work, struct task *task)
{
    struct reservation *live = task_live_reservation(task);

    if (live && live->row.state == RESERVATION_PENDING) {
        reservation_withdraw(work, live, "task_deleted");
    } else if (live) {
        reservation_complete(work, live);
    }
    if (!task_ended(task)) {
        instruct_release_call(work, task, "task_deleted");
    }
}

void task_delete(struct work *work, struct task *task)
{
    release_everyone(work, task);
    work_tell_task(work, "task.deleted", task, "Task %s was deleted.", task->row.id);
    task_forget(work, task);
}

void task_system_delete(struct work *work, struct task *task)
{
    release_everyone(work, task);
    work_tell_task(
        work, "task.system-deleted", task, "Task %s was assigned for 24 hours and is removed.",
        task->row.id);
    task_forget(work, task);
}
