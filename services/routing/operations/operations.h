/* All operations. The request struct of each is in requests.h; list_telephony and sweep_workspace
 * take none. What they reply is in step->views.
 */
#ifndef ROUTING_OPERATIONS_OPERATIONS_H
#define ROUTING_OPERATIONS_OPERATIONS_H

#include "services/routing/operations/command.h"

extern const struct operation operation_create_workspace; /* struct create_request */
extern const struct operation operation_create_activity;
extern const struct operation operation_create_task_channel;
extern const struct operation operation_create_worker;
extern const struct operation operation_create_task_queue;
extern const struct operation operation_create_workflow;
extern const struct operation operation_create_task;
extern const struct operation operation_create_trunk;
extern const struct operation operation_create_inbound_route;

extern const struct operation operation_get_workspace; /* struct get_request */
extern const struct operation operation_get_activity;
extern const struct operation operation_get_task_channel;
extern const struct operation operation_get_worker;
extern const struct operation operation_get_task_queue;
extern const struct operation operation_get_workflow;
extern const struct operation operation_get_task;
extern const struct operation operation_get_reservation;
extern const struct operation operation_get_trunk;
extern const struct operation operation_get_inbound_route;

extern const struct operation operation_list_workspaces; /* struct list_request; of this thread */
extern const struct operation operation_list_activities;
extern const struct operation operation_list_task_channels;
extern const struct operation operation_list_workers;
extern const struct operation operation_list_task_queues;
extern const struct operation operation_list_workflows;
extern const struct operation operation_list_tasks;
extern const struct operation operation_list_reservations;
extern const struct operation operation_list_trunks;
extern const struct operation operation_list_inbound_routes;

extern const struct operation operation_update_workspace; /* struct update_request */
extern const struct operation operation_update_activity;
extern const struct operation operation_update_task_channel;
extern const struct operation operation_update_worker;
extern const struct operation operation_update_task_queue;
extern const struct operation operation_update_workflow;
extern const struct operation operation_update_task;
extern const struct operation operation_update_trunk;
extern const struct operation operation_update_inbound_route;

extern const struct operation operation_delete_workspace; /* struct delete_request */
extern const struct operation operation_delete_activity;
extern const struct operation operation_delete_task_channel;
extern const struct operation operation_delete_worker;
extern const struct operation operation_delete_task_queue;
extern const struct operation operation_delete_workflow;
extern const struct operation operation_delete_task;
extern const struct operation operation_delete_trunk;
extern const struct operation operation_delete_inbound_route;

extern const struct operation operation_cancel_task; /* struct task_verb_request */
extern const struct operation operation_wrap_up_task;
extern const struct operation operation_complete_task;

extern const struct operation operation_accept_reservation; /* struct reservation_verb_request */
extern const struct operation operation_reject_reservation;
extern const struct operation operation_wrap_up_reservation;
extern const struct operation operation_complete_reservation;

extern const struct operation operation_set_worker_activity; /* its own structs, from here on */
extern const struct operation operation_get_worker_snapshot;
extern const struct operation operation_attach_bridge;
extern const struct operation operation_bridge_report;
extern const struct operation operation_ack_instructions;
extern const struct operation operation_lose_bridge;
extern const struct operation operation_resume_workspace;

/* Every trunk and inbound route of all workspaces of this thread; the step's workspace is ignored.
 */
extern const struct operation operation_list_telephony;
/* Derives everything again and mends what differs; step->mended says how much: always 0, or there
 * is a fault in the engine. */
extern const struct operation operation_sweep_workspace;

#endif
