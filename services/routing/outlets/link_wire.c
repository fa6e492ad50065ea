#include "services/routing/outlets/link_wire.h"

#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/rpc/stream.h"
#include "services/routing/domain/states.h"
#include "services/routing/operations/requests.h"
#include "services/routing/operations/step.h"
#include "services/routing/wire/name.h"
#include "services/routing/wire/resource.h"
#include "services/routing/wire/text.h"
#include "services/routing/wire/time.h"

typedef Cordboard__Routing__V1__AttachBridgeResponse response;
typedef Cordboard__Routing__V1__BridgeReport bridge_report;

/* --- in --- */

enum {
    KEY_LENGTH_MAX = 64,  /* of call ids and incarnations */
    TEXT_LENGTH_MAX = 255 /* of what is told about a call; the rest is cut off */
};

/* An opaque key of the bridge's: 1 to KEY_LENGTH_MAX bytes. */
static bool check_key(const char *key, const char *field, struct error *err)
{
    size_t length = strlen(key);

    return (length > 0 && length <= KEY_LENGTH_MAX) ||
           FAIL_FIELD(
               err, REASON_FIELD_INVALID, field, "%s: must have 1 to %d bytes", field,
               KEY_LENGTH_MAX);
}

/* At most TEXT_LENGTH_MAX bytes, cut between two characters. */
static const char *bounded(struct arena *arena, const char *text)
{
    size_t length = strlen(text);

    if (length > TEXT_LENGTH_MAX) {
        length = TEXT_LENGTH_MAX;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) {
            length--;
        }
    }
    return arena_strndup(arena, text, length);
}

/* The last id of a name, in the arena; "" of "". */
static bool read_id(
    struct arena *arena,
    const char *name,
    const char *pattern,
    const char *field,
    const char **ret_id,
    struct error *err)
{
    struct name_parts parts;

    *ret_id = "";
    if (name[0] == '\0') {
        return true;
    }
    if (!name_parse(name, pattern, field, &parts, err)) {
        return false;
    }
    *ret_id = arena_strdup(arena, parts.ids[parts.count - 1]);
    return true;
}

static bool copy_call(
    struct arena *arena,
    const Cordboard__Routing__V1__BridgeCall *from,
    struct link_hello_call *call,
    struct error *err)
{
    struct name_parts parts;

    if (!name_parse(from->workspace, "workspaces/*", "hello.calls.workspace", &parts, err) ||
        !check_key(from->call, "hello.calls.call", err) ||
        !read_id(
            arena, from->task, "workspaces/*/tasks/*", "hello.calls.task", &call->task_id, err) ||
        !read_id(
            arena, from->reservation, "workspaces/*/tasks/*/reservations/*",
            "hello.calls.reservation", &call->reservation_id, err)) {
        return false;
    }
    call->workspace_id = arena_strdup(arena, parts.ids[0]);
    call->call_id = arena_strdup(arena, from->call);
    call->talking = from->talking;
    return true;
}

const struct link_hello *link_hello_copy(
    struct arena *arena,
    const Cordboard__Routing__V1__AttachBridgeRequest__Hello *hello,
    struct error *err)
{
    struct link_hello *copy = arena_new_object(arena, struct link_hello);
    struct link_hello_call *calls = arena_new_array(arena, struct link_hello_call, hello->n_calls);

    if (!name_id_valid(hello->bridge)) {
        (void)FAIL_FIELD(
            err, REASON_FIELD_INVALID, "hello.bridge", "hello.bridge: '%.100s' is not an id",
            hello->bridge);
        return NULL;
    }
    if (!check_key(hello->incarnation, "hello.incarnation", err)) {
        return NULL;
    }
    for (size_t i = 0; i < hello->n_calls; i++) {
        if (!copy_call(arena, hello->calls[i], &calls[i], err)) {
            return NULL;
        }
    }
    copy->bridge_id = arena_strdup(arena, hello->bridge);
    copy->incarnation = arena_strdup(arena, hello->incarnation);
    copy->calls = calls;
    copy->call_count = hello->n_calls;
    return copy;
}

