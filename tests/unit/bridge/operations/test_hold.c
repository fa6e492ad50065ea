/* Parties change their sessions: hold, resume, refresh, and what cannot be. */
#include <criterion/criterion.h>

#include "tests/unit/bridge/operations/world.h"

static struct world *world;

/* Caller and worker talk. */
static void set_up(void)
{
    world = world_new(NULL);
    world_invite(world, "+4930123");
    world_enqueued(world);
    world_dial(world, "r1", "w1");
    world_answer(world, "w1");
    world->trace[0] = '\0';
}

static void tear_down(void)
{
    world_bye(world, "w1", 0);
    world_free_idle(world);
}

TestSuite(hold, .init = set_up, .fini = tear_down);

Test(hold, and_resume_by_the_caller)
{
    struct session_description offer = world_session(DIRECTION_SENDONLY);

    world_reoffer(world, "caller", &offer);
    world_expect(world, "media caller receive\nanswer_reoffer caller 200\n");
    cr_assert_eq(world->said.direction, DIRECTION_RECVONLY);
    offer = world_session(DIRECTION_SENDRECV);
    world_reoffer(world, "caller", &offer);
    world_expect(world, "media caller send receive\nanswer_reoffer caller 200\n");
    cr_assert_eq(world->said.direction, DIRECTION_SENDRECV);
    cr_assert_str_eq(world_state(world), "TALKING");
}

Test(hold, that_is_inactive_stops_both_ways)
{
    struct session_description offer = world_session(DIRECTION_INACTIVE);

    world_reoffer(world, "w1", &offer);
    world_expect(world, "media w1\nanswer_reoffer w1 200\n");
    cr_assert_eq(world->said.direction, DIRECTION_INACTIVE);
}

Test(hold, every_answer_is_new)
{
    struct session_description offer = world_session(DIRECTION_SENDRECV);

    world_reoffer(world, "w1", &offer);
    int64_t session_id = world->said.session_id;
    int64_t version = world->said.version;

    offer.direction = DIRECTION_SENDONLY;
    world_reoffer(world, "w1", &offer);
    cr_assert_eq(world->said.session_id, session_id);
    cr_assert_gt(world->said.version, version);
    version = world->said.version;
    world_reoffer(world, "w1", &offer);
    cr_assert_eq(world->said.version, version, "a refresh changes nothing");
}

Test(hold, a_codec_that_is_not_ours_is_refused_and_the_talk_goes_on)
{
    struct session_description offer = world_session(DIRECTION_SENDRECV);

    offer.format_count = 0;
    world_reoffer(world, "caller", &offer);
    world_expect(world, "answer_reoffer caller 488\n");
    cr_assert_str_eq(world_state(world), "TALKING");
}

Test(hold, a_change_of_codec_moves_the_media)
{
    struct session_description offer = world_session(DIRECTION_SENDRECV);

    offer.formats[0] = (struct session_format){CODEC_PCMU, 0};
    offer.format_count = 1;
    world_reoffer(world, "caller", &offer);
    world_expect(world, "media caller send receive\nanswer_reoffer caller 200\n");
    cr_assert_eq(world->said.formats[0].codec, CODEC_PCMU);
}

Test(hold, a_reinvite_without_an_offer_gets_ours)
{
    struct session_description answer = world_session(DIRECTION_RECVONLY);

    world_reoffer(world, "w1", NULL);
    world_expect(world, "answer_reoffer w1 200\n");
    cr_assert_eq(world->said.format_count, 2);
    world_reoffer(world, "w1", &answer);
    world_expect(world, "answer_reoffer w1 491\n");
    world_ack(world, "w1", &answer);
    world_expect(world, "media w1 send\n");
    world_ack(world, "w1", NULL);
    world_expect(world, "");
}

Test(hold, while_the_phone_rings_must_wait)
{
    struct session_description offer = world_session(DIRECTION_SENDRECV);

    world_invite(world, "+4930323");
    world_enqueued(world);
    world->trace[0] = '\0';
    world_reoffer(world, "caller", &offer);
    world_expect(world, "answer_reoffer caller 491\n");
    world_cancel(world, "caller");
}
