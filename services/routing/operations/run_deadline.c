#include "services/routing/operations/run_deadline.h"

#include <string.h>

#include "services/routing/domain/reservation.h"
#include "services/routing/domain/task.h"
#include "services/routing/operations/bridge_calls.h"
#include "services/routing/operations/reservation_life.h"
#include "services/routing/operations/task_life.h"
#include "services/routing/operations/walk.h"
#include "services/routing/operations/work.h"

static void run_task_state(struct work *work, struct task *task)
{
    switch ((enum task_state)task->row.state) {
    case TASK_PENDING:
    case TASK_RESERVED:
        task_cancel(work, task, "Task TTL Exceeded", "task_canceled");
        break;
    case TASK_ASSIGNED:
        task_system_delete(work, task);
        break;
    case TASK_WRAPPING:
        task_complete(work, task, "wrap_up_timeout");
        break;
    case TASK_COMPLETED:
    case TASK_CANCELED:
    case TASK_STATE_COUNT:
        task_forget(work, task);
        break;
    }
}

/* Nobody answered: the worker seems not to be there (row 59). */
static void run_answer_timeout(struct work *work, struct reservation *reservation)
{
    worker_move(work, reservation->worker, work->engine->row.timeout_activity_id);
    reservation_fail(work, reservation, RESERVATION_TIMED_OUT, "timeout");
}

static void run_reservation(struct work *work, struct reservation *reservation)
{
    if (reservation->row.setup_state != SETUP_NONE) {
        reservation_fail(work, reservation, RESERVATION_CANCELED, "setup_timeout");
    } else {
        run_answer_timeout(work, reservation);
    }
}

static void run_retry(struct work *work, struct reservation *reservation)
{
    deadline_set(&reservation->deadline, 0);
    if (reservation->worker) {
        work_worker_changed(work, reservation->worker);
    }
}

static void run(struct work *work, struct deadline *deadline)
{
    struct record *record = deadline->record;

    switch (deadline->kind) {
    case DEADLINE_TASK_STATE:
        run_task_state(work, (struct task *)record);
        break;
    case DEADLINE_TASK_TARGET:
        walk_target_timed_out(work, (struct task *)record);
        break;
    case DEADLINE_RESERVATION:
        run_reservation(work, (struct reservation *)record);
        break;
    case DEADLINE_RETRY:
        run_retry(work, (struct reservation *)record);
        break;
    case DEADLINE_BRIDGE:
        bridge_calls_lost(work, (struct bridge *)record);
        break;
    case DEADLINE_REQUEST:
        deadline_set(deadline, 0);
        work_delete(work, record);
        break;
    }
}

bool engines_run_deadline(struct engines *engines, struct step *step)
{
    struct deadline *first = RB_MIN(deadline_tree, &engines->deadlines);
    struct work work;
    struct error err;

    if (!first || first->time_us > step->now_us ||
        strcmp(first->engine->workspace_id, step->workspace_id) != 0) {
        return false;
    }
    step->actor = "timer";
    if (!work_begin(&work, engines, engines_find(engines, step->workspace_id), step, &err)) {
        return false;
    }
    run(&work, first);
    work_done(&work);
    step->ok = true;
    return true;
}
