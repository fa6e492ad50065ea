/* A call ends, at whatever moment and by whomever: the worker is let go first, then the caller; the
 * routing service is told last, once. CALL_ENDED says the end of the worker's part, too: a report
 * that the worker failed would make it look for another one for a caller who is gone. */
#include <string.h>

#include "common/base/arena.h"
#include "services/bridge/operations/state.h"
#include "services/bridge/operations/step.h"

void end_leg(struct bridge *bridge, struct step *step, struct leg *leg)
{
    deadlines_clear(&bridge->deadlines, &leg->deadline);
    if (leg->stream_open) {
        leg->stream_open = false;
        step_emit(step, EFFECT_CLOSE_STREAM, leg);
    }
}

void end_leg_later(struct bridge *bridge, struct step *step, struct leg *leg)
{
    end_leg(bridge, step, leg);
    deadlines_set(
        &bridge->deadlines, &leg->deadline, step->now_us + bridge->options.cancel_timeout_us);
}

static void close_conference(struct bridge *bridge, struct step *step, struct call *call)
{
    struct conference *conference = call->conference;

    if (conference) {
        call->conference = NULL;
        step_emit(step, EFFECT_CLOSE_CONFERENCE, NULL)->conference = conference->number;
        bridge_remove_conference(bridge, conference);
        conference_free(conference);
    }
}

/* Refuses, or hangs up on, a caller who is still there. */
static void release_caller(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    const struct ending *ending)
{
    struct leg *leg = call->caller;

    if (leg->state == LEG_CONNECTED) {
        leg_apply(leg, LEG_HANG_UP);
        step_end_leg(step, EFFECT_HANG_UP, leg->number, ending->cause, 0);
    } else if (leg_apply(leg, LEG_FAIL)) {
        struct note *note = step_note(step, call, NOTE_INVITE_REFUSED);
        note->cause = ending->cause;
        note->status = ending->caller_status != 0 ? ending->caller_status
                                                  : cause_reason(ending->cause)->status;
        step_end_leg(step, EFFECT_REFUSE, leg->number, ending->cause, note->status);
    }
    end_leg(bridge, step, leg);
}

void end_call(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    const struct ending *ending)
{
    if (!call_apply(call, CALL_END)) {
        return;
    }
    deadlines_clear(&bridge->deadlines, &call->deadline);
    bridge_forget_dialog(bridge, call);
    ring_release(bridge, step, call, ending->cause);
    close_conference(bridge, step, call);
    release_caller(bridge, step, call, ending);
    if (call->reported) {
        struct report *report = step_report(step, call, REPORT_CALL_ENDED);
        report->cause = ending->report;
        report->sip_status = ending->report_status;
    }

    struct note *note = step_note(step, call, NOTE_CALL_ENDED);

    note->text = ending->report;
    note->cause = ending->cause;
    note->why = arena_strdup(step->arena, ending->why ? ending->why : "");
    note->status = ending->report_status;
    note->took_us = step->now_us - call->caller->start_us;
}

void end_caller_canceled(struct bridge *bridge, struct step *step, struct call *call)
{
    if (!leg_apply(call->caller, LEG_FAIL)) {
        return;
    }
    step_note(step, call, NOTE_INVITE_CANCELED);
    end_call(
        bridge, step, call,
        &(struct ending){
            .cause = CAUSE_CALLER_LEFT,
            .report = "canceled",
            .report_status = 487,
        });
}

void end_caller_hung_up(struct bridge *bridge, struct step *step, struct call *call, int status)
{
    if (call->caller->state != LEG_CONNECTED && leg_alive(call->caller)) {
        step_note(step, call, NOTE_INVITE_CANCELED);
    }
    if (!leg_apply(call->caller, LEG_HANG_UP)) {
        return;
    }
    end_call(
        bridge, step, call,
        &(struct ending){
            .cause = CAUSE_CALLER_LEFT,
            .report = status == 0 ? "hang_up" : "failed",
            .report_status = status,
        });
}

void end_worker_hung_up(struct bridge *bridge, struct step *step, struct leg *leg, int status)
{
    struct call *call = leg->call;

    if (leg->state != LEG_CONNECTED) {
        ring_failed(bridge, step, leg, status);
        return;
    }
    leg_apply(leg, LEG_HANG_UP);
    end_leg(bridge, step, leg);
    call->worker = NULL;

    struct report *report = step_report_worker(step, leg, REPORT_WORKER_LEFT);
    struct note *note = step_note_worker(step, leg, NOTE_WORKER_LEFT);

    report->cause = status == 0 ? "hang_up" : "failed";
    report->sip_status = status;
    note->text = report->cause;
    note->status = status;
    if (conference_leave(call->conference, leg)) {
        end_call(
            bridge, step, call,
            &(struct ending){.cause = CAUSE_CONFERENCE_ENDED, .report = "released"});
    }
}

void end_worker_released(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    const char *reservation_id)
{
    struct leg *leg = call->worker;

    if (!leg || strcmp(leg->reservation_id, reservation_id) != 0) {
        return;
    }
    ring_withdraw(bridge, step, call, CAUSE_LEG_WITHDRAWN, "canceled", 0);
    if (call_apply(call, CALL_PART)) {
        /* Taken out by the routing service, which has another plan for the caller: this is not the
         * exit that ends a conference. */
        close_conference(bridge, step, call);
        step_emit(step, EFFECT_PLAY_WAIT_AUDIO, call->caller);
    }
}

void end_released(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    const struct instruction *instruction)
{
    end_call(
        bridge, step, call,
        &(struct ending){
            .cause = CAUSE_TASK_RELEASED,
            .why = instruction->reason,
            .caller_status = instruction->sip_status,
            .report = "released",
            .report_status = instruction->sip_status,
        });
}
