#include "services/routing/domain/task.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "services/routing/domain/engine.h"
#include "services/routing/domain/line.h"
#include "services/routing/domain/reservation.h"
#include "services/routing/domain/workflow_document.h"

#define TO(name) (1U << TASK_##name)

/* Where each state may go. A state with no entry is final. */
static const unsigned next_states[TASK_STATE_COUNT] = {
    [TASK_PENDING] = TO(RESERVED) | TO(CANCELED),
    [TASK_RESERVED] = TO(PENDING) | TO(ASSIGNED) | TO(CANCELED),
    [TASK_ASSIGNED] = TO(WRAPPING) | TO(COMPLETED),
    [TASK_WRAPPING] = TO(COMPLETED),
};

static const char *const names[TASK_STATE_COUNT] = {
    [TASK_PENDING] = "PENDING",   [TASK_RESERVED] = "RESERVED",   [TASK_ASSIGNED] = "ASSIGNED",
    [TASK_WRAPPING] = "WRAPPING", [TASK_COMPLETED] = "COMPLETED", [TASK_CANCELED] = "CANCELED",
};

const char *task_state_name(enum task_state state)
{
    return names[state];
}

bool task_state_can_become(enum task_state from, enum task_state to)
{
    return (next_states[from] & (1U << to)) != 0;
}

bool task_ended(const struct task *task)
{
    return next_states[task->row.state] == 0;
}

bool task_state_known(int32_t state)
{
    return state > 0 && state < TASK_STATE_COUNT;
}

void task_row_begin(struct task_row *row)
{
    row->state = TASK_PENDING;
    row->filter_index = TASK_FILTER_NONE;
}

void task_enter(struct task *task, enum task_state state, int64_t expire_time_us)
{
    assert(task_state_can_become((enum task_state)task->row.state, state));
    task->row.state = (int32_t)state;
    task->row.expire_time_us = expire_time_us;
}

bool task_before(const struct task *one, const struct task *other)
{
    if (one->row.priority != other->row.priority) {
        return one->row.priority > other->row.priority;
    }
    if (one->row.virtual_start_time_us != other->row.virtual_start_time_us) {
        return one->row.virtual_start_time_us < other->row.virtual_start_time_us;
    }
    return strcmp(one->row.id, other->row.id) < 0;
}

const struct workflow_target *task_target(const struct task *task)
{
    const struct workflow_document *document = task->workflow ? task->workflow->document : NULL;
    const struct workflow_filter *filter = NULL;

    if (!document || task->row.filter_index == TASK_FILTER_NONE) {
        return NULL;
    }
    if (task->row.filter_index == TASK_FILTER_DEFAULT) {
        return document->default_target;
    }
    if ((size_t)task->row.filter_index >= document->filter_count) {
        return NULL;
    }
    filter = &document->filters[task->row.filter_index];
    if (task->row.target_index < 0 || (size_t)task->row.target_index >= filter->target_count) {
        return NULL;
    }
    return &filter->targets[task->row.target_index];
}

const char *task_filter_name(const struct task *task)
{
    if (!task_target(task)) {
        return "";
    }
    if (task->row.filter_index == TASK_FILTER_DEFAULT) {
        return "default_filter";
    }
    return task->workflow->document->filters[task->row.filter_index].display_name;
}

struct reservation *task_live_reservation(const struct task *task)
{
    struct reservation *newest = TAILQ_LAST(&task->reservations, reservation_list);

    return newest && reservation_live(newest) ? newest : NULL;
}

bool task_keeps_away(const struct task *task, const struct worker *worker, int64_t now_us)
{
    const struct reservation *reservation = NULL;

    TAILQ_FOREACH(reservation, &task->reservations, by_task)
    {
        if (reservation->worker == worker && reservation_retry_time_us(reservation) > now_us) {
            return true;
        }
    }
    return false;
}

void task_index(struct engine *engine, struct task *task)
{
    bool waits = task->row.state == TASK_PENDING;

    deadline_set(&task->state_deadline, task->row.expire_time_us);
    deadline_set(&task->target_deadline, waits ? task->row.target_expire_time_us : 0);
    line_place(engine, task);
}

void task_unindex(struct task *task)
{
    deadline_set(&task->state_deadline, 0);
    deadline_set(&task->target_deadline, 0);
    line_leave(task);
}