const struct attach_bridge_request *link_attach_request(
    struct arena *arena,
    const struct link_hello *hello,
    const char *workspace_id)
{
    struct attach_bridge_request *request = arena_new_object(arena, struct attach_bridge_request);
    struct bridge_call *calls = arena_new_array(arena, struct bridge_call, hello->call_count);

    /* hello lives as long as the link, which the command holds. */
    request->bridge_id = hello->bridge_id;
    request->incarnation = hello->incarnation;
    request->calls = calls;
    for (size_t i = 0; i < hello->call_count; i++) {
        const struct link_hello_call *from = &hello->calls[i];

        if (strcmp(from->workspace_id, workspace_id) == 0) {
            calls[request->call_count++] = (struct bridge_call){
                .call_id = from->call_id,
                .task_id = from->task_id,
                .reservation_id = from->reservation_id,
                .talking = from->talking,
            };
        }
    }
    return request;
}

static bool read_enqueue(
    struct arena *arena,
    const Cordboard__Routing__V1__BridgeReport__EnqueueCall *from,
    struct bridge_report_request *request,
    struct error *err)
{
    request->kind = REPORT_ENQUEUE_CALL;
    request->called_number = bounded(arena, from->called_number);
    request->caller_number = bounded(arena, from->caller_number);
    request->caller_display_name = bounded(arena, from->caller_display_name);
    request->sip_call_id = bounded(arena, from->sip_call_id);
    return read_id(
               arena, from->trunk, "workspaces/*/trunks/*", "report.enqueue_call.trunk",
               &request->trunk_id, err) &&
           read_id(
               arena, from->inbound_route, "workspaces/*/inboundRoutes/*",
               "report.enqueue_call.inbound_route", &request->inbound_route_id, err);
}

static bool read_reservation(
    struct arena *arena,
    const char *name,
    struct bridge_report_request *request,
    struct error *err)
{
    return read_id(
        arena, name, "workspaces/*/tasks/*/reservations/*", "report.reservation",
        &request->reservation_id, err);
}

static bool read_body(
    struct arena *arena,
    const bridge_report *report,
    struct bridge_report_request *request,
    struct error *err)
{
    switch ((int)report->body_case) {
    case CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_ENQUEUE_CALL:
        return read_enqueue(arena, report->enqueue_call, request, err);
    case CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_CALL_ANSWERED:
        request->kind = REPORT_CALL_ANSWERED;
        return true;
    case CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_CALL_ENDED:
        request->kind = REPORT_CALL_ENDED;
        request->cause = bounded(arena, report->call_ended->cause);
        request->sip_status = report->call_ended->sip_status;
        return true;
    case CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_WORKER_RINGING:
        request->kind = REPORT_WORKER_RINGING;
        return read_reservation(arena, report->worker_ringing->reservation, request, err);
    case CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_WORKER_JOINED:
        request->kind = REPORT_WORKER_JOINED;
        return read_reservation(arena, report->worker_joined->reservation, request, err);
    case CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_WORKER_FAILED:
        request->kind = REPORT_WORKER_FAILED;
        request->cause = bounded(arena, report->worker_failed->cause);
        request->sip_status = report->worker_failed->sip_status;
        return read_reservation(arena, report->worker_failed->reservation, request, err);
    case CORDBOARD__ROUTING__V1__BRIDGE_REPORT__BODY_WORKER_LEFT:
        request->kind = REPORT_WORKER_LEFT;
        request->cause = bounded(arena, report->worker_left->cause);
        return read_reservation(arena, report->worker_left->reservation, request, err);
    default:
        return FAIL_FIELD(
            err, REASON_FIELD_REQUIRED, "report.body", "a report must say what happened");
    }
}

