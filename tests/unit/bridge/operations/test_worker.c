/* Workers who do not answer, and the one who does. The caller goes on waiting meanwhile. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/bridge/operations/world.h"

static struct world *world;

/* A caller waits, with audio. */
static void set_up(void)
{
    world = world_new(NULL);
    world_invite(world, "+4930123");
    world_enqueued(world);
    world->trace[0] = '\0';
}

TestSuite(worker, .init = set_up);

static void hang_up_and_leave(void)
{
    world->trace[0] = '\0';
    world_bye(world, "caller", 0);
    world_expect(world, "close caller\nreport call_ended hang_up\n");
    world_free_idle(world);
}

struct failure {
    int status;
    bool rang;
    const char *report;
};

static const struct failure failures[] = {
    {486, true,  "busy 486"       },
    {600, false, "busy 600"       },
    {603, true,  "declined 603"   },
    {403, false, "declined 403"   },
    {480, false, "no_answer 480"  },
    {408, true,  "no_answer 408"  },
    {408, false, "unreachable 408"},
    {404, false, "unreachable 404"},
    {503, false, "unreachable 503"},
    {500, false, "failed 500"     },
    {302, false, "failed 302"     },
};

Test(worker, fails_for_a_reason_and_the_caller_waits_on_with_audio)
{
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        char reservation[8];
        char expected[128];

        (void)snprintf(reservation, sizeof(reservation), "r%zu", i);
        world_dial(world, reservation, "w1");
        if (failures[i].rang) {
            world_ring(world, "w1");
        }
        world->trace[0] = '\0';
        world_fail(world, "w1", failures[i].status);
        (void)snprintf(
            expected, sizeof(expected), "close w1\nreport worker_failed %s %s\n", reservation,
            failures[i].report);
        world_expect(world, expected);
        cr_assert_str_eq(world_state(world), "WAITING");
        cr_assert(world_find_leg(world, "caller")->playing);
    }
    hang_up_and_leave();
}

Test(worker, who_does_not_pick_up_is_given_up_in_time)
{
    world_dial(world, "r1", "w1");
    world_ring(world, "w1");
    world->trace[0] = '\0';
    world_advance(world, SECONDS(20) - 1);
    world_expect(world, "");
    world_advance(world, 1);
    world_expect(
        world, "cancel w1 408 (Worker did not answer)\nclose w1\n"
               "report worker_failed r1 no_answer 408\n");
    world_fail(world, "w1", 487);
    world_expect(world, "");
    hang_up_and_leave();
}

Test(worker, whose_phone_never_rang_is_unreachable)
{
    world_dial(world, "r1", "w1");
    world->trace[0] = '\0';
    world_advance(world, SECONDS(20));
    world_expect(
        world, "cancel w1 408 (Worker did not answer)\nclose w1\n"
               "report worker_failed r1 unreachable 408\n");
    world_fail(world, "w1", 487);
    hang_up_and_leave();
}

Test(worker, picks_up_in_the_moment_of_the_time_out)
{
    world_dial(world, "r1", "w1");
    world_advance(world, SECONDS(20));
    world->trace[0] = '\0';
    world_answer(world, "w1");
    world_expect(world, "hang_up w1 (Reservation was withdrawn)\n");
    cr_assert_str_eq(world_state(world), "WAITING");
    hang_up_and_leave();
}

Test(worker, the_second_one_takes_the_call)
{
    world_dial(world, "r1", "w1");
    world_fail(world, "w1", 486);
    world_dial(world, "r2", "w2");
    world->trace[0] = '\0';
    world_answer(world, "w2");
    world_expect(
        world, "media w2 send receive\nstop caller\nplan caller w2\nreport worker_joined r2\n");
    world_bye(world, "w2", 0);
    world_free_idle(world);
}

