/* Views to messages. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "cordboard/routing/v1/task.pb-c.h"
#include "cordboard/routing/v1/task_queue.pb-c.h"
#include "cordboard/routing/v1/trunk.pb-c.h"
#include "cordboard/routing/v1/worker.pb-c.h"
#include "cordboard/routing/v1/workflow.pb-c.h"
#include "services/routing/domain/view.h"
#include "services/routing/wire/name.h"
#include "services/routing/wire/resource.h"
#include "services/routing/wire/text.h"
#include "services/routing/wire/time.h"

static void *field_at(ProtobufCMessage *message, const char *name)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);

    assert(field);
    return (char *)message + field->offset;
}

static void set_text(ProtobufCMessage *message, const char *name, const char *text)
{
    memcpy(field_at(message, name), &text, sizeof(text));
}

static void set_number(void *at, const struct row_field *field, int64_t number)
{
    int32_t small = (int32_t)number;

    switch (field->type) {
    case ROW_FIELD_INT32:
        memcpy(at, &small, sizeof(small));
        return;
    case ROW_FIELD_BOOL:
        *(protobuf_c_boolean *)at = number != 0;
        return;
    case ROW_FIELD_INT64:
    case ROW_FIELD_TIME:
        memcpy(at, &number, sizeof(number));
        return;
    case ROW_FIELD_TEXT:
        break;
    }
    abort();
}

static void print_binding(
    ProtobufCMessage *message,
    const struct binding *binding,
    const struct row_type *type,
    const void *row,
    struct arena *arena)
{
    const struct row_field *field = &type->fields[binding->row_field];
    void *at = field_at(message, binding->message_field);
    const void *made = NULL;

    switch (binding->kind) {
    case BIND_VALUE:
        if (field->type != ROW_FIELD_TEXT) {
            set_number(at, field, row_number(row, field));
            return;
        }
        made = arena_strdup(arena, row_text(row, field));
        break;
    case BIND_NAME:
        made = name_print(
            arena, row_text(row, &type->fields[0]), binding->collection, row_text(row, field));
        break;
    case BIND_TIME:
        made = time_print(arena, row_number(row, field));
        break;
    case BIND_DURATION:
        made = duration_print(arena, row_number(row, field));
        break;
    }
    memcpy(at, &made, sizeof(made));
}

const char *resource_name(const struct view *view, struct arena *arena)
{
    const struct resource *resource = resource_of(view->kind);
    const struct row_type *type = &row_types[view->kind];
    const void *row = view->row;
    const char *workspace_id = row_text(row, &type->fields[0]);

    if (view->kind == ROW_WORKSPACE) {
        return arena_printf(arena, "workspaces/%s", workspace_id);
    }
    if (view->kind == ROW_RESERVATION) {
        const struct reservation_row *reservation = row;

        return arena_printf(
            arena, "workspaces/%s/tasks/%s/reservations/%s", workspace_id, reservation->task_id,
            reservation->id);
    }
    return name_print(arena, workspace_id, resource->collection, row_text(row, &type->fields[1]));
}

static int64_t row_version(const struct row_type *type, const void *row)
{
    for (size_t i = 0; i < type->field_count; i++) {
        if (strcmp(type->fields[i].name, "version") == 0) {
            return row_number(row, &type->fields[i]);
        }
    }
    return 0;
}

/* --- what is not a plain field --- */

static void print_worker(
    Cordboard__Routing__V1__Worker *worker,
    const struct view *view,
    struct arena *arena)
{
    const char *workspace_id = view->worker->workspace_id;

