/* The tables: which message field is which row field. */
#include "cordboard/routing/v1/activity.pb-c.h"
#include "cordboard/routing/v1/inbound_route.pb-c.h"
#include "cordboard/routing/v1/reservation.pb-c.h"
#include "cordboard/routing/v1/task.pb-c.h"
#include "cordboard/routing/v1/task_channel.pb-c.h"
#include "cordboard/routing/v1/task_queue.pb-c.h"
#include "cordboard/routing/v1/trunk.pb-c.h"
#include "cordboard/routing/v1/worker.pb-c.h"
#include "cordboard/routing/v1/workflow.pb-c.h"
#include "cordboard/routing/v1/workspace.pb-c.h"
#include "services/routing/wire/resource.h"

/* clang-format off: tables read by columns. */
#define VALUE(name, field, access)                                                                 \
    {                                                                                              \
        name, field, BIND_VALUE, access, ""                                                        \
    }
#define NAME(name, field, access, collection)                                                      \
    {                                                                                              \
        name, field, BIND_NAME, access, collection                                                 \
    }
#define TIME(name, field, access)                                                                  \
    {                                                                                              \
        name, field, BIND_TIME, access, ""                                                         \
    }
#define DURATION(name, field, access)                                                              \
    {                                                                                              \
        name, field, BIND_DURATION, access, ""                                                     \
    }
