/* The life of a call when nothing goes wrong, and when somebody hangs up at each moment. */
#include <criterion/criterion.h>

#include "tests/unit/bridge/operations/world.h"

static struct world *world;

static void set_up(void)
{
    world = world_new(NULL);
}

TestSuite(stories, .init = set_up);

/* The caller waits: ENQUEUED, answered, with audio. */
static void wait_for_worker(void)
{
    world_invite(world, "+4930123");
    world_enqueued(world);
    world->trace[0] = '\0';
}

/* The first worker rings for the waiting caller. */
static void ring(void)
{
    wait_for_worker();
    world_dial(world, "r1", "w1");
    world_ring(world, "w1");
    world->trace[0] = '\0';
}

static void talk(void)
{
    ring();
    world_answer(world, "w1");
    world->trace[0] = '\0';
}

Test(stories, a_call_is_answered_when_its_task_is_made_and_waits_with_audio)
{
    world_invite(world, "+4930123");
    world_expect(world, "media caller send receive\nreport enqueue_call\n");
    cr_assert_str_eq(world_state(world), "ENQUEUING");
    world_enqueued(world);
    world_expect(world, "answer caller\nreport call_answered\nplay caller\n");
    cr_assert_str_eq(world_state(world), "WAITING");
    world_ack(world, "caller", NULL);
    world_expect(world, "");
    world_free(world);
}

Test(stories, the_worker_answers_and_both_talk_until_the_caller_hangs_up)
{
    wait_for_worker();
    world_dial(world, "r1", "w1");
    world_expect(world, "dial w1\n");
    world_ring(world, "w1");
    world_ring(world, "w1");
    world_expect(world, "report worker_ringing r1\n");
    world_answer(world, "w1");
    world_expect(
        world, "media w1 send receive\nstop caller\nplan caller w1\nreport worker_joined r1\n");
    cr_assert_str_eq(world_state(world), "TALKING");
    cr_assert_not_null(bridge_find_conference(world->bridge, "t1"));
    world_bye(world, "caller", 0);
    world_expect(
        world, "hang_up w1 (Caller has left)\nclose w1\n"
               "close conference\nclose caller\nreport call_ended hang_up\n");
    world_free_idle(world);
}

Test(stories, the_worker_hangs_up_first)
{
    talk();
    world_bye(world, "w1", 0);
    world_expect(
        world, "close w1\nreport worker_left r1 hang_up\nclose conference\n"
               "hang_up caller (Conference ended)\nclose caller\nreport call_ended released\n");
    world_free_idle(world);
}

Test(stories, a_route_may_answer_at_once)
{
    world_invite(world, "+4930223");
    world_expect(
        world, "media caller send receive\nreport enqueue_call\nanswer caller\n"
               "report call_answered\nplay caller\n");
    world_enqueued(world);
    world_expect(world, "");
    world_bye(world, "caller", 0);
    world_expect(world, "close caller\nreport call_ended hang_up\n");
    world_free_idle(world);
}

Test(stories, a_route_may_answer_when_the_worker_does_with_early_media_before)
{
    world_invite(world, "+4930323");
    world_enqueued(world);
    world_expect(
        world, "media caller send receive\nreport enqueue_call\nprogress caller 183\n"
               "play caller\n");
    world_dial(world, "r1", "w1");
    world_answer(world, "w1");
    world_expect(
        world, "dial w1\nmedia w1 send receive\nanswer caller\nreport call_answered\nstop caller\n"
               "plan caller w1\nreport worker_joined r1\n");
    world_bye(world, "w1", 0);
    world_free_idle(world);
}

Test(stories, a_caller_with_early_media_cancels)
{
    world_invite(world, "+4930323");
    world_enqueued(world);
    world_dial(world, "r1", "w1");
    world->trace[0] = '\0';
    world_cancel(world, "caller");
    world_expect(
        world, "cancel w1 487 (Caller has left)\nclose w1\n"
               "close caller\nreport call_ended canceled 487\n");
    world_fail(world, "w1", 487);
    world_free_idle(world);
}

Test(stories, an_invite_without_an_offer_gets_ours_and_its_audio_with_the_ack)
{
    struct session_description answer = world_session(DIRECTION_SENDRECV);

    world_invite_late_offer(world, "+4930123");
    world_expect(world, "report enqueue_call\n");
    world_enqueued(world);
    world_expect(world, "answer caller\nreport call_answered\nplay caller\n");
    cr_assert_eq(world->said.format_count, 2, "an offer");
    world_ack(world, "caller", &answer);
    world_expect(world, "media caller send receive\n");
    world_bye(world, "caller", 0);
    world_free_idle(world);
}

