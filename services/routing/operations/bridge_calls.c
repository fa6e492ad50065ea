#include "services/routing/operations/bridge_calls.h"

#include "common/base/arena.h"
#include "services/routing/operations/instruct.h"
#include "services/routing/operations/task_life.h"
#include "services/routing/operations/work.h"

void bridge_call_tell(
    struct work *work,
    const struct task *task,
    const struct call_event *call_event,
    const char *sentence)
{
    struct arena *arena = work->step->arena;
    struct event *event = NULL;
    struct event_call *call = arena_new_object(arena, struct event_call);

    *call = (struct event_call){
        .bridge_id = arena_strdup(arena, task->row.bridge_id),
        .call_id = arena_strdup(arena, task->row.call_id),
        .party = arena_strdup(arena, call_event->party),
        .cause = arena_strdup(arena, text_or_empty(call_event->cause)),
        .sip_status = call_event->sip_status,
        .bridge_time_us = call_event->bridge_time_us,
    };
    event = work_tell_task(work, call_event->type, task, "%s", sentence);
    event->call = call;
}

static void tell_end(struct work *work, const struct task *task, const struct call_ending *ending)
{
    struct call_event event = {
        .type = "conference.participant-left",
        .party = "caller",
        .cause = ending->cause,
        .sip_status = ending->sip_status,
        .bridge_time_us = ending->bridge_time_us,
    };

    if (task->row.state == TASK_ASSIGNED) {
        bridge_call_tell(work, task, &event, "The caller left the conference.");
        event.type = "conference.ended";
        event.party = "";
        bridge_call_tell(work, task, &event, "The conference is over.");
    }
    event.type = "call.ended";
    event.party = "caller";
    bridge_call_tell(work, task, &event, "The caller's call is over.");
}

void bridge_call_ended(struct work *work, struct task *task, const struct call_ending *ending)
{
    if (!task->row.call_live) {
        return;
    }
    work_touch(work, &task->record);
    task->row.call_live = false;
    tell_end(work, task, ending);
    if (task->row.state == TASK_PENDING || task->row.state == TASK_RESERVED) {
        task_cancel(work, task, ending->reason, ending->reason);
    } else if (task->row.state == TASK_ASSIGNED) {
        task_wrap_up(work, task, ending->reason);
    }
}

void bridge_calls_lost(struct work *work, struct bridge *bridge)
{
    static const struct call_ending lost = {.cause = "bridge_lost", .reason = "bridge_lost"};
    struct task *task = NULL;

    bridge->attached = false;
    deadline_set(&bridge->deadline, 0);
    for (task = engine_find_call_after(work->engine, bridge->row.id, ""); task;
         task = engine_find_call_after(work->engine, bridge->row.id, task->row.call_id)) {
        bridge_call_ended(work, task, &lost);
    }
    drop_instructions(work, bridge, INT64_MAX);
}