#define TIMES(KIND)                                                                                \
    TIME("create_time", KIND##_FIELD_create_time_us, OUTPUT_ONLY),                                 \
        TIME("update_time", KIND##_FIELD_update_time_us, OUTPUT_ONLY)

static const struct binding workspace_bindings[] = {
    VALUE("display_name", WORKSPACE_FIELD_display_name, INPUT),
    NAME("default_activity", WORKSPACE_FIELD_default_activity_id, INPUT, "activities"),
    NAME("timeout_activity", WORKSPACE_FIELD_timeout_activity_id, INPUT, "activities"),
    TIMES(WORKSPACE),
};

static const struct binding activity_bindings[] = {
    VALUE("display_name", ACTIVITY_FIELD_display_name, INPUT),
    VALUE("available", ACTIVITY_FIELD_available, IMMUTABLE),
    TIMES(ACTIVITY),
};

static const struct binding task_channel_bindings[] = {
    VALUE("display_name", TASK_CHANNEL_FIELD_display_name, INPUT),
    TIMES(TASK_CHANNEL),
};

static const struct binding worker_bindings[] = {
    VALUE("display_name", WORKER_FIELD_display_name, INPUT),
    VALUE("attributes", WORKER_FIELD_attributes, INPUT),
    NAME("activity", WORKER_FIELD_activity_id, INPUT, "activities"),
    TIME("activity_change_time", WORKER_FIELD_activity_change_time_us, OUTPUT_ONLY),
    TIMES(WORKER),
};

static const struct binding task_queue_bindings[] = {
    VALUE("display_name", TASK_QUEUE_FIELD_display_name, INPUT),
    VALUE("target_workers", TASK_QUEUE_FIELD_target_workers, INPUT),
    TIMES(TASK_QUEUE),
};

static const struct binding workflow_bindings[] = {
    VALUE("display_name", WORKFLOW_FIELD_display_name, INPUT),
    VALUE("configuration", WORKFLOW_FIELD_configuration, INPUT),
    DURATION("task_reservation_timeout", WORKFLOW_FIELD_task_reservation_timeout_us, INPUT),
    DURATION("wrap_up_timeout", WORKFLOW_FIELD_wrap_up_timeout_us, INPUT),
    VALUE("default_instruction", WORKFLOW_FIELD_default_instruction, INPUT),
    TIMES(WORKFLOW),
};

static const struct binding task_bindings[] = {
    NAME("workflow", TASK_FIELD_workflow_id, IMMUTABLE, "workflows"),
    NAME("task_channel", TASK_FIELD_task_channel_id, IMMUTABLE, "taskChannels"),
    VALUE("attributes", TASK_FIELD_attributes, INPUT),
    VALUE("priority", TASK_FIELD_priority, INPUT),
    DURATION("ttl", TASK_FIELD_ttl_us, IMMUTABLE),
    TIME("virtual_start_time", TASK_FIELD_virtual_start_time_us, INPUT),
    VALUE("state", TASK_FIELD_state, OUTPUT_ONLY),
    VALUE("reason", TASK_FIELD_reason, OUTPUT_ONLY),
    NAME("task_queue", TASK_FIELD_task_queue_id, OUTPUT_ONLY, "taskQueues"),
    TIME("task_queue_enter_time", TASK_FIELD_task_queue_enter_time_us, OUTPUT_ONLY),
    VALUE("assignment_count", TASK_FIELD_assignment_count, OUTPUT_ONLY),
    VALUE("workflow_target", TASK_FIELD_target_index, OUTPUT_ONLY),
    TIME("expire_time", TASK_FIELD_expire_time_us, OUTPUT_ONLY),
    TIMES(TASK),
};

static const struct binding reservation_bindings[] = {
    NAME("task", RESERVATION_FIELD_task_id, OUTPUT_ONLY, "tasks"),
    NAME("worker", RESERVATION_FIELD_worker_id, OUTPUT_ONLY, "workers"),
    VALUE("state", RESERVATION_FIELD_state, OUTPUT_ONLY),
    VALUE("setup_state", RESERVATION_FIELD_setup_state, OUTPUT_ONLY),
    VALUE("reason", RESERVATION_FIELD_reason, OUTPUT_ONLY),
    TIME("expire_time", RESERVATION_FIELD_expire_time_us, OUTPUT_ONLY),
    TIMES(RESERVATION),
};

static const struct binding trunk_bindings[] = {
    VALUE("display_name", TRUNK_FIELD_display_name, INPUT),
    TIMES(TRUNK),
};

static const struct binding inbound_route_bindings[] = {
    VALUE("display_name", INBOUND_ROUTE_FIELD_display_name, INPUT),
    NAME("trunk", INBOUND_ROUTE_FIELD_trunk_id, INPUT, "trunks"),
    VALUE("called_number", INBOUND_ROUTE_FIELD_called_number, INPUT),
    NAME("workflow", INBOUND_ROUTE_FIELD_workflow_id, INPUT, "workflows"),
    VALUE("priority", INBOUND_ROUTE_FIELD_priority, INPUT),
    VALUE("attributes", INBOUND_ROUTE_FIELD_attributes, INPUT),
    VALUE("answer", INBOUND_ROUTE_FIELD_answer, INPUT),
    TIMES(INBOUND_ROUTE),
};

#define RESOURCE(KIND, type, singular, collection, extra)                                          \
    [ROW_##KIND] = {ROW_##KIND,                                                                    \
                    &cordboard__routing__v1__##type##__descriptor,                                 \
                    singular,                                                                      \
                    collection,                                                                    \
                    type##_bindings,                                                               \
                    sizeof(type##_bindings) / sizeof(type##_bindings[0]),                          \
                    extra}

static const struct resource resources[ROW_KIND_COUNT] = {
    RESOURCE(WORKSPACE, workspace, "workspace", "workspaces", NULL),
    RESOURCE(ACTIVITY, activity, "activity", "activities", NULL),
    RESOURCE(TASK_CHANNEL, task_channel, "task_channel", "taskChannels", NULL),
    RESOURCE(WORKER, worker, "worker", "workers", "channels"),
    RESOURCE(TASK_QUEUE, task_queue, "task_queue", "taskQueues", NULL),
    RESOURCE(WORKFLOW, workflow, "workflow", "workflows", NULL),
    RESOURCE(TASK, task, "task", "tasks", NULL),
    RESOURCE(RESERVATION, reservation, "reservation", "reservations", NULL),
    RESOURCE(TRUNK, trunk, "trunk", "trunks", "source_addresses"),
    RESOURCE(INBOUND_ROUTE, inbound_route, "inbound_route", "inboundRoutes", NULL),
};
/* clang-format on */

const struct resource *resource_of(enum row_kind kind)
{
    return resources[kind].descriptor ? &resources[kind] : NULL;
}