Test(stories, an_offer_of_ours_that_is_never_answered_ends_the_call)
{
    world_invite_late_offer(world, "+4930123");
    world_enqueued(world);
    world->trace[0] = '\0';
    world_ack(world, "caller", NULL);
    world_expect(
        world, "hang_up caller 488 (No audio in common)\nclose caller\n"
               "report call_ended failed 488\n");
    world_free_idle(world);
}

Test(stories, an_invite_without_an_offer_on_a_worker_route_rings_only)
{
    world_invite_late_offer(world, "+4930323");
    world_enqueued(world);
    world_expect(world, "report enqueue_call\nprogress caller 180\nplay caller\n");
    world_cancel(world, "caller");
    world_free_idle(world);
}

Test(stories, the_caller_cancels_while_the_task_is_made)
{
    world_invite(world, "+4930123");
    world->trace[0] = '\0';
    world_cancel(world, "caller");
    world_expect(world, "close caller\nreport call_ended canceled 487\n");
    world_enqueued(world);
    world_dial(world, "r1", "w1");
    world_release_call(world, "task_canceled", 0);
    world_expect(world, "");
    world_free_idle(world);
}

Test(stories, the_caller_hangs_up_while_waiting)
{
    wait_for_worker();
    world_bye(world, "caller", 0);
    world_expect(world, "close caller\nreport call_ended hang_up\n");
    world_dial(world, "r1", "w1");
    world_expect(world, "");
    world_free_idle(world);
}

Test(stories, the_callers_dialog_dies_while_waiting)
{
    wait_for_worker();
    world_bye(world, "caller", 408);
    world_expect(world, "close caller\nreport call_ended failed 408\n");
    world_free_idle(world);
}

Test(stories, the_caller_hangs_up_while_the_worker_rings)
{
    ring();
    world_bye(world, "caller", 0);
    world_expect(
        world, "cancel w1 487 (Caller has left)\nclose w1\n"
               "close caller\nreport call_ended hang_up\n");
    cr_assert_str_eq(world_state(world), "ENDING");
    world_fail(world, "w1", 487);
    world_expect(world, "");
    world_free_idle(world);
}

Test(stories, the_worker_answers_at_the_moment_the_caller_hangs_up)
{
    ring();
    world_bye(world, "caller", 0);
    world->trace[0] = '\0';
    world_answer(world, "w1");
    world_expect(world, "hang_up w1 (Reservation was withdrawn)\n");
    world_free_idle(world);
}

Test(stories, sip_never_says_how_a_canceled_leg_ended)
{
    ring();
    world_bye(world, "caller", 0);
    world_advance(world, SECONDS(39));
    cr_assert_str_eq(world_state(world), "ENDING");
    world_advance(world, SECONDS(1));
    cr_assert_str_eq(world_state(world), "none");
    world->trace[0] = '\0';
    world_answer(world, "w1");
    world_expect(world, "hang_up w1 (Reservation was withdrawn)\n");
    world_free_idle(world);
}

Test(stories, two_callers_do_not_disturb_each_other)
{
    int64_t first = world_invite(world, "+4930123");
    int64_t second = world_invite(world, "+4930124");

    cr_assert_neq(first, second);
    cr_assert_eq(bridge_call_count(world->bridge), 2);
    world_enqueued(world);
    world_bye(world, "caller", 0);
    cr_assert_eq(bridge_call_count(world->bridge), 1);
    cr_assert_not_null(bridge_find_leg(world->bridge, first));
    world_advance(world, SECONDS(10));
    world_free_idle(world);
}

Test(stories, an_operator_hangs_up)
{
    talk();
    world_hang_up(world);
    world_expect(
        world, "hang_up w1 (Hung up by an operator)\nclose w1\n"
               "close conference\nhang_up caller (Hung up by an operator)\nclose caller\n"
               "report call_ended released\n");
    world_hang_up(world);
    world_expect(world, "");
    world_free_idle(world);
}

Test(stories, no_call_lasts_for_ever)
{
    talk();
    world_advance(world, 12 * SECONDS(3600));
    world_expect(
        world, "hang_up w1 (Longest call reached)\nclose w1\n"
               "close conference\nhang_up caller (Longest call reached)\nclose caller\n"
               "report call_ended failed\n");
    world_free_idle(world);
}
