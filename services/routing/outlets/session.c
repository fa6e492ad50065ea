/* Worker sessions: what one worker's desktop needs, over one stream.
 *
 * No event falls between the snapshot and what follows: it names the sequence it contains, and
 * everything after that is still in the workspace's ring, or comes as a publication, when it is
 * sent.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/base/text_set.h"
#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/rpc/method.h"
#include "common/rpc/payload.h"
#include "common/rpc/status.h"
#include "common/rpc/stream.h"
#include "cordboard/routing/v1/worker_session_service.pb-c.h"
#include "services/routing/operations/operations.h"
#include "services/routing/operations/requests.h"
#include "services/routing/operations/step.h"
#include "services/routing/outlets/hub.h"
#include "services/routing/shard/shard.h"
#include "services/routing/wire/name.h"
#include "services/routing/wire/resource.h"

typedef Cordboard__Routing__V1__AttachWorkerSessionRequest session_request;
typedef Cordboard__Routing__V1__AttachWorkerSessionResponse session_response;

enum {
    FIELD_SEQUENCE = 1, /* of AttachWorkerSessionResponse */
    FIELD_EVENTS = 3
};

struct session {
    struct hub *hub;
    struct rpc_stream *stream; /* a reference of ours */
    char *workspace_id;        /* NULL before `open`; written on the stream's loop alone */
    char *worker_id;
    _Atomic size_t holders; /* the hub until closed, and each command under way */

    /* Hub's thread. */
    bool snapshot_sent;
    bool closed;
    int64_t cursor;
    int64_t last_sent_mono_us;
    struct text_set tasks; /* those whose events the worker gets */
    LIST_ENTRY(session) by_topic;
};

/* A command of the client on its way; also carries its answer to the hub. */
struct session_command {
    struct hub_message message;
    struct session *session;
    struct arena *arena; /* holds the command itself */
    int64_t number;
    struct command command;
    bool ok;
    int64_t sequence;
    session_response *response; /* in the arena */
    struct error err;
};

static void release(struct session *session)
{
    if (atomic_fetch_sub(&session->holders, 1) > 1) {
        return;
    }
    text_set_clear(&session->tasks);
    rpc_stream_unref(session->stream);
    free(session->workspace_id);
    free(session->worker_id);
    free(session);
}

static void send_response(struct session *session, const ProtobufCMessage *response)
{
    (void)rpc_stream_send_message(session->stream, response);
    session->last_sent_mono_us = hub_mono_us(session->hub);
}

/* --- events --- */

static bool ends_task(const char *type)
{
    return strcmp(type, "task.completed") == 0 || strcmp(type, "task.canceled") == 0 ||
           strcmp(type, "task.deleted") == 0 || strcmp(type, "task.system-deleted") == 0;
}

/* Events of the worker itself, and those of the tasks it was given. */
static bool concerns(struct session *session, const struct store_event *event)
{
    if (strcmp(event->worker_id, session->worker_id) == 0) {
        if (event->reservation_id[0] != '\0' && event->task_id[0] != '\0') {
            text_set_add(&session->tasks, event->task_id);
        }
        return true;
    }
    if (event->worker_id[0] != '\0' || event->task_id[0] == '\0' ||
        !text_set_has(&session->tasks, event->task_id)) {
        return false;
    }
    if (ends_task(event->type)) {
        text_set_remove(&session->tasks, event->task_id);
    }
    return true;
}

static void deliver(struct session *session, const struct publication *publication)
{
    struct packed_response response = {.bytes = NULL};
    int64_t last = publication->events[publication->event_count - 1].sequence;
    size_t count = 0;

    for (size_t i = 0; i < publication->event_count; i++) {
        const struct store_event *event = &publication->events[i];

        if (event->sequence > session->cursor && concerns(session, event)) {
            packed_add_event(&response, FIELD_EVENTS, event);
            count++;
        }
    }
    session->cursor = last > session->cursor ? last : session->cursor;
    if (count == 0) {
        return;
    }
    packed_add_number(&response, FIELD_SEQUENCE, last);

    struct rpc_payload *payload = packed_finish(&response);

    (void)rpc_stream_send(session->stream, payload);
    session->last_sent_mono_us = hub_mono_us(session->hub);
    rpc_payload_unref(payload);
}

void session_publish(struct hub *hub, struct topic *topic, const struct publication *publication)
{
    struct session *session = NULL;

    (void)hub;
    LIST_FOREACH(session, &topic->sessions, by_topic)
    {
        deliver(session, publication);
    }
}

