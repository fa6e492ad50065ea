/* The tables of the services: one row a method. */
#include "services/routing/rpc/services.h"

#include "common/rpc/method.h"
#include "cordboard/routing/v1/activity_service.pb-c.h"
#include "cordboard/routing/v1/bridge_link_service.pb-c.h"
#include "cordboard/routing/v1/event_service.pb-c.h"
#include "cordboard/routing/v1/inbound_route_service.pb-c.h"
#include "cordboard/routing/v1/reservation_service.pb-c.h"
#include "cordboard/routing/v1/task_channel_service.pb-c.h"
#include "cordboard/routing/v1/task_queue_service.pb-c.h"
#include "cordboard/routing/v1/task_service.pb-c.h"
#include "cordboard/routing/v1/trunk_service.pb-c.h"
#include "cordboard/routing/v1/worker_service.pb-c.h"
#include "cordboard/routing/v1/worker_session_service.pb-c.h"
#include "cordboard/routing/v1/workflow_service.pb-c.h"
#include "cordboard/routing/v1/workspace_service.pb-c.h"
#include "services/routing/operations/operations.h"
#include "services/routing/outlets/outlets.h"
#include "services/routing/rpc/event_methods.h"
#include "services/routing/rpc/resource_methods.h"

#define RESOURCE_METHOD(method, handler, op, KIND)                                                 \
    {                                                                                              \
        .name = (method), .unary = (handler), .data = &(const struct resource_method)              \
        {                                                                                          \
            .operation = &operation_##op, .kind = ROW_##KIND                                       \
        }                                                                                          \
    }

/* Create, get, list, update, delete. */
#define CRUD(Noun, Nouns, KIND, noun, nouns)                                                       \
    RESOURCE_METHOD("Create" #Noun, resource_create, create_##noun, KIND),                         \
        RESOURCE_METHOD("Get" #Noun, resource_get, get_##noun, KIND),                              \
        LIST(Nouns, KIND, nouns, noun),                                                            \
        RESOURCE_METHOD("Update" #Noun, resource_update, update_##noun, KIND),                     \
        RESOURCE_METHOD("Delete" #Noun, resource_delete, delete_##noun, KIND)

#define LIST(Nouns, KIND, nouns, noun)                                                             \
    {                                                                                              \
        .name = "List" #Nouns, .unary = resource_list, .data = &(const struct resource_method)     \
        {                                                                                          \
            .operation = &operation_list_##nouns, .kind = ROW_##KIND,                              \
            .page = &cordboard__routing__v1__list_##nouns##_response__descriptor,                  \
        }                                                                                          \
    }

static const struct rpc_method workspace_methods[] = {
    CRUD(Workspace, Workspaces, WORKSPACE, workspace, workspaces),
};

static const struct rpc_method activity_methods[] = {
    CRUD(Activity, Activities, ACTIVITY, activity, activities),
};

static const struct rpc_method task_channel_methods[] = {
    CRUD(TaskChannel, TaskChannels, TASK_CHANNEL, task_channel, task_channels),
};

static const struct rpc_method worker_methods[] = {
    CRUD(Worker, Workers, WORKER, worker, workers),
    RESOURCE_METHOD("SetWorkerActivity", worker_set_activity, set_worker_activity, WORKER),
};

static const struct rpc_method task_queue_methods[] = {
    CRUD(TaskQueue, TaskQueues, TASK_QUEUE, task_queue, task_queues),
};

static const struct rpc_method workflow_methods[] = {
    CRUD(Workflow, Workflows, WORKFLOW, workflow, workflows),
};

static const struct rpc_method task_methods[] = {
    CRUD(Task, Tasks, TASK, task, tasks),
    RESOURCE_METHOD("CancelTask", task_verb, cancel_task, TASK),
    RESOURCE_METHOD("WrapUpTask", task_verb, wrap_up_task, TASK),
    RESOURCE_METHOD("CompleteTask", task_verb, complete_task, TASK),
};

static const struct rpc_method trunk_methods[] = {
    CRUD(Trunk, Trunks, TRUNK, trunk, trunks),
};

static const struct rpc_method inbound_route_methods[] = {
    CRUD(InboundRoute, InboundRoutes, INBOUND_ROUTE, inbound_route, inbound_routes),
};

static const struct rpc_method reservation_methods[] = {
    RESOURCE_METHOD("GetReservation", resource_get, get_reservation, RESERVATION),
    LIST(Reservations, RESERVATION, reservations, reservation),
    RESOURCE_METHOD("AcceptReservation", reservation_verb, accept_reservation, RESERVATION),
    RESOURCE_METHOD("RejectReservation", reservation_verb, reject_reservation, RESERVATION),
    RESOURCE_METHOD("WrapUpReservation", reservation_verb, wrap_up_reservation, RESERVATION),
    RESOURCE_METHOD("CompleteReservation", reservation_verb, complete_reservation, RESERVATION),
};

static const struct rpc_method event_methods[] = {
    {.name = "GetEvent",    .unary = event_get    },
    {.name = "ListEvents",  .unary = event_list   },
    {.name = "WatchEvents", .stream = &event_watch},
};

static const struct rpc_method worker_session_methods[] = {
    {.name = "AttachWorkerSession", .stream = &worker_session},
};

static const struct rpc_method bridge_link_methods[] = {
    {.name = "AttachBridge", .stream = &bridge_link},
};

#define SERVICE(noun)                                                                              \
    {                                                                                              \
        .descriptor = &cordboard__routing__v1__##noun##_service__descriptor,                       \
        .methods = noun##_methods,                                                                 \
        .method_count = sizeof(noun##_methods) / sizeof(noun##_methods[0]), .context = NULL,       \
    }

static const struct rpc_service templates[ROUTING_SERVICE_COUNT] = {
    SERVICE(workspace),     SERVICE(activity),    SERVICE(task_channel), SERVICE(worker),
    SERVICE(task_queue),    SERVICE(workflow),    SERVICE(task),         SERVICE(trunk),
    SERVICE(inbound_route), SERVICE(reservation), SERVICE(event),        SERVICE(worker_session),
    SERVICE(bridge_link),
};

void routing_services(
    struct routing_rpc *rpc,
    struct rpc_service ret_services[ROUTING_SERVICE_COUNT])
{
    for (size_t i = 0; i < ROUTING_SERVICE_COUNT; i++) {
        ret_services[i] = templates[i];
        ret_services[i].context = rpc;
    }
}
