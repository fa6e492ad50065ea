/* The routing service is away: the waiting keep their audio, talks go on, reports are made as ever.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/bridge/operations/world.h"

static struct world *world;

static void set_up(void)
{
    world = world_new(NULL);
}

TestSuite(link, .init = set_up);

static void lose(int64_t for_us)
{
    bridge_set_link(world->bridge, false);
    world_advance(world, for_us);
    bridge_set_link(world->bridge, true);
}

Test(link, lost_while_a_caller_waits)
{
    world_invite(world, "+4930123");
    world_enqueued(world);
    world->trace[0] = '\0';
    lose(SECONDS(3600));
    world_expect(world, "");
    cr_assert(world_find_leg(world, "caller")->playing);
    world_dial(world, "r1", "w1");
    world_answer(world, "w1");
    world_bye(world, "caller", 0);
    world_free_idle(world);
}

Test(link, lost_while_a_worker_rings)
{
    world_invite(world, "+4930123");
    world_enqueued(world);
    world_dial(world, "r1", "w1");
    world_ring(world, "w1");
    bridge_set_link(world->bridge, false);
    world->trace[0] = '\0';
    world_answer(world, "w1");
    world_expect(
        world, "media w1 send receive\nstop caller\nplan caller w1\nreport worker_joined r1\n");
    bridge_set_link(world->bridge, true);
    world_bye(world, "w1", 0);
    world_free_idle(world);
}

Test(link, lost_while_two_talk)
{
    world_invite(world, "+4930123");
    world_enqueued(world);
    world_dial(world, "r1", "w1");
    world_answer(world, "w1");
    world->trace[0] = '\0';
    lose(SECONDS(3600));
    world_expect(world, "");
    cr_assert_str_eq(world_state(world), "TALKING");
    bridge_set_link(world->bridge, false);
    world_bye(world, "caller", 0);
    cr_assert_not_null(strstr(world->trace, "report call_ended hang_up\n"));
    world_free_idle(world);
}

Test(link, away_when_a_call_comes_in)
{
    bridge_set_link(world->bridge, false);
    world_invite(world, "+4930123");
    world->trace[0] = '\0';
    world_advance(world, SECONDS(10));
    world_expect(
        world, "refuse caller 503 retry 5 (Routing service is not reachable)\nclose caller\n"
               "report call_ended failed 503\n");
    world_free_idle(world);
}

Test(link, back_before_the_callers_patience_ends)
{
    bridge_set_link(world->bridge, false);
    world_invite(world, "+4930123");
    world_advance(world, SECONDS(9));
    bridge_set_link(world->bridge, true);
    world->trace[0] = '\0';
    world_enqueued(world);
    world_expect(world, "answer caller\nreport call_answered\nplay caller\n");
    world_bye(world, "caller", 0);
    world_free_idle(world);
}

Test(link, tells_what_the_bridge_holds)
{
    size_t count = 0;

    world_invite(world, "+4930123");
    const struct call_snapshot *snapshots = bridge_snapshot(world->bridge, world->arena, &count);
    cr_assert_eq(count, 1);
    cr_assert_str_eq(snapshots[0].task_id, "");

    world_enqueued(world);
    world_dial(world, "r1", "w1");
    snapshots = bridge_snapshot(world->bridge, world->arena, &count);
    cr_assert_str_eq(snapshots[0].task_id, "t1");
    cr_assert_str_eq(snapshots[0].reservation_id, "r1");
    cr_assert_not(snapshots[0].talking);

    world_ring(world, "w1");
    world_bye(world, "caller", 0);
    (void)bridge_snapshot(world->bridge, world->arena, &count);
    cr_assert_eq(count, 0, "what is ending was reported as ended");
    world_fail(world, "w1", 487);
    world_free_idle(world);
}

Test(link, an_instruction_to_dial_says_that_the_task_was_made)
{
    world_invite(world, "+4930123");
    world->trace[0] = '\0';
    world_dial(world, "r1", "w1");
    world_expect(world, "answer caller\nreport call_answered\nplay caller\ndial w1\n");
    world_bye(world, "caller", 0);
    world_fail(world, "w1", 487);
    world_free_idle(world);
}
