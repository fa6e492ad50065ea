#include "services/bridge/link/wire.h"

#include <string.h>

#include "common/base/arena.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

typedef Cordboard__Routing__V1__AttachBridgeRequest request;
typedef Cordboard__Routing__V1__BridgeReport bridge_report;

enum {
    US_PER_SECOND = 1000000,
    NS_PER_US = 1000
};

/* protobuf-c has no const; what is packed is not changed. */
static void set_text(char **slot, const char *text)
{
    memcpy(slot, &text, sizeof(text));
}

static char *task_name(struct arena *arena, const char *workspace_id, const char *task_id)
{
    return arena_printf(arena, "workspaces/%s/tasks/%s", workspace_id, task_id);
}

static char *reservation_name(
    struct arena *arena,
    const char *workspace_id,
    const char *task_id,
    const char *reservation_id)
{
    return arena_printf(
        arena, "workspaces/%s/tasks/%s/reservations/%s", workspace_id, task_id, reservation_id);
}

static request *new_request(struct arena *arena)
{
    request *message = arena_new_object(arena, request);

    cordboard__routing__v1__attach_bridge_request__init(message);
    return message;
}

/* --- out --- */

static Cordboard__Routing__V1__BridgeCall *print_call(
    struct arena *arena,
    const struct call_snapshot *from)
{
    Cordboard__Routing__V1__BridgeCall *call =
        arena_new_object(arena, Cordboard__Routing__V1__BridgeCall);

    cordboard__routing__v1__bridge_call__init(call);
    call->workspace = arena_printf(arena, "workspaces/%s", from->workspace_id);
    set_text(&call->call, from->call_id);
    if (from->task_id[0] != '\0') {
        call->task = task_name(arena, from->workspace_id, from->task_id);
    }
    if (from->task_id[0] != '\0' && from->reservation_id[0] != '\0') {
        call->reservation =
            reservation_name(arena, from->workspace_id, from->task_id, from->reservation_id);
    }
    call->talking = from->talking;
    return call;
}

request *wire_hello(
    struct arena *arena,
    const char *bridge_id,
    const char *incarnation,
    const struct call_snapshot *calls,
    size_t count)
{
    request *message = new_request(arena);
    Cordboard__Routing__V1__AttachBridgeRequest__Hello *hello = arena_alloc(arena, sizeof(*hello));

    cordboard__routing__v1__attach_bridge_request__hello__init(hello);
    set_text(&hello->bridge, bridge_id);
    set_text(&hello->incarnation, incarnation);
    hello->n_calls = count;
    hello->calls = arena_new_array(arena, Cordboard__Routing__V1__BridgeCall *, count);
    for (size_t i = 0; i < count; i++) {
        hello->calls[i] = print_call(arena, &calls[i]);
    }
    message->message_case = CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_REQUEST__MESSAGE_HELLO;
    message->hello = hello;
    return message;
}

request *wire_ack(struct arena *arena, const char *workspace_id, int64_t number)
{
    request *message = new_request(arena);
    Cordboard__Routing__V1__AttachBridgeRequest__InstructionAck *ack =
        arena_alloc(arena, sizeof(*ack));

    cordboard__routing__v1__attach_bridge_request__instruction_ack__init(ack);
    ack->workspace = arena_printf(arena, "workspaces/%s", workspace_id);
    ack->number = number;
    message->message_case = CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_REQUEST__MESSAGE_INSTRUCTION_ACK;
    message->instruction_ack = ack;
    return message;
}

static void print_enqueue(struct arena *arena, const struct report *from, bridge_report *to)
{
    Cordboard__Routing__V1__BridgeReport__EnqueueCall *enqueue =
        arena_alloc(arena, sizeof(*enqueue));

    cordboard__routing__v1__bridge_report__enqueue_call__init(enqueue);
    enqueue->trunk =
        arena_printf(arena, "workspaces/%s/trunks/%s", from->workspace_id, from->trunk_id);
    enqueue->inbound_route = arena_printf(
        arena, "workspaces/%s/inboundRoutes/%s", from->workspace_id, from->inbound_route_id);
    set_text(&enqueue->called_number, from->called_number);
    set_text(&enqueue->caller_number, from->caller_number);
    set_text(&enqueue->caller_display_name, from->caller_display_name);
    set_text(&enqueue->sip_call_id, from->sip_call_id);
    to->body_case = CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_ENQUEUE_CALL;
    to->enqueue_call = enqueue;
}

