#include <criterion/criterion.h>
#include <string.h>

#include "common/base/arena.h"
#include "services/routing/domain/task.h"
#include "services/routing/domain/worker.h"
#include "services/routing/matching/matching.h"
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

TestSuite(matching, .init = begin, .fini = end);

static void finish(const char *task_id)
{
    cr_assert(world_accept(&world, world_offer(&world, task_id)));
    cr_assert(world_task_verb(&world, &operation_complete_task, task_id));
}

static const char *holder(const char *task_id)
{
    const struct reservation *offer = world_offer(&world, task_id);

    return offer ? offer->row.worker_id : "";
}

Test(matching, serves_by_priority_then_age_then_id_over_all_queues)
{
    world_queue(&world, "second", "1==1");
    world_workflow(
        &world, "other", "{\"task_routing\":{\"default_filter\":{\"queue\":\"second\"}}}");
    world_task_of(&world, "d-old", "main", "", 0);
    world_task_of(&world, "c-old", "other", "", 0);
    world_pass(&world, WORLD_SECOND);
    world_task_of(&world, "b-high", "other", "", 5);
    world_task_of(&world, "a-new", "main", "", 0);
    world_worker(&world, "ada", "");
    cr_assert_str_eq(holder("b-high"), "ada");
    finish("b-high");
    cr_assert_str_eq(holder("c-old"), "ada");
    finish("c-old");
    cr_assert_str_eq(holder("d-old"), "ada");
    finish("d-old");
    cr_assert_str_eq(holder("a-new"), "ada");
}

Test(matching, virtual_start_time_takes_the_place_of_age)
{
    struct task_row *row = row_new(ROW_TASK, world.arena);
    struct create_request request = {.id = "callback", .row = row};

    world_task(&world, "t1", "");
    world_pass(&world, WORLD_SECOND);
    row->virtual_start_time_us = world.now_us - 60 * WORLD_SECOND;
    cr_assert(world_run(&world, &operation_create_task, &request));
    world_worker(&world, "ada", "");
    cr_assert_str_eq(holder("callback"), "ada");
}

Test(matching, changed_priority_changes_the_order)
{
    struct task_row *row = row_new(ROW_TASK, world.arena);
    struct update_request request = {.id = "t2", .row = row, .mask = ROW_MASK(TASK_FIELD_priority)};

    world_task(&world, "t1", "");
    world_task(&world, "t2", "");
    row->priority = 1;
    cr_assert(world_run(&world, &operation_update_task, &request));
    world_worker(&world, "ada", "");
    cr_assert_str_eq(holder("t2"), "ada");
}

Test(matching, longest_idle_worker_comes_first_and_new_ones_before_all)
{
    world_worker(&world, "a", "");
    world_task(&world, "t1", "");
    finish("t1");
    world_pass(&world, WORLD_SECOND);
    world_worker(&world, "b", "");
    world_task(&world, "t2", "");
    cr_assert_str_eq(holder("t2"), "b");
    finish("t2");
    world_pass(&world, WORLD_SECOND);
    world_task(&world, "t3", "");
    cr_assert_str_eq(holder("t3"), "a");
}

static void set_channel(const char *worker_id, struct worker_channel_setting setting)
{
    struct update_request request = {
        .id = worker_id,
        .row = row_new(ROW_WORKER, world.arena),
        .channels = &setting,
        .channel_count = 1,
    };

    cr_assert(world_run(&world, &operation_update_worker, &request), "%s", world.err.message);
}

static void make(const char *id, const char *channel)
{
    struct task_row *row = row_new(ROW_TASK, world.arena);
    struct create_request request = {.id = id, .row = row};

    row->task_channel_id = arena_strdup(world.arena, channel);
    cr_assert(world_run(&world, &operation_create_task, &request));
}

Test(matching, three_chats_and_a_voice_call_fit_together_and_no_more)
{
    world_worker(&world, "ada", "");
    set_channel(
        "ada", (struct worker_channel_setting){
                   .task_channel_id = "chat", .has_capacity = true, .capacity = 3});
    make("c1", "chat");
    make("c2", "chat");
    make("c3", "chat");
    make("c4", "chat");
    make("v1", "voice");
    make("v2", "voice");
    cr_assert_str_eq(holder("c3"), "ada");
    cr_assert_str_eq(holder("c4"), "");
    cr_assert_str_eq(holder("v1"), "ada");
    cr_assert_str_eq(holder("v2"), "");
    finish("c2");
    cr_assert_str_eq(holder("c4"), "ada");
}

Test(matching, channel_switched_off_or_without_capacity_gets_nothing_new)
{
    struct worker *ada = world_worker(&world, "ada", "");

    set_channel(
        "ada", (struct worker_channel_setting){.task_channel_id = "chat", .has_available = true});
    make("c1", "chat");
    cr_assert_str_eq(holder("c1"), "");
    set_channel(
        "ada", (struct worker_channel_setting){
                   .task_channel_id = "chat", .has_available = true, .available = true});
    cr_assert_str_eq(holder("c1"), "ada");
    cr_assert_str_eq(
        strrchr(world_events(&world), ' ') + 1, "reservation.created", "in the same step");
    cr_assert_eq(
        worker_available_percentage(
            worker_channel_of(ada, engine_find_task_channel(world.engine, "chat"))),
        0);
}

Test(matching, lowered_capacity_drops_nothing)
{
    world_worker(&world, "ada", "");
    make("c1", "chat");
    set_channel(
        "ada", (struct worker_channel_setting){.task_channel_id = "chat", .has_capacity = true});
    cr_assert_str_eq(holder("c1"), "ada");
    finish("c1");
    make("c2", "chat");
    cr_assert_str_eq(holder("c2"), "");
}

