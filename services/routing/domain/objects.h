/* The live objects of a workspace: each embeds its row and adds the links by which the engine finds
 * its way. Rows are the truth; every link can be derived from them (load.h, matching.h).
 *
 * Read any field you like. `state` of tasks and reservations is written in task.c and reservation.c
 * only.
 */
#ifndef ROUTING_DOMAIN_OBJECTS_H
#define ROUTING_DOMAIN_OBJECTS_H

#include "services/routing/domain/deadline.h"
#include "services/routing/domain/record.h"
#include "services/routing/domain/states.h"

struct expression;
struct line;
struct source_address;
struct value;
struct workflow_document;
struct workflow_target;

struct activity {
    struct record record;
    struct activity_row row;
    size_t worker_count;
};

RB_HEAD(open_tree, worker_channel);
TAILQ_HEAD(worker_channel_list, worker_channel);

struct task_channel {
    struct record record;
    struct task_channel_row row;
    struct open_tree open;               /* who can take a task of this channel now */
    struct worker_channel_list channels; /* of all workers */
    size_t task_count;                   /* tasks of this channel, ended ones too */
};

/* One worker's share in one channel. Its row is saved once it differs from the default. */
struct worker_channel {
    struct record record;
    struct worker_channel_row row;
    struct worker *worker;
    struct task_channel *channel;
    bool stored;          /* has a row: somebody set it */
    bool open;            /* in channel->open */
    int64_t idle_from_us; /* its place there: a copy of the worker's last assignment */
    RB_ENTRY(worker_channel) by_idle;
    TAILQ_ENTRY(worker_channel) by_worker;
    TAILQ_ENTRY(worker_channel) by_channel;
};

/* A worker is a member of a queue (row 30). */
struct membership {
    struct worker *worker;
    struct task_queue *queue;
    RB_ENTRY(membership) by_queue;
    TAILQ_ENTRY(membership) by_member;
};

RB_HEAD(membership_tree, membership);
TAILQ_HEAD(membership_list, membership);
TAILQ_HEAD(reservation_list, reservation);
TAILQ_HEAD(task_list, task);
TAILQ_HEAD(worker_list, worker);
TAILQ_HEAD(line_list, line);

struct worker {
    struct record record;
    struct worker_row row;
    struct value *attributes;
    struct activity *activity;
    struct worker_channel_list channels; /* in the order of channel ids */
    struct membership_tree queues;       /* in the order of queue ids */
    struct reservation_list live;        /* pending, accepted, wrapping: its occupancy */
    struct record_tree reservations;     /* all whose tasks still exist, by id */
    bool dirty;                          /* could possibly take more than before */
    TAILQ_ENTRY(worker) by_dirty;
    RB_ENTRY(worker) by_name; /* display name without case */
};

struct task_queue {
    struct record record;
    struct task_queue_row row;
    struct expression *expression; /* NULL: matches nobody */
    struct membership_list members;
    size_t member_count;
    struct line_list lines; /* waiting tasks, by class */
    size_t waiting_count;
};

/* Tasks that wait in one queue and are alike to every worker: of one target of one workflow, of one
 * channel, and with the same attributes as far as the target reads them. Whether a worker may take
 * them is asked once for all. In the published order: priority descending, virtual start time, id.
 */
RB_HEAD(line_tree, task);

struct line {
    struct task_queue *queue;
    const struct workflow_target *target;
    struct task_channel *channel;
    uint64_t hash; /* of what the target reads of a task */
    struct line_tree tasks;
    TAILQ_ENTRY(line) by_queue;
};

struct workflow {
    struct record record;
    struct workflow_row row;
    struct workflow_document *document;
    size_t live_task_count;
};

struct task {
    struct record record;
    struct task_row row;
    struct value *attributes;
    struct workflow *workflow; /* NULL when an ended task has outlived it */
    struct task_channel *channel;
    struct reservation_list reservations; /* all, oldest first */
    struct deadline state_deadline;
    struct deadline target_deadline;

    struct line *line; /* where it waits; NULL when it does not */
    int64_t line_time_us;
    int32_t line_priority;
    RB_ENTRY(task) by_line;
    RB_ENTRY(task) by_call; /* when it has a call */
    bool dirty;             /* could possibly be taken by more than before */
    TAILQ_ENTRY(task) by_dirty;
};

struct reservation {
    struct record record; /* also in engine->records */
    struct reservation_row row;
    struct task *task;
    struct worker *worker; /* NULL when an ended reservation has outlived it */
    bool live;             /* in worker->live */
    TAILQ_ENTRY(reservation) by_task;
    TAILQ_ENTRY(reservation) by_live;
    struct deadline deadline;
    struct record worker_record; /* its place in worker->reservations */
};

struct trunk {
    struct record record;
    struct trunk_row row;
    struct source_address *addresses;
    size_t address_count;
};

struct inbound_route {
    struct record record;
    struct inbound_route_row row;
    struct value *attributes;
};

TAILQ_HEAD(instruction_list, instruction);

struct instruction {
    struct record record;
    struct instruction_row row;
    TAILQ_ENTRY(instruction) by_number;
};

/* A bridge as one workspace sees it. */
struct bridge {
    struct record record;
    struct bridge_row row;
    struct instruction_list instructions; /* not acknowledged yet, oldest first */
    bool attached;                        /* it has been heard of since the rows were loaded */
    struct deadline deadline;             /* armed after a restart until it attaches again */
};

struct request {
    struct record record;
    struct request_row row;
    struct deadline deadline;
};

#endif
