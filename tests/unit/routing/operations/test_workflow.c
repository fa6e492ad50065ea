#include <criterion/criterion.h>
#include <string.h>

#include "common/base/arena.h"
#include "services/routing/domain/task.h"
#include "services/routing/domain/workflow_document.h"
#include "tests/support/routing_invariants.h"
#include "tests/support/routing_world.h"

static struct world world;

static void begin(void)
{
    world_init(&world);
    world_queue(&world, "german", "languages HAS 'de'");
    world_queue(&world, "nobody", "");
}

static void end(void)
{
    check_reload(&world);
    world_deinit(&world);
}

TestSuite(workflow, .init = begin, .fini = end);

/* Workflow "w" with these filters, and what may stand behind them. */
static void workflow(const char *filters, const char *rest)
{
    world_workflow(
        &world, "w",
        arena_printf(world.arena, "{\"task_routing\":{\"filters\":[%s]%s}}", filters, rest));
    world_events(&world);
}

static struct task *enter(const char *id, const char *attributes)
{
    return world_task_of(&world, id, "w", attributes, 0);
}

#define DEFAULT ",\"default_filter\":{\"queue\":\"everyone\"}"

Test(workflow, first_filter_that_matches_takes_the_task)
{
    workflow(
        "{\"filter_friendly_name\":\"G\",\"expression\":\"l=='de'\",\"targets\":[{\"queue\":"
        "\"german\"}]},"
        "{\"expression\":\"1==1\",\"targets\":[{\"queue\":\"nobody\"}]}",
        DEFAULT);
    cr_assert_str_eq(enter("t1", "{\"l\":\"de\"}")->row.task_queue_id, "german");
    cr_assert_str_eq(task_filter_name(world_find_task(&world, "t1")), "G");
    cr_assert_str_eq(enter("t2", "{\"l\":\"fr\"}")->row.task_queue_id, "nobody");
}

Test(workflow, default_filter_is_for_tasks_that_match_nothing)
{
    workflow(
        "{\"expression\":\"l=='de'\",\"targets\":[{\"queue\":\"german\",\"timeout\":10}]}",
        DEFAULT);
    cr_assert_str_eq(enter("t1", "")->row.task_queue_id, "everyone");
    cr_assert_str_eq(task_filter_name(world_find_task(&world, "t1")), "default_filter");
    enter("t2", "{\"l\":\"de\"}");
    world_pass(&world, 10 * WORLD_SECOND);
    cr_assert_eq(
        world_find_task(&world, "t2")->row.state, TASK_CANCELED, "it had matched a filter");
}

Test(workflow, without_a_default_filter_cancels_what_matches_nothing)
{
    workflow("{\"expression\":\"l=='de'\",\"targets\":[{\"queue\":\"german\"}]}", "");
    cr_assert_eq(enter("t1", "")->row.state, TASK_CANCELED);
    cr_assert_str_eq(
        world_events(&world), "task.created workflow.entered workflow.skipped task.canceled");
}

Test(workflow, targets_follow_each_other_by_time_and_inherit_the_queue)
{
    struct task *task = NULL;

    workflow(
        "{\"expression\":\"1==1\",\"targets\":[{\"queue\":\"german\",\"timeout\":10},"
        "{\"timeout\":10,\"priority\":7},{\"queue\":\"nobody\",\"timeout\":10}]}",
        "");
    task = enter("t1", "");
    cr_assert_eq(task->row.target_index, 0);
    world_events(&world);
    world_pass(&world, 10 * WORLD_SECOND);
    cr_assert_eq(task->row.target_index, 1);
    cr_assert_eq(task->row.priority, 7);
    cr_assert_str_eq(task->row.task_queue_id, "german");
    cr_assert_str_eq(world_events(&world), "task-queue.timeout workflow.target-matched");
    world_pass(&world, 10 * WORLD_SECOND);
    cr_assert_str_eq(task->row.task_queue_id, "nobody");
    cr_assert_eq(task->row.priority, 7, "a target without a priority leaves it");
    cr_assert_str_eq(
        world_events(&world),
        "task-queue.timeout workflow.target-matched task-queue.moved task-queue.entered");
    world_pass(&world, 10 * WORLD_SECOND);
    cr_assert_eq(task->row.state, TASK_CANCELED);
    cr_assert_str_eq(task->row.reason, "workflow.timeout");
    cr_assert_str_eq(world_events(&world), "task-queue.timeout workflow.timeout task.canceled");
}

/* The example of the reference: targets of 10 s each; a reservation that fails late leaves less of
 * the next target, and one that outlasts two targets passes over the second. */
