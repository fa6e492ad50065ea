/* One thread owns the link: it makes the stream, sends what is due on it, and watches the time.
 *
 *     AWAY --(retry time)--> ASKING (the calls' snapshot) --> GREETING (hello sent) --telephony-->
 * UP
 *       ^------------------------------ stream closed, or silent for a lease
 * ----------------------'
 */
#include "services/bridge/link/link.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/mailbox/mailbox.h"
#include "common/rpc/client.h"
#include "common/rpc/message.h"
#include "services/bridge/calls/calls.h"
#include "services/bridge/link/outbox.h"
#include "services/bridge/link/wire.h"

#define ATTACH_PATH "/cordboard.routing.v1.BridgeLinkService/AttachBridge"

enum {
    RETRY_FIRST_US = 200 * 1000,
    RETRY_LONGEST_US = 2 * 1000 * 1000,
    HEARTBEAT_DEFAULT_US = 5 * 1000 * 1000,
    LEASE_DEFAULT_US = 30 * 1000 * 1000,
    SEND_AHEAD = 256 /* reports given to the stream that are not acknowledged yet */
};

enum link_state {
    LINK_AWAY,
    LINK_ASKING,
    LINK_GREETING,
    LINK_UP,
};

struct link {
    struct link_options options;
    char *target;
    char *bridge_id;
    char incarnation[UUID_TEXT_SIZE];
    pthread_t thread;
    struct mailbox *mailbox;
    struct rpc_client *client;
    _Atomic bool up;

    /* The link's thread only. */
    enum link_state state;
    struct rpc_client_stream *stream; /* a reference of ours; NULL when there is none */
    struct outbox outbox;
    int64_t retry_mono_us;
    int64_t retry_delay_us;
    int64_t lease_us;
    int64_t heartbeat_us;
    int64_t last_heard_mono_us;
    int64_t last_sent_mono_us;
    bool stopping;
    int64_t stop_mono_us;
};

/* Something for the link's thread; `run` owns the message. */
struct link_message {
    struct mailbox_node node;
    void (*run)(struct link *link, struct link_message *message);
    struct kept_report *report;
    struct calls_view *view;
    struct rpc_client_stream *stream; /* identity only: which stream it is about */
    struct arena *arena;              /* of `received`, holds it */
    Cordboard__Routing__V1__AttachBridgeResponse *received;
    struct error err;
    int64_t grace_us;
};

static int64_t mono_us(const struct link *link)
{
    return clock_mono_us(link->options.clock);
}

static void post(struct link *link, struct link_message *message)
{
    if (!mailbox_post(link->mailbox, &message->node)) {
        abort(); /* link_stop's contract: nobody posts any more */
    }
}

static struct link_message *new_message(void (*run)(struct link *, struct link_message *))
{
    struct link_message *message = mem_new(struct link_message);

    message->run = run;
    return message;
}

/* --- sending --- */

static void send_request(
    struct link *link,
    const Cordboard__Routing__V1__AttachBridgeRequest *message)
{
    (void)rpc_client_stream_send(link->stream, &message->base);
    link->last_sent_mono_us = mono_us(link);
}

static void send_acks(struct link *link, struct arena *arena)
{
    struct outbox_workspace *workspace = NULL;

    RB_FOREACH(workspace, outbox_tree, &link->outbox.workspaces)
    {
        if (workspace->ack_due) {
            workspace->ack_due = false;
            send_request(
                link, wire_ack(arena, workspace->workspace_id, workspace->last_instruction));
        }
    }
}

static size_t unacknowledged(struct link *link)
{
    struct outbox_workspace *workspace = NULL;
    size_t count = 0;

    RB_FOREACH(workspace, outbox_tree, &link->outbox.workspaces)
    {
        count += workspace->sent;
    }
    return count;
}

/* Everything that may go now. */
static void send_due(struct link *link)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = NULL;
    const struct report *report = NULL;
    int64_t number = 0;
    size_t under_way = 0;

    if (link->state != LINK_UP) {
        return;
    }
    arena = arena_new();
    send_acks(link, arena);
    under_way = unacknowledged(link);
    while (under_way < SEND_AHEAD && (report = outbox_next(&link->outbox, &number)) != NULL) {
        send_request(link, wire_report(arena, report, number));
        under_way++;
    }
    if (mono_us(link) - link->last_sent_mono_us >= link->heartbeat_us) {
        const Cordboard__Routing__V1__AttachBridgeRequest heartbeat =
            CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_REQUEST__INIT;

        send_request(link, &heartbeat);
    }
}

/* --- receiving, on the link's thread --- */

static void set_state(struct link *link, enum link_state state, const char *why)
{
    bool was_up = link->state == LINK_UP;
    bool is_up = state == LINK_UP;

    link->state = state;
    if (was_up != is_up) {
        atomic_store(&link->up, is_up);
        calls_post_link_state(link->options.calls, is_up);
        link->options.observe(link->options.context, is_up, why);
    }
}

