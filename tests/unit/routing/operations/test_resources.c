#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "services/routing/domain/worker.h"
#include "tests/support/routing_invariants.h"
#include "tests/support/routing_world.h"

static struct world world;

static void begin(void)
{
    world_init(&world);
}

static void end(void)
{
    if (world.engine) {
        check_reload(&world);
    }
    world_deinit(&world);
}

TestSuite(resources, .init = begin, .fini = end);

static bool delete_one(const struct operation *operation, const char *id)
{
    struct delete_request request = {.id = id};

    return world_run(&world, operation, &request);
}

Test(resources, new_workspace_has_its_first_activities_and_channels)
{
    static const char *const channels[] = {"chat", "default", "sms", "video", "voice"};
    struct list_request request = {.after = ""};

    cr_assert(world_run(&world, &operation_list_activities, &request));
    cr_assert_eq(world.step->view_count, 3);
    cr_assert_str_eq(world.step->views[0].activity->id, "available");
    cr_assert(world.step->views[0].activity->available);
    cr_assert_not(world.step->views[1].activity->available);
    cr_assert(world_run(&world, &operation_list_task_channels, &request));
    cr_assert_eq(world.step->view_count, 5);
    for (size_t i = 0; i < 5; i++) {
        cr_assert_str_eq(world.step->views[i].task_channel->id, channels[i]);
    }
    cr_assert_str_eq(world.engine->row.default_activity_id, "offline");
    cr_assert_str_eq(world.engine->row.timeout_activity_id, "offline");
}

Test(resources, workspace_is_deleted_when_empty_and_its_events_go_on_in_a_new_one)
{
    struct workspace_row *row = row_new(ROW_WORKSPACE, world.arena);
    struct create_request create = {.id = "", .row = row};
    struct delete_request request = {.etag = ""};
    int64_t sequence = 0;

    row->display_name = arena_strdup(world.arena, "Acme");
    cr_assert_not(world_run(&world, &operation_create_workspace, &create));
    cr_assert_eq(world.err.reason, REASON_ALREADY_EXISTS);
    world_worker(&world, "ada", "");
    cr_assert_not(world_run(&world, &operation_delete_workspace, &request));
    cr_assert_eq(world.err.reason, REASON_RESOURCE_IN_USE);
    cr_assert(delete_one(&operation_delete_worker, "ada"));
    cr_assert(world_run(&world, &operation_delete_workspace, &request));
    cr_assert_null(world.engine);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        cr_assert_eq(
            world.store[kind].count, kind == ROW_PROGRESS ? 1 : 0, "%s", row_types[kind].name);
    }
    sequence = world.last_sequence;
    world_restart(&world);
    cr_assert(world_run(&world, &operation_create_workspace, &create));
    cr_assert_eq(world.step->events[0].sequence, sequence + 1);
}

Test(resources, workspace_takes_only_activities_that_exist)
{
    struct workspace_row *row = row_new(ROW_WORKSPACE, world.arena);
    struct update_request request = {
        .row = row, .mask = ROW_MASK(WORKSPACE_FIELD_timeout_activity_id)};

    row->timeout_activity_id = arena_strdup(world.arena, "none");
    cr_assert_not(world_run(&world, &operation_update_workspace, &request));
    cr_assert_str_eq(world.err.field, "workspace.timeout_activity");
    row->timeout_activity_id = arena_strdup(world.arena, "unavailable");
    cr_assert(world_run(&world, &operation_update_workspace, &request));
    cr_assert_not(delete_one(&operation_delete_activity, "unavailable"));
    cr_assert_eq(world.err.reason, REASON_ACTIVITY_IN_USE);
}

static bool create_activity(const char *id, const char *display_name)
{
    struct activity_row *row = row_new(ROW_ACTIVITY, world.arena);
    struct create_request request = {.id = id, .row = row};

    row->display_name = arena_strdup(world.arena, display_name);
    return world_run(&world, &operation_create_activity, &request);
}

