/* A caller comes in: trunk, route, media, then a task is made, and the caller waits with audio. */
#include <string.h>

#include "common/base/arena.h"
#include "services/bridge/domain/directory.h"
#include "services/bridge/domain/peer_text.h"
#include "services/bridge/operations/state.h"
#include "services/bridge/operations/step.h"

/* What the checks at the door found; all of them come before anything is allocated. */
struct admission {
    enum cause cause; /* when route is NULL */
    const struct trunk *trunk;
    const struct inbound_route *route;
    const char *dialog_key;
};

static const char *clean(struct step *step, const char *text)
{
    char buffer[PEER_TEXT_SIZE];

    peer_text_clean(text, buffer);
    return arena_strdup(step->arena, buffer);
}

static enum cause check_load(const struct bridge *bridge)
{
    if (bridge->draining) {
        return CAUSE_DRAINING;
    }
    if (bridge->call_count >= bridge->options.calls_max) {
        return CAUSE_OVERLOAD;
    }
    return bridge->directory ? CAUSE_COUNT : CAUSE_NOT_READY;
}

static struct admission admit(
    const struct bridge *bridge,
    struct step *step,
    const struct signalling_event *event)
{
    struct admission admission = {.cause = check_load(bridge)};
    const struct inbound_route *route = NULL;

    if (admission.cause != CAUSE_COUNT) {
        return admission;
    }
    admission.trunk =
        directory_find_trunk(bridge->directory, event->source_address, event->source_port);
    if (!admission.trunk) {
        admission.cause = CAUSE_TRUNK_UNKNOWN;
        return admission;
    }
    admission.dialog_key = arena_printf(step->arena, "%s\n%s", event->sip_call_id, event->from_tag);
    route = directory_find_route(bridge->directory, admission.trunk, event->called_number);
    if (bridge_get_call_of_dialog(bridge, admission.dialog_key)) {
        /* RFC 3261, 8.2.2.2: the same request came by another way. */
        admission.cause = CAUSE_INVITE_MERGED;
    } else if (!route) {
        admission.cause = CAUSE_ROUTE_UNKNOWN;
    } else if (
        event->description && !session_acceptable(bridge->media_address, event->description)) {
        admission.cause = CAUSE_CODEC_MISMATCH;
    } else {
        admission.route = route;
    }
    return admission;
}

static void refuse(struct step *step, const struct signalling_event *event, enum cause cause)
{
    step_end_leg(step, EFFECT_REFUSE, event->leg, cause, 0);

    struct note *note = step_note(step, NULL, NOTE_INVITE_REFUSED);

    note->cause = cause;
    note->status = cause_reason(cause)->status;
    note->sip_call_id = clean(step, event->sip_call_id);
    note->source_address = arena_strdup(step->arena, event->source_address);
    note->source_port = event->source_port;
    note->called_number = clean(step, event->called_number);
}

static struct call *make_call(
    struct step *step,
    const struct signalling_event *event,
    const struct admission *admission)
{
    char id[UUID_TEXT_SIZE];

    uuid7_print(step->wall_us, step->random, id);

    struct call *call = call_new(id);

    call_set_text(&call->workspace_id, admission->trunk->workspace_id);
    call_set_text(&call->trunk_id, admission->trunk->id);
    call_set_text(&call->inbound_route_id, admission->route->id);
    call_set_text(&call->called_number, clean(step, event->called_number));
    call_set_text(&call->caller_number, clean(step, event->caller_number));
    call_set_text(&call->caller_display_name, clean(step, event->caller_display_name));
    call_set_text(&call->dialog_key, admission->dialog_key);
    call->answer = admission->route->answer;
    call->create_wall_us = step->wall_us;
    return call;
}

static struct leg *make_leg(
    const struct bridge *bridge,
    struct step *step,
    struct call *call,
    const struct signalling_event *event)
{
    struct leg *leg = leg_new(call, event->leg, LEG_INBOUND);

    call_set_text(&leg->sip_call_id, clean(step, event->sip_call_id));
    call_set_text(&leg->remote_uri, clean(step, event->contact_uri));
    leg->session_id = step->wall_us;
    leg->media_address = bridge->options.media_address;
    leg->start_us = step->now_us;
    if (event->description) {
        leg->remote = *event->description;
    }
    return leg;
}

