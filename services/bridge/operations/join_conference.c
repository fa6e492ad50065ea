/* A worker's phone was answered: when the caller is still there, both go into the conference named
 * after the task. */
#include "common/base/arena.h"
#include "services/bridge/operations/state.h"
#include "services/bridge/operations/step.h"

/* Hangs up on a worker's phone that was answered in vain. */
static void dismiss(
    struct bridge *bridge,
    struct step *step,
    struct leg *leg,
    enum cause cause,
    const char *failure)
{
    struct call *call = leg->call;

    leg_apply(leg, LEG_HANG_UP);
    step_end_leg(step, EFFECT_HANG_UP, leg->number, cause, 0);
    end_leg(bridge, step, leg);
    if (call->worker != leg) {
        return; /* was withdrawn, and that reported, before */
    }
    call->worker = NULL;

    struct report *report = step_report_worker(step, leg, REPORT_WORKER_FAILED);
    struct note *note = step_note_worker(step, leg, NOTE_WORKER_FAILED);

    report->cause = failure;
    report->sip_status = cause_reason(cause)->status;
    note->text = failure;
    note->status = report->sip_status;
}

static void emit_plan(struct step *step, const struct conference *conference)
{
    struct plan_member *members =
        arena_new_array(step->arena, struct plan_member, conference->participant_count);

    for (size_t i = 0; i < conference->participant_count; i++) {
        members[i].leg = conference->participants[i].leg->number;
        members[i].hears = conference->participants[i].hears;
    }

    struct effect *effect = step_emit(step, EFFECT_SET_PLAN, NULL);

    effect->conference = conference->number;
    effect->members = members;
    effect->member_count = conference->participant_count;
}

static void join(struct bridge *bridge, struct step *step, struct leg *worker)
{
    struct call *call = worker->call;
    struct conference *conference =
        conference_new(call->task_id, ++bridge->conference_count_ever, call);

    conference->create_wall_us = step->wall_us;
    bridge_add_conference(bridge, conference);
    call->conference = conference;
    call_apply(call, CALL_JOIN);

    /* Default end rules: when either of them leaves, nobody is to sit in an empty room. */
    (void)conference_join(conference, call->caller, true, step->wall_us);
    (void)conference_join(conference, worker, true, step->wall_us);
    step_emit(step, EFFECT_STOP_PLAYING, call->caller);
    step_emit(step, EFFECT_OPEN_CONFERENCE, NULL)->conference = conference->number;
    emit_plan(step, conference);
    step_report_worker(step, worker, REPORT_WORKER_JOINED);
    step_note_worker(step, worker, NOTE_WORKER_JOINED)->took_us = step->now_us - worker->start_us;
}

void join_answered(
    struct bridge *bridge,
    struct step *step,
    struct leg *leg,
    const struct session_description *answer)
{
    struct call *call = leg->call;

    if (leg->state == LEG_ENDING) {
        dismiss(bridge, step, leg, CAUSE_LEG_WITHDRAWN, "canceled");
        return;
    }
    if (!leg_apply(leg, LEG_ANSWER)) {
        return;
    }
    leg->answer_wall_us = step->wall_us;
    deadlines_clear(&bridge->deadlines, &leg->deadline);
    if (!answer || !session_take_answer(step, leg, answer)) {
        dismiss(bridge, step, leg, CAUSE_CODEC_MISMATCH, "failed");
        return;
    }
    if (call->state != CALL_WAITING || call->worker != leg || !leg_alive(call->caller)) {
        dismiss(bridge, step, leg, CAUSE_CALLER_LEFT, "caller_gone");
        return;
    }
    enqueue_answer_caller(step, call);
    join(bridge, step, leg);
}
