/* What happens when a reservation changes state, whoever wants it. The caller has checked that the
 * state allows it.
 */
#ifndef ROUTING_OPERATIONS_RESERVATION_LIFE_H
#define ROUTING_OPERATIONS_RESERVATION_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "services/routing/domain/states.h"

struct reservation;
struct task;
struct work;
struct worker;

/* Offers a waiting task to a worker: task PENDING -> RESERVED. The workflow's default instruction
 * is carried out at once. */
void reservation_make(struct work *work, struct task *task, struct worker *worker);

/* Where the worker's phone would be dialled for this reservation; NULL when its attributes have no
 * contact_uri. */
const char *reservation_contact_uri(const struct reservation *reservation);

/* The worker takes it. Without a call: ACCEPTED at once. With one: the worker's contact is dialled
 * (reservation_contact_uri must have one) and the reservation stays PENDING meanwhile. */
void reservation_take(struct work *work, struct reservation *reservation);
/* PENDING -> ACCEPTED, task RESERVED -> ASSIGNED. */
void reservation_accept(struct work *work, struct reservation *reservation);
/* PENDING -> REJECTED, TIMED_OUT or CANCELED: the task waits again. A worker who was being dialled
 * is released. */
void reservation_fail(
    struct work *work,
    struct reservation *reservation,
    enum reservation_state state,
    const char *reason);
/* The same in the hands of the bridge: its phone is not dialled any more. */
void reservation_fail_at_bridge(
    struct work *work,
    struct reservation *reservation,
    enum reservation_state state,
    const char *reason);
/* PENDING -> CANCELED because its task has ended or goes. */
void reservation_withdraw(struct work *work, struct reservation *reservation, const char *reason);
/* ACCEPTED -> WRAPPING; and ACCEPTED or WRAPPING -> COMPLETED: with their task only (task_life.h).
 */
void reservation_wrap_up(
    struct work *work,
    struct reservation *reservation,
    int64_t expire_time_us);
void reservation_complete(struct work *work, struct reservation *reservation);
/* Its row goes, with its task's. */
void reservation_forget(struct work *work, struct reservation *reservation);

/* Moves a worker to an activity, and tells. */
void worker_move(struct work *work, struct worker *worker, const char *activity_id);

#endif
