#include <criterion/criterion.h>

#include "services/bridge/domain/conference.h"
#include "services/bridge/domain/leg.h"

Test(conference, everybody_hears_all_the_others)
{
    struct conference *conference = conference_new("t1", 1, NULL);
    struct leg *legs[3];

    for (int i = 0; i < 3; i++) {
        legs[i] = leg_new(NULL, i, LEG_INBOUND);
        cr_assert(conference_join(conference, legs[i], false, 7));
    }
    cr_assert_not(conference_join(conference, legs[1], false, 8), "twice");
    cr_assert_eq(conference->participants[0].hears, 6);
    cr_assert_eq(conference->participants[1].hears, 5);
    cr_assert_eq(conference->participants[2].hears, 3);

    cr_assert_not(conference_leave(conference, legs[0]));
    cr_assert_eq(conference->participants[0].leg, legs[1]);
    cr_assert_eq(conference->participants[0].hears, 2);
    cr_assert_eq(conference->participants[1].hears, 1);
    conference_free(conference);
    for (int i = 0; i < 3; i++) {
        leg_free(legs[i]);
    }
}

Test(conference, takes_as_many_as_it_has_bits_for)
{
    struct conference *conference = conference_new("t1", 1, NULL);
    struct leg *legs[CONFERENCE_PARTICIPANTS_MAX + 1];

    for (int i = 0; i <= CONFERENCE_PARTICIPANTS_MAX; i++) {
        legs[i] = leg_new(NULL, i, LEG_INBOUND);
        cr_assert_eq(
            conference_join(conference, legs[i], false, 0), i < CONFERENCE_PARTICIPANTS_MAX);
    }
    cr_assert_eq(conference->participants[63].hears, UINT64_MAX >> 1);
    conference_free(conference);
    for (int i = 0; i <= CONFERENCE_PARTICIPANTS_MAX; i++) {
        leg_free(legs[i]);
    }
}

Test(conference, is_over_when_its_end_rule_says_so_or_nobody_is_left)
{
    struct conference *conference = conference_new("t1", 1, NULL);
    struct leg *caller = leg_new(NULL, 1, LEG_INBOUND);
    struct leg *worker = leg_new(NULL, 2, LEG_OUTBOUND);
    struct leg *guest = leg_new(NULL, 3, LEG_OUTBOUND);

    cr_assert(conference_join(conference, caller, true, 0));
    cr_assert(conference_join(conference, worker, false, 0));
    cr_assert_not(conference_leave(conference, guest));
    cr_assert_not(conference_leave(conference, worker));
    cr_assert(conference_join(conference, worker, false, 0));
    cr_assert(conference_leave(conference, caller));
    cr_assert(conference_leave(conference, worker), "the last one");
    conference_free(conference);
    leg_free(caller);
    leg_free(worker);
    leg_free(guest);
}