static void print_worker(struct arena *arena, const struct report *from, bridge_report *to)
{
    char *reservation =
        reservation_name(arena, from->workspace_id, from->task_id, from->reservation_id);

    switch ((int)from->kind) {
    case REPORT_WORKER_RINGING:
        to->body_case = CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_WORKER_RINGING;
        to->worker_ringing = arena_alloc(arena, sizeof(*to->worker_ringing));
        cordboard__routing__v1__bridge_report__worker_ringing__init(to->worker_ringing);
        to->worker_ringing->reservation = reservation;
        return;
    case REPORT_WORKER_JOINED:
        to->body_case = CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_WORKER_JOINED;
        to->worker_joined = arena_alloc(arena, sizeof(*to->worker_joined));
        cordboard__routing__v1__bridge_report__worker_joined__init(to->worker_joined);
        to->worker_joined->reservation = reservation;
        return;
    case REPORT_WORKER_FAILED:
        to->body_case = CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_WORKER_FAILED;
        to->worker_failed = arena_alloc(arena, sizeof(*to->worker_failed));
        cordboard__routing__v1__bridge_report__worker_failed__init(to->worker_failed);
        to->worker_failed->reservation = reservation;
        set_text(&to->worker_failed->cause, from->cause);
        to->worker_failed->sip_status = from->sip_status;
        return;
    default:
        to->body_case = CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_WORKER_LEFT;
        to->worker_left = arena_alloc(arena, sizeof(*to->worker_left));
        cordboard__routing__v1__bridge_report__worker_left__init(to->worker_left);
        to->worker_left->reservation = reservation;
        set_text(&to->worker_left->cause, from->cause);
        return;
    }
}

static void print_body(struct arena *arena, const struct report *from, bridge_report *to)
{
    switch (from->kind) {
    case REPORT_ENQUEUE_CALL:
        print_enqueue(arena, from, to);
        return;
    case REPORT_CALL_ANSWERED:
        to->body_case = CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_CALL_ANSWERED;
        to->call_answered = arena_alloc(arena, sizeof(*to->call_answered));
        cordboard__routing__v1__bridge_report__call_answered__init(to->call_answered);
        return;
    case REPORT_CALL_ENDED:
        to->body_case = CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_CALL_ENDED;
        to->call_ended = arena_alloc(arena, sizeof(*to->call_ended));
        cordboard__routing__v1__bridge_report__call_ended__init(to->call_ended);
        set_text(&to->call_ended->cause, from->cause);
        to->call_ended->sip_status = from->sip_status;
        return;
    case REPORT_WORKER_RINGING:
    case REPORT_WORKER_JOINED:
    case REPORT_WORKER_FAILED:
    case REPORT_WORKER_LEFT:
        print_worker(arena, from, to);
        return;
    }
}

request *wire_report(struct arena *arena, const struct report *report, int64_t number)
{
    request *message = new_request(arena);
    bridge_report *to = arena_new_object(arena, bridge_report);
    Google__Protobuf__Timestamp *time = arena_new_object(arena, Google__Protobuf__Timestamp);

    cordboard__routing__v1__bridge_report__init(to);
    google__protobuf__timestamp__init(time);
    time->seconds = report->time_us / US_PER_SECOND;
    time->nanos = (int32_t)(report->time_us % US_PER_SECOND * NS_PER_US);
    to->workspace = arena_printf(arena, "workspaces/%s", report->workspace_id);
    to->number = number;
    to->report_time = time;
    set_text(&to->call, report->call_id);
    print_body(arena, report, to);
    message->message_case = CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_REQUEST__MESSAGE_REPORT;
    message->report = to;
    return message;
}

/* --- in --- */

const char *wire_last_id(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash ? slash + 1 : name;
}

const char *wire_workspace_id(struct arena *arena, const char *name)
{
    static const char prefix[] = "workspaces/";
    const char *id = name + strlen(prefix);

    if (strncmp(name, prefix, strlen(prefix)) != 0) {
        return "";
    }
    return arena_strndup(arena, id, strcspn(id, "/"));
}

