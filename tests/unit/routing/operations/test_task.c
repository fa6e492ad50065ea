#include <criterion/criterion.h>
#include <string.h>

#include "common/base/arena.h"
#include "services/routing/domain/limits.h"
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

/* A task "t" of that state, held by worker "ada" where it is held. */
static void bring_to(enum task_state state)
{
    struct delete_request task = {.id = "t"};

    if (world_find_task(&world, "t")) {
        cr_assert(world_run(&world, &operation_delete_task, &task));
    }
    if (!engine_find_worker(world.engine, "ada")) {
        world_worker(&world, "ada", "");
    }
    cr_assert(world_set_activity(
        &world, "ada", state == TASK_PENDING || state == TASK_CANCELED ? "offline" : "available"));
    world_task(&world, "t", "");
    if (state >= TASK_ASSIGNED && state <= TASK_COMPLETED) {
        cr_assert(world_accept(&world, world_offer(&world, "t")));
    }
    if (state == TASK_WRAPPING) {
        cr_assert(world_task_verb(&world, &operation_wrap_up_task, "t"));
    } else if (state == TASK_COMPLETED) {
        cr_assert(world_task_verb(&world, &operation_complete_task, "t"));
    } else if (state == TASK_CANCELED) {
        cr_assert(world_task_verb(&world, &operation_cancel_task, "t"));
    }
    cr_assert_eq(world_find_task(&world, "t")->row.state, (int32_t)state);
}

Test(task, may_do_in_each_state_what_the_written_table_says)
{
    static const struct operation *const verbs[] = {
        &operation_cancel_task, &operation_wrap_up_task, &operation_complete_task};
    /* By state and verb: the state after it; 0 where it is refused. */
    static const enum task_state expected[TASK_STATE_COUNT][3] = {
        [TASK_PENDING] = {TASK_CANCELED, 0,             0             },
        [TASK_RESERVED] = {TASK_CANCELED, 0,             0             },
        [TASK_ASSIGNED] = {0,             TASK_WRAPPING, TASK_COMPLETED},
        [TASK_WRAPPING] = {0,             0,             TASK_COMPLETED},
        [TASK_COMPLETED] = {0,             0,             0             },
        [TASK_CANCELED] = {0,             0,             0             },
    };

    for (int state = TASK_PENDING; state < TASK_STATE_COUNT; state++) {
        for (size_t verb = 0; verb < 3; verb++) {
            bool allowed = expected[state][verb] != 0;

            bring_to((enum task_state)state);
            cr_assert_eq(
                world_task_verb(&world, verbs[verb], "t"), allowed, "%s of a task that is %s",
                verbs[verb]->name, task_state_name((enum task_state)state));
            cr_assert_eq(
                world_find_task(&world, "t")->row.state,
                allowed ? (int)expected[state][verb] : state);
            cr_assert(allowed || world.err.reason == REASON_STATE_FORBIDS);
        }
    }
}

Test(task, becomes_only_what_the_written_table_of_states_allows)
{
    static const bool allowed[TASK_STATE_COUNT][TASK_STATE_COUNT] = {
        [TASK_PENDING] = {[TASK_RESERVED] = true,  [TASK_CANCELED] = true},
        [TASK_RESERVED] = {[TASK_PENDING] = true,                       [TASK_ASSIGNED] = true, [TASK_CANCELED] = true},
        [TASK_ASSIGNED] = {[TASK_WRAPPING] = true,[TASK_COMPLETED] = true},
        [TASK_WRAPPING] = {[TASK_COMPLETED] = true                      },
    };

    for (int from = TASK_PENDING; from < TASK_STATE_COUNT; from++) {
        for (int to = TASK_PENDING; to < TASK_STATE_COUNT; to++) {
            cr_assert_eq(
                task_state_can_become((enum task_state)from, (enum task_state)to),
                allowed[from][to], "%s to %s", task_state_name((enum task_state)from),
                task_state_name((enum task_state)to));
        }
    }
}

Test(task, is_canceled_at_its_time_to_live_whether_offered_or_not)
{
    struct task_row *row = row_new(ROW_TASK, world.arena);
    struct create_request request = {.id = "short", .row = row};

    row->ttl_us = 30 * WORLD_SECOND;
    cr_assert(world_run(&world, &operation_create_task, &request));
    request.id = "offered";
    world_worker(&world, "ada", "");
    cr_assert(world_run(&world, &operation_create_task, &request));
    world_pass(&world, 29 * WORLD_SECOND);
    cr_assert_eq(world_find_task(&world, "short")->row.state, TASK_RESERVED);
    world_pass(&world, WORLD_SECOND);
    cr_assert_eq(world_find_task(&world, "short")->row.state, TASK_CANCELED);
    cr_assert_eq(world_find_task(&world, "offered")->row.state, TASK_CANCELED);
    cr_assert_str_eq(world_find_task(&world, "short")->row.reason, "Task TTL Exceeded");
    cr_assert(TAILQ_EMPTY(&engine_find_worker(world.engine, "ada")->live));
}