void session_tick(struct hub *hub, struct topic *topic)
{
    struct session *session = NULL;

    LIST_FOREACH(session, &topic->sessions, by_topic)
    {
        if (hub_mono_us(hub) - session->last_sent_mono_us >= hub->options.heartbeat_us) {
            session_response response =
                CORDBOARD__ROUTING__V1__ATTACH_WORKER_SESSION_RESPONSE__INIT;

            response.sequence = session->cursor;
            send_response(session, &response.base);
        }
    }
}

/* --- answers of commands, on the hub's thread --- */

static void start_events(struct hub *hub, struct session *session, int64_t sequence)
{
    struct topic *topic = hub_topic(hub, session->workspace_id);
    struct publication *publication = NULL;

    session->snapshot_sent = true;
    session->cursor = sequence;
    TAILQ_FOREACH(publication, &topic->ring, by_age)
    {
        deliver(session, publication);
    }
    LIST_INSERT_HEAD(&topic->sessions, session, by_topic);
}

/* The id at the end of a resource name. */
static const char *last_part(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash ? slash + 1 : name;
}

static void run_answer(struct hub *hub, struct hub_message *base)
{
    struct session_command *command = (struct session_command *)base;
    struct session *session = command->session;
    bool opening = command->command.operation == &operation_get_worker_snapshot;

    if (session->closed) {
        /* nobody is there to be told */
    } else if (opening && !command->ok) {
        rpc_stream_finish(session->stream, &command->err);
    } else {
        for (size_t i = 0; opening && i < command->response->snapshot->n_tasks; i++) {
            text_set_add(&session->tasks, last_part(command->response->snapshot->tasks[i]->name));
        }
        send_response(session, &command->response->base);
        if (opening) {
            start_events(hub, session, command->sequence);
        }
    }
    arena_free(command->arena);
    release(session);
}

/* --- answers, on the engine's or committer's thread: views live no longer than the call --- */

static void add_to_snapshot(
    Cordboard__Routing__V1__AttachWorkerSessionResponse__Snapshot *snapshot,
    const struct view *view,
    struct arena *arena)
{
    void *message = resource_print(view, arena);

    switch ((int)view->kind) {
    case ROW_WORKER:
        snapshot->worker = message;
        break;
    case ROW_ACTIVITY:
        snapshot->activities[snapshot->n_activities++] = message;
        break;
    case ROW_RESERVATION:
        snapshot->reservations[snapshot->n_reservations++] = message;
        break;
    case ROW_TASK:
        snapshot->tasks[snapshot->n_tasks++] = message;
        break;
    default:
        break;
    }
}

static void fill_snapshot(struct session_command *command, const struct step *step)
{
    struct arena *arena = command->arena;
    Cordboard__Routing__V1__AttachWorkerSessionResponse__Snapshot *snapshot =
        arena_alloc(arena, sizeof(*snapshot));

    cordboard__routing__v1__attach_worker_session_response__snapshot__init(snapshot);
    snapshot->activities =
        arena_new_array(arena, Cordboard__Routing__V1__Activity *, step->view_count);
    snapshot->reservations =
        arena_new_array(arena, Cordboard__Routing__V1__Reservation *, step->view_count);
    snapshot->tasks = arena_new_array(arena, Cordboard__Routing__V1__Task *, step->view_count);
    for (size_t i = 0; i < step->view_count; i++) {
        add_to_snapshot(snapshot, &step->views[i], arena);
    }
    command->response->snapshot = snapshot;
}

static void add_to_result(
    Cordboard__Routing__V1__AttachWorkerSessionResponse__Result *result,
    const struct step *step,
    struct arena *arena)
{
    for (size_t i = 0; i < step->view_count; i++) {
        void *message = resource_print(&step->views[i], arena);

        if (step->views[i].kind == ROW_WORKER) {
            result->worker = message;
        } else if (step->views[i].kind == ROW_RESERVATION) {
            result->reservation = message;
        }
    }
}

static void fill_result(struct session_command *command, const struct step *step)
{
    struct arena *arena = command->arena;
    struct rpc_call *call = rpc_stream_call(command->session->stream);
    Cordboard__Routing__V1__AttachWorkerSessionResponse__Result *result =
        arena_alloc(arena, sizeof(*result));

    cordboard__routing__v1__attach_worker_session_response__result__init(result);
    result->command_number = command->number;
    if (step->ok) {
        result->status = arena_new_object(arena, Google__Rpc__Status);
        google__rpc__status__init(result->status);
        add_to_result(result, step, arena);
    } else {
        result->status = rpc_status_make(arena, &step->error, rpc_call_request_id(call));
    }
    command->response->result = result;
}

