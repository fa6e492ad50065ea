/* A reservation's life: one task offered to one worker for a limited time.
 *
 *     PENDING --> ACCEPTED --> WRAPPING --> COMPLETED
 *        |            `------------------------^
 *        `--> REJECTED | TIMED_OUT | CANCELED | RESCINDED
 *
 * PENDING, ACCEPTED and WRAPPING are live: each uses one unit of the worker's capacity, and that is
 * all that "busy" means (row 57). Only reservation_enter and reservation_set_up write the states.
 */
#ifndef ROUTING_DOMAIN_RESERVATION_H
#define ROUTING_DOMAIN_RESERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "services/routing/domain/objects.h"

/* "PENDING" */
const char *reservation_state_name(enum reservation_state state);
bool reservation_state_can_become(enum reservation_state from, enum reservation_state to);
bool reservation_state_known(int32_t state);
bool reservation_live(const struct reservation *reservation);

/* The state of a reservation to be: PENDING. */
void reservation_row_begin(struct reservation_row *row);
/* Moves it, which must be allowed; a set-up under way is over. expire_time_us: when the new state
 * must have ended; 0 for never. */
void reservation_enter(
    struct reservation *reservation,
    enum reservation_state state,
    int64_t expire_time_us);
/* A PENDING one was accepted for a call: its worker is dialled, or rings. */
void reservation_set_up(
    struct reservation *reservation,
    enum setup_state setup_state,
    int64_t expire_time_us);

/* When its worker may get the same task again: later with each reservation of this task that the
 * worker did not take. 0 when it ended otherwise, or has not ended. */
int64_t reservation_retry_time_us(const struct reservation *reservation);

/* Ties a new or loaded one to its task and worker, in the order in which they were made, and unties
 * it for good. worker: NULL when it has
 * outlived its worker. */
void reservation_link(struct reservation *reservation, struct task *task, struct worker *worker);
void reservation_unlink(struct reservation *reservation);

/* Derives its deadline and whether it counts as the worker's load from its row. */
void reservation_index(struct reservation *reservation);
void reservation_unindex(struct reservation *reservation);

#endif
