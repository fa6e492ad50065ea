#include <criterion/criterion.h>

#include "services/bridge/domain/call.h"
#include "services/bridge/domain/leg.h"

/* Columns: enqueue, join, part, end, finish. */
static const int expected[CALL_STATE_COUNT][CALL_EVENT_COUNT] = {
    [CALL_ENQUEUING] = {CALL_WAITING, -1,           -1,           CALL_ENDING, -1        },
    [CALL_WAITING] = {-1,           CALL_TALKING, -1,           CALL_ENDING, -1        },
    [CALL_TALKING] = {-1,           -1,           CALL_WAITING, CALL_ENDING, -1        },
    [CALL_ENDING] = {-1,           -1,           -1,           -1,          CALL_ENDED},
    [CALL_ENDED] = {-1,           -1,           -1,           -1,          -1        },
};

Test(call, goes_where_the_table_says_and_nowhere_else)
{
    for (int state = 0; state < CALL_STATE_COUNT; state++) {
        for (int event = 0; event < CALL_EVENT_COUNT; event++) {
            struct call *call = call_new("c1");
            int next = expected[state][event];

            call->state = (enum call_state)state;
            cr_assert_eq(call_apply(call, (enum call_event)event), next >= 0);
            cr_assert_eq((int)call->state, next >= 0 ? next : state);
            call_free(call);
        }
    }
}

Test(call, is_quiet_when_every_leg_is_over)
{
    struct call *call = call_new("c1");
    struct leg *caller = leg_new(call, 1, LEG_INBOUND);
    struct leg *worker = leg_new(call, 2, LEG_OUTBOUND);

    call->caller = caller;
    call_add_leg(call, caller);
    call_add_leg(call, worker);
    call->worker = worker;
    leg_apply(caller, LEG_INVITE);
    leg_apply(worker, LEG_DIAL);
    leg_apply(caller, LEG_FAIL);
    cr_assert_not(call_quiet(call));
    leg_apply(worker, LEG_GIVE_UP);
    cr_assert_not(call_quiet(call));
    call_remove_leg(call, worker);
    cr_assert(call_quiet(call));
    cr_assert_null(call->worker);
    call_free(call);
}