static void handle_answer(void *context, const struct step *step)
{
    struct session_command *command = context;

    command->ok = step->ok;
    command->sequence = step->sequence;
    command->err = step->error;
    command->response = arena_new_object(command->arena, session_response);
    cordboard__routing__v1__attach_worker_session_response__init(command->response);
    command->response->sequence = step->sequence;
    if (command->command.operation != &operation_get_worker_snapshot) {
        fill_result(command, step);
    } else if (step->ok) {
        fill_snapshot(command, step);
    }
    command->message.run = run_answer;
    hub_post(command->session->hub, &command->message);
}

/* --- the client's messages, on the stream's loop --- */

static void post_command(
    struct session *session,
    int64_t number,
    struct arena *arena,
    const struct operation *operation,
    const void *request)
{
    const struct routing_rpc *rpc = rpc_call_context(rpc_stream_call(session->stream));
    struct session_command *command = arena_new_object(arena, struct session_command);

    atomic_fetch_add(&session->holders, 1);
    command->session = session;
    command->arena = arena;
    command->number = number;
    command->command = (struct command){
        .operation = operation,
        .workspace_id = session->workspace_id,
        .request = request,
        .answer = handle_answer,
        .context = command,
        .actor = "worker",
    };
    shards_post(rpc->shards, &command->command);
}

static bool open_session(
    struct session *session,
    const session_request *message,
    struct arena *arena,
    struct error *err)
{
    struct snapshot_request *request = arena_new_object(arena, struct snapshot_request);
    struct name_parts parts;

    if (message->command_case !=
        CORDBOARD__ROUTING__V1__ATTACH_WORKER_SESSION_REQUEST__COMMAND_OPEN) {
        return FAIL_FIELD(
            err, REASON_FIELD_REQUIRED, "open", "the first message of a session must be `open`");
    }
    if (!name_parse(message->open->worker, "workspaces/*/workers/*", "open.worker", &parts, err)) {
        return false;
    }
    session->workspace_id = mem_strdup(parts.ids[0]);
    session->worker_id = mem_strdup(parts.ids[1]);
    request->worker_id = session->worker_id;
    post_command(session, message->command_number, arena, &operation_get_worker_snapshot, request);
    return true;
}

/* A failure of a later command is its result, not the end of the session. */
static void refuse_command(
    struct session *session,
    const session_request *message,
    struct arena *arena,
    const struct error *err)
{
    struct session_command *command = arena_new_object(arena, struct session_command);
    struct step step = {.ok = false, .error = *err};

    atomic_fetch_add(&session->holders, 1);
    command->session = session;
    command->arena = arena;
    command->number = message->command_number;
    handle_answer(command, &step);
}

static bool verb_request(
    const struct session *session,
    const char *reservation,
    struct arena *arena,
    struct reservation_verb_request **ret_request,
    struct error *err)
{
    struct reservation_verb_request *request =
        arena_new_object(arena, struct reservation_verb_request);
    struct name_parts parts;

    if (!name_parse(
            reservation, "workspaces/*/tasks/*/reservations/*", "reservation", &parts, err)) {
        return false;
    }
    if (strcmp(parts.ids[0], session->workspace_id) != 0) {
        return FAIL_FIELD(
            err, REASON_NAME_INVALID, "reservation", "reservation: '%s' is in another workspace",
            reservation);
    }
    request->task_id = arena_strdup(arena, parts.ids[1]);
    request->id = arena_strdup(arena, parts.ids[2]);
    request->worker_id = session->worker_id;
    request->etag = "";
    request->activity_id = "";
    *ret_request = request;
    return true;
}

static bool activity_of(
    const struct session *session,
    const char *name,
    struct arena *arena,
    const char **ret_id,
    struct error *err)
{
    struct name_parts parts;

    if (!name_parse(name, "workspaces/*/activities/*", "activity", &parts, err)) {
        return false;
    }
    if (strcmp(parts.ids[0], session->workspace_id) != 0) {
        return FAIL_FIELD(
            err, REASON_NAME_INVALID, "activity", "activity: '%s' is in another workspace", name);
    }
    *ret_id = arena_strdup(arena, parts.ids[1]);
    return true;
}

