/* The leg: its state x event table. */
#include "services/bridge/domain/leg.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

/* An empty cell (LEG_IDLE, which nothing leads to) is the answer to a late or repeated event. */
static const enum leg_state edges[LEG_STATE_COUNT][LEG_EVENT_COUNT] = {
    [LEG_IDLE] =
        {
                    [LEG_INVITE] = LEG_TRYING,
                    [LEG_DIAL] = LEG_TRYING,
                    [LEG_FAIL] = LEG_ENDED, /* given up before it was dialled */
        },
    [LEG_TRYING] =
        {
                    [LEG_PROGRESS] = LEG_RINGING,
                    [LEG_ANSWER] = LEG_CONNECTED,
                    [LEG_FAIL] = LEG_ENDED,
                    [LEG_GIVE_UP] = LEG_ENDING,
                    [LEG_HANG_UP] = LEG_ENDED,
                    },
    [LEG_RINGING] =
        {
                    [LEG_PROGRESS] = LEG_RINGING,
                    [LEG_ANSWER] = LEG_CONNECTED,
                    [LEG_FAIL] = LEG_ENDED,
                    [LEG_GIVE_UP] = LEG_ENDING,
                    [LEG_HANG_UP] = LEG_ENDED,
                    },
    [LEG_CONNECTED] =
        {
                    [LEG_HANG_UP] = LEG_ENDED,
                    },
    [LEG_ENDING] =
        {
                    [LEG_FAIL] = LEG_ENDED,
                    [LEG_HANG_UP] = LEG_ENDED,
                    },
};

static const char *const state_names[LEG_STATE_COUNT] = {
#define STATE(name) [LEG_##name] = #name,
    LEG_STATES(STATE)
#undef STATE
};

struct leg *leg_new(struct call *call, int64_t number, enum leg_direction direction)
{
    struct leg *leg = mem_new(struct leg);

    leg->call = call;
    leg->number = number;
    leg->direction = direction;
    leg->state = LEG_IDLE;
    leg->remote_uri = mem_strdup("");
    leg->sip_call_id = mem_strdup("");
    leg->deadline.kind = DEADLINE_OF_LEG;
    return leg;
}

struct leg *leg_free(struct leg *leg)
{
    if (!leg) {
        return NULL;
    }

    assert(!leg->deadline.set);
    free(leg->reservation_id);
    free(leg->worker_id);
    free(leg->remote_uri);
    free(leg->sip_call_id);
    free(leg);
    return NULL;
}

const char *leg_party(const struct leg *leg)
{
    return leg->worker_id ? leg->worker_id : "caller";
}

bool leg_alive(const struct leg *leg)
{
    return leg->state != LEG_ENDING && leg->state != LEG_ENDED;
}

bool leg_apply(struct leg *leg, enum leg_event event)
{
    enum leg_state next = edges[leg->state][event];

    if (next == LEG_IDLE) {
        return false;
    }
    leg->state = next;
    leg->rang |= next == LEG_RINGING;
    return true;
}

const char *leg_state_name(enum leg_state state)
{
    assert(state < LEG_STATE_COUNT);
    return state_names[state];
}