Test(workflow, time_outs_are_counted_together_and_wait_for_a_pending_reservation)
{
    struct task *task = NULL;

    workflow(
        "{\"expression\":\"1==1\",\"targets\":[{\"queue\":\"everyone\",\"timeout\":10},"
        "{\"queue\":\"german\",\"timeout\":10},{\"queue\":\"nobody\",\"timeout\":10}]}",
        "");
    world_worker(&world, "ada", "");
    task = enter("t1", "");
    world_pass(&world, 13 * WORLD_SECOND);
    cr_assert_eq(task->row.state, TASK_RESERVED, "the target's time does not break an offer");
    cr_assert(world_reject(&world, world_offer(&world, "t1")));
    cr_assert_eq(task->row.target_index, 1);
    world_pass(&world, 7 * WORLD_SECOND - 1);
    cr_assert_eq(task->row.target_index, 1);
    world_pass(&world, 1);
    cr_assert_eq(task->row.target_index, 2);
}

Test(workflow, reservation_that_outlasts_a_target_passes_over_it)
{
    struct task *task = NULL;

    workflow(
        "{\"expression\":\"1==1\",\"targets\":[{\"queue\":\"everyone\",\"timeout\":10},"
        "{\"queue\":\"german\",\"timeout\":10},{\"queue\":\"nobody\",\"timeout\":10}]}",
        "");
    world_worker(&world, "ada", "");
    task = enter("t1", "");
    world_pass(&world, 25 * WORLD_SECOND);
    cr_assert(world_reject(&world, world_offer(&world, "t1")));
    cr_assert_eq(task->row.target_index, 2);
    cr_assert_str_eq(task->row.task_queue_id, "nobody");
}

Test(workflow, next_matching_filter_follows_the_last_target_with_a_clock_of_its_own)
{
    struct task *task = NULL;

    workflow(
        "{\"expression\":\"a==1\",\"targets\":[{\"queue\":\"german\",\"timeout\":10}]},"
        "{\"expression\":\"a==2\",\"targets\":[{\"queue\":\"nobody\"}]},"
        "{\"expression\":\"b==1\",\"targets\":[{\"queue\":\"everyone\",\"timeout\":10}]}",
        "");
    task = enter("t1", "{\"a\":1,\"b\":1}");
    world_pass(&world, 10 * WORLD_SECOND);
    cr_assert_eq(task->row.filter_index, 2);
    world_pass(&world, 10 * WORLD_SECOND - 1);
    cr_assert_eq(task->row.state, TASK_PENDING);
    world_pass(&world, 1);
    cr_assert_eq(task->row.state, TASK_CANCELED);
}

Test(workflow, skip_if_counts_only_when_nobody_can_take_the_task_at_entry)
{
    workflow(
        "{\"expression\":\"1==1\",\"targets\":["
        "{\"queue\":\"german\",\"skip_if\":\"workers.available == 0\",\"timeout\":10},"
        "{\"queue\":\"nobody\"}]}",
        "");
    cr_assert_str_eq(enter("t1", "")->row.task_queue_id, "nobody");
    world_worker(&world, "gerda", "{\"languages\":[\"de\"]}");
    cr_assert_str_eq(enter("t2", "")->row.task_queue_id, "german");
    cr_assert_str_eq(world_offer(&world, "t2")->row.worker_id, "gerda");
    cr_assert_str_eq(
        enter("t3", "")->row.task_queue_id, "german", "she is available, only busy: no skipping");
}

Test(workflow, task_that_skips_everything_falls_into_the_default_filter)
{
    workflow(
        "{\"expression\":\"1==1\",\"targets\":[{\"queue\":\"nobody\",\"skip_if\":\"1==1\"}]}",
        DEFAULT);
    cr_assert_str_eq(enter("t1", "")->row.task_queue_id, "everyone");
}

Test(workflow, order_by_chooses_among_workers_and_the_longest_idle_breaks_ties)
{
    workflow(
        "{\"expression\":\"1==1\",\"targets\":[{\"queue\":\"everyone\","
        "\"order_by\":\"worker.level DESC\"}]}",
        "");
    world_worker(&world, "a", "{\"level\":1}");
    world_worker(&world, "b", "{\"level\":3}");
    world_worker(&world, "c", "{\"level\":3}");
    world_worker(&world, "d", "");
    enter("t1", "");
    cr_assert_str_eq(world_offer(&world, "t1")->row.worker_id, "b");
    enter("t2", "");
    cr_assert_str_eq(world_offer(&world, "t2")->row.worker_id, "c");
    enter("t3", "");
    cr_assert_str_eq(world_offer(&world, "t3")->row.worker_id, "a");
    enter("t4", "");
    cr_assert_str_eq(world_offer(&world, "t4")->row.worker_id, "d", "who has no level is last");
}