Test(task, is_removed_by_the_system_24_hours_after_its_assignment)
{
    world_worker(&world, "ada", "");
    world_task(&world, "t1", "");
    cr_assert(world_accept(&world, world_offer(&world, "t1")));
    world_pass(&world, TASK_ASSIGNED_MAX_US - 1);
    cr_assert_eq(world_find_task(&world, "t1")->row.state, TASK_ASSIGNED);
    world_events(&world);
    world_pass(&world, 1);
    cr_assert_null(world_find_task(&world, "t1"));
    cr_assert_str_eq(world_events(&world), "reservation.completed task.system-deleted");
    cr_assert(TAILQ_EMPTY(&engine_find_worker(world.engine, "ada")->live));
}

Test(task, keeps_the_reason_of_its_wrap_up_when_it_is_completed_without_one)
{
    struct task_verb_request request = {.id = "t1", .reason = "called back"};

    world_worker(&world, "ada", "");
    world_task(&world, "t1", "");
    cr_assert(world_accept(&world, world_offer(&world, "t1")));
    cr_assert(world_run(&world, &operation_wrap_up_task, &request));
    cr_assert(world_task_verb(&world, &operation_complete_task, "t1"));
    cr_assert_str_eq(world_find_task(&world, "t1")->row.reason, "called back");
}

Test(task, is_completed_by_itself_when_wrapping_up_takes_too_long)
{
    world_worker(&world, "ada", "");
    world_task(&world, "t1", "");
    cr_assert(world_accept(&world, world_offer(&world, "t1")));
    cr_assert(world_task_verb(&world, &operation_wrap_up_task, "t1"));
    world_pass(&world, WRAP_UP_TIMEOUT_DEFAULT_US - 1);
    cr_assert_eq(world_find_task(&world, "t1")->row.state, TASK_WRAPPING);
    world_pass(&world, 1);
    cr_assert_eq(world_find_task(&world, "t1")->row.state, TASK_COMPLETED);
}

Test(task, is_deleted_with_its_offer_and_its_worker_is_free_at_once)
{
    struct delete_request request = {.id = "t1"};

    world_worker(&world, "ada", "");
    world_task(&world, "t1", "");
    world_task(&world, "t2", "");
    cr_assert(world_run(&world, &operation_delete_task, &request));
    cr_assert_null(world_find_task(&world, "t1"));
    cr_assert_str_eq(world_offer(&world, "t2")->row.worker_id, "ada");
    cr_assert_not(world_run(&world, &operation_delete_task, &request));
    cr_assert_eq(world.err.reason, REASON_NOT_FOUND);
}

static bool create(const char *id, const char *request_id, int64_t hash, int32_t priority)
{
    struct task_row *row = row_new(ROW_TASK, world.arena);
    struct create_request request = {
        .id = id, .row = row, .key = {.id = request_id, .hash = hash}
    };

    row->priority = priority;
    return world_run(&world, &operation_create_task, &request);
}

Test(task, is_made_once_by_a_repeated_request_and_another_one_is_refused)
{
    const char *id = NULL;

    cr_assert(create("", "11111111-2222", 7, 0));
    id = arena_strdup(world.arena, world.step->views[0].task->id);
    cr_assert(create("", "11111111-2222", 7, 0));
    cr_assert_str_eq(world.step->views[0].task->id, id);
    cr_assert_eq(world.step->change_count, 0);
    cr_assert_eq(world.engine->counts[ROW_TASK], 1);
    cr_assert_not(create("", "11111111-2222", 8, 0));
    cr_assert_eq(world.err.reason, REASON_REQUEST_ID_REUSED);
    world_pass(&world, REQUEST_RETENTION_US);
    cr_assert(create("", "11111111-2222", 8, 0));
    cr_assert_eq(world.engine->counts[ROW_TASK], 2);
}

Test(task, is_refused_with_the_name_of_the_field_that_is_wrong)
{
    cr_assert(create("t1", "", 0, 0));
    cr_assert_not(create("t1", "", 0, 0));
    cr_assert_eq(world.err.reason, REASON_ALREADY_EXISTS);
    cr_assert_str_eq(world.err.field, "task_id");
    cr_assert_not(create("no blanks", "", 0, 0));
    cr_assert_eq(world.err.reason, REASON_FIELD_INVALID);
    cr_assert_not(create("", "", 0, -1));
    cr_assert_str_eq(world.err.field, "task.priority");
}

Test(task, needs_its_workflow_named_when_there_are_several)
{
    world_workflow(
        &world, "second", "{\"task_routing\":{\"default_filter\":{\"queue\":\"everyone\"}}}");
    cr_assert_not(create("t1", "", 0, 0));
    cr_assert_eq(world.err.reason, REASON_FIELD_REQUIRED);
    cr_assert_str_eq(world.err.field, "task.workflow");
}

