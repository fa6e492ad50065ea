/* resume_workspace and sweep_workspace: what an owner does with a workspace besides its requests.
 */
#include <inttypes.h>

#include "services/routing/domain/limits.h"
#include "services/routing/domain/reservation.h"
#include "services/routing/domain/task.h"
#include "services/routing/matching/matching.h"
#include "services/routing/operations/define.h"
#include "services/routing/operations/requests.h"

enum {
    SWEEP_LIMIT = 10000 /* records of a kind: some milliseconds */
};

static bool move(int64_t *time_us, int64_t gap_us)
{
    if (*time_us) {
        *time_us += gap_us;
    }
    return *time_us != 0;
}

/* TTL and assigned limit are promises about the task's age and stay; a target's time-out, like an
 * offer and wrap-up, gives a worker time, and there was none. */
static bool move_task(struct work *work, struct task *task, int64_t gap_us)
{
    bool moved = false;

    if (task->row.state == TASK_PENDING || task->row.state == TASK_RESERVED) {
        moved = move(&task->row.target_expire_time_us, gap_us);
        move(&task->row.target_start_time_us, moved ? gap_us : 0);
    } else if (task->row.state == TASK_WRAPPING) {
        moved = move(&task->row.expire_time_us, gap_us);
    }
    if (moved) {
        work_touch(work, &task->record);
        task_index(work->engine, task);
    }
    return moved;
}

static bool move_reservation(struct work *work, struct reservation *reservation, int64_t gap_us)
{
    int32_t state = reservation->row.state;

    if ((state != RESERVATION_PENDING && state != RESERVATION_WRAPPING) ||
        !move(&reservation->row.expire_time_us, gap_us)) {
        return false;
    }
    work_touch(work, &reservation->record);
    reservation_index(reservation);
    return true;
}

static size_t move_deadlines(struct work *work, int64_t gap_us)
{
    struct record *record = NULL;
    size_t moved = 0;

    RB_FOREACH(record, record_tree, &work->engine->records[ROW_TASK])
    {
        moved += move_task(work, (struct task *)record, gap_us);
    }
    RB_FOREACH(record, record_tree, &work->engine->records[ROW_RESERVATION])
    {
        moved += move_reservation(work, (struct reservation *)record, gap_us);
    }
    return moved;
}

static bool has_live_call(struct engine *engine, const struct bridge *bridge)
{
    const struct task *task = engine_find_call_after(engine, bridge->row.id, "");

    while (task && !task->row.call_live) {
        task = engine_find_call_after(engine, bridge->row.id, task->row.call_id);
    }
    return task != NULL;
}

/* Every worker who could take something is looked at once. */
static void rematch(struct work *work)
{
    struct record *record = NULL;

    RB_FOREACH(record, record_tree, &work->engine->records[ROW_WORKER])
    {
        work_worker_changed(work, (struct worker *)record);
    }
}

static bool resume_workspace(
    struct work *work,
    const struct resume_request *request,
    struct error *err)
{
    struct record *record = NULL;
    size_t moved = 0;

    (void)err;
    work->actor = "system";
    if (request->gap_us > 0) {
        moved = move_deadlines(work, request->gap_us);
    }
    if (moved) {
        work_tell(
            work, "workspace.resumed", &work->engine->record,
            "%zu deadlines were moved by %" PRId64 " ms, for which the service was away.", moved,
            request->gap_us / 1000);
    }
    RB_FOREACH(record, record_tree, &work->engine->records[ROW_BRIDGE])
    {
        struct bridge *bridge = (struct bridge *)record;

        if (!bridge->attached && has_live_call(work->engine, bridge)) {
            deadline_set(&bridge->deadline, work->now_us + BRIDGE_LEASE_US);
        }
    }
    rematch(work);
    return true;
}
DEFINE_OPERATION(resume_workspace, false)

static bool deadline_due(const struct work *work)
{
    int64_t time_us = 0;
    const char *workspace_id = NULL;

    return engines_next_deadline(work->engines, &time_us, &workspace_id) && time_us <= work->now_us;
}

static bool sweep_workspace(struct work *work, const void *request, struct error *err)
{
    (void)request;
    (void)err;
    work->actor = "system";
    if (deadline_due(work)) {
        return true; /* what it is about to change would look like a fault; the next sweep will do
                      */
    }
    work->step->mended = matching_sweep(work->engine, work->now_us, SWEEP_LIMIT);
    if (work->step->mended) {
        rematch(work);
    }
    return true;
}
DEFINE_OPERATION(sweep_workspace, false)