static void take_welcome(
    struct link *link,
    const Cordboard__Routing__V1__AttachBridgeResponse__Welcome *welcome)
{
    if (welcome->lease_duration && welcome->lease_duration->seconds > 0) {
        link->lease_us = welcome->lease_duration->seconds * 1000000;
    }
    if (welcome->heartbeat_interval && welcome->heartbeat_interval->seconds > 0) {
        link->heartbeat_us = welcome->heartbeat_interval->seconds * 1000000;
    }
}

static void take_instruction(
    struct link *link,
    const Cordboard__Routing__V1__BridgeInstruction *message,
    struct arena *arena)
{
    struct outbox_workspace *workspace =
        outbox_workspace(&link->outbox, wire_workspace_id(arena, message->workspace));
    struct instruction instruction;

    workspace->ack_due = true;
    if (message->number <= workspace->last_instruction) {
        return; /* a repeat */
    }
    workspace->last_instruction = message->number;
    if (wire_read_instruction(arena, message, &instruction)) {
        calls_post_instruction(link->options.calls, &instruction);
    }
}

static void take_telephony(
    struct link *link,
    const Cordboard__Routing__V1__AttachBridgeResponse__Telephony *message,
    struct arena *arena)
{
    struct telephony telephony;

    wire_read_telephony(arena, message, &telephony);
    calls_post_telephony(link->options.calls, &telephony);
    if (link->state == LINK_GREETING) {
        outbox_confirm(&link->outbox);
        link->retry_delay_us = RETRY_FIRST_US;
        set_state(link, LINK_UP, "");
    }
}

static void run_received(struct link *link, struct link_message *message)
{
    const Cordboard__Routing__V1__AttachBridgeResponse *received = message->received;
    CLEANUP(arena_free_at_exit) struct arena *arena = message->arena;
    bool current = message->stream == link->stream;

    free(message);
    if (!current) {
        return;
    }
    link->last_heard_mono_us = mono_us(link);
    switch ((int)received->message_case) {
    case CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__MESSAGE_WELCOME:
        take_welcome(link, received->welcome);
        break;
    case CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__MESSAGE_TELEPHONY:
        take_telephony(link, received->telephony, arena);
        break;
    case CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__MESSAGE_INSTRUCTION:
        take_instruction(link, received->instruction, arena);
        break;
    case CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__MESSAGE_REPORT_ACK:
        outbox_acknowledge(
            &link->outbox, wire_workspace_id(arena, received->report_ack->workspace),
            received->report_ack->number);
        break;
    default:
        break; /* a heartbeat */
    }
}

/* --- the stream --- */

static void go_away(struct link *link, const char *why)
{
    if (link->stream) {
        rpc_client_stream_cancel(link->stream);
        link->stream = rpc_client_stream_unref(link->stream);
    }
    outbox_restart(&link->outbox);
    link->retry_mono_us = mono_us(link) + link->retry_delay_us;
    link->retry_delay_us =
        link->retry_delay_us * 2 > RETRY_LONGEST_US ? RETRY_LONGEST_US : link->retry_delay_us * 2;
    set_state(link, LINK_AWAY, why);
}

static void run_closed(struct link *link, struct link_message *message)
{
    if (message->stream == link->stream) {
        go_away(link, message->err.message);
    }
    free(message);
}

/* On the client's thread, as the next one. The message is copied: it is gone when this returns. */
static void handle_message(
    struct rpc_client_stream *stream,
    void *data,
    const ProtobufCMessage *received)
{
    struct link_message *message = new_message(run_received);
    size_t size = protobuf_c_message_get_packed_size(received);

    message->arena = arena_new();
    message->stream = stream;

    uint8_t *bytes = arena_alloc(message->arena, size);
    ProtobufCAllocator allocator = rpc_arena_allocator(message->arena);

    protobuf_c_message_pack(received, bytes);
    message->received =
        cordboard__routing__v1__attach_bridge_response__unpack(&allocator, size, bytes);
    assert(message->received);
    post(data, message);
}

static void handle_closed(struct rpc_client_stream *stream, void *data, const struct error *err)
{
    struct link_message *message = new_message(run_closed);

    message->stream = stream;
    if (err) {
        message->err = *err;
    }
    post(data, message);
}

static const struct rpc_client_stream_handler stream_handler = {
    .message = handle_message,
    .closed = handle_closed,
};

static void run_snapshot(struct link *link, struct link_message *message)
{
    CLEANUP(calls_view_free_at_exit) struct calls_view *view = message->view;
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    const Cordboard__Routing__V1__AttachBridgeRequest *hello = wire_hello(
        arena, link->bridge_id, link->incarnation, view->snapshots, view->snapshot_count);
    const struct rpc_request request = {
        .path = ATTACH_PATH,
        .message = &hello->base,
        .response = &cordboard__routing__v1__attach_bridge_response__descriptor,
    };

    free(message);
    if (link->state != LINK_ASKING) {
        return;
    }
    link->last_heard_mono_us = mono_us(link);
    link->last_sent_mono_us = mono_us(link);
    link->state = LINK_GREETING;
    link->stream = rpc_client_stream_open(link->client, &request, &stream_handler, link);
}

