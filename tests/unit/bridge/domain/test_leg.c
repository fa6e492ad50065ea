#include <criterion/criterion.h>

#include "services/bridge/domain/leg.h"

/* Written out a second time: every cell is deliberate. A dot changes nothing. Columns: invite,
 * dial, progress, answer, fail, give up, hang up. */
static const char *const expected[LEG_STATE_COUNT] = {
    [LEG_IDLE] = "TT..E..",      [LEG_TRYING] = "..RCEGE", [LEG_RINGING] = "..RCEGE",
    [LEG_CONNECTED] = "......E", [LEG_ENDING] = "....E.E", [LEG_ENDED] = ".......",
};

static enum leg_state state_of(char letter, enum leg_state otherwise)
{
    switch (letter) {
    case 'T':
        return LEG_TRYING;
    case 'R':
        return LEG_RINGING;
    case 'C':
        return LEG_CONNECTED;
    case 'G':
        return LEG_ENDING;
    case 'E':
        return LEG_ENDED;
    default:
        return otherwise;
    }
}

Test(leg, goes_where_the_table_says_and_nowhere_else)
{
    for (int state = 0; state < LEG_STATE_COUNT; state++) {
        for (int event = 0; event < LEG_EVENT_COUNT; event++) {
            struct leg *leg = leg_new(NULL, 1, LEG_OUTBOUND);
            char letter = expected[state][event];

            leg->state = (enum leg_state)state;
            bool moved = leg_apply(leg, (enum leg_event)event);

            cr_assert_eq(moved, letter != '.', "state %d event %d", state, event);
            cr_assert_eq(leg->state, state_of(letter, (enum leg_state)state));
            leg_free(leg);
        }
    }
}

Test(leg, remembers_that_it_rang)
{
    struct leg *leg = leg_new(NULL, 1, LEG_OUTBOUND);

    leg_apply(leg, LEG_DIAL);
    cr_assert_not(leg->rang);
    leg_apply(leg, LEG_PROGRESS);
    leg_apply(leg, LEG_FAIL);
    cr_assert(leg->rang);
    cr_assert_not(leg_alive(leg));
    cr_assert_str_eq(leg_state_name(leg->state), "ENDED");
    leg_free(leg);
}
