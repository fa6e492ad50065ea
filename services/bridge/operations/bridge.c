/* The bridge: which operation an event, an instruction or a deadline means. */
#include "services/bridge/operations/bridge.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "services/bridge/domain/directory.h"
#include "services/bridge/operations/state.h"
#include "services/bridge/operations/step.h"

#define SECOND_US INT64_C(1000000)

/* The struct of `type` whose member `deadline` this is. */
#define OWNER(pointer, type) ((type *)(void *)((char *)(pointer)-offsetof(type, deadline)))

struct bridge_options bridge_default_options(void)
{
    return (struct bridge_options){
        .media_address = "127.0.0.1",
        .calls_max = 5000,
        .enqueue_timeout_us = 10 * SECOND_US,
        .enqueue_answered_timeout_us = 60 * SECOND_US,
        .ring_timeout_us = 30 * SECOND_US,
        .cancel_timeout_us = 40 * SECOND_US,
        .call_limit_us = SECOND_US * 12 * 3600,
    };
}

struct bridge *bridge_new(const struct bridge_options *options)
{
    struct bridge *bridge = mem_new(struct bridge);

    bridge->options = *options;
    bridge->media_address = mem_strdup(options->media_address);
    bridge->options.media_address = bridge->media_address;
    TAILQ_INIT(&bridge->calls);
    TAILQ_INIT(&bridge->conferences);
    deadlines_init(&bridge->deadlines);
    return bridge;
}

static void drop_call(struct bridge *bridge, struct call *call)
{
    struct leg *leg = NULL;

    TAILQ_FOREACH(leg, &call->legs, link)
    {
        bridge_forget_leg(bridge, leg);
    }
    if (call->conference) {
        bridge_remove_conference(bridge, call->conference);
        call->conference = conference_free(call->conference);
    }
    bridge_remove_call(bridge, call);
    call_free(call);
}

struct bridge *bridge_free(struct bridge *bridge)
{
    if (!bridge) {
        return NULL;
    }

    while (!TAILQ_EMPTY(&bridge->calls)) {
        drop_call(bridge, TAILQ_FIRST(&bridge->calls));
    }
    directory_free(bridge->directory);
    free(bridge->media_address);
    free(bridge);
    return NULL;
}

static void handle_caller(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    const struct signalling_event *event)
{
    switch (event->kind) {
    case SIGNALLING_CANCELED:
        end_caller_canceled(bridge, step, call);
        break;
    case SIGNALLING_HUNG_UP:
        end_caller_hung_up(bridge, step, call, event->status);
        break;
    case SIGNALLING_INVITED:
    case SIGNALLING_ACKNOWLEDGED:
    case SIGNALLING_PROGRESS:
    case SIGNALLING_ANSWERED:
    case SIGNALLING_FAILED:
    case SIGNALLING_REOFFERED:
        break;
    }
}

static void handle_worker(
    struct bridge *bridge,
    struct step *step,
    struct leg *leg,
    const struct signalling_event *event)
{
    switch (event->kind) {
    case SIGNALLING_PROGRESS:
        ring_progress(step, leg);
        break;
    case SIGNALLING_ANSWERED:
        join_answered(bridge, step, leg, event->description);
        break;
    case SIGNALLING_FAILED:
        ring_failed(bridge, step, leg, event->status);
        break;
    case SIGNALLING_HUNG_UP:
        end_worker_hung_up(bridge, step, leg, event->status);
        break;
    case SIGNALLING_INVITED:
    case SIGNALLING_CANCELED:
    case SIGNALLING_ACKNOWLEDGED:
    case SIGNALLING_REOFFERED:
        break;
    }
}

void bridge_handle_signalling(
    struct bridge *bridge,
    struct step *step,
    const struct signalling_event *event)
{
    if (event->kind == SIGNALLING_INVITED) {
        enqueue_invited(bridge, step, event);
        return;
    }

    struct leg *leg = bridge_get_leg(bridge, event->leg);

    if (!leg && event->kind == SIGNALLING_ANSWERED) {
        /* Given up so long ago that it was forgotten: nobody is to sit in an empty dialog. */
        step_end_leg(step, EFFECT_HANG_UP, event->leg, CAUSE_LEG_WITHDRAWN, 0);
    }
    if (!leg || leg->state == LEG_ENDED) {
        return;
    }

    struct call *call = leg->call;

    if (event->kind == SIGNALLING_REOFFERED) {
        change_reoffered(step, leg, event->description);
    } else if (event->kind == SIGNALLING_ACKNOWLEDGED) {
        change_acknowledged(bridge, step, leg, event->description);
    } else if (leg == call->caller) {
        handle_caller(bridge, step, call, event);
    } else {
        handle_worker(bridge, step, leg, event);
    }
    bridge_settle(bridge, call);
}

