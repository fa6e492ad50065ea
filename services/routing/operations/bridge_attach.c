/* A bridge comes, acknowledges, and is lost: attach_bridge, ack_instructions, lose_bridge. */
#include <string.h>

#include "common/base/arena.h"
#include "services/routing/domain/reservation.h"
#include "services/routing/domain/task.h"
#include "services/routing/operations/bridge_calls.h"
#include "services/routing/operations/define.h"
#include "services/routing/operations/instruct.h"
#include "services/routing/operations/requests.h"

static bool holds(const struct attach_bridge_request *request, const char *call_id)
{
    for (size_t i = 0; i < request->call_count; i++) {
        if (strcmp(request->calls[i].call_id, call_id) == 0) {
            return true;
        }
    }
    return false;
}

/* Calls the bridge no longer has. After its restart those of before are gone, whatever their ids.
 */
static void end_gone_calls(
    struct work *work,
    const struct attach_bridge_request *request,
    bool restarted)
{
    const struct call_ending gone = {
        .cause = restarted ? "bridge_restarted" : "gone",
        .reason = restarted ? "bridge_lost" : "caller_gone",
    };
    struct task *task = NULL;

    for (task = engine_find_call_after(work->engine, request->bridge_id, ""); task;
         task = engine_find_call_after(work->engine, request->bridge_id, task->row.call_id)) {
        if (restarted || !holds(request, task->row.call_id)) {
            bridge_call_ended(work, task, &gone);
        }
    }
}

static void check_reservation(
    struct work *work,
    const struct attach_bridge_request *request,
    const struct bridge_call *call)
{
    const struct reservation *reservation = NULL;

    if (!text_or_empty(call->reservation_id)[0]) {
        return;
    }
    reservation = engine_find_reservation(work->engine, call->reservation_id);
    if (!reservation || !reservation_live(reservation)) {
        instruct_release_unknown_worker(
            work, request->bridge_id, call->call_id, call->reservation_id);
    }
}

/* A call without a task is fine as long as the bridge knows of none: its report is on the way. */
static void reconcile_call(
    struct work *work,
    const struct attach_bridge_request *request,
    const struct bridge_call *call)
{
    const struct task *task =
        engine_find_task_of_call(work->engine, request->bridge_id, call->call_id);

    if (!task && !text_or_empty(call->task_id)[0]) {
        return;
    }
    if (!task || task_ended(task) || !task->row.call_live) {
        instruct_release_unknown_call(
            work, request->bridge_id, call->call_id, task ? "bridge_lost" : "task_deleted", 0);
        return;
    }
    check_reservation(work, request, call);
}

static void resend(struct work *work, const struct bridge *bridge)
{
    const struct instruction *instruction = NULL;

    TAILQ_FOREACH(instruction, &bridge->instructions, by_number)
    {
        struct effect *effect = step_add_effect(work->step, EFFECT_INSTRUCTION);

        effect->instruction = row_copy(ROW_INSTRUCTION, &instruction->row, work->step->arena);
    }
}

static void acknowledge(struct work *work, const struct bridge *bridge)
{
    struct effect *effect = step_add_effect(work->step, EFFECT_REPORT_ACK);

    work_depends(work, &bridge->record);
    effect->bridge_id = arena_strdup(work->step->arena, bridge->row.id);
    effect->report_number = bridge->row.last_report_number;
}

static bool attach_bridge(
    struct work *work,
    const struct attach_bridge_request *request,
    struct error *err)
{
    struct bridge *bridge = engine_find_bridge(work->engine, request->bridge_id);
    bool changed = false;
    bool restarted = false;

    (void)err;
    work_depends_on_all(work);
    if (!bridge && request->call_count == 0) {
        return true;
    }
    work->actor = "bridge";
    bridge = bridge_obtain(work, request->bridge_id);
    bridge_heard(bridge);
    acknowledge(work, bridge);
    changed = strcmp(bridge->row.incarnation, request->incarnation) != 0;
    /* A bridge that attached before it had anything to do here has left no incarnation. */
    restarted = changed && bridge->row.incarnation[0];
    if (changed) {
        work_touch(work, &bridge->record);
        row_set_text(&bridge->row.incarnation, request->incarnation);
    }
    if (restarted) {
        drop_instructions(work, bridge, INT64_MAX);
    }
    resend(work, bridge);
    end_gone_calls(work, request, restarted);
    for (size_t i = 0; i < request->call_count; i++) {
        reconcile_call(work, request, &request->calls[i]);
    }
    return true;
}
DEFINE_OPERATION(attach_bridge, false)

static bool ack_instructions(
    struct work *work,
    const struct ack_instructions_request *request,
    struct error *err)
{
    struct bridge *bridge = engine_find_bridge(work->engine, request->bridge_id);

    (void)err;
    if (bridge) {
        drop_instructions(work, bridge, request->number);
    }
    return true;
}
DEFINE_OPERATION(ack_instructions, false)

static bool lose_bridge(
    struct work *work,
    const struct lose_bridge_request *request,
    struct error *err)
{
    struct bridge *bridge = engine_find_bridge(work->engine, request->bridge_id);

    (void)err;
    if (bridge) {
        work->actor = "bridge";
        bridge_calls_lost(work, bridge);
    }
    return true;
}
DEFINE_OPERATION(lose_bridge, false)
