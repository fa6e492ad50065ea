/* A task's life, and the order in which tasks are served.
 *
 *     PENDING <--> RESERVED --> ASSIGNED --> WRAPPING --> COMPLETED
 *        |            |             `-------------------------^
 *        `------------`--> CANCELED
 *
 * COMPLETED and CANCELED are final (row 50). A task whose reservation ends without acceptance goes
 * back to PENDING. Only task_enter writes `state`.
 */
#ifndef ROUTING_DOMAIN_TASK_H
#define ROUTING_DOMAIN_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "services/routing/domain/objects.h"

/* "PENDING" */
const char *task_state_name(enum task_state state);
bool task_state_can_become(enum task_state from, enum task_state to);
bool task_ended(const struct task *task);

/* The state of a task to be: PENDING, in no filter yet. */
void task_row_begin(struct task_row *row);
/* Moves it, which must be allowed, and sets when the new state must have ended; 0 for never. */
void task_enter(struct task *task, enum task_state state, int64_t expire_time_us);
/* A loaded or new task: its state is what its row says; this checks that it is one. */
bool task_state_known(int32_t state);

/* The published order: true when `one` is served before `other`. Priority, highest first; then
 * virtual start time, earliest first; then id. */
bool task_before(const struct task *one, const struct task *other);

/* The workflow target it is in; NULL when in none. */
const struct workflow_target *task_target(const struct task *task);
/* The filter's name: "default_filter" in the default one, "" in none. */
const char *task_filter_name(const struct task *task);

/* Its reservation that is pending, accepted or wrapping; NULL. There is never more than one. */
struct reservation *task_live_reservation(const struct task *task);

/* Whether a reservation that this worker had of the task ended without acceptance so lately that
 * the worker is not asked again yet (limits.h: RETRY_DELAY_US). */
bool task_keeps_away(const struct task *task, const struct worker *worker, int64_t now_us);

/* Derives its deadlines and its place in a line from its row. */
void task_index(struct engine *engine, struct task *task);
/* Takes it out of everything that task_index put it in. */
void task_unindex(struct task *task);

#endif