void enqueue_invited(struct bridge *bridge, struct step *step, const struct signalling_event *event)
{
    if (bridge_get_leg(bridge, event->leg)) {
        return;
    }

    struct admission admission = admit(bridge, step, event);

    if (!admission.route) {
        refuse(step, event, admission.cause);
        return;
    }

    struct call *call = make_call(step, event, &admission);
    struct leg *leg = make_leg(bridge, step, call, event);

    call->caller = leg;
    call->limit_mono_us = step->now_us + bridge->options.call_limit_us;
    leg_apply(leg, LEG_INVITE);
    bridge_add_call(bridge, call);
    bridge_add_leg(bridge, leg);
    deadlines_set(
        &bridge->deadlines, &call->deadline,
        step->now_us + (call->answer == ROUTE_ANSWER_AT_ONCE
                            ? bridge->options.enqueue_answered_timeout_us
                            : bridge->options.enqueue_timeout_us));
    step_emit(step, EFFECT_OPEN_STREAM, leg);
}

static void report_call(struct step *step, struct call *call)
{
    struct report *report = step_report(step, call, REPORT_ENQUEUE_CALL);

    report->trunk_id = arena_strdup(step->arena, call->trunk_id);
    report->inbound_route_id = arena_strdup(step->arena, call->inbound_route_id);
    report->called_number = arena_strdup(step->arena, call->called_number);
    report->caller_number = arena_strdup(step->arena, call->caller_number);
    report->caller_display_name = arena_strdup(step->arena, call->caller_display_name);
    report->sip_call_id = arena_strdup(step->arena, call->caller->sip_call_id);
    call->reported = true;
    step_note(step, call, NOTE_CALL_STARTED);
}

void enqueue_stream_opened(struct bridge *bridge, struct step *step, struct call *call)
{
    struct leg *leg = call->caller;
    struct session_description offer = leg->remote;

    if (offer.media_count > 0 && !session_answer(step, leg, &offer)) {
        end_call(
            bridge, step, call,
            &(struct ending){.cause = CAUSE_CODEC_MISMATCH, .report = "failed"});
        return;
    }
    report_call(step, call);
    if (call->answer == ROUTE_ANSWER_AT_ONCE) {
        enqueue_answer_caller(step, call);
        step_emit(step, EFFECT_PLAY_WAIT_AUDIO, leg);
    }
}

void enqueue_answer_caller(struct step *step, struct call *call)
{
    struct leg *leg = call->caller;

    if (!leg_apply(leg, LEG_ANSWER)) {
        return;
    }
    if (leg->remote.media_count == 0) {
        /* The INVITE had no offer: ours goes out in the 200, the answer comes with the ACK. */
        session_offer(leg, CODEC_PCMA);
        leg->offer_pending = true;
    }
    leg->answer_wall_us = step->wall_us;
    step_describe(step, EFFECT_ANSWER, leg, 200, &leg->local);
    step_report(step, call, REPORT_CALL_ANSWERED);
    step_note(step, call, NOTE_INVITE_ANSWERED);
}

/* The caller hears something before the answer. Without an offer in the INVITE there is nothing
 * that 183 could say (an offer would have to be in a reliable one, RFC 3262). */
static void send_early_media(struct step *step, struct call *call)
{
    struct leg *leg = call->caller;

    if (leg->remote.media_count > 0) {
        step_describe(step, EFFECT_PROGRESS, leg, 183, &leg->local);
    } else {
        step_describe(step, EFFECT_PROGRESS, leg, 180, NULL);
    }
    leg_apply(leg, LEG_PROGRESS);
}

void enqueue_task_made(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    const char *task_id)
{
    if (!call_apply(call, CALL_ENQUEUE)) {
        return;
    }
    call_set_text(&call->task_id, task_id);
    deadlines_set(&bridge->deadlines, &call->deadline, call->limit_mono_us);
    step_note(step, call, NOTE_CALL_WAITING);
    switch (call->answer) {
    case ROUTE_ANSWER_AT_ONCE:
        return;
    case ROUTE_ANSWER_ON_WORKER:
        send_early_media(step, call);
        break;
    case ROUTE_ANSWER_AFTER_TASK:
        enqueue_answer_caller(step, call);
        break;
    }
    step_emit(step, EFFECT_PLAY_WAIT_AUDIO, call->caller);
}

void enqueue_timed_out(struct bridge *bridge, struct step *step, struct call *call)
{
    enum cause cause = bridge->link_up ? CAUSE_ENQUEUE_TIMEOUT : CAUSE_ROUTING_SILENT;

    end_call(
        bridge, step, call,
        &(struct ending){
            .cause = cause,
            .report = "failed",
            .report_status = cause_reason(cause)->status,
        });
}