Test(resources, activities_have_names_of_64_characters_and_there_are_100_at_most)
{
    char name[160] = "";

    for (size_t i = 0; i < 65; i++) {
        memcpy(name + 2 * i, "\xc3\xa4", 3);
    }
    cr_assert_not(create_activity("a", name));
    cr_assert_eq(world.err.reason, REASON_FIELD_TOO_LONG);
    name[128] = '\0';
    cr_assert(create_activity("a", name));
    cr_assert_not(create_activity("b", ""));
    cr_assert_eq(world.err.reason, REASON_FIELD_REQUIRED);
    for (int i = 4; i < 100; i++) {
        cr_assert(create_activity("", "more"));
    }
    cr_assert_not(create_activity("", "one too many"));
    cr_assert_eq(world.err.reason, REASON_LIMIT_REACHED);
    cr_assert_str_eq(world.err.metadata[1].value, "100");
}

Test(resources, activity_keeps_its_available_flag_and_cannot_go_while_it_is_used)
{
    struct update_request request = {
        .id = "available",
        .row = row_new(ROW_ACTIVITY, world.arena),
        .mask = ROW_MASK(ACTIVITY_FIELD_available),
    };

    cr_assert_not(world_run(&world, &operation_update_activity, &request));
    cr_assert_eq(world.err.reason, REASON_MASK_INVALID);
    world_worker(&world, "ada", "");
    cr_assert_not(delete_one(&operation_delete_activity, "available"));
    cr_assert_eq(world.err.reason, REASON_ACTIVITY_IN_USE);
    cr_assert(delete_one(&operation_delete_worker, "ada"));
    cr_assert(delete_one(&operation_delete_activity, "available"));
}

static bool create_worker(const char *id, const char *display_name)
{
    struct worker_row *row = row_new(ROW_WORKER, world.arena);
    struct create_request request = {.id = id, .row = row};

    row->display_name = arena_strdup(world.arena, display_name);
    return world_run(&world, &operation_create_worker, &request);
}

Test(resources, worker_names_differ_without_regard_to_case)
{
    struct worker_row *row = row_new(ROW_WORKER, world.arena);
    struct update_request request = {
        .id = "bob", .row = row, .mask = ROW_MASK(WORKER_FIELD_display_name)};

    cr_assert(create_worker("ada", "Ada"));
    cr_assert_not(create_worker("other", "ADA"));
    cr_assert_eq(world.err.reason, REASON_ALREADY_EXISTS);
    cr_assert_str_eq(world.err.field, "worker.display_name");
    cr_assert(create_worker("bob", "Bob"));
    row->display_name = arena_strdup(world.arena, "aDa");
    cr_assert_not(world_run(&world, &operation_update_worker, &request));
    row->display_name = arena_strdup(world.arena, "BOB");
    cr_assert(world_run(&world, &operation_update_worker, &request));
    cr_assert_eq(
        engine_find_worker_named(world.engine, "bob"), engine_find_worker(world.engine, "bob"));
}

Test(resources, worker_begins_in_the_default_activity_with_one_unit_of_each_channel)
{
    const struct view *view = NULL;

    cr_assert(create_worker("ada", "Ada"));
    view = &world.step->views[0];
    cr_assert_str_eq(view->worker->activity_id, "offline");
    cr_assert_str_eq(view->worker->attributes, "{}");
    cr_assert_not(view->worker_available);
    cr_assert_eq(view->channel_count, 5);
    cr_assert_eq(view->channels[0].capacity, 1);
    cr_assert(view->channels[0].available);
    cr_assert_eq(view->channels[0].available_capacity_percentage, 100);
}

Test(resources, worker_that_holds_a_reservation_cannot_be_deleted)
{
    world_worker(&world, "ada", "");
    world_task(&world, "t1", "");
    cr_assert_not(delete_one(&operation_delete_worker, "ada"));
    cr_assert_eq(world.err.reason, REASON_RESOURCE_IN_USE);
    cr_assert(world_task_verb(&world, &operation_cancel_task, "t1"));
    cr_assert(delete_one(&operation_delete_worker, "ada"));
    check_reload(&world);
    world_pass(&world, 300 * WORLD_SECOND);
    cr_assert_eq(world.store[ROW_RESERVATION].count, 0);
}

