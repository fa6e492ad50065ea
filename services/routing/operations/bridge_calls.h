/* Calls that bridges hold, and what their end does to tasks (reference 9.2). */
#ifndef ROUTING_OPERATIONS_BRIDGE_CALLS_H
#define ROUTING_OPERATIONS_BRIDGE_CALLS_H

#include <stdint.h>

#include "common/base/attr.h"

struct bridge;
struct task;
struct work;

/* How a caller's leg ended. */
struct call_ending {
    const char *cause;  /* of the event: "hang_up", "canceled", "gone", "bridge_lost" */
    const char *reason; /* of the task and its reservation: "caller_gone", "bridge_lost" */
    int32_t sip_status;
    int64_t bridge_time_us;
};

/* The call is over: a task that waits is canceled and its ringing worker released; one that is
 * assigned is wrapped up. Nothing when that was known. */
void bridge_call_ended(struct work *work, struct task *task, const struct call_ending *ending);

/* All calls of a bridge are over, and its instructions are void. */
void bridge_calls_lost(struct work *work, struct bridge *bridge);

/* Tells about a call or one of its parties ("caller", a worker's id, or "" for all of it). */
struct call_event {
    const char *type;
    const char *party;
    const char *cause;
    int32_t sip_status;
    int64_t bridge_time_us;
};
void bridge_call_tell(
    struct work *work,
    const struct task *task,
    const struct call_event *call_event,
    const char *sentence);

#endif
