#include <criterion/criterion.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "cordboard/routing/v1/inbound_route.pb-c.h"
#include "cordboard/routing/v1/task.pb-c.h"
#include "services/routing/domain/row.h"
#include "services/routing/domain/view.h"
#include "services/routing/wire/resource.h"

/* Every text of the row says which field it is. */
static void fill_row(enum row_kind kind, void *row)
{
    const struct row_type *type = &row_types[kind];

    row_init(kind, row);
    for (size_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].type == ROW_FIELD_TEXT) {
            row_set_text((char **)(void *)((char *)row + type->fields[i].offset), "text");
        }
    }
}

/* A message is sent on streams long after the step that made the view is gone. */
Test(resource, messages_outlive_the_view_they_were_made_of)
{
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
        _Alignas(16) unsigned char row[1024];
        struct view view = {.kind = (enum row_kind)kind, .row = row};

        if (!resource_of((enum row_kind)kind)) {
            continue;
        }
        cr_assert_leq(row_types[kind].size, sizeof(row));
        fill_row((enum row_kind)kind, row);

        ProtobufCMessage *message = resource_print(&view, arena);
        size_t size = protobuf_c_message_get_packed_size(message);
        uint8_t *before = arena_alloc(arena, size);
        uint8_t *after = arena_alloc(arena, size);

        protobuf_c_message_pack(message, before);
        row_deinit((enum row_kind)kind, row); /* under AddressSanitizer a text still used shows */
        cr_assert_eq(protobuf_c_message_pack(message, after), size);
        cr_assert_eq(memcmp(before, after, size), 0, "%s", row_types[kind].name);
    }
}

static struct resource_reading reading_of(const ProtobufCMessage *message, struct arena *arena)
{
    return (struct resource_reading){
        .resource = resource_of(ROW_INBOUND_ROUTE),
        .message = message,
        .workspace_id = "acme",
        .mask = UINT64_MAX,
        .arena = arena,
    };
}

Test(resource, reads_names_as_ids_of_the_same_workspace_only)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    Cordboard__Routing__V1__InboundRoute route = CORDBOARD__ROUTING__V1__INBOUND_ROUTE__INIT;
    struct resource_reading reading = reading_of(&route.base, arena);
    struct inbound_route_row *row = NULL;
    struct error err;
    char same[] = "workspaces/acme/workflows/main";
    char other[] = "workspaces/other/workflows/main";
    char queue[] = "workspaces/acme/taskQueues/main";

    route.workflow = same;
    cr_assert(resource_read(&reading, (void **)&row, &err));
    cr_assert_str_eq(row->workflow_id, "main");
    cr_assert_str_eq(row->trunk_id, "");

    route.workflow = other;
    cr_assert_not(resource_read(&reading, (void **)&row, &err));
    cr_assert_eq(err.reason, REASON_NAME_INVALID);
    cr_assert_str_eq(err.field, "inbound_route.workflow");

    route.workflow = queue;
    cr_assert_not(resource_read(&reading, (void **)&row, &err));
    cr_assert_eq(err.reason, REASON_NAME_INVALID);
}

Test(resource, masks_name_fields_that_may_be_changed_only)
{
    Cordboard__Routing__V1__Task task = CORDBOARD__ROUTING__V1__TASK__INIT;
    Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
    const struct resource *resource = resource_of(ROW_TASK);
    struct resource_mask fields;
    struct error err;
    char priority[] = "priority";
    char *paths[] = {priority};

    mask.n_paths = 1;
    mask.paths = paths;
    cr_assert(resource_mask(resource, &task.base, &mask, &fields, &err));
    cr_assert_eq(fields.fields, ROW_MASK(TASK_FIELD_priority), "0 can be set by the mask alone");

    cr_assert(resource_mask(resource, &task.base, NULL, &fields, &err));
    cr_assert_eq(fields.fields, 0, "nothing is set");

    for (int i = 0; i < 3; i++) {
        static char bad[][16] = {"state", "workflow", "nonsense"};

        paths[0] = bad[i];
        cr_assert_not(resource_mask(resource, &task.base, &mask, &fields, &err));
        cr_assert_eq(err.reason, REASON_MASK_INVALID);
    }
}
