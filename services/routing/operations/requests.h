/* What operations are asked: the structs behind `request` of operation_run. The rpc layer, the
 * bridge link and worker sessions fill them in; everything in them is borrowed until the operation
 * returns, and the operation copies what it keeps.
 *
 * Ids are bare ids; the workspace is the step's. Texts are valid UTF-8 without control characters
 * beyond what JSON text has; NULL is read as "". What a client may write wrongly otherwise is
 * checked by the operations.
 */
#ifndef ROUTING_OPERATIONS_REQUESTS_H
#define ROUTING_OPERATIONS_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/routing/domain/row.h"

struct value;

/* Makes a repeated request safe. id "": it is not repeated. hash: of everything else the client
 * said. */
struct request_key {
    const char *id;
    int64_t hash;
};

/* Capacity of a worker in one channel; what is not set keeps its value. */
struct worker_channel_setting {
    const char *task_channel_id;
    bool has_capacity;
    int32_t capacity;
    bool has_available;
    bool available;
};

/* create_<kind>. The row holds what the client gave, as struct <kind>_row (row_new of row.h makes
 * an empty one; no text in a row is NULL); ids, times and output-only fields in it are ignored.
 *
 * create_workspace: the id is the step's workspace_id.
 */
struct create_request {
    const char *id; /* "" to have one made */
    const void *row;
    uint64_t given;           /* ROW_MASK of the fields the client set, so that "" and 0 can be told
                                 from nothing; read for task_queue.target_workers, task.ttl_us,
                                 workflow's durations */
    const struct value *json; /* of attributes or configuration; NULL when that text is empty */
    const struct worker_channel_setting *channels; /* create_worker */
    size_t channel_count;
    struct request_key key;
};

/* update_<kind>. `mask` says which fields of `row` count; one that may not be updated is refused
 * with MASK_INVALID (operation_updatable_fields tells which may). */
struct update_request {
    const char *id; /* update_workspace: ignored */
    const void *row;
    uint64_t mask;
    const struct value *json; /* when the mask has attributes or configuration */
    const struct worker_channel_setting *channels; /* update_worker: channels to change */
    size_t channel_count;
    const char *etag; /* "" for any */
    struct request_key key;
};

/* get_<kind>. */
struct get_request {
    const char *id;
    const char *task_id; /* get_reservation: "" or the task it has to belong to */
};

/* list_<kind>s, in the order of ids. step->next_page is the id to give as `after` for the next
 * page. list_workspaces: the step's workspace is ignored. */
struct list_request {
    int32_t page_size;     /* 0: 50; more than 1000: 1000; negative ones are refused */
    const char *after;     /* "" for the first page */
    int32_t state;         /* list_tasks: 0 for all */
    const char *task_id;   /* list_reservations: of a task, or */
    const char *worker_id; /* of a worker; exactly one of the two is set */
};

/* delete_<kind>. */
struct delete_request {
    const char *id; /* delete_workspace: ignored */
    const char *etag;
};

/* cancel_task, wrap_up_task, complete_task. */
struct task_verb_request {
    const char *id;
    const char *etag;
    const char *reason;
};

/* accept_reservation, reject_reservation, wrap_up_reservation, complete_reservation. */
struct reservation_verb_request {
    const char *id;
    const char *task_id;   /* "" or the task it has to belong to */
    const char *worker_id; /* "" or the worker it has to belong to (worker sessions) */
    const char *etag;
    const char *activity_id; /* reject: activity to move the worker to; "" for none */
};

/* set_worker_activity. */
struct set_worker_activity_request {
    const char *id;
    const char *activity_id;
    bool reject_pending;
    const char *etag;
};

/* get_worker_snapshot: replies with views of the worker, all activities, the worker's live
 * reservations and their tasks, in this order; step->sequence is the last event they contain. */
struct snapshot_request {
    const char *worker_id;
};

/* One call in a bridge's hello. */
struct bridge_call {
    const char *call_id;
    const char *task_id;        /* "" when the bridge does not know it yet */
    const char *reservation_id; /* "" for none */
    bool talking;
};

/* attach_bridge, once for each workspace. Effects: EFFECT_REPORT_ACK with the last report that took
 * effect, then EFFECT_INSTRUCTION for each instruction not acknowledged yet, oldest first; nothing
 * when workspace and bridge have nothing to do with each other. */
struct attach_bridge_request {
    const char *bridge_id;
    const char *incarnation;
    const struct bridge_call *calls; /* those of this workspace */
    size_t call_count;
};

enum bridge_report_kind {
    REPORT_ENQUEUE_CALL,
    REPORT_CALL_ANSWERED,
    REPORT_CALL_ENDED,
    REPORT_WORKER_RINGING,
    REPORT_WORKER_JOINED,
    REPORT_WORKER_FAILED,
    REPORT_WORKER_LEFT,
};

/* bridge_report. Refused only when the report before it is missing (STATE_FORBIDS): one must not
 * overtake another. What cannot be done is answered by an instruction, what makes no sense any more
 * is acknowledged and ignored. Effect: EFFECT_REPORT_ACK. */
struct bridge_report_request {
    const char *bridge_id;
    const char *incarnation; /* of the bridge's process; kept when nothing is known of the bridge */
    int64_t number;
    int64_t bridge_time_us;
    const char *call_id;
    enum bridge_report_kind kind;
    const char *trunk_id; /* enqueue_call, with the next five */
    const char *inbound_route_id;
    const char *called_number;
    const char *caller_number;
    const char *caller_display_name;
    const char *sip_call_id;
    const char *reservation_id; /* worker_... */
    const char *cause;          /* call_ended, worker_failed, worker_left */
    int32_t sip_status;
};

/* ack_instructions: deletes instructions up to the number. */
struct ack_instructions_request {
    const char *bridge_id;
    int64_t number;
};

/* lose_bridge: its lease is over. */
struct lose_bridge_request {
    const char *bridge_id;
};

/* resume_workspace: after a restart, take-over or outage. Deadlines that wait for a worker, a
 * bridge or a workflow target move by the gap; bridges get one full lease to come back. */
struct resume_request {
    int64_t gap_us;
};

/* The fields of a kind that updates may name. */
uint64_t operation_updatable_fields(enum row_kind kind);

#endif
