/* The routing service, an operator or a shut-down ends a call, at each moment. */
#include <criterion/criterion.h>

#include "tests/unit/bridge/operations/world.h"

static struct world *world;

static void set_up(void)
{
    world = world_new(NULL);
}

TestSuite(release, .init = set_up);

static void start(const char *called_number)
{
    world_invite(world, called_number);
    world->trace[0] = '\0';
}

static void talk(void)
{
    start("+4930123");
    world_enqueued(world);
    world_dial(world, "r1", "w1");
    world_answer(world, "w1");
    world->trace[0] = '\0';
}

Test(release, of_a_call_that_is_being_enqueued_refuses_it)
{
    start("+4930123");
    world_release_call(world, "enqueue_refused", 0);
    world_expect(
        world, "refuse caller 480 (Task was released)\nclose caller\nreport call_ended released\n");
    world_release_call(world, "enqueue_refused", 0);
    world_expect(world, "");
    world_free_idle(world);
}

Test(release, refuses_with_the_status_that_routing_names)
{
    start("+4930323");
    world_enqueued(world);
    world->trace[0] = '\0';
    world_release_call(world, "task_canceled", 486);
    world_expect(
        world,
        "refuse caller 486 (Task was released)\nclose caller\nreport call_ended released 486\n");
    world_free_idle(world);
}

Test(release, of_a_waiting_caller_hangs_up)
{
    start("+4930123");
    world_enqueued(world);
    world->trace[0] = '\0';
    world_release_call(world, "task_canceled", 0);
    world_expect(
        world, "hang_up caller (Task was released)\nclose caller\nreport call_ended released\n");
    world_free_idle(world);
}

Test(release, of_a_call_whose_worker_rings_stops_the_ringing_first)
{
    start("+4930123");
    world_enqueued(world);
    world_dial(world, "r1", "w1");
    world_ring(world, "w1");
    world->trace[0] = '\0';
    world_release_call(world, "task_canceled", 0);
    world_expect(
        world, "cancel w1 480 (Task was released)\nclose w1\n"
               "hang_up caller (Task was released)\nclose caller\nreport call_ended released\n");
    world_fail(world, "w1", 487);
    world_free_idle(world);
}

Test(release, of_a_talk_hangs_up_on_both)
{
    talk();
    world_release_call(world, "task_completed", 0);
    world_expect(
        world, "hang_up w1 (Task was released)\nclose w1\n"
               "close conference\nhang_up caller (Task was released)\nclose caller\n"
               "report call_ended released\n");
    world_free_idle(world);
}

Test(release, of_a_worker_who_rings_leaves_the_caller_waiting)
{
    start("+4930123");
    world_enqueued(world);
    world_dial(world, "r1", "w1");
    world_ring(world, "w1");
    world->trace[0] = '\0';
    world_release_worker(world, "r2");
    world_expect(world, "");
    world_release_worker(world, "r1");
    world_expect(
        world, "cancel w1 487 (Reservation was withdrawn)\nclose w1\n"
               "report worker_failed r1 canceled\n"
               "");
    world_release_worker(world, "r1");
    world_expect(world, "");
    cr_assert_str_eq(world_state(world), "WAITING");
    cr_assert(world_find_leg(world, "caller")->playing);
    world_fail(world, "w1", 487);
    world_bye(world, "caller", 0);
    world_free_idle(world);
}

/* The routing service gave up in the moment in which the worker answered: it has another one in
 * mind, and the caller is not to be hung up on for that. */
Test(release, of_a_worker_in_talk_brings_the_caller_back_to_waiting)
{
    talk();
    world_release_worker(world, "r1");
    world_expect(
        world, "hang_up w1 (Reservation was withdrawn)\nclose w1\n"
               "report worker_left r1 released\nclose conference\nplay caller\n");
    cr_assert_str_eq(world_state(world), "WAITING");
    world_dial(world, "r2", "w2");
    world_answer(world, "w2");
    cr_assert_str_eq(world_state(world), "TALKING");
    world_bye(world, "w2", 0);
    world_free_idle(world);
}

Test(release, of_a_worker_crosses_with_the_answer)
{
    start("+4930123");
    world_enqueued(world);
    world_dial(world, "r1", "w1");
    world_release_worker(world, "r1");
    world->trace[0] = '\0';
    world_answer(world, "w1");
    world_expect(world, "hang_up w1 (Reservation was withdrawn)\n");
    world_bye(world, "caller", 0);
    world_free_idle(world);
}

Test(release, by_an_operator_refuses_a_caller_who_was_not_answered)
{
    start("+4930323");
    world_hang_up(world);
    world_expect(
        world,
        "refuse caller 480 (Hung up by an operator)\nclose caller\nreport call_ended released\n");
    world_free_idle(world);
}

Test(release, by_a_shut_down_lets_everybody_go_and_takes_nobody)
{
    talk();
    world_invite(world, "+4930124");
    world->trace[0] = '\0';
    world_end_all(world);
    world_expect(
        world, "hang_up w1 503 (Bridge is shutting down)\nclose w1\n"
               "close conference\nhang_up caller 503 (Bridge is shutting down)\nclose caller\n"
               "report call_ended released 503\n"
               "refuse caller 503 retry 5 (Bridge is shutting down)\nclose caller\n"
               "report call_ended released 503\n");
    world_invite(world, "+4930123");
    world_expect(world, "refuse caller 503 retry 5 (Bridge is shutting down)\n");
    world_free_idle(world);
}

Test(release, by_a_drain_takes_nobody_and_lets_everybody_talk)
{
    talk();
    bridge_drain(world->bridge);
    world_invite(world, "+4930123");
    world_expect(world, "refuse caller 503 retry 5 (Bridge is shutting down)\n");
    cr_assert_str_eq(world_state(world), "TALKING");
    world_bye(world, "w1", 0);
    world_find_leg(world, "w1");
    cr_assert_eq(bridge_call_count(world->bridge), 0);
    world_free_idle(world);
}
