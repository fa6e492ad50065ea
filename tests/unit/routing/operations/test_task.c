#include <criterion/criterion.h>

#include "services/routing/domain/task.h"
#include "tests/support/routing_invariants.h"
#include "tests/support/routing_world.h"

static struct world world;

static void begin(void)
{
    world_init(&world);
}

static void end(void)
{
    check_reload(&world);
    world_deinit(&world);
}

TestSuite(task, .init = begin, .fini = end);

Test(task, waits_when_nobody_is_there_and_is_offered_as_soon_as_somebody_is)
{
    struct task *task = world_task(&world, "t1", "");

    cr_assert_eq(task->row.state, TASK_PENDING);
    cr_assert_str_eq(task->row.task_queue_id, "everyone");
    cr_assert_str_eq(
        world_events(&world),
        "task.created workflow.entered workflow.target-matched task-queue.entered");
    world_worker(&world, "ada", "");
    cr_assert_eq(task->row.state, TASK_RESERVED);
    cr_assert_str_eq(world_offer(&world, "t1")->row.worker_id, "ada");
    cr_assert_str_eq(world_events(&world), "worker.created reservation.created");
}

Test(task, goes_through_its_whole_life_in_the_published_order_of_events)
{
    world_worker(&world, "ada", "");
    world_events(&world);
    world_task(&world, "t1", "{\"language\":\"de\"}");
    cr_assert(world_accept(&world, world_offer(&world, "t1")));
    cr_assert(world_task_verb(&world, &operation_wrap_up_task, "t1"));
    cr_assert(world_task_verb(&world, &operation_complete_task, "t1"));
    cr_assert_str_eq(
        world_events(&world),
        "task.created workflow.entered workflow.target-matched task-queue.entered "
        "reservation.created reservation.accepted reservation.wrapup task.wrapup "
        "reservation.completed task.completed");
    cr_assert_eq(world_find_task(&world, "t1")->row.state, TASK_COMPLETED);
    world_pass(&world, 299 * WORLD_SECOND);
    cr_assert_not_null(world_find_task(&world, "t1"));
    world_pass(&world, WORLD_SECOND);
    cr_assert_null(world_find_task(&world, "t1"));
    cr_assert_eq(world.store[ROW_TASK].count, 0);
    cr_assert_eq(world.store[ROW_RESERVATION].count, 0);
    cr_assert_str_eq(world_events(&world), "");
}