bool link_report_request(
    struct arena *arena,
    const struct link_hello *hello,
    const bridge_report *report,
    const char **ret_workspace_id,
    struct bridge_report_request **ret_request,
    struct error *err)
{
    struct bridge_report_request *request = arena_new_object(arena, struct bridge_report_request);
    struct name_parts parts;

    if (!name_parse(report->workspace, "workspaces/*", "report.workspace", &parts, err) ||
        !check_key(report->call, "report.call", err) ||
        !time_read(report->report_time, "report.report_time", &request->bridge_time_us, err) ||
        !read_body(arena, report, request, err)) {
        return false;
    }
    request->bridge_id = arena_strdup(arena, hello->bridge_id);
    request->incarnation = arena_strdup(arena, hello->incarnation);
    request->number = report->number;
    request->call_id = arena_strdup(arena, report->call);
    *ret_workspace_id = arena_strdup(arena, parts.ids[0]);
    *ret_request = request;
    return true;
}

/* --- what a step said --- */

static response *print_telephony(struct arena *arena, const struct step *step)
{
    response *message = arena_new_object(arena, response);
    Cordboard__Routing__V1__AttachBridgeResponse__Telephony *telephony =
        arena_alloc(arena, sizeof(*telephony));

    cordboard__routing__v1__attach_bridge_response__init(message);
    cordboard__routing__v1__attach_bridge_response__telephony__init(telephony);
    message->message_case = CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__MESSAGE_TELEPHONY;
    message->telephony = telephony;
    telephony->trunks = arena_new_array(arena, Cordboard__Routing__V1__Trunk *, step->view_count);
    telephony->inbound_routes =
        arena_new_array(arena, Cordboard__Routing__V1__InboundRoute *, step->view_count);
    for (size_t i = 0; i < step->view_count; i++) {
        void *resource = resource_print(&step->views[i], arena);

        if (step->views[i].kind == ROW_TRUNK) {
            telephony->trunks[telephony->n_trunks++] = resource;
        } else if (step->views[i].kind == ROW_INBOUND_ROUTE) {
            telephony->inbound_routes[telephony->n_inbound_routes++] = resource;
        }
    }
    return message;
}

const struct effect *effects_copy(struct arena *arena, const struct effect *effects, size_t count)
{
    struct effect *copies = arena_new_array(arena, struct effect, count);

    for (size_t i = 0; i < count; i++) {
        copies[i] = effects[i];
        if (effects[i].instruction) {
            copies[i].instruction = row_copy(ROW_INSTRUCTION, effects[i].instruction, arena);
        }
        copies[i].bridge_id = arena_strdup(arena, effects[i].bridge_id);
    }
    return copies;
}

const struct link_answer *link_answer_copy(struct arena *arena, const struct step *step)
{
    struct link_answer *answer = arena_new_object(arena, struct link_answer);

    if (!step->ok) {
        return answer;
    }
    answer->workspace_ids = arena_new_array(arena, const char *, step->view_count);
    for (size_t i = 0; i < step->view_count; i++) {
        if (step->views[i].kind == ROW_WORKSPACE) {
            answer->workspace_ids[answer->workspace_count++] =
                arena_strdup(arena, step->views[i].workspace->workspace_id);
        }
    }
    answer->next_page = arena_strdup(arena, step->next_page);
    answer->telephony = print_telephony(arena, step);
    answer->effects = effects_copy(arena, step->effects, step->effect_count);
    answer->effect_count = step->effect_count;
    return answer;
}

/* --- out --- */

void link_send_welcome(struct rpc_stream *stream, int64_t lease_us, int heartbeats_per_lease)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    Cordboard__Routing__V1__AttachBridgeResponse__Welcome welcome =
        CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__WELCOME__INIT;
    response message = CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__INIT;

    welcome.lease_duration = duration_print(arena, lease_us);
    welcome.heartbeat_interval = duration_print(arena, lease_us / heartbeats_per_lease);
    message.message_case = CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__MESSAGE_WELCOME;
    message.welcome = &welcome;
    (void)rpc_stream_send_message(stream, &message.base);
}

