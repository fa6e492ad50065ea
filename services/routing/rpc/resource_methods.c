#include "services/routing/rpc/resource_methods.h"

#include <string.h>
#include <sys/random.h>

#include "common/base/arena.h"
#include "common/base/uuid.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/json/json.h"
#include "common/rpc/call.h"
#include "common/value/value.h"
#include "cordboard/routing/v1/reservation_service.pb-c.h"
#include "cordboard/routing/v1/task_service.pb-c.h"
#include "cordboard/routing/v1/trunk.pb-c.h"
#include "cordboard/routing/v1/worker_service.pb-c.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/workflow_document.h"
#include "services/routing/operations/load.h"
#include "services/routing/operations/requests.h"
#include "services/routing/outlets/outlets.h"
#include "services/routing/rpc/page_token.h"
#include "services/routing/rpc/pending.h"
#include "services/routing/wire/name.h"
#include "services/routing/wire/resource.h"

/* The texts count in characters of 1 to 4 bytes (RFC 3629); operations count them exactly. */
enum {
    ATTRIBUTES_BYTES_MAX = 4 * ATTRIBUTES_CHARACTERS_MAX
};

/* What create and update read from the resource in the request. */
struct resource_input {
    void *row;
    const struct value *json;
    const struct worker_channel_setting *channels;
    size_t channel_count;
};

/* --- parts of a resource that are more than a field --- */

static bool read_json(
    struct pending *pending,
    const void *row,
    const struct value **ret_json,
    struct error *err)
{
    const struct routing_rpc *rpc = rpc_call_context(pending->call);
    const char *text = engine_json_text(pending->method->kind, row);
    bool document = pending->method->kind == ROW_WORKFLOW;
    struct arena *arena = rpc_call_arena(pending->call);
    struct json_reader reader = {
        .keys = rpc->keys,
        .arena = arena,
        .max_bytes = document ? WORKFLOW_DOCUMENT_BYTES_MAX : ATTRIBUTES_BYTES_MAX,
    };
    struct value *value = arena_new_object(arena, struct value);

    *ret_json = NULL;
    if (!text || text[0] == '\0') {
        return true;
    }
    if (!json_parse_object(&reader, text, strlen(text), value, err)) {
        const char *path = arena_printf(
            arena, "%s.%s", resource_of(pending->method->kind)->singular,
            document ? "configuration" : "attributes");

        return error_in_field(err, path, false);
    }
    *ret_json = value;
    return true;
}

static bool read_channels(
    struct pending *pending,
    const Cordboard__Routing__V1__Worker *worker,
    struct resource_input *input,
    struct error *err)
{
    struct arena *arena = rpc_call_arena(pending->call);
    struct worker_channel_setting *channels =
        arena_new_array(arena, struct worker_channel_setting, worker->n_channels);

    for (size_t i = 0; i < worker->n_channels; i++) {
        const char *path = arena_printf(arena, "worker.channels[%zu].task_channel", i);
        struct name_parts parts;

        if (!name_parse(
                worker->channels[i]->task_channel, "workspaces/*/taskChannels/*", path, &parts,
                err)) {
            return false;
        }
        if (strcmp(parts.ids[0], pending->command.workspace_id) != 0) {
            return FAIL_FIELD(
                err, REASON_NAME_INVALID, path, "%s: '%s' is in another workspace", path,
                worker->channels[i]->task_channel);
        }
        channels[i] = (struct worker_channel_setting){
            .task_channel_id = arena_strdup(arena, parts.ids[1]),
            .has_capacity = worker->channels[i]->_capacity_case !=
                            CORDBOARD__ROUTING__V1__WORKER_CHANNEL___CAPACITY__NOT_SET,
            .capacity = worker->channels[i]->capacity,
            .has_available = worker->channels[i]->_available_case !=
                             CORDBOARD__ROUTING__V1__WORKER_CHANNEL___AVAILABLE__NOT_SET,
            .available = worker->channels[i]->available,
        };
    }
    input->channels = channels;
    input->channel_count = worker->n_channels;
    return true;
}

/* The row keeps them in one text; the operation checks and orders them. */
static bool read_addresses(
    struct pending *pending,
    const Cordboard__Routing__V1__Trunk *trunk,
    struct trunk_row *row,
    struct error *err)
{
    struct arena *arena = rpc_call_arena(pending->call);
    const char *all = "";