    worker->available = view->worker_available;
    worker->n_channels = view->channel_count;
    worker->channels =
        arena_new_array(arena, Cordboard__Routing__V1__WorkerChannel *, view->channel_count);
    for (size_t i = 0; i < view->channel_count; i++) {
        const struct worker_channel_view *from = &view->channels[i];
        Cordboard__Routing__V1__WorkerChannel *channel =
            arena_new_object(arena, Cordboard__Routing__V1__WorkerChannel);

        cordboard__routing__v1__worker_channel__init(channel);
        message_set_text(
            &channel->task_channel,
            name_print(arena, workspace_id, "taskChannels", from->task_channel_id));
        channel->_capacity_case = CORDBOARD__ROUTING__V1__WORKER_CHANNEL___CAPACITY_CAPACITY;
        channel->capacity = from->capacity;
        channel->_available_case = CORDBOARD__ROUTING__V1__WORKER_CHANNEL___AVAILABLE_AVAILABLE;
        channel->available = from->available;
        channel->assigned_task_count = from->assigned_task_count;
        channel->available_capacity_percentage = from->available_capacity_percentage;
        worker->channels[i] = channel;
    }
}

static void print_task(
    Cordboard__Routing__V1__Task *task,
    const struct view *view,
    struct arena *arena)
{
    const struct task_row *row = view->task;

    task->workflow_filter = arena_strdup(arena, view->filter_name ? view->filter_name : "");
    if (row->call_id[0] == '\0') {
        return;
    }
    task->call = arena_new_object(arena, Cordboard__Routing__V1__Task__Call);
    cordboard__routing__v1__task__call__init(task->call);
    task->call->bridge = arena_strdup(arena, row->bridge_id);
    task->call->call = arena_strdup(arena, row->call_id);
    task->call->live = row->call_live;
    task->call->called_number = arena_strdup(arena, row->called_number);
    task->call->caller_number = arena_strdup(arena, row->caller_number);
}

static void print_workflow(
    Cordboard__Routing__V1__Workflow *workflow,
    const struct view *view,
    struct arena *arena)
{
    workflow->n_warnings = view->warning_count;
    workflow->warnings = arena_new_array(arena, char *, view->warning_count);
    for (size_t i = 0; i < view->warning_count; i++) {
        workflow->warnings[i] = arena_strdup(arena, view->warnings[i]);
    }
}

static void print_trunk(
    Cordboard__Routing__V1__Trunk *trunk,
    const struct view *view,
    struct arena *arena)
{
    char *rest = arena_strdup(arena, view->trunk->source_addresses);
    char *address = NULL;

    trunk->source_addresses = arena_new_array(arena, char *, strlen(rest) + 1);
    while ((address = strsep(&rest, " ")) != NULL) {
        if (*address) {
            trunk->source_addresses[trunk->n_source_addresses++] = address;
        }
    }
}

static void print_rest(ProtobufCMessage *message, const struct view *view, struct arena *arena)
{
    switch ((int)view->kind) {
    case ROW_WORKER:
        print_worker((Cordboard__Routing__V1__Worker *)message, view, arena);
        break;
    case ROW_TASK_QUEUE:
        ((Cordboard__Routing__V1__TaskQueue *)message)->worker_count = view->worker_count;
        ((Cordboard__Routing__V1__TaskQueue *)message)->waiting_task_count =
            view->waiting_task_count;
        break;
    case ROW_WORKFLOW:
        print_workflow((Cordboard__Routing__V1__Workflow *)message, view, arena);
        break;
    case ROW_TASK:
        print_task((Cordboard__Routing__V1__Task *)message, view, arena);
        break;
    case ROW_TRUNK:
        print_trunk((Cordboard__Routing__V1__Trunk *)message, view, arena);
        break;
    default:
        break;
    }
}

ProtobufCMessage *resource_print(const struct view *view, struct arena *arena)
{
    const struct resource *resource = resource_of(view->kind);

    if (!resource) {
        return NULL;
    }

    const struct row_type *type = &row_types[view->kind];
    ProtobufCMessage *message = arena_alloc(arena, resource->descriptor->sizeof_message);

    protobuf_c_message_init(resource->descriptor, message);
    set_text(message, "name", resource_name(view, arena));
    set_text(message, "etag", arena_printf(arena, "%lld", (long long)row_version(type, view->row)));
    for (size_t i = 0; i < resource->binding_count; i++) {
        print_binding(message, &resource->bindings[i], type, view->row, arena);
    }
    print_rest(message, view, arena);
    return message;
}