/* On the signalling thread. Reports of before the snapshot were handed over before. */
static void handle_snapshot(void *context, struct calls_view *view)
{
    struct link_message *message = new_message(run_snapshot);

    message->view = view;
    post(context, message);
}

static void ask_for_snapshot(struct link *link)
{
    const struct calls_query query = {
        .kind = CALLS_QUERY_SNAPSHOT,
        .handler = handle_snapshot,
        .context = link,
    };

    link->state = LINK_ASKING;
    calls_post_query(link->options.calls, &query);
}

/* --- reports, on the signalling thread --- */

static void run_report(struct link *link, struct link_message *message)
{
    outbox_add(&link->outbox, message->report);
    free(message);
}

static void take_report(void *context, const struct report *report)
{
    struct link_message *message = new_message(run_report);

    message->report = kept_report_new(report);
    post(context, message);
}

const struct link_commands link_commands_table = {
    .report = take_report,
};

/* --- the thread --- */

static void look_at_time(struct link *link)
{
    int64_t now_us = mono_us(link);

    if (link->state == LINK_AWAY && now_us >= link->retry_mono_us && !link->stopping) {
        ask_for_snapshot(link);
    } else if (
        (link->state == LINK_UP || link->state == LINK_GREETING) &&
        now_us - link->last_heard_mono_us > link->lease_us) {
        go_away(link, "the routing service was silent for a whole lease");
    }
}

static int64_t next_look(const struct link *link)
{
    if (link->state == LINK_AWAY && !link->stopping) {
        return link->retry_mono_us;
    }
    return mono_us(link) + link->heartbeat_us / 2;
}

static void run_stop(struct link *link, struct link_message *message)
{
    link->stopping = true;
    link->stop_mono_us = mono_us(link) + message->grace_us;
    free(message);
}

/* Whether everything that has to be said is said, or will not be heard any more. */
static bool finished(const struct link *link)
{
    return link->stopping && (link->outbox.report_count == 0 || link->state != LINK_UP ||
                              mono_us(link) >= link->stop_mono_us);
}

static void take_mail(struct link *link)
{
    struct mailbox_node *node = mailbox_take_all(link->mailbox);

    while (node) {
        struct link_message *message = MAILBOX_MESSAGE(node, struct link_message, node);

        node = node->next;
        message->run(link, message);
    }
}

static void *link_run(void *context)
{
    struct link *link = context;

    while (!finished(link)) {
        int64_t wake_us = next_look(link);

        if (link->stopping && link->stop_mono_us < wake_us) {
            wake_us = link->stop_mono_us;
        }
        (void)mailbox_wait(link->mailbox, wake_us);
        take_mail(link);
        look_at_time(link);
        send_due(link);
    }
    return NULL;
}

struct link *link_start(const struct link_options *options)
{
    struct link *link = mem_new(struct link);
    const struct rpc_client_options client = {.target = options->target};
    uint8_t random[UUID_RANDOM_BYTES];

    link->options = *options;
    link->target = mem_strdup(options->target);
    link->bridge_id = mem_strdup(options->bridge_id);
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        abort(); /* the kernel has no random numbers */
    }
    uuid7_print(clock_wall_us(options->clock), random, link->incarnation);
    link->mailbox = mailbox_new();
    link->client = rpc_client_new(&client);
    link->lease_us = LEASE_DEFAULT_US;
    link->heartbeat_us = HEARTBEAT_DEFAULT_US;
    link->retry_delay_us = RETRY_FIRST_US;
    link->retry_mono_us = mono_us(link);
    outbox_init(&link->outbox);
    if (pthread_create(&link->thread, NULL, link_run, link) != 0) {
        abort(); /* nothing works without it */
    }
    return link;
}

/* What was posted after the thread ended. */
static void drop_mail(struct link *link)
{
    struct mailbox_node *node = mailbox_take_all(link->mailbox);

    while (node) {
        struct link_message *message = MAILBOX_MESSAGE(node, struct link_message, node);

        node = node->next;
        if (message->report) {
            kept_report_free(message->report);
        }
        calls_view_free(message->view);
        arena_free(message->arena);
        free(message);
    }
}

struct link *link_stop(struct link *link, int64_t grace_us)
{
    struct link_message *message = NULL;

    if (!link) {
        return NULL;
    }

    message = new_message(run_stop);
    message->grace_us = grace_us;
    post(link, message);
    pthread_join(link->thread, NULL);
    if (link->stream) {
        rpc_client_stream_cancel(link->stream);
        rpc_client_stream_unref(link->stream);
    }
    rpc_client_free(link->client);
    drop_mail(link);
    outbox_deinit(&link->outbox);
    mailbox_free(link->mailbox);
    free(link->target);
    free(link->bridge_id);
    free(link);
    return NULL;
}

bool link_up(struct link *link)
{
    return atomic_load(&link->up);
}