    if (trunk->n_source_addresses > SOURCE_ADDRESSES_MAX) {
        return FAIL_FIELD(
            err, REASON_LIMIT_REACHED, "trunk.source_addresses",
            "trunk.source_addresses: at most %d", SOURCE_ADDRESSES_MAX);
    }
    for (size_t i = 0; i < trunk->n_source_addresses; i++) {
        const char *address = trunk->source_addresses[i];

        if (address[0] == '\0' || strchr(address, ' ') || strlen(address) > 64) {
            return FAIL_FIELD(
                err, REASON_FIELD_INVALID, "trunk.source_addresses",
                "trunk.source_addresses[%zu]: '%.64s' is not an address", i, address);
        }
        all = arena_printf(arena, "%s%s%s", all, all[0] ? " " : "", address);
    }
    row->source_addresses = arena_strdup(arena, all);
    return true;
}

static bool read_resource(
    struct pending *pending,
    const ProtobufCMessage *message,
    struct resource_mask mask,
    struct resource_input *input,
    struct error *err)
{
    enum row_kind kind = pending->method->kind;
    struct resource_reading reading = {
        .resource = resource_of(kind),
        .message = message,
        .workspace_id = pending->command.workspace_id,
        .mask = mask.fields,
        .arena = rpc_call_arena(pending->call),
    };

    if (!resource_read(&reading, &input->row, err) ||
        !read_json(pending, input->row, &input->json, err)) {
        return false;
    }
    if (kind == ROW_WORKER && mask.extra) {
        return read_channels(pending, (const Cordboard__Routing__V1__Worker *)message, input, err);
    }
    if (kind == ROW_TRUNK && mask.extra) {
        return read_addresses(
            pending, (const Cordboard__Routing__V1__Trunk *)message, input->row, err);
    }
    return true;
}

/* The whole request counts, so that another one under the same id is noticed. */
static bool request_key(
    struct pending *pending,
    const ProtobufCMessage *request,
    struct request_key *ret_key,
    struct error *err)
{
    struct request_key key = {.id = request_text(request, "request_id")};
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    *ret_key = key;
    if (key.id[0] == '\0') {
        return true;
    }
    if (!uuid_valid(key.id)) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, "request_id", "request_id: '%.100s' is not a UUID", key.id);
    }

    size_t size = protobuf_c_message_get_packed_size(request);
    uint8_t *bytes = arena_alloc(rpc_call_arena(pending->call), size);

    protobuf_c_message_pack(request, bytes);
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    ret_key->hash = (int64_t)hash;
    return true;
}

/* --- create --- */

/* A workspace's id is chosen here, since it names the engine that will be asked: a repeated request
 * must ask the same one. */
static bool new_workspace_id(
    struct pending *pending,
    const struct create_request *create,
    struct error *err)
{
    const char *id = create->id[0] != '\0' ? create->id : create->key.id;
    char text[UUID_TEXT_SIZE];
    uint8_t random[UUID_RANDOM_BYTES];

    if (id[0] != '\0') {
        pending->command.workspace_id = id;
        return name_id_valid(id) ||
               FAIL_FIELD(
                   err, REASON_FIELD_INVALID, "workspace_id",
                   "workspace_id: '%.100s' is not an id of 1 to 63 letters, digits, '-', '_' and "
                   "'.'",
                   id);
    }
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        return FAIL(err, REASON_INTERNAL, "no random numbers from the kernel");
    }
    uuid7_print(clock_wall_us(clock_system()), random, text);
    pending->command.workspace_id = arena_strdup(rpc_call_arena(pending->call), text);
    return true;
}

static bool create_request(
    struct pending *pending,
    const ProtobufCMessage *request,
    struct create_request *create,
    struct error *err)
{
    struct arena *arena = rpc_call_arena(pending->call);
    const struct resource *resource = resource_of(pending->method->kind);
    const ProtobufCMessage *message = request_message(request, resource->singular);
    struct resource_input input = {.row = NULL};

    create->id = request_text(request, arena_printf(arena, "%s_id", resource->singular));
    if (!request_key(pending, request, &create->key, err) ||
        (resource->kind == ROW_WORKSPACE ? !new_workspace_id(pending, create, err)
                                         : !pending_parent(pending, request, err))) {
        return false;
    }
    if (!message) {
        return FAIL_FIELD(
            err, REASON_FIELD_REQUIRED, resource->singular, "%s must be set", resource->singular);
    }
    if (!read_resource(
            pending, message, (struct resource_mask){.fields = UINT64_MAX, .extra = true}, &input,
            err)) {
        return false;
    }
    create->row = input.row;
    create->given = resource_fields_set(resource, message);
    create->json = input.json;
    create->channels = input.channels;
    create->channel_count = input.channel_count;
    return true;
}

