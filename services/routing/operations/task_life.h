/* What happens when a task changes state, whoever wants it: everything that goes with it happens
 * here. The caller has checked that the state allows it.
 */
#ifndef ROUTING_OPERATIONS_TASK_LIFE_H
#define ROUTING_OPERATIONS_TASK_LIFE_H

#include <stdint.h>

struct task;
struct task_row;
struct value;
struct work;

/* A new task, and tells of it; then task_start sends it into its workflow. The row is complete but
 * for id, times and state; attributes are copied. */
struct task *task_begin(
    struct work *work,
    struct task_row *row,
    const char *id,
    const struct value *attributes);

void task_start(struct work *work, struct task *task);

/* PENDING or RESERVED -> CANCELED, with its live reservation, whose reason is the withdrawal; the
 * caller is released. */
void task_cancel(struct work *work, struct task *task, const char *reason, const char *withdrawal);
/* RESERVED -> PENDING: its reservation ended without acceptance. */
void task_return(struct work *work, struct task *task);
/* RESERVED -> ASSIGNED. */
void task_assign(struct work *work, struct task *task);
/* ASSIGNED -> WRAPPING, with its reservation. */
void task_wrap_up(struct work *work, struct task *task, const char *reason);
/* ASSIGNED or WRAPPING -> COMPLETED, with its reservation; a call in it is ended. */
void task_complete(struct work *work, struct task *task, const char *reason);
/* Any state -> gone, with all its reservations. */
void task_delete(struct work *work, struct task *task);
/* 24 h after its assignment: gone (row 54). */
void task_system_delete(struct work *work, struct task *task);
/* Five minutes after its end: its rows go, without an event (row 55). */
void task_forget(struct work *work, struct task *task);

/* When a task that waits, or is offered, must have been assigned; 0 while its caller is on the
 * line: then the bridge's lease stands for it. */
int64_t task_wait_expire_time_us(const struct task *task);

#endif