Test(task, keeps_to_the_limits_of_virtual_start_time_ttl_and_attributes)
{
    struct task_row *row = row_new(ROW_TASK, world.arena);
    struct create_request request = {.id = "", .row = row};
    char *attributes = arena_alloc(world.arena, 5000);

    row->virtual_start_time_us = world.now_us + 1;
    cr_assert_not(world_run(&world, &operation_create_task, &request));
    cr_assert_str_eq(world.err.field, "task.virtual_start_time");
    row->virtual_start_time_us = VIRTUAL_START_TIME_MIN_US - 1;
    cr_assert_not(world_run(&world, &operation_create_task, &request));
    row->virtual_start_time_us = 0;
    row->ttl_us = TASK_TTL_MAX_US + 1;
    cr_assert_not(world_run(&world, &operation_create_task, &request));
    cr_assert_str_eq(world.err.field, "task.ttl");
    row->ttl_us = 0;
    memset(attributes, 'a', 4100);
    memcpy(attributes, "{\"a\":\"", 6);
    memcpy(attributes + 4095, "\"}", 3);
    row->attributes = attributes;
    request.json = world_json(&world, attributes);
    cr_assert_not(world_run(&world, &operation_create_task, &request));
    cr_assert_eq(world.err.reason, REASON_FIELD_TOO_LONG);
    memcpy(attributes + 4094, "\"}", 3);
    request.json = world_json(&world, attributes);
    cr_assert(world_run(&world, &operation_create_task, &request));
}

Test(task, is_updated_only_when_its_etag_is_the_present_one)
{
    struct task_row *row = row_new(ROW_TASK, world.arena);
    struct update_request request = {
        .id = "t1", .row = row, .mask = ROW_MASK(TASK_FIELD_priority), .etag = "1"};

    row->priority = 9;
    world_task(&world, "t1", "");
    cr_assert(world_run(&world, &operation_update_task, &request));
    cr_assert_eq(world_find_task(&world, "t1")->row.priority, 9);
    cr_assert_not(world_run(&world, &operation_update_task, &request));
    cr_assert_eq(world.err.reason, REASON_ETAG_MISMATCH);
    request.etag = "";
    request.mask = ROW_MASK(TASK_FIELD_workflow_id);
    cr_assert_not(world_run(&world, &operation_update_task, &request));
    cr_assert_eq(world.err.reason, REASON_MASK_INVALID);
    cr_assert(world_task_verb(&world, &operation_cancel_task, "t1"));
    request.mask = ROW_MASK(TASK_FIELD_priority);
    cr_assert_not(world_run(&world, &operation_update_task, &request));
    cr_assert_eq(world.err.reason, REASON_STATE_FORBIDS);
}

Test(task, list_pages_by_id_and_filters_by_state)
{
    struct list_request request = {.page_size = 2, .after = ""};

    for (int i = 0; i < 5; i++) {
        cr_assert(create(arena_printf(world.arena, "t%d", i), "", 0, 0));
    }
    cr_assert(world_task_verb(&world, &operation_cancel_task, "t1"));
    cr_assert(world_run(&world, &operation_list_tasks, &request));
    cr_assert_eq(world.step->view_count, 2);
    cr_assert_str_eq(world.step->views[1].task->id, "t1");
    request.after = arena_strdup(world.arena, world.step->next_page);
    request.state = TASK_PENDING;
    cr_assert(world_run(&world, &operation_list_tasks, &request));
    cr_assert_str_eq(world.step->views[0].task->id, "t2");
    cr_assert_str_eq(world.step->views[1].task->id, "t3");
    request.after = arena_strdup(world.arena, world.step->next_page);
    cr_assert(world_run(&world, &operation_list_tasks, &request));
    cr_assert_eq(world.step->view_count, 1);
    cr_assert_null(world.step->next_page);
    request.page_size = -1;
    cr_assert_not(world_run(&world, &operation_list_tasks, &request));
}

Test(task, answers_depend_on_the_batch_that_last_changed_what_they_show)
{
    struct get_request request = {.id = "t1"};
    int64_t batch = world.engines->open_batch;

    world_task(&world, "t1", "");
    world_task(&world, "t2", "");
    cr_assert(world_run(&world, &operation_get_task, &request));
    cr_assert_eq(world.step->depends_on_batch, batch);
    request.id = "none";
    cr_assert_not(world_run(&world, &operation_get_task, &request));
    cr_assert_eq(world.step->depends_on_batch, batch + 1, "it may have been deleted just now");
    cr_assert_not(world_run_in(&world, "elsewhere", &operation_get_task, &request));
    cr_assert_eq(world.err.reason, REASON_NOT_FOUND);
}
