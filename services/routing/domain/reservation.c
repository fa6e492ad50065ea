#include "services/routing/domain/reservation.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "services/routing/domain/limits.h"
#include "services/routing/domain/task.h"

#define TO(name) (1U << RESERVATION_##name)

/* Where each state may go. A state with no entry is final. */
static const unsigned next_states[RESERVATION_STATE_COUNT] = {
    [RESERVATION_PENDING] =
        TO(ACCEPTED) | TO(REJECTED) | TO(TIMED_OUT) | TO(CANCELED) | TO(RESCINDED),
    [RESERVATION_ACCEPTED] = TO(WRAPPING) | TO(COMPLETED),
    [RESERVATION_WRAPPING] = TO(COMPLETED),
};

/* Those after which the worker is not asked about the same task again at once. */
static const unsigned not_taken = TO(REJECTED) | TO(TIMED_OUT) | TO(CANCELED);

static const char *const names[RESERVATION_STATE_COUNT] = {
    [RESERVATION_PENDING] = "PENDING",   [RESERVATION_ACCEPTED] = "ACCEPTED",
    [RESERVATION_REJECTED] = "REJECTED", [RESERVATION_TIMED_OUT] = "TIMED_OUT",
    [RESERVATION_CANCELED] = "CANCELED", [RESERVATION_RESCINDED] = "RESCINDED",
    [RESERVATION_WRAPPING] = "WRAPPING", [RESERVATION_COMPLETED] = "COMPLETED",
};

const char *reservation_state_name(enum reservation_state state)
{
    return names[state];
}

bool reservation_state_can_become(enum reservation_state from, enum reservation_state to)
{
    return (next_states[from] & (1U << to)) != 0;
}

bool reservation_state_known(int32_t state)
{
    return state > 0 && state < RESERVATION_STATE_COUNT;
}

bool reservation_live(const struct reservation *reservation)
{
    return next_states[reservation->row.state] != 0;
}

void reservation_row_begin(struct reservation_row *row)
{
    row->state = RESERVATION_PENDING;
}

void reservation_enter(
    struct reservation *reservation,
    enum reservation_state state,
    int64_t expire_time_us)
{
    assert(reservation_state_can_become((enum reservation_state)reservation->row.state, state));
    reservation->row.state = (int32_t)state;
    reservation->row.setup_state = SETUP_NONE;
    reservation->row.expire_time_us = expire_time_us;
}

void reservation_set_up(
    struct reservation *reservation,
    enum setup_state setup_state,
    int64_t expire_time_us)
{
    assert(reservation->row.state == RESERVATION_PENDING);
    reservation->row.setup_state = (int32_t)setup_state;
    reservation->row.expire_time_us = expire_time_us;
}

static bool was_not_taken(const struct reservation *reservation)
{
    return (not_taken & (1U << reservation->row.state)) != 0;
}

int64_t reservation_retry_time_us(const struct reservation *reservation)
{
    const struct reservation *earlier = reservation;
    int64_t delay_us = RETRY_DELAY_US;

    if (!was_not_taken(reservation) || !reservation->worker || task_ended(reservation->task)) {
        return 0;
    }
    while ((earlier = TAILQ_PREV(earlier, reservation_list, by_task))) {
        if (earlier->worker == reservation->worker && was_not_taken(earlier) &&
            delay_us < RETRY_DELAY_MAX_US) {
            delay_us *= 2;
        }
    }
    return reservation->row.update_time_us + delay_us;
}

static void begin_load(struct reservation *reservation)
{
    reservation->live = true;
    TAILQ_INSERT_TAIL(&reservation->worker->live, reservation, by_live);
}

static void end_load(struct reservation *reservation)
{
    reservation->live = false;
    TAILQ_REMOVE(&reservation->worker->live, reservation, by_live);
}

void reservation_index(struct reservation *reservation)
{
    bool live = reservation_live(reservation);
    bool pending = reservation->row.state == RESERVATION_PENDING;

    if (live && !reservation->live) {
        begin_load(reservation);
    } else if (!live && reservation->live) {
        end_load(reservation);
    }
    deadline_set(&reservation->deadline, 0); /* its kind is part of its place */
    /* An accepted one ends with its task, by the task's deadline. */
    reservation->deadline.kind = pending ? DEADLINE_RESERVATION : DEADLINE_RETRY;
    deadline_set(
        &reservation->deadline,
        pending ? reservation->row.expire_time_us : reservation_retry_time_us(reservation));
}

void reservation_unindex(struct reservation *reservation)
{
    deadline_set(&reservation->deadline, 0);
    if (reservation->live) {
        end_load(reservation);
    }
}

/* Of two reservations of one task: two are never live at once, so time tells, and a live one is the
 * last. */
static bool made_before(const struct reservation *one, const struct reservation *other)
{
    if (one->row.create_time_us != other->row.create_time_us) {
        return one->row.create_time_us < other->row.create_time_us;
    }
    if (reservation_live(one) != reservation_live(other)) {
        return reservation_live(other);
    }
    return strcmp(one->row.id, other->row.id) < 0;
}

void reservation_link(struct reservation *reservation, struct task *task, struct worker *worker)
{
    struct reservation *earlier = TAILQ_LAST(&task->reservations, reservation_list);

    reservation->task = task;
    reservation->worker = worker;
    if (worker) {
        reservation->worker_record = reservation->record;
        RB_INSERT(record_tree, &worker->reservations, &reservation->worker_record);
    }
    while (earlier && !made_before(earlier, reservation)) {
        earlier = TAILQ_PREV(earlier, reservation_list, by_task);
    }
    if (!earlier) {
        TAILQ_INSERT_HEAD(&task->reservations, reservation, by_task);
        return;
    }
    TAILQ_INSERT_AFTER(&task->reservations, earlier, reservation, by_task);
}

void reservation_unlink(struct reservation *reservation)
{
    reservation_unindex(reservation);
    TAILQ_REMOVE(&reservation->task->reservations, reservation, by_task);
    if (reservation->worker) {
        RB_REMOVE(record_tree, &reservation->worker->reservations, &reservation->worker_record);
    }
}
