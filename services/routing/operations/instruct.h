/* Instructions to bridges. Each is a row until its bridge acknowledges it. */
#ifndef ROUTING_OPERATIONS_INSTRUCT_H
#define ROUTING_OPERATIONS_INSTRUCT_H

#include <stdint.h>

struct bridge;
struct reservation;
struct task;
struct work;

/* The bridge as this workspace knows it; made when it is new. */
struct bridge *bridge_obtain(struct work *work, const char *bridge_id);

/* It has been heard of: nobody has to wait for it any more. */
void bridge_heard(struct bridge *bridge);

/* The call's task is durable. */
void instruct_call_enqueued(struct work *work, const struct task *task);
void instruct_dial_worker(
    struct work *work,
    const struct reservation *reservation,
    const char *contact_uri);
void instruct_release_worker(
    struct work *work,
    const struct reservation *reservation,
    const char *reason);
/* Ends the task's call, where it has one that lives. */
void instruct_release_call(struct work *work, const struct task *task, const char *reason);
/* Ends a call that has no task. sip_status: for a caller who was not answered yet; 0 for any. */
void instruct_release_unknown_call(
    struct work *work,
    const char *bridge_id,
    const char *call_id,
    const char *reason,
    int32_t sip_status);
/* Takes somebody out who has no reservation that counts. */
void instruct_release_unknown_worker(
    struct work *work,
    const char *bridge_id,
    const char *call_id,
    const char *reservation_id);

/* Forgets instructions up to a number. */
void drop_instructions(struct work *work, struct bridge *bridge, int64_t number);

#endif