static bool create_channel(const char *id)
{
    struct task_channel_row *row = row_new(ROW_TASK_CHANNEL, world.arena);
    struct create_request request = {.id = id, .row = row};

    row->display_name = arena_strdup(world.arena, "Channel");
    return world_run(&world, &operation_create_task_channel, &request);
}

Test(resources, task_channels_have_ids_that_expressions_can_use)
{
    struct worker *ada = world_worker(&world, "ada", "");

    cr_assert_not(create_channel(""));
    cr_assert_eq(world.err.reason, REASON_FIELD_REQUIRED);
    cr_assert_not(create_channel("e-mail"));
    cr_assert_not(create_channel("2nd"));
    cr_assert_not(create_channel("voice"));
    cr_assert_eq(world.err.reason, REASON_ALREADY_EXISTS);
    cr_assert(create_channel("email_2"));
    cr_assert(worker_channel_of(ada, engine_find_task_channel(world.engine, "email_2"))->open);
    cr_assert(delete_one(&operation_delete_task_channel, "email_2"));
    world_task(&world, "t1", "");
    cr_assert_not(delete_one(&operation_delete_task_channel, "default"));
    cr_assert_eq(world.err.reason, REASON_RESOURCE_IN_USE);
}

Test(resources, queue_is_everyones_unless_it_says_otherwise_and_nobodys_when_empty)
{
    struct task_queue_row *row = row_new(ROW_TASK_QUEUE, world.arena);
    struct create_request request = {.id = "q", .row = row};

    world_worker(&world, "ada", "");
    row->display_name = arena_strdup(world.arena, "Q");
    cr_assert(world_run(&world, &operation_create_task_queue, &request));
    cr_assert_str_eq(world.step->views[0].task_queue->target_workers, "1==1");
    cr_assert_eq(world.step->views[0].worker_count, 1);
    request.id = "empty";
    request.given = ROW_MASK(TASK_QUEUE_FIELD_target_workers);
    cr_assert(world_run(&world, &operation_create_task_queue, &request));
    cr_assert_eq(world.step->views[0].worker_count, 0);
    request.id = "bad";
    row->target_workers = arena_strdup(world.arena, "a ==");
    cr_assert_not(world_run(&world, &operation_create_task_queue, &request));
    cr_assert_eq(world.err.reason, REASON_EXPRESSION_INVALID);
    cr_assert_str_eq(world.err.field, "task_queue.target_workers");
}

Test(resources, queue_with_a_task_in_it_cannot_be_deleted)
{
    world_queue(&world, "spare", "1==1");
    cr_assert(delete_one(&operation_delete_task_queue, "spare"));
    cr_assert_not(delete_one(&operation_delete_task_queue, "everyone"));
    cr_assert_eq(world.err.reason, REASON_RESOURCE_IN_USE);
}

static bool create_trunk(const char *workspace, const char *id, const char *addresses)
{
    struct trunk_row *row = row_new(ROW_TRUNK, world.arena);
    struct create_request request = {.id = id, .row = row};

    row->display_name = arena_strdup(world.arena, id);
    row->source_addresses = arena_strdup(world.arena, addresses);
    return world_run_in(&world, workspace, &operation_create_trunk, &request);
}