static int64_t duration_us(const Google__Protobuf__Duration *duration)
{
    return duration ? duration->seconds * US_PER_SECOND + duration->nanos / NS_PER_US : 0;
}

bool wire_read_instruction(
    struct arena *arena,
    const Cordboard__Routing__V1__BridgeInstruction *message,
    struct instruction *ret_instruction)
{
    struct instruction instruction = {
        .workspace_id = wire_workspace_id(arena, message->workspace),
        .call_id = message->call,
        .task_id = "",
        .reservation_id = "",
        .worker_id = "",
        .contact_uri = "",
        .reason = "",
    };

    switch ((int)message->body_case) {
    case CORDBOARD__ROUTING__V1__BRIDGE_INSTRUCTION__BODY_CALL_ENQUEUED:
        instruction.kind = INSTRUCTION_CALL_ENQUEUED;
        instruction.task_id = wire_last_id(message->call_enqueued->task);
        break;
    case CORDBOARD__ROUTING__V1__BRIDGE_INSTRUCTION__BODY_DIAL_WORKER:
        instruction.kind = INSTRUCTION_DIAL_WORKER;
        instruction.task_id = wire_last_id(message->dial_worker->task);
        instruction.reservation_id = wire_last_id(message->dial_worker->reservation);
        instruction.worker_id = wire_last_id(message->dial_worker->worker);
        instruction.contact_uri = message->dial_worker->contact_uri;
        instruction.ring_timeout_us = duration_us(message->dial_worker->ring_timeout);
        break;
    case CORDBOARD__ROUTING__V1__BRIDGE_INSTRUCTION__BODY_RELEASE_WORKER:
        instruction.kind = INSTRUCTION_RELEASE_WORKER;
        instruction.reservation_id = wire_last_id(message->release_worker->reservation);
        instruction.reason = message->release_worker->reason;
        break;
    case CORDBOARD__ROUTING__V1__BRIDGE_INSTRUCTION__BODY_RELEASE_CALL:
        instruction.kind = INSTRUCTION_RELEASE_CALL;
        instruction.reason = message->release_call->reason;
        instruction.sip_status = message->release_call->sip_status;
        break;
    default:
        return false;
    }
    *ret_instruction = instruction;
    return true;
}

static enum route_answer read_answer(int answer)
{
    switch (answer) {
    case CORDBOARD__ROUTING__V1__INBOUND_ROUTE__ANSWER__AT_ONCE:
        return ROUTE_ANSWER_AT_ONCE;
    case CORDBOARD__ROUTING__V1__INBOUND_ROUTE__ANSWER__ON_WORKER:
        return ROUTE_ANSWER_ON_WORKER;
    default:
        return ROUTE_ANSWER_AFTER_TASK;
    }
}

void wire_read_telephony(
    struct arena *arena,
    const Cordboard__Routing__V1__AttachBridgeResponse__Telephony *message,
    struct telephony *ret_telephony)
{
    struct trunk *trunks = arena_new_array(arena, struct trunk, message->n_trunks);
    struct inbound_route *routes =
        arena_new_array(arena, struct inbound_route, message->n_inbound_routes);

    for (size_t i = 0; i < message->n_trunks; i++) {
        const Cordboard__Routing__V1__Trunk *from = message->trunks[i];

        trunks[i] = (struct trunk){
            .workspace_id = wire_workspace_id(arena, from->name),
            .id = wire_last_id(from->name),
            .source_addresses = (const char *const *)from->source_addresses,
            .source_address_count = from->n_source_addresses,
        };
    }
    for (size_t i = 0; i < message->n_inbound_routes; i++) {
        const Cordboard__Routing__V1__InboundRoute *from = message->inbound_routes[i];

        routes[i] = (struct inbound_route){
            .workspace_id = wire_workspace_id(arena, from->name),
            .id = wire_last_id(from->name),
            .trunk_id = wire_last_id(from->trunk),
            .called_number = from->called_number,
            .answer = read_answer((int)from->answer),
        };
    }
    *ret_telephony = (struct telephony){
        .trunks = trunks,
        .trunk_count = message->n_trunks,
        .routes = routes,
        .route_count = message->n_inbound_routes,
    };
}
