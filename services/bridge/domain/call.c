/* The call: its state x event table, and its legs. */
#include "services/bridge/domain/call.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "services/bridge/domain/leg.h"

/* Each cell is the next state plus one; an empty cell changes nothing. */
#define TO(name) (CALL_##name + 1)

static const unsigned edges[CALL_STATE_COUNT][CALL_EVENT_COUNT] = {
    [CALL_ENQUEUING] = {[CALL_ENQUEUE] = TO(WAITING), [CALL_END] = TO(ENDING)},
    [CALL_WAITING] = {[CALL_JOIN] = TO(TALKING),                            [CALL_END] = TO(ENDING)},
    [CALL_TALKING] = {[CALL_PART] = TO(WAITING),[CALL_END] = TO(ENDING)},
    [CALL_ENDING] = {[CALL_FINISH] = TO(ENDED)   },
};

static const char *const state_names[CALL_STATE_COUNT] = {
#define STATE(name) [CALL_##name] = #name,
    CALL_STATES(STATE)
#undef STATE
};

struct call *call_new(const char *id)
{
    struct call *call = mem_new(struct call);

    call->id = mem_strdup(id);
    call->state = CALL_ENQUEUING;
    call->answer = ROUTE_ANSWER_AFTER_TASK;
    call->workspace_id = mem_strdup("");
    call->trunk_id = mem_strdup("");
    call->inbound_route_id = mem_strdup("");
    call->called_number = mem_strdup("");
    call->caller_number = mem_strdup("");
    call->caller_display_name = mem_strdup("");
    call->dialog_key = mem_strdup("");
    call->task_id = mem_strdup("");
    call->last_reservation_id = mem_strdup("");
    call->deadline.kind = DEADLINE_OF_CALL;
    TAILQ_INIT(&call->legs);
    return call;
}

struct call *call_free(struct call *call)
{
    if (!call) {
        return NULL;
    }

    assert(!call->deadline.set);
    struct leg *leg = TAILQ_FIRST(&call->legs);
    while (leg) {
        struct leg *next = TAILQ_NEXT(leg, link);
        leg_free(leg);
        leg = next;
    }
    free(call->id);
    free(call->workspace_id);
    free(call->trunk_id);
    free(call->inbound_route_id);
    free(call->called_number);
    free(call->caller_number);
    free(call->caller_display_name);
    free(call->dialog_key);
    free(call->task_id);
    free(call->last_reservation_id);
    free(call);
    return NULL;
}

void call_set_text(char **field, const char *text)
{
    char *copy = mem_strdup(text);

    free(*field);
    *field = copy;
}

void call_add_leg(struct call *call, struct leg *leg)
{
    TAILQ_INSERT_TAIL(&call->legs, leg, link);
}

void call_remove_leg(struct call *call, struct leg *leg)
{
    assert(leg != call->caller);
    if (call->worker == leg) {
        call->worker = NULL;
    }
    TAILQ_REMOVE(&call->legs, leg, link);
    leg_free(leg);
}

bool call_quiet(const struct call *call)
{
    const struct leg *leg = NULL;

    TAILQ_FOREACH(leg, &call->legs, link)
    {
        if (leg->state != LEG_ENDED) {
            return false;
        }
    }
    return true;
}

bool call_apply(struct call *call, enum call_event event)
{
    unsigned next = edges[call->state][event];

    if (next == 0) {
        return false;
    }
    call->state = (enum call_state)(next - 1);
    return true;
}

const char *call_state_name(enum call_state state)
{
    assert(state < CALL_STATE_COUNT);
    return state_names[state];
}
