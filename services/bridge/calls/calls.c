/* The loop: takes what was posted and what SIP says, one operation after the other. */
#include "services/bridge/calls/calls.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "services/bridge/calls/state.h"
#include "services/bridge/telemetry/log_events.h"
#include "services/bridge/telemetry/metrics.h"

static void take_random(void *context, uint8_t *bytes, size_t count)
{
    (void)context;

    /* Up to 256 bytes come whole, once the system has started (getrandom(2)). */
    ssize_t taken = getrandom(bytes, count, 0);

    if (taken != (ssize_t)count) {
        abort();
    }
}

struct calls *calls_new(const struct calls_options *options)
{
    struct calls *calls = mem_new(struct calls);

    calls->options = *options;
    if (!calls->options.clock) {
        calls->options.clock = clock_system();
    }
    if (!calls->options.random) {
        calls->options.random = take_random;
    }
    calls->bridge = bridge_new(&options->bridge);
    calls->options.bridge.media_address = NULL; /* the bridge has its own copy */
    calls->mailbox = mailbox_new();
    calls->arena = arena_new();
    return calls;
}

static void drop_posted(struct calls *calls)
{
    struct mailbox_node *node = mailbox_take_all(calls->mailbox);

    while (node) {
        struct message *message = MAILBOX_MESSAGE(node, struct message, node);
        node = node->next;
        message_free(message);
    }
}

struct calls *calls_free(struct calls *calls)
{
    if (!calls) {
        return NULL;
    }

    mailbox_close(calls->mailbox);
    drop_posted(calls);
    mailbox_free(calls->mailbox);
    bridge_free(calls->bridge);
    media_names_clear(&calls->streams);
    media_names_clear(&calls->conferences);
    arena_free(calls->arena);
    free(calls);
    return NULL;
}

void calls_connect(struct calls *calls, const struct calls_peers *peers)
{
    assert(peers->signalling && peers->media && peers->link_commands);
    calls->peers = *peers;
}

int calls_wake_descriptor(const struct calls *calls)
{
    return mailbox_descriptor(calls->mailbox);
}

static struct step begin_step(struct calls *calls, int64_t now_mono_us)
{
    arena_reset(calls->arena);
    return (struct step){
        .now_us = now_mono_us,
        .wall_us = clock_wall_us(calls->options.clock),
        .arena = calls->arena,
    };
}

/* Carries the effects out, and tells who waits for it when the last call is gone. */
static void finish_step(struct calls *calls, struct step *step)
{
    calls_carry_out(calls, step);
    metric_set(METRIC(bridge_calls_active), (int64_t)bridge_call_count(calls->bridge));
    if (calls->on_idle && bridge_call_count(calls->bridge) == 0) {
        void (*on_idle)(void *context) = calls->on_idle;
        calls->on_idle = NULL;
        on_idle(calls->idle_context);
    }
}

void calls_handle_signalling(void *context, const struct signalling_event *event)
{
    struct calls *calls = context;
    struct step step = begin_step(calls, clock_mono_us(calls->options.clock));

    if (event->kind == SIGNALLING_INVITED) {
        calls->options.random(calls->options.random_context, step.random, sizeof(step.random));
    }
    bridge_handle_signalling(calls->bridge, &step, event);
    finish_step(calls, &step);
}

/* A call that is gone with its hang-up is shown as it was, ending. */
static void hang_up(
    struct calls *calls,
    struct step *step,
    const struct calls_query *query,
    struct calls_view *view)
{
    calls_view_calls(calls, query, view);
    if (view->call_count == 0 || !bridge_hang_up_call(calls->bridge, step, query->id)) {
        return;
    }

    struct call_view *call = arena_dup(view->arena, view->calls, sizeof(*view->calls));
    struct leg_view *legs =
        arena_dup(view->arena, call->legs, call->leg_count * sizeof(*call->legs));

    for (size_t i = 0; i < call->leg_count; i++) {
        legs[i].state = LEG_ENDING;
    }
    call->state = CALL_ENDING;
    call->legs = legs;
    view->calls = call;
}

static void answer_query(struct calls *calls, struct step *step, const struct calls_query *query)
{
    struct calls_view *view = calls_view_new();

    switch (query->kind) {
    case CALLS_QUERY_SNAPSHOT:
        calls_view_snapshot(calls, view);
        break;
    case CALLS_QUERY_CALLS:
        calls_view_calls(calls, query, view);
        break;
    case CALLS_QUERY_CONFERENCES:
        calls_view_conferences(calls, query, view);
        break;
    case CALLS_QUERY_HANG_UP:
        hang_up(calls, step, query, view);
        break;
    }
    query->handler(query->context, view);
}

static void set_telephony(struct calls *calls, const struct telephony *telephony)
{
    bridge_set_telephony(calls->bridge, telephony);
    LOG(NULL, telephony_received, LOG_INT("trunks", (int64_t)telephony->trunk_count),
        LOG_INT("routes", (int64_t)telephony->route_count));
}

static void run_message(struct calls *calls, struct step *step, const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_INSTRUCTION:
        bridge_handle_instruction(calls->bridge, step, &message->instruction);
        break;
    case MESSAGE_TELEPHONY:
        set_telephony(calls, &message->telephony);
        break;
    case MESSAGE_LINK_STATE:
        bridge_set_link(calls->bridge, message->up);
        break;
    case MESSAGE_MEDIA:
        calls_note_media_event(calls, &message->media);
        break;
    case MESSAGE_QUERY:
        answer_query(calls, step, &message->query);
        break;
    case MESSAGE_DRAIN:
        bridge_drain(calls->bridge);
        break;
    case MESSAGE_END_ALL:
        calls->on_idle = message->on_idle;
        calls->idle_context = message->idle_context;
        bridge_end_all(calls->bridge, step);
        break;
    }
}

/* Until the mailbox is empty: only then does its descriptor tell of the next message. */
static void run_posted(struct calls *calls, int64_t now_mono_us)
{
    struct mailbox_node *node = mailbox_take_all(calls->mailbox);

    while (node) {
        struct message *message = MAILBOX_MESSAGE(node, struct message, node);
        struct step step = begin_step(calls, now_mono_us);
        node = node->next;
        run_message(calls, &step, message);
        message_free(message);
        finish_step(calls, &step);
        if (!node) {
            node = mailbox_take_all(calls->mailbox);
        }
    }
}

int64_t calls_run(void *context, int64_t now_mono_us)
{
    struct calls *calls = context;

    run_posted(calls, now_mono_us);

    struct step step = begin_step(calls, now_mono_us);

    bridge_run_deadlines(calls->bridge, &step);
    finish_step(calls, &step);
    return bridge_next_deadline_us(calls->bridge);
}