void resource_create(struct rpc_call *call, const ProtobufCMessage *request)
{
    struct pending *pending = pending_new(call);
    struct create_request *create = arena_new_object(rpc_call_arena(call), struct create_request);
    struct error err;

    if (!create_request(pending, request, create, &err)) {
        rpc_call_fail(call, &err);
        return;
    }
    pending_post(pending, create, pending_answer_resource);
}

/* --- get, delete --- */

void resource_get(struct rpc_call *call, const ProtobufCMessage *request)
{
    struct pending *pending = pending_new(call);
    struct get_request *get = arena_new_object(rpc_call_arena(call), struct get_request);
    struct target target;
    struct error err;

    if (!pending_target(pending, request_text(request, "name"), "name", &target, &err)) {
        rpc_call_fail(call, &err);
        return;
    }
    get->id = target.id;
    get->task_id = target.task_id;
    pending_post(pending, get, pending_answer_resource);
}

void resource_delete(struct rpc_call *call, const ProtobufCMessage *request)
{
    struct pending *pending = pending_new(call);
    struct delete_request *delete = arena_new_object(rpc_call_arena(call), struct delete_request);
    struct target target;
    struct error err;

    if (!pending_target(pending, request_text(request, "name"), "name", &target, &err)) {
        rpc_call_fail(call, &err);
        return;
    }
    delete->id = target.id;
    delete->etag = request_text(request, "etag");
    pending_post(pending, delete, pending_answer_empty);
}

/* --- list --- */

/* Reservations are listed of a task or of a worker. */
static bool reservations_parent(
    struct pending *pending,
    const char *parent,
    struct list_request *list,
    struct error *err)
{
    struct arena *arena = rpc_call_arena(pending->call);
    struct name_parts parts;

    if (name_parse(parent, "workspaces/*/tasks/*", "parent", &parts, err)) {
        list->task_id = arena_strdup(arena, parts.ids[1]);
    } else if (name_parse(parent, "workspaces/*/workers/*", "parent", &parts, err)) {
        list->worker_id = arena_strdup(arena, parts.ids[1]);
    } else {
        return FAIL_FIELD(
            err, REASON_NAME_INVALID, "parent",
            "parent: '%.200s' is not a name of the form workspaces/*/tasks/* or "
            "workspaces/*/workers/*",
            parent);
    }
    pending->command.workspace_id = arena_strdup(arena, parts.ids[0]);
    return true;
}

static bool list_request(
    struct pending *pending,
    const ProtobufCMessage *request,
    struct list_request *list,
    struct error *err)
{
    enum row_kind kind = pending->method->kind;
    uint64_t scope = page_token_hash(0, row_types[kind].name);

    *list = (struct list_request){.after = "", .task_id = "", .worker_id = ""};
    if (kind == ROW_RESERVATION) {
        if (!reservations_parent(pending, request_text(request, "parent"), list, err)) {
            return false;
        }
    } else if (kind != ROW_WORKSPACE && !pending_parent(pending, request, err)) {
        return false;
    }
    if (kind == ROW_TASK) {
        int32_t state = request_int32(request, "state");

        *list = (struct list_request){.after = "", .state = state, .task_id = "", .worker_id = ""};
        scope = page_token_hash(scope + (uint64_t)state, "state");
    }
    if (kind != ROW_WORKSPACE) {
        scope = page_token_hash(scope, request_text(request, "parent"));
    }
    pending->page_scope = scope;
    list->page_size = request_int32(request, "page_size");
    return page_token_parse(
        request_text(request, "page_token"), scope, rpc_call_arena(pending->call), &list->after,
        err);
}

void resource_list(struct rpc_call *call, const ProtobufCMessage *request)
{
    struct pending *pending = pending_new(call);
    struct list_request *list = arena_new_object(rpc_call_arena(call), struct list_request);
    struct error err;

    if (!list_request(pending, request, list, &err)) {
        rpc_call_fail(call, &err);
        return;
    }
    pending_post(pending, list, pending_answer_page);
}

/* --- update --- */

static bool update_request(
    struct pending *pending,
    const ProtobufCMessage *request,
    struct update_request *update,
    struct error *err)
{
    struct arena *arena = rpc_call_arena(pending->call);
    const struct resource *resource = resource_of(pending->method->kind);
    const ProtobufCMessage *message = request_message(request, resource->singular);
    struct resource_input input = {.row = NULL};
    struct resource_mask mask;
    struct target target;