Test(workflow, known_worker_alone_gets_the_task)
{
    workflow(
        "{\"expression\":\"1==1\",\"targets\":[{\"queue\":\"everyone\","
        "\"known_worker_sid\":\"task.friend\",\"timeout\":20},{\"queue\":\"everyone\"}]}",
        "");
    world_worker(&world, "a", "");
    enter("t1", "{\"friend\":\"b\"}");
    cr_assert_null(world_offer(&world, "t1"));
    world_worker(&world, "b", "");
    cr_assert_str_eq(world_offer(&world, "t1")->row.worker_id, "b");
    enter("t2", "{\"friend\":null}");
    cr_assert_null(world_offer(&world, "t2"), "a wrong value waits in the target all the same");
    world_pass(&world, 20 * WORLD_SECOND);
    cr_assert_str_eq(world_offer(&world, "t2")->row.worker_id, "a");
}

Test(workflow, target_expression_reads_task_and_worker)
{
    workflow(
        "{\"expression\":\"1==1\",\"targets\":[{\"queue\":\"everyone\","
        "\"expression\":\"task.need IN worker.skills\"}]}",
        "");
    world_worker(&world, "a", "{\"skills\":[\"x\"]}");
    world_worker(&world, "b", "{\"skills\":[\"y\",\"z\"]}");
    enter("t1", "{\"need\":\"z\"}");
    cr_assert_str_eq(world_offer(&world, "t1")->row.worker_id, "b");
    enter("t2", "{\"need\":\"y\"}");
    enter("t3", "{\"need\":\"x\"}");
    cr_assert_null(world_offer(&world, "t2"));
    cr_assert_str_eq(world_offer(&world, "t3")->row.worker_id, "a");
    cr_assert(world_accept(&world, world_offer(&world, "t1")));
    cr_assert(world_task_verb(&world, &operation_complete_task, "t1"));
    cr_assert_str_eq(world_offer(&world, "t2")->row.worker_id, "b");
}

static bool change(const char *configuration)
{
    struct workflow_row *row = row_new(ROW_WORKFLOW, world.arena);
    struct update_request request = {
        .id = "w",
        .row = row,
        .mask = ROW_MASK(WORKFLOW_FIELD_configuration),
        .json = world_json(&world, configuration),
    };

    row->configuration = arena_strdup(world.arena, configuration);
    return world_run(&world, &operation_update_workflow, &request);
}

Test(workflow, new_document_finds_waiting_tasks_in_the_same_place_or_starts_them_again)
{
    struct task *stays = NULL;
    struct task *starts = NULL;

    workflow(
        "{\"expression\":\"a==1\",\"targets\":[{\"queue\":\"german\",\"timeout\":10},"
        "{\"queue\":\"german\"}]}",
        DEFAULT);
    stays = enter("t1", "");
    starts = enter("t2", "{\"a\":1}");
    world_pass(&world, 10 * WORLD_SECOND);
    cr_assert_eq(starts->row.target_index, 1);
    cr_assert(change("{\"task_routing\":{\"filters\":[{\"expression\":\"a==1\",\"targets\":["
                     "{\"queue\":\"everyone\"}]}],\"default_filter\":{\"queue\":\"nobody\"}}}"));
    cr_assert_str_eq(stays->row.task_queue_id, "nobody");
    cr_assert_eq(stays->row.filter_index, TASK_FILTER_DEFAULT);
    cr_assert_str_eq(starts->row.task_queue_id, "everyone");
    cr_assert_eq(starts->row.target_index, 0);
}

Test(workflow, document_must_name_queues_that_exist_and_keeps_them_from_being_deleted)
{
    struct delete_request request = {.id = "german"};

    cr_assert_not(world_try_workflow(
        &world, "x", "{\"task_routing\":{\"default_filter\":{\"queue\":\"none\"}}}"));
    cr_assert_eq(world.err.reason, REASON_NOT_FOUND);
    cr_assert_str_eq(world.err.field, "workflow.configuration");
    workflow("{\"expression\":\"1==1\",\"targets\":[{\"queue\":\"german\"}]}", "");
    cr_assert_not(world_run(&world, &operation_delete_task_queue, &request));
    cr_assert_eq(world.err.reason, REASON_RESOURCE_IN_USE);
    cr_assert(change("{\"task_routing\":{\"default_filter\":{\"queue\":\"everyone\"}}}"));
    cr_assert(world_run(&world, &operation_delete_task_queue, &request));
}

Test(workflow, is_deleted_only_when_no_task_is_in_it_any_more)
{
    struct delete_request request = {.id = "w"};

    workflow("{\"expression\":\"1==1\",\"targets\":[{\"queue\":\"german\"}]}", "");
    enter("t1", "");
    cr_assert_not(world_run(&world, &operation_delete_workflow, &request));
    cr_assert_eq(world.err.reason, REASON_RESOURCE_IN_USE);
    cr_assert(world_task_verb(&world, &operation_cancel_task, "t1"));
    cr_assert(world_run(&world, &operation_delete_workflow, &request));
    check_reload(&world);
}
