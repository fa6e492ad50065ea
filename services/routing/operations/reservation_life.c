#include "services/routing/operations/reservation_life.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/value/value.h"
#include "services/routing/domain/describe.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/reservation.h"
#include "services/routing/domain/task.h"
#include "services/routing/domain/worker.h"
#include "services/routing/operations/instruct.h"
#include "services/routing/operations/task_life.h"
#include "services/routing/operations/walk.h"
#include "services/routing/operations/work.h"

const char *reservation_contact_uri(const struct reservation *reservation)
{
    const struct value *contact = value_get_named(reservation->worker->attributes, "contact_uri");

    return contact->type == VALUE_TEXT && contact->count ? contact->text : NULL;
}

/* The worker's load, and what expressions read of it, have changed. */
static void load_changed(struct work *work, struct reservation *reservation)
{
    reservation_index(reservation);
    work_worker_changed(work, reservation->worker);
}

static struct reservation *begin(struct work *work, struct task *task, struct worker *worker)
{
    struct arena *arena = work->step->arena;
    struct reservation_row *row = row_new(ROW_RESERVATION, arena);
    struct reservation *reservation = NULL;

    row->task_id = arena_strdup(arena, task->row.id);
    row->worker_id = arena_strdup(arena, worker->row.id);
    row->task_channel_id = arena_strdup(arena, task->row.task_channel_id);
    reservation_row_begin(row);
    row->expire_time_us = work->now_us + task->workflow->row.task_reservation_timeout_us;
    reservation = (struct reservation *)work_create(work, ROW_RESERVATION, row, NULL);
    reservation_link(reservation, task, worker);
    load_changed(work, reservation);
    return reservation;
}

static void run_default_instruction(struct work *work, struct reservation *reservation)
{
    if (reservation->task->workflow->row.default_instruction != DEFAULT_INSTRUCTION_ACCEPT) {
        return;
    }
    if (reservation->task->row.call_live && !reservation_contact_uri(reservation)) {
        reservation_fail(work, reservation, RESERVATION_CANCELED, "contact_missing");
        return;
    }
    reservation_take(work, reservation);
}

void reservation_make(struct work *work, struct task *task, struct worker *worker)
{
    struct reservation *reservation = NULL;

    work_touch(work, &task->record);
    task_enter(task, TASK_RESERVED, task->row.expire_time_us);
    task->row.assignment_count++;
    work_forget_task(work, task);
    task_index(work->engine, task);
    reservation = begin(work, task, worker);
    work_tell_reservation(
        work, "reservation.created", reservation, "Task %s is offered to worker %s.", task->row.id,
        worker->row.id);
    run_default_instruction(work, reservation);
}

void reservation_take(struct work *work, struct reservation *reservation)
{
    if (!reservation->task->row.call_live) {
        reservation_accept(work, reservation);
        return;
    }
    work_touch(work, &reservation->record);
    reservation_set_up(
        reservation, SETUP_DIALING, work->now_us + RING_TIMEOUT_US + SETUP_MARGIN_US);
    reservation_index(reservation);
    instruct_dial_worker(work, reservation, reservation_contact_uri(reservation));
    work_tell_reservation(
        work, "reservation.set-up", reservation, "Worker %s is dialled for task %s.",
        reservation->row.worker_id, reservation->row.task_id);
}

void reservation_accept(struct work *work, struct reservation *reservation)
{
    struct worker *worker = reservation->worker;

    task_assign(work, reservation->task);
    work_touch(work, &reservation->record);
    reservation_enter(reservation, RESERVATION_ACCEPTED, reservation->task->row.expire_time_us);
    work_touch(work, &worker->record);
    worker->row.last_assignment_time_us = work->now_us;
    load_changed(work, reservation);
    work_tell_reservation(
        work, "reservation.accepted", reservation, "Worker %s has task %s.", worker->row.id,
        reservation->row.task_id);
}

static const char *fail_event(enum reservation_state state)
{
    switch ((int)state) {
    case RESERVATION_REJECTED:
        return "reservation.rejected";
    case RESERVATION_TIMED_OUT:
        return "reservation.timeout";
    default:
        return "reservation.canceled";
    }
}

static void finish(
    struct work *work,
    struct reservation *reservation,
    enum reservation_state state,
    const char *reason)
{
    work_touch(work, &reservation->record);
    reservation_enter(reservation, state, 0);
    row_set_text(&reservation->row.reason, reason);
    load_changed(work, reservation);
}

void reservation_fail_at_bridge(
    struct work *work,
    struct reservation *reservation,
    enum reservation_state state,
    const char *reason)
{
    struct task *task = reservation->task;

    finish(work, reservation, state, reason);
    task_return(work, task);
    work_tell_reservation(
        work, fail_event(state), reservation, "Worker %s did not take task %s: %s.",
        reservation->row.worker_id, task->row.id, reason);
    if (task->row.assignment_count >= ASSIGNMENT_COUNT_MAX) {
        task_cancel(work, task, "assignment_count_exceeded", "task_canceled");
    } else {
        walk_on(work, task);
    }
}

static void stop_dialling(struct work *work, struct reservation *reservation, const char *reason)
{
    if (reservation->row.setup_state != SETUP_NONE) {
        instruct_release_worker(work, reservation, reason);
    }
}

void reservation_fail(
    struct work *work,
    struct reservation *reservation,
    enum reservation_state state,
    const char *reason)
{
    stop_dialling(work, reservation, reason);
    reservation_fail_at_bridge(work, reservation, state, reason);
}

void reservation_withdraw(struct work *work, struct reservation *reservation, const char *reason)
{
    stop_dialling(work, reservation, reason);
    finish(work, reservation, RESERVATION_CANCELED, reason);
    work_tell_reservation(
        work, "reservation.canceled", reservation, "Task %s is withdrawn from worker %s: %s.",
        reservation->row.task_id, reservation->row.worker_id, reason);
}

void reservation_wrap_up(struct work *work, struct reservation *reservation, int64_t expire_time_us)
{
    work_touch(work, &reservation->record);
    reservation_enter(reservation, RESERVATION_WRAPPING, expire_time_us);
    load_changed(work, reservation);
    work_tell_reservation(
        work, "reservation.wrapup", reservation, "Worker %s wraps up task %s.",
        reservation->row.worker_id, reservation->row.task_id);
}

void reservation_complete(struct work *work, struct reservation *reservation)
{
    work_touch(work, &reservation->record);
    reservation_enter(reservation, RESERVATION_COMPLETED, 0);
    load_changed(work, reservation);
    work_tell_reservation(
        work, "reservation.completed", reservation, "Worker %s is done with task %s.",
        reservation->row.worker_id, reservation->row.task_id);
}

void reservation_forget(struct work *work, struct reservation *reservation)
{
    reservation_unlink(reservation);
    work_delete(work, &reservation->record);
}

void worker_move(struct work *work, struct worker *worker, const char *activity_id)
{
    struct event *event = NULL;
    const struct activity *former = worker->activity;

    if (strcmp(activity_id, worker->row.activity_id) == 0) {
        return;
    }
    work_touch(work, &worker->record);
    row_set_text(&worker->row.activity_id, activity_id);
    worker->row.activity_change_time_us = work->now_us;
    worker_link_activity(work->engine, worker);
    work_worker_changed(work, worker);
    event = work_tell(
        work, "worker.activity.update", &worker->record, "Worker %s went from %s to %s.",
        worker->row.id, former->row.display_name, worker->activity->row.display_name);
    event->former_activity = describe_for_event(&former->record, work->step->arena);
}