Test(resources, trunks_do_not_overlap_in_any_workspace)
{
    struct workspace_row *row = row_new(ROW_WORKSPACE, world.arena);
    struct create_request create = {.id = "", .row = row};

    row->display_name = arena_strdup(world.arena, "Other");
    cr_assert(world_run_in(&world, "other", &operation_create_workspace, &create));
    cr_assert(create_trunk("acme", "a", "192.0.2.0/24  2001:DB8:0::1"));
    cr_assert_str_eq(world.step->views[0].trunk->source_addresses, "192.0.2.0/24 2001:db8::1");
    cr_assert_eq(world.step->effects[0].kind, EFFECT_TELEPHONY_CHANGED);
    cr_assert_not(create_trunk("other", "b", "192.0.2.7:5060"));
    cr_assert_eq(world.err.reason, REASON_TRUNK_OVERLAPS);
    cr_assert_null(strstr(world.err.message, "acme"), "the other tenant is not named");
    cr_assert(create_trunk("other", "b", "192.0.3.7:5060"));
    cr_assert(create_trunk("acme", "c", "192.0.3.7:5070"));
    cr_assert_not(create_trunk("acme", "d", "192.0.3.7"));
    cr_assert_not(create_trunk("acme", "d", ""));
    cr_assert_eq(world.err.reason, REASON_FIELD_REQUIRED);
    cr_assert_not(create_trunk("acme", "d", "example.com"));
    cr_assert_eq(world.err.reason, REASON_FIELD_INVALID);
    cr_assert(world_run(&world, &operation_list_telephony, NULL));
    cr_assert_eq(world.step->view_count, 3);
}

static bool create_route(const char *id, const char *number, const char *trunk_id)
{
    struct inbound_route_row *row = row_new(ROW_INBOUND_ROUTE, world.arena);
    struct create_request request = {.id = id, .row = row};

    row->display_name = arena_strdup(world.arena, id);
    row->called_number = arena_strdup(world.arena, number);
    row->trunk_id = arena_strdup(world.arena, trunk_id);
    row->workflow_id = arena_strdup(world.arena, "main");
    return world_run(&world, &operation_create_inbound_route, &request);
}

Test(resources, inbound_routes_name_what_exists_and_keep_it_from_being_deleted)
{
    struct inbound_route_row *row = row_new(ROW_INBOUND_ROUTE, world.arena);
    struct update_request request = {
        .id = "r", .row = row, .mask = ROW_MASK(INBOUND_ROUTE_FIELD_trunk_id)};

    cr_assert(create_trunk("acme", "line", "192.0.2.1"));
    cr_assert_not(create_route("r", "+49*30", "line"));
    cr_assert_not(create_route("r", "+4930*", "none"));
    cr_assert_str_eq(world.err.field, "inbound_route.trunk");
    cr_assert(create_route("r", "+4930*", "line"));
    cr_assert_eq(world.step->views[0].inbound_route->answer, ROUTE_ANSWER_AFTER_TASK);
    cr_assert_not(create_route("twin", "+4930*", "line"));
    cr_assert_eq(world.err.reason, REASON_ALREADY_EXISTS);
    cr_assert_not(delete_one(&operation_delete_trunk, "line"));
    cr_assert_not(delete_one(&operation_delete_workflow, "main"));
    cr_assert(world_run(&world, &operation_update_inbound_route, &request));
    cr_assert_str_eq(world.step->views[0].inbound_route->called_number, "+4930*");
    cr_assert_str_eq(world.step->views[0].inbound_route->trunk_id, "");
    cr_assert(delete_one(&operation_delete_trunk, "line"));
    cr_assert(delete_one(&operation_delete_inbound_route, "r"));
    cr_assert(delete_one(&operation_delete_workflow, "main"));
}

Test(resources, of_every_kind_are_found_listed_and_missed)
{
    static const struct operation *const gets[] = {
        &operation_get_activity,   &operation_get_task_channel,  &operation_get_worker,
        &operation_get_task_queue, &operation_get_workflow,      &operation_get_task,
        &operation_get_trunk,      &operation_get_inbound_route, &operation_get_reservation,
    };
    struct get_request request = {.id = "none"};
    struct list_request list = {.after = ""};

    for (size_t i = 0; i < sizeof(gets) / sizeof(gets[0]); i++) {
        cr_assert_not(world_run(&world, gets[i], &request));
        cr_assert_eq(world.err.reason, REASON_NOT_FOUND, "%s", gets[i]->name);
    }
    cr_assert(world_run(&world, &operation_list_workspaces, &list));
    cr_assert_eq(world.step->view_count, 1);
    cr_assert(world_run(&world, &operation_get_workspace, &request));
    cr_assert_str_eq(world.step->views[0].workspace->workspace_id, "acme");
}