    if (!message) {
        return FAIL_FIELD(
            err, REASON_FIELD_REQUIRED, resource->singular, "%s must be set", resource->singular);
    }
    if (!pending_target(
            pending, request_text(message, "name"),
            arena_printf(arena, "%s.name", resource->singular), &target, err) ||
        !resource_mask(
            resource, message,
            (const Google__Protobuf__FieldMask *)request_message(request, "update_mask"), &mask,
            err) ||
        !read_resource(pending, message, mask, &input, err)) {
        return false;
    }
    update->id = target.id;
    update->row = input.row;
    update->mask = mask.fields;
    if (resource->kind == ROW_TRUNK && mask.extra &&
        ((const struct trunk_row *)input.row)->source_addresses[0] != '\0') {
        update->mask |= ROW_MASK(TRUNK_FIELD_source_addresses);
    }
    update->json = input.json;
    update->channels = input.channels;
    update->channel_count = input.channel_count;
    update->etag = request_text(message, "etag");
    return request_key(pending, request, &update->key, err);
}

void resource_update(struct rpc_call *call, const ProtobufCMessage *request)
{
    struct pending *pending = pending_new(call);
    struct update_request *update = arena_new_object(rpc_call_arena(call), struct update_request);
    struct error err;

    if (!update_request(pending, request, update, &err)) {
        rpc_call_fail(call, &err);
        return;
    }
    pending_post(pending, update, pending_answer_resource);
}

/* --- verbs --- */

void task_verb(struct rpc_call *call, const ProtobufCMessage *request)
{
    struct pending *pending = pending_new(call);
    struct task_verb_request *verb =
        arena_new_object(rpc_call_arena(call), struct task_verb_request);
    struct target target;
    struct error err;

    if (!pending_target(pending, request_text(request, "name"), "name", &target, &err)) {
        rpc_call_fail(call, &err);
        return;
    }
    verb->id = target.id;
    verb->etag = request_text(request, "etag");
    verb->reason = request_text(request, "reason");
    pending_post(pending, verb, pending_answer_resource);
}

/* An activity's id from its name; "" from "". */
static bool activity_id(
    struct pending *pending,
    const char *name,
    const char **ret_id,
    struct error *err)
{
    struct name_parts parts;

    *ret_id = "";
    if (name[0] == '\0') {
        return true;
    }
    if (!name_parse(name, "workspaces/*/activities/*", "activity", &parts, err)) {
        return false;
    }
    if (strcmp(parts.ids[0], pending->command.workspace_id) != 0) {
        return FAIL_FIELD(
            err, REASON_NAME_INVALID, "activity", "activity: '%s' is in another workspace", name);
    }
    *ret_id = arena_strdup(rpc_call_arena(pending->call), parts.ids[1]);
    return true;
}

void reservation_verb(struct rpc_call *call, const ProtobufCMessage *request)
{
    struct pending *pending = pending_new(call);
    struct reservation_verb_request *verb =
        arena_new_object(rpc_call_arena(call), struct reservation_verb_request);
    bool rejects =
        request->descriptor == &cordboard__routing__v1__reject_reservation_request__descriptor;
    struct target target;
    struct error err;

    verb->activity_id = "";
    if (!pending_target(pending, request_text(request, "name"), "name", &target, &err) ||
        (rejects &&
         !activity_id(pending, request_text(request, "activity"), &verb->activity_id, &err))) {
        rpc_call_fail(call, &err);
        return;
    }
    verb->id = target.id;
    verb->task_id = target.task_id;
    verb->worker_id = "";
    verb->etag = request_text(request, "etag");
    pending_post(pending, verb, pending_answer_resource);
}

void worker_set_activity(struct rpc_call *call, const ProtobufCMessage *request)
{
    const Cordboard__Routing__V1__SetWorkerActivityRequest *asked =
        (const Cordboard__Routing__V1__SetWorkerActivityRequest *)request;
    struct pending *pending = pending_new(call);
    struct set_worker_activity_request *set =
        arena_new_object(rpc_call_arena(call), struct set_worker_activity_request);
    struct target target;
    struct error err;

    if (!pending_target(pending, asked->name, "name", &target, &err) ||
        !activity_id(pending, asked->activity, &set->activity_id, &err)) {
        rpc_call_fail(call, &err);
        return;
    }
    set->id = target.id;
    set->reject_pending = asked->reject_pending_reservations;
    set->etag = asked->etag;
    pending_post(pending, set, pending_answer_resource);
}
