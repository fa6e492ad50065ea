#include "services/routing/rpc/pending.h"

#include <assert.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/rpc/method.h"
#include "google/protobuf/empty.pb-c.h"
#include "services/routing/operations/step.h"
#include "services/routing/outlets/outlets.h"
#include "services/routing/rpc/page_token.h"
#include "services/routing/wire/name.h"
#include "services/routing/wire/resource.h"

struct pending *pending_new(struct rpc_call *call)
{
    struct pending *pending = arena_new_object(rpc_call_arena(call), struct pending);

    pending->call = call;
    pending->method = rpc_call_method(call)->data;
    pending->command.operation = pending->method->operation;
    pending->command.workspace_id = "";
    return pending;
}

void pending_post(struct pending *pending, const void *request, command_answer *answer)
{
    const struct routing_rpc *rpc = rpc_call_context(pending->call);

    pending->command.request = request;
    pending->command.answer = answer;
    pending->command.context = pending;
    shards_post(rpc->shards, &pending->command);
}

/* --- answers --- */

void pending_answer_resource(void *context, const struct step *step)
{
    const struct pending *pending = context;

    if (step->ok) {
        assert(step->view_count == 1);
        rpc_call_reply(
            pending->call, resource_print(&step->views[0], rpc_call_arena(pending->call)));
    } else {
        rpc_call_fail(pending->call, &step->error);
    }
}

void pending_answer_empty(void *context, const struct step *step)
{
    const struct pending *pending = context;
    Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;

    if (step->ok) {
        rpc_call_reply(pending->call, &empty.base);
    } else {
        rpc_call_fail(pending->call, &step->error);
    }
}

enum {
    PAGE_BYTES = 3 * 1024 * 1024 /* a client takes 4 MiB at once, unless it says otherwise */
};

/* The messages of the views that fit into a response, the first one in any case; their number. */
static size_t print_page(const struct step *step, struct arena *arena, ProtobufCMessage **items)
{
    size_t bytes = 0;
    size_t count = 0;

    for (; count < step->view_count; count++) {
        items[count] = resource_print(&step->views[count], arena);
        bytes += protobuf_c_message_get_packed_size(items[count]);
        if (bytes > PAGE_BYTES && count > 0) {
            break;
        }
    }
    return count;
}

/* The place after a view, as list operations take it. */
static const char *place_of(const struct view *view)
{
    const struct row_type *type = &row_types[view->kind];

    return row_text(view->row, &type->fields[view->kind == ROW_WORKSPACE ? 0 : 1]);
}

/* Every list response has the resources first, then next_page_token. */
void pending_answer_page(void *context, const struct step *step)
{
    const struct pending *pending = context;

    if (!step->ok) {
        rpc_call_fail(pending->call, &step->error);
        return;
    }

    struct arena *arena = rpc_call_arena(pending->call);
    ProtobufCMessage *response = arena_alloc(arena, pending->method->page->sizeof_message);
    ProtobufCMessage **items = arena_new_array(arena, ProtobufCMessage *, step->view_count);
    const ProtobufCFieldDescriptor *list = &pending->method->page->fields[0];
    const ProtobufCFieldDescriptor *next = &pending->method->page->fields[1];

    size_t count = print_page(step, arena, items);
    const char *after =
        count < step->view_count ? place_of(&step->views[count - 1]) : step->next_page;

    protobuf_c_message_init(pending->method->page, response);
    memcpy((char *)response + list->offset, &items, sizeof(ProtobufCMessage **));
    memcpy((char *)response + list->quantifier_offset, &count, sizeof(count));
    if (after) {
        const char *token = page_token_print(arena, pending->page_scope, after);

        *(const char **)(void *)((char *)response + next->offset) = token;
    }
    rpc_call_reply(pending->call, response);
}

/* --- requests --- */

static const void *request_field(const ProtobufCMessage *request, const char *name)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(request->descriptor, name);

    assert(field);
    return (const char *)request + field->offset;
}

const char *request_text(const ProtobufCMessage *request, const char *field)
{
    return *(const char *const *)request_field(request, field);
}

int32_t request_int32(const ProtobufCMessage *request, const char *field)
{
    return *(const int32_t *)request_field(request, field);
}

const ProtobufCMessage *request_message(const ProtobufCMessage *request, const char *field)
{
    return *(const ProtobufCMessage *const *)request_field(request, field);
}

bool pending_parent(struct pending *pending, const ProtobufCMessage *request, struct error *err)
{
    struct name_parts parts;

    if (!name_parse(request_text(request, "parent"), "workspaces/*", "parent", &parts, err)) {
        return false;
    }
    pending->command.workspace_id = arena_strdup(rpc_call_arena(pending->call), parts.ids[0]);
    return true;
}

bool pending_target(
    struct pending *pending,
    const char *name,
    const char *field,
    struct target *ret_target,
    struct error *err)
{
    struct arena *arena = rpc_call_arena(pending->call);
    enum row_kind kind = pending->method->kind;
    const char *pattern = "workspaces/*";
    struct name_parts parts;

    if (kind == ROW_RESERVATION) {
        pattern = "workspaces/*/tasks/*/reservations/*";
    } else if (kind != ROW_WORKSPACE) {
        pattern = arena_printf(arena, "workspaces/*/%s/*", resource_of(kind)->collection);
    }
    if (!name_parse(name, pattern, field, &parts, err)) {
        return false;
    }
    pending->command.workspace_id = arena_strdup(arena, parts.ids[0]);
    ret_target->id = arena_strdup(arena, parts.ids[parts.count - 1]);
    ret_target->task_id = parts.count == NAME_PARTS_MAX ? arena_strdup(arena, parts.ids[1]) : "";
    return true;
}