Test(worker, the_second_one_is_dialled_while_the_first_one_still_winds_down)
{
    world_dial(world, "r1", "w1");
    world_ring(world, "w1");
    world_release_worker(world, "r1");
    world_dial(world, "r2", "w2");
    world_answer(world, "w2");
    cr_assert_str_eq(world_state(world), "TALKING");
    world->trace[0] = '\0';
    world_answer(world, "w1");
    world_expect(world, "hang_up w1 (Reservation was withdrawn)\n");
    cr_assert_str_eq(world_state(world), "TALKING");
    world_bye(world, "caller", 0);
    world_free_idle(world);
}

Test(worker, another_reservation_takes_the_place_of_one_that_rings)
{
    world_dial(world, "r1", "w1");
    world->trace[0] = '\0';
    world_dial(world, "r2", "w2");
    world_expect(
        world, "cancel w1 487 (Reservation was withdrawn)\nclose w1\n"
               "report worker_failed r1 canceled\ndial w2\n");
    world_fail(world, "w1", 487);
    world_fail(world, "w2", 486);
    hang_up_and_leave();
}

Test(worker, a_second_one_cannot_come_into_a_talk)
{
    world_dial(world, "r1", "w1");
    world_answer(world, "w1");
    world->trace[0] = '\0';
    world_dial(world, "r2", "w2");
    world_expect(world, "report worker_failed r2 failed\n");
    cr_assert_str_eq(world_state(world), "TALKING");
    world_bye(world, "w1", 0);
    world_free_idle(world);
}

Test(worker, is_dialled_once_for_a_repeated_instruction)
{
    world_dial(world, "r1", "w1");
    world->trace[0] = '\0';
    world_dial(world, "r1", "w1");
    world_enqueued(world);
    world_expect(world, "");
    world_fail(world, "w1", 486);
    world->trace[0] = '\0';
    world_dial(world, "r1", "w1");
    world_expect(world, "");
    hang_up_and_leave();
}

Test(worker, with_nothing_to_hear_it_by_is_let_go)
{
    struct session_description foreign = world_session(DIRECTION_SENDRECV);

    foreign.format_count = 0;
    world_dial(world, "r1", "w1");
    world->trace[0] = '\0';
    world_answer_with(world, "w1", &foreign);
    world_expect(
        world, "hang_up w1 488 (No audio in common)\nclose w1\n"
               "report worker_failed r1 failed 488\n");
    world_dial(world, "r2", "w2");
    world->trace[0] = '\0';
    world_answer_with(world, "w2", NULL);
    world_expect(
        world, "hang_up w2 488 (No audio in common)\nclose w2\n"
               "report worker_failed r2 failed 488\n");
    hang_up_and_leave();
}

Test(worker, whose_dialog_dies_in_talk_has_left)
{
    world_dial(world, "r1", "w1");
    world_answer(world, "w1");
    world->trace[0] = '\0';
    world_bye(world, "w1", 481);
    world_expect(
        world, "close w1\nreport worker_left r1 failed 481\nclose conference\n"
               "hang_up caller (Conference ended)\nclose caller\nreport call_ended released\n");
    world_free_idle(world);
}

Test(worker, cannot_be_dialled_without_a_media_port)
{
    world->no_ports = true;
    world_dial(world, "r1", "w1");
    world_expect(world, "report worker_failed r1 failed 503\n");
    hang_up_and_leave();
}

Test(worker, is_offered_the_codec_that_the_caller_speaks_first)
{
    struct session_description offer = world_session(DIRECTION_SENDRECV);
    struct signalling_event event = {.called_number = "+4930123", .description = &offer};

    world_bye(world, "caller", 0);
    offer.formats[0] = (struct session_format){CODEC_PCMU, 0};
    offer.format_count = 1;
    world_invite_event(world, &event);
    world_enqueued(world);
    world_dial(world, "r1", "w1");
    cr_assert_eq(world->said.formats[0].codec, CODEC_PCMU);
    cr_assert_eq(world->said.format_count, 2);
    world_fail(world, "w1", 486);
    hang_up_and_leave();
}
