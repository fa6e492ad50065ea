/* A worker is dialled: it rings, it fails, it is withdrawn. The caller goes on waiting meanwhile.
 */
#include <string.h>

#include "common/base/arena.h"
#include "services/bridge/operations/state.h"
#include "services/bridge/operations/step.h"

/* Why a worker was not reached, in the words of the bridge link. A phone that nobody picked up rang
 * before; one that never rang was not there. */
static const char *failure_of(int status, bool rang)
{
    switch (status) {
    case 486:
    case 600:
        return "busy";
    case 403:
    case 603:
    case 607:
        return "declined";
    case 408:
    case 480:
    case 487:
        return rang || status == 480 ? "no_answer" : "unreachable";
    case 404:
    case 410:
    case 430:
    case 484:
    case 502:
    case 503:
    case 504:
    case 604:
        return "unreachable";
    default:
        return "failed";
    }
}

static void report_failure(
    struct step *step,
    const struct leg *leg,
    const char *failure,
    int status)
{
    struct report *report = step_report_worker(step, leg, REPORT_WORKER_FAILED);

    report->cause = failure;
    report->sip_status = status;

    struct note *note = step_note_worker(step, leg, NOTE_WORKER_FAILED);

    note->text = failure;
    note->status = status;
}

static struct leg *make_leg(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    const struct instruction *instruction)
{
    struct leg *leg = leg_new(call, ++bridge->leg_count, LEG_OUTBOUND);

    call_set_text(&leg->reservation_id, instruction->reservation_id);
    call_set_text(&leg->worker_id, instruction->worker_id);
    call_set_text(&leg->remote_uri, instruction->contact_uri);
    leg->ring_timeout_us = instruction->ring_timeout_us > 0 ? instruction->ring_timeout_us
                                                            : bridge->options.ring_timeout_us;
    leg->session_id = step->wall_us;
    leg->media_address = bridge->options.media_address;
    leg->start_us = step->now_us;
    return leg;
}

void ring_dial(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    const struct instruction *instruction)
{
    /* The instruction names the task, so a caller who is still being enqueued is so no more. */
    enqueue_task_made(bridge, step, call, instruction->task_id);
    if (strcmp(call->last_reservation_id, instruction->reservation_id) == 0) {
        return;
    }
    call_set_text(&call->last_reservation_id, instruction->reservation_id);
    if (call->state == CALL_WAITING) {
        /* Another reservation: the routing service has given the one before up. */
        ring_withdraw(bridge, step, call, CAUSE_LEG_WITHDRAWN, "canceled", 0);
    }

    struct leg *leg = make_leg(bridge, step, call, instruction);

    bridge_add_leg(bridge, leg);
    if (call->state != CALL_WAITING) {
        /* One worker at a time is in a conference. */
        report_failure(step, leg, "failed", 0);
        leg_apply(leg, LEG_FAIL);
        return;
    }
    call->worker = leg;
    step_emit(step, EFFECT_OPEN_STREAM, leg);
}

void ring_stream_opened(struct bridge *bridge, struct step *step, struct leg *leg)
{
    const struct call *call = leg->call;

    if (!leg_apply(leg, LEG_DIAL)) {
        return;
    }
    /* What the caller speaks comes first: the same codec on both sides costs nothing to join. */
    session_offer(leg, call->caller->agreed ? call->caller->codec : CODEC_PCMA);
    deadlines_set(&bridge->deadlines, &leg->deadline, step->now_us + leg->ring_timeout_us);
    step_emit(step, EFFECT_DIAL, leg)->dial = (struct signalling_dial){
        .leg = leg->number,
        .to_uri = arena_strdup(step->arena, leg->remote_uri),
        .from_user = arena_strdup(step->arena, call->caller_number),
        .from_display_name = arena_strdup(step->arena, call->caller_display_name),
        .offer = arena_dup(step->arena, &leg->local, sizeof(leg->local)),
        .ring_timeout_us = leg->ring_timeout_us,
    };
    step_note_worker(step, leg, NOTE_WORKER_DIALED);
}

void ring_stream_refused(struct step *step, struct leg *leg)
{
    if (!leg_apply(leg, LEG_FAIL)) {
        return;
    }
    leg->call->worker = NULL;
    report_failure(step, leg, "failed", cause_reason(CAUSE_NO_MEDIA_PORT)->status);
}

void ring_progress(struct step *step, struct leg *leg)
{
    bool rang = leg->rang;

    if (leg_apply(leg, LEG_PROGRESS) && !rang) {
        step_report_worker(step, leg, REPORT_WORKER_RINGING);
        step_note_worker(step, leg, NOTE_WORKER_RINGING);
    }
}

void ring_failed(struct bridge *bridge, struct step *step, struct leg *leg, int status)
{
    struct call *call = leg->call;

    if (!leg_apply(leg, LEG_FAIL)) {
        return;
    }
    end_leg(bridge, step, leg);
    if (call->worker == leg) {
        call->worker = NULL;
        report_failure(step, leg, failure_of(status, leg->rang), status);
    }
}

void ring_timed_out(struct bridge *bridge, struct step *step, struct leg *leg)
{
    int status = cause_reason(CAUSE_RING_TIMEOUT)->status;

    ring_withdraw(
        bridge, step, leg->call, CAUSE_RING_TIMEOUT, failure_of(status, leg->rang), status);
}

void ring_release(struct bridge *bridge, struct step *step, struct call *call, enum cause cause)
{
    struct leg *leg = call->worker;

    if (!leg) {
        return;
    }
    call->worker = NULL;
    if (leg_apply(leg, LEG_GIVE_UP)) {
        step_end_leg(step, EFFECT_CANCEL, leg->number, cause, 0);
        end_leg_later(bridge, step, leg);
        return;
    }
    if (leg_apply(leg, LEG_HANG_UP)) {
        step_end_leg(step, EFFECT_HANG_UP, leg->number, cause, 0);
    } else {
        leg_apply(leg, LEG_FAIL); /* not dialled yet */
    }
    end_leg(bridge, step, leg);
}

void ring_withdraw(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    enum cause cause,
    const char *failure,
    int status)
{
    const struct leg *leg = call->worker;

    if (!leg) {
        return;
    }

    bool joined = leg->state == LEG_CONNECTED;

    ring_release(bridge, step, call, cause);
    if (joined) {
        step_report_worker(step, leg, REPORT_WORKER_LEFT)->cause = "released";
        step_note_worker(step, leg, NOTE_WORKER_LEFT)->text = "released";
    } else {
        report_failure(step, leg, failure, status);
    }
}