Test(matching, membership_follows_attributes_and_the_queues_expression)
{
    struct worker_row *row = row_new(ROW_WORKER, world.arena);
    struct update_request request = {
        .id = "ada", .row = row, .mask = ROW_MASK(WORKER_FIELD_attributes)};
    struct task_queue_row *queue = row_new(ROW_TASK_QUEUE, world.arena);
    struct update_request update_queue = {
        .id = "everyone", .row = queue, .mask = ROW_MASK(TASK_QUEUE_FIELD_target_workers)};

    queue->target_workers = arena_strdup(world.arena, "level > 2");
    cr_assert(world_run(&world, &operation_update_task_queue, &update_queue));
    world_worker(&world, "ada", "{\"level\":1}");
    world_task(&world, "t1", "");
    cr_assert_str_eq(holder("t1"), "");
    row->attributes = arena_strdup(world.arena, "{\"level\":3}");
    request.json = world_json(&world, row->attributes);
    cr_assert(world_run(&world, &operation_update_worker, &request));
    cr_assert_str_eq(holder("t1"), "ada");
    world_task(&world, "t2", "");
    world_worker(&world, "bob", "");
    cr_assert_str_eq(holder("t2"), "");
    queue->target_workers = arena_strdup(world.arena, "");
    cr_assert(world_run(&world, &operation_update_task_queue, &update_queue));
    cr_assert_eq(engine_find_task_queue(world.engine, "everyone")->member_count, 0);
    queue->target_workers = arena_strdup(world.arena, "display_name == 'bob'");
    cr_assert(world_run(&world, &operation_update_task_queue, &update_queue));
    cr_assert_str_eq(holder("t2"), "bob");
}

Test(matching, worker_gone_offline_keeps_the_offer_but_gets_no_other)
{
    struct set_worker_activity_request request = {
        .id = "ada", .activity_id = "offline", .reject_pending = true};

    world_worker(&world, "ada", "");
    make("v1", "voice");
    cr_assert(world_set_activity(&world, "ada", "offline"));
    cr_assert_str_eq(holder("v1"), "ada");
    make("c1", "chat");
    cr_assert_str_eq(holder("c1"), "");
    request.activity_id = "available";
    cr_assert_not(world_run(&world, &operation_set_worker_activity, &request));
    cr_assert_str_eq(world.err.field, "reject_pending_reservations");
    request.activity_id = "unavailable";
    cr_assert(world_run(&world, &operation_set_worker_activity, &request));
    cr_assert_str_eq(holder("v1"), "");
}

Test(matching, many_workers_who_come_at_once_take_the_first_tasks_of_all_lines)
{
    struct task_queue_row *queue = row_new(ROW_TASK_QUEUE, world.arena);
    struct update_request request = {
        .id = "late", .row = queue, .mask = ROW_MASK(TASK_QUEUE_FIELD_target_workers)};

    world_queue(&world, "late", "");
    world_workflow(
        &world, "w",
        "{\"task_routing\":{\"filters\":[{\"expression\":\"1==1\",\"targets\":["
        "{\"queue\":\"late\",\"expression\":\"task.n != worker.n\"}]}]}}");
    for (int i = 0; i < 6; i++) {
        world_worker(&world, arena_printf(world.arena, "w%d", i), "");
    }
    for (int i = 0; i < 12; i++) {
        world_task_of(
            &world, arena_printf(world.arena, "t%02d", i), "w",
            arena_printf(world.arena, "{\"n\":%d}", i % 3), i % 4);
    }
    queue->target_workers = arena_strdup(world.arena, "1==1");
    cr_assert(world_run(&world, &operation_update_task_queue, &request));
    for (int i = 0; i < 12; i++) {
        bool first = i % 4 == 3 || (i % 4 == 2 && i < 11);

        cr_assert_eq(
            holder(arena_printf(world.arena, "t%02d", i))[0] != '\0', first,
            "task %d of priority %d", i, i % 4);
    }
}

Test(matching, reply_shows_what_the_worker_got_in_the_same_step_and_waits_for_it)
{
    struct get_request request = {.id = "ada"};
    int64_t batch = 0;

    world_task(&world, "t1", "");
    world_worker(&world, "ada", "");
    cr_assert_eq(world.step->views[0].channels[1].available_capacity_percentage, 0);
    cr_assert_str_eq(world.step->views[0].channels[1].task_channel_id, "default");
    world_task(&world, "t2", "");
    batch = world.engines->open_batch;
    cr_assert(world_reject(&world, world_offer(&world, "t1")));
    cr_assert(world_run(&world, &operation_get_worker, &request));
    cr_assert_eq(world.step->depends_on_batch, batch, "her load changed, though not her row");
}

Test(matching, sweep_mends_and_counts_what_is_wrong_part_by_part)
{
    struct worker *bob = NULL;
    size_t mended = 0;

    world_worker(&world, "ada", "");
    bob = world_worker(&world, "bob", "");
    worker_leave_queues(bob);
    for (int i = 0; i < 4; i++) {
        mended += matching_sweep(world.engine, world.now_us, 1);
    }
    cr_assert_eq(mended, 1, "bob serves the queue");
    cr_assert(worker_serves(bob, engine_find_task_queue(world.engine, "everyone")));
    cr_assert_eq(matching_sweep(world.engine, world.now_us, SIZE_MAX), 0);
}

Test(matching, sweep_finds_nothing_to_mend)
{
    world_worker(&world, "ada", "");
    world_task(&world, "t1", "");
    world_task(&world, "t2", "");
    cr_assert(world_run(&world, &operation_sweep_workspace, NULL));
    cr_assert_eq(world.step->mended, 0);
}