static void ignore(struct step *step, const struct call *call, const struct instruction *which)
{
    static const char *const names[] = {
        [INSTRUCTION_CALL_ENQUEUED] = "call_enqueued",
        [INSTRUCTION_DIAL_WORKER] = "dial_worker",
        [INSTRUCTION_RELEASE_WORKER] = "release_worker",
        [INSTRUCTION_RELEASE_CALL] = "release_call",
    };
    struct note *note = step_note(step, call, NOTE_INSTRUCTION_IGNORED);

    note->text = names[which->kind];
    note->call_id = arena_strdup(step->arena, which->call_id);
}

void bridge_handle_instruction(
    struct bridge *bridge,
    struct step *step,
    const struct instruction *instruction)
{
    struct call *call = bridge_get_call(bridge, instruction->call_id);

    /* The caller is gone, and that was reported: the routing service lets everybody go by itself.
     */
    if (!call || call->state == CALL_ENDING) {
        ignore(step, call, instruction);
        return;
    }
    switch (instruction->kind) {
    case INSTRUCTION_CALL_ENQUEUED:
        enqueue_task_made(bridge, step, call, instruction->task_id);
        break;
    case INSTRUCTION_DIAL_WORKER:
        ring_dial(bridge, step, call, instruction);
        break;
    case INSTRUCTION_RELEASE_WORKER:
        end_worker_released(bridge, step, call, instruction->reservation_id);
        break;
    case INSTRUCTION_RELEASE_CALL:
        end_released(bridge, step, call, instruction);
        break;
    }
    bridge_settle(bridge, call);
}

void bridge_set_telephony(struct bridge *bridge, const struct telephony *telephony)
{
    directory_free(bridge->directory);
    bridge->directory = directory_new(telephony);
}

void bridge_set_link(struct bridge *bridge, bool up)
{
    bridge->link_up = up;
}

void bridge_stream_opened(struct bridge *bridge, struct step *step, int64_t number, int port)
{
    struct leg *leg = bridge_get_leg(bridge, number);

    if (!leg) {
        return;
    }

    struct call *call = leg->call;

    leg->stream_open = true;
    leg->media_port = port;
    if (leg == call->caller) {
        enqueue_stream_opened(bridge, step, call);
    } else {
        ring_stream_opened(bridge, step, leg);
    }
    bridge_settle(bridge, call);
}

void bridge_stream_refused(struct bridge *bridge, struct step *step, int64_t number)
{
    struct leg *leg = bridge_get_leg(bridge, number);

    if (!leg) {
        return;
    }

    struct call *call = leg->call;

    if (leg == call->caller) {
        end_call(
            bridge, step, call, &(struct ending){.cause = CAUSE_NO_MEDIA_PORT, .report = "failed"});
    } else {
        ring_stream_refused(step, leg);
    }
    bridge_settle(bridge, call);
}

static void call_is_due(struct bridge *bridge, struct step *step, struct call *call)
{
    if (call->state == CALL_ENQUEUING) {
        enqueue_timed_out(bridge, step, call);
    } else {
        end_call(
            bridge, step, call, &(struct ending){.cause = CAUSE_CALL_LIMIT, .report = "failed"});
    }
    bridge_settle(bridge, call);
}

static void leg_is_due(struct bridge *bridge, struct step *step, struct leg *leg)
{
    struct call *call = leg->call;

    if (leg->state == LEG_ENDING) {
        step_note_worker(step, leg, NOTE_LEG_FORGOTTEN);
        leg_apply(leg, LEG_FAIL);
    } else {
        ring_timed_out(bridge, step, leg);
    }
    bridge_settle(bridge, call);
}

void bridge_run_deadlines(struct bridge *bridge, struct step *step)
{
    struct deadline *first = deadlines_first(&bridge->deadlines);

    while (first && first->due_us <= step->now_us) {
        deadlines_clear(&bridge->deadlines, first);
        if (first->kind == DEADLINE_OF_CALL) {
            call_is_due(bridge, step, OWNER(first, struct call));
        } else {
            leg_is_due(bridge, step, OWNER(first, struct leg));
        }
        first = deadlines_first(&bridge->deadlines);
    }
}

int64_t bridge_next_deadline_us(const struct bridge *bridge)
{
    const struct deadline *first = deadlines_first(&bridge->deadlines);

    return first ? first->due_us : INT64_MAX;
}

bool bridge_hang_up_call(struct bridge *bridge, struct step *step, const char *call_id)
{
    struct call *call = bridge_get_call(bridge, call_id);

    if (!call || call->state == CALL_ENDING) {
        return false;
    }
    end_call(
        bridge, step, call, &(struct ending){.cause = CAUSE_HUNG_UP_BY_API, .report = "released"});
    bridge_settle(bridge, call);
    return true;
}

void bridge_drain(struct bridge *bridge)
{
    bridge->draining = true;
}

void bridge_end_all(struct bridge *bridge, struct step *step)
{
    struct call *call = TAILQ_FIRST(&bridge->calls);

    bridge_drain(bridge);
    while (call) {
        struct call *next = TAILQ_NEXT(call, link);
        end_call(
            bridge, step, call,
            &(struct ending){
                .cause = CAUSE_DRAINING,
                .report = "released",
                .report_status = cause_reason(CAUSE_DRAINING)->status,
            });
        bridge_settle(bridge, call);
        call = next;
    }
}