void link_send_report_ack(struct rpc_stream *stream, const char *workspace_id, int64_t number)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    Cordboard__Routing__V1__AttachBridgeResponse__ReportAck ack =
        CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__REPORT_ACK__INIT;
    response message = CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__INIT;

    ack.workspace = arena_printf(arena, "workspaces/%s", workspace_id);
    ack.number = number;
    message.message_case = CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__MESSAGE_REPORT_ACK;
    message.report_ack = &ack;
    (void)rpc_stream_send_message(stream, &message.base);
}

static char *reservation_name(struct arena *arena, const struct instruction_row *row)
{
    return arena_printf(
        arena, "workspaces/%s/tasks/%s/reservations/%s", row->workspace_id, row->task_id,
        row->reservation_id);
}

static void print_body(
    struct arena *arena,
    const struct instruction_row *row,
    Cordboard__Routing__V1__BridgeInstruction *to)
{
    const char *task = name_print(arena, row->workspace_id, "tasks", row->task_id);

    switch (row->kind) {
    case INSTRUCTION_CALL_ENQUEUED:
        to->body_case = CORDBOARD__ROUTING__V1__BRIDGE_INSTRUCTION__BODY_CALL_ENQUEUED;
        to->call_enqueued = arena_alloc(arena, sizeof(*to->call_enqueued));
        cordboard__routing__v1__bridge_instruction__call_enqueued__init(to->call_enqueued);
        message_set_text(&to->call_enqueued->task, task);
        return;
    case INSTRUCTION_DIAL_WORKER:
        to->body_case = CORDBOARD__ROUTING__V1__BRIDGE_INSTRUCTION__BODY_DIAL_WORKER;
        to->dial_worker = arena_alloc(arena, sizeof(*to->dial_worker));
        cordboard__routing__v1__bridge_instruction__dial_worker__init(to->dial_worker);
        message_set_text(&to->dial_worker->task, task);
        to->dial_worker->reservation = reservation_name(arena, row);
        message_set_text(
            &to->dial_worker->worker,
            name_print(arena, row->workspace_id, "workers", row->worker_id));
        to->dial_worker->contact_uri = row->contact_uri;
        to->dial_worker->ring_timeout = duration_print(arena, row->ring_timeout_us);
        return;
    case INSTRUCTION_RELEASE_WORKER:
        to->body_case = CORDBOARD__ROUTING__V1__BRIDGE_INSTRUCTION__BODY_RELEASE_WORKER;
        to->release_worker = arena_alloc(arena, sizeof(*to->release_worker));
        cordboard__routing__v1__bridge_instruction__release_worker__init(to->release_worker);
        to->release_worker->reservation = reservation_name(arena, row);
        to->release_worker->reason = row->reason;
        return;
    case INSTRUCTION_RELEASE_CALL:
        to->body_case = CORDBOARD__ROUTING__V1__BRIDGE_INSTRUCTION__BODY_RELEASE_CALL;
        to->release_call = arena_alloc(arena, sizeof(*to->release_call));
        cordboard__routing__v1__bridge_instruction__release_call__init(to->release_call);
        to->release_call->reason = row->reason;
        to->release_call->sip_status = row->sip_status;
        return;
    default:
        return;
    }
}

void link_send_instruction(struct rpc_stream *stream, const struct instruction_row *row)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    Cordboard__Routing__V1__BridgeInstruction instruction =
        CORDBOARD__ROUTING__V1__BRIDGE_INSTRUCTION__INIT;
    response message = CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__INIT;

    instruction.workspace = arena_printf(arena, "workspaces/%s", row->workspace_id);
    instruction.number = row->number;
    instruction.call = row->call_id;
    print_body(arena, row, &instruction);
    message.message_case = CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__MESSAGE_INSTRUCTION;
    message.instruction = &instruction;
    (void)rpc_stream_send_message(stream, &message.base);
}
