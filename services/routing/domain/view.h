/* Views: records as they look to a client at one moment, copied out of the engine so that other
 * threads can print them. A view is a row plus what is computed from its surroundings. Everything
 * in a view lives in the arena it was made in.
 */
#ifndef ROUTING_DOMAIN_VIEW_H
#define ROUTING_DOMAIN_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "services/routing/domain/row.h"

/* Worker: one per task channel of the workspace, in the order of task channel ids. */
struct worker_channel_view {
    const char *task_channel_id;
    int32_t capacity;
    bool available;
    int32_t assigned_task_count;
    int32_t available_capacity_percentage;
};

struct view {
    enum row_kind kind; /* which resource; the unused parts below are zero */
    union {
        const void *row;
        const struct workspace_row *workspace;
        const struct activity_row *activity;
        const struct task_channel_row *task_channel;
        const struct worker_row *worker;
        const struct task_queue_row *task_queue;
        const struct workflow_row *workflow;
        const struct task_row *task;
        const struct reservation_row *reservation;
        const struct trunk_row *trunk;
        const struct inbound_route_row *inbound_route;
    };

    /* worker */
    bool worker_available;
    const struct worker_channel_view *channels;
    size_t channel_count;

    /* task_queue */
    int32_t worker_count;
    int32_t waiting_task_count;

    /* workflow */
    const char *const *warnings;
    size_t warning_count;

    /* task: display name of the filter it is in; "" when in none */
    const char *filter_name;
};

/* What happened, as it goes into the workspace's event sequence. The views are as they were right
 * after it. */
struct event {
    int64_t sequence;
    int64_t time_us;
    const char *type;            /* "task.created" */
    const char *actor;           /* "client", "worker", "timer", "matcher", "bridge", "system" */
    const char *description;     /* one sentence */
    const struct view *resource; /* what it is about; one of the views below or of another kind */
    const struct view *task;     /* NULL when not concerned; likewise the next ones */
    const struct view *reservation;
    const struct view *worker;
    const struct view *former_activity; /* worker.activity.update */
    const struct event_call *call;
};

/* Facts of call.* and conference.* events. */
struct event_call {
    const char *bridge_id;
    const char *call_id;
    const char *party; /* "caller", a worker id, or "" */
    const char *cause;
    int32_t sip_status;
    int64_t bridge_time_us;
};

#endif