static bool set_activity(
    struct session *session,
    const session_request *message,
    struct arena *arena,
    struct error *err)
{
    struct set_worker_activity_request *request =
        arena_new_object(arena, struct set_worker_activity_request);

    if (!activity_of(session, message->set_activity->activity, arena, &request->activity_id, err)) {
        return false;
    }
    request->id = session->worker_id;
    request->reject_pending = message->set_activity->reject_pending_reservations;
    request->etag = "";
    post_command(session, message->command_number, arena, &operation_set_worker_activity, request);
    return true;
}

/* What a command is about, and what it asks of it; NULL when it is none of the verbs. */
static const struct operation *verb_of(const session_request *message, const char **ret_reservation)
{
    switch ((int)message->command_case) {
    case CORDBOARD__ROUTING__V1__ATTACH_WORKER_SESSION_REQUEST__COMMAND_ACCEPT:
        *ret_reservation = message->accept->reservation;
        return &operation_accept_reservation;
    case CORDBOARD__ROUTING__V1__ATTACH_WORKER_SESSION_REQUEST__COMMAND_REJECT:
        *ret_reservation = message->reject->reservation;
        return &operation_reject_reservation;
    case CORDBOARD__ROUTING__V1__ATTACH_WORKER_SESSION_REQUEST__COMMAND_WRAP_UP:
        *ret_reservation = message->wrap_up->reservation;
        return &operation_wrap_up_reservation;
    case CORDBOARD__ROUTING__V1__ATTACH_WORKER_SESSION_REQUEST__COMMAND_COMPLETE:
        *ret_reservation = message->complete->reservation;
        return &operation_complete_reservation;
    default:
        return NULL;
    }
}

static bool run_command(
    struct session *session,
    const session_request *message,
    struct arena *arena,
    struct error *err)
{
    const char *reservation = NULL;
    const struct operation *operation = verb_of(message, &reservation);
    struct reservation_verb_request *request = NULL;

    if (message->command_case ==
        CORDBOARD__ROUTING__V1__ATTACH_WORKER_SESSION_REQUEST__COMMAND_SET_ACTIVITY) {
        return set_activity(session, message, arena, err);
    }
    if (!operation) {
        return FAIL_FIELD(
            err, REASON_FIELD_REQUIRED, "command",
            "command: one of accept, reject, wrap_up, complete and set_activity must be set");
    }
    if (!verb_request(session, reservation, arena, &request, err)) {
        return false;
    }
    assert(request);
    if (operation == &operation_reject_reservation && message->reject->activity[0] != '\0' &&
        !activity_of(session, message->reject->activity, arena, &request->activity_id, err)) {
        return false;
    }
    post_command(session, message->command_number, arena, operation, request);
    return true;
}

static void handle_message(struct rpc_stream *stream, const ProtobufCMessage *base)
{
    const session_request *message = (const session_request *)base;
    struct session *session = rpc_stream_data(stream);
    struct arena *arena = arena_new();
    struct error err;

    if (!session->workspace_id) {
        if (!open_session(session, message, arena, &err)) {
            rpc_stream_finish(stream, &err);
            arena_free(arena);
        }
        return;
    }
    if (!run_command(session, message, arena, &err)) {
        refuse_command(session, message, arena, &err);
    }
}

static void handle_open(struct rpc_stream *stream, const ProtobufCMessage *request)
{
    const struct routing_rpc *rpc = rpc_call_context(rpc_stream_call(stream));
    struct session *session = mem_new(struct session);

    (void)request;
    session->hub = rpc->hub;
    session->stream = rpc_stream_ref(stream);
    atomic_store(&session->holders, 1);
    rpc_stream_set_data(stream, session);
}

struct closed_message {
    struct hub_message message;
    struct session *session;
};

static void run_closed(struct hub *hub, struct hub_message *base)
{
    struct session *session = ((struct closed_message *)base)->session;

    (void)hub;
    session->closed = true;
    if (session->snapshot_sent) {
        LIST_REMOVE(session, by_topic);
    }
    free(base);
    release(session);
}

static void handle_closed(struct rpc_stream *stream, const struct error *err)
{
    struct closed_message *message = mem_new(struct closed_message);

    (void)err;
    message->message.run = run_closed;
    message->session = rpc_stream_data(stream);
    hub_post(message->session->hub, &message->message);
}

const struct rpc_stream_handler worker_session = {
    .bidi = true,
    .open = handle_open,
    .message = handle_message,
    .closed = handle_closed,
};
