#include <criterion/criterion.h>
#include <string.h>

#include "common/base/arena.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/task.h"
#include "tests/support/routing_invariants.h"
#include "tests/support/routing_world.h"

#define CONTACT "{\"contact_uri\":\"sip:ada@192.0.2.7\"}"

static struct world world;

static void begin(void)
{
    world_init(&world);
    world_telephony(&world, false);
}

static void end(void)
{
    check_reload(&world);
    world_deinit(&world);
}

TestSuite(calls, .init = begin, .fini = end);

static const char *offer_id(const struct task *task)
{
    const struct reservation *offer = task_live_reservation(task);

    return offer ? arena_strdup(world.arena, offer->row.id) : "none";
}

static int state_of(const char *reservation_id)
{
    return engine_find_reservation(world.engine, reservation_id)->row.state;
}

/* A call "c1" whose worker "ada" is being dialled. */
static struct task *dial(void)
{
    struct task *task = NULL;

    world_worker(&world, "ada", CONTACT);
    task = world_call(&world, "c1");
    cr_assert(world_accept(&world, task_live_reservation(task)));
    world_events(&world);
    return task;
}

/* The same, talking. */
static struct task *talk(void)
{
    struct task *task = dial();

    cr_assert(world_report(&world, "c1", REPORT_WORKER_RINGING, offer_id(task), ""));
    cr_assert(world_report(&world, "c1", REPORT_WORKER_JOINED, offer_id(task), ""));
    return task;
}

Test(calls, become_tasks_with_the_attributes_of_call_and_route)
{
    const struct task *task = world_call(&world, "c1");
    const struct instruction_row *told = world_instruction(&world, INSTRUCTION_CALL_ENQUEUED);

    cr_assert_eq(task->row.state, TASK_PENDING);
    cr_assert_str_eq(task->row.task_channel_id, "voice");
    cr_assert_eq(task->row.priority, 3);
    cr_assert(task->row.call_live);
    cr_assert_str_eq(
        task->row.attributes,
        "{\"called_number\":\"+49301234\",\"caller_number\":\"+49891\",\"trunk\":\"line\","
        "\"inbound_route\":\"in\",\"sip_call_id\":\"abc@example\",\"language\":\"de\"}");
    cr_assert_str_eq(told->task_id, task->row.id);
    cr_assert_str_eq(told->call_id, "c1");
    cr_assert_eq(told->number, 1);
    cr_assert_eq(world.step->effects[1].kind, EFFECT_REPORT_ACK);
    cr_assert_eq(world.step->effects[1].report_number, 1);
    cr_assert_str_eq(
        world_events(&world), "task.created call.received workflow.entered workflow.target-matched "
                              "task-queue.entered");
}

Test(calls, are_made_once_however_often_they_are_reported)
{
    struct bridge_report_request report = {
        .bridge_id = "bridge",
        .number = 1,
        .call_id = "c1",
        .kind = REPORT_ENQUEUE_CALL,
        .inbound_route_id = "in",
    };

    cr_assert(world_run(&world, &operation_bridge_report, &report));
    cr_assert(world_run(&world, &operation_bridge_report, &report));
    cr_assert_eq(world.engine->counts[ROW_TASK], 1);
    cr_assert_eq(world.step->change_count, 0, "a repeated report changes nothing");
    cr_assert_eq(world.step->effects[0].report_number, 1, "but is acknowledged again");
    report.number = 2;
    cr_assert(world_run(&world, &operation_bridge_report, &report));
    cr_assert_eq(world.engine->counts[ROW_TASK], 1);
}

Test(calls, without_a_route_are_refused_by_an_instruction)
{
    struct bridge_report_request report = {
        .bridge_id = "bridge",
        .number = 1,
        .call_id = "c1",
        .kind = REPORT_ENQUEUE_CALL,
        .inbound_route_id = "gone",
    };

    cr_assert(world_run(&world, &operation_bridge_report, &report));
    cr_assert_eq(world.engine->counts[ROW_TASK], 0);
    cr_assert_str_eq(
        world_instruction(&world, INSTRUCTION_RELEASE_CALL)->reason, "enqueue_refused");
}

Test(calls, are_answered_by_dialling_the_worker_and_accepted_when_both_talk)
{
    struct task *task = NULL;
    const char *id = NULL;
    const struct instruction_row *dialled = NULL;

    world_worker(&world, "ada", CONTACT);
    task = world_call(&world, "c1");
    id = offer_id(task);
    cr_assert(world_accept(&world, task_live_reservation(task)));
    dialled = world_instruction(&world, INSTRUCTION_DIAL_WORKER);
    cr_assert_str_eq(dialled->contact_uri, "sip:ada@192.0.2.7");
    cr_assert_str_eq(dialled->reservation_id, id);
    cr_assert_eq(dialled->ring_timeout_us, RING_TIMEOUT_US);
    cr_assert_eq(state_of(id), RESERVATION_PENDING);
    cr_assert_eq(task_live_reservation(task)->row.setup_state, SETUP_DIALING);
    cr_assert_not(world_accept(&world, task_live_reservation(task)), "twice");
    world_events(&world);
    cr_assert(world_report(&world, "c1", REPORT_WORKER_RINGING, id, ""));
    cr_assert_eq(task_live_reservation(task)->row.setup_state, SETUP_RINGING);
    cr_assert(world_report(&world, "c1", REPORT_WORKER_JOINED, id, ""));
    cr_assert_eq(state_of(id), RESERVATION_ACCEPTED);
    cr_assert_eq(task->row.state, TASK_ASSIGNED);
    cr_assert_str_eq(
        world_events(&world), "call.ringing conference.started conference.participant-joined "
                              "conference.participant-joined reservation.accepted");
    world_pass(&world, 2 * TASK_ASSIGNED_MAX_US);
    cr_assert_eq(task->row.state, TASK_ASSIGNED, "a talk ends with its leg, not by the clock");
}

Test(calls, cannot_be_accepted_by_a_worker_without_a_contact)
{
    struct task *task = NULL;

    world_worker(&world, "ada", "");
    task = world_call(&world, "c1");
    cr_assert_not(world_accept(&world, task_live_reservation(task)));
    cr_assert_eq(world.err.reason, REASON_CONTACT_MISSING);
    cr_assert_eq(task->row.state, TASK_RESERVED);
}

Test(calls, cancel_their_task_and_release_the_ringing_worker_when_the_caller_hangs_up)
{
    struct task *task = dial();
    const char *id = offer_id(task);

    cr_assert(world_report(&world, "c1", REPORT_CALL_ENDED, "", "hang_up"));
    cr_assert_eq(task->row.state, TASK_CANCELED);
    cr_assert_str_eq(task->row.reason, "caller_gone");
    cr_assert_not(task->row.call_live);
    cr_assert_eq(state_of(id), RESERVATION_CANCELED);
    cr_assert_str_eq(world_instruction(&world, INSTRUCTION_RELEASE_WORKER)->reservation_id, id);
    cr_assert_null(world_instruction(&world, INSTRUCTION_RELEASE_CALL));
    cr_assert_str_eq(world_events(&world), "call.ended reservation.canceled task.canceled");
    cr_assert(world_report(&world, "c1", REPORT_WORKER_JOINED, id, ""), "too late");
    cr_assert_eq(task->row.state, TASK_CANCELED);
}

Test(calls, are_wrapped_up_when_the_caller_hangs_up_in_talk)
{
    struct task *task = talk();

    world_events(&world);
    cr_assert(world_report(&world, "c1", REPORT_CALL_ENDED, "", "hang_up"));
    cr_assert_eq(task->row.state, TASK_WRAPPING);
    cr_assert_str_eq(
        world_events(&world),
        "conference.participant-left conference.ended call.ended reservation.wrapup "
        "task.wrapup");
    cr_assert(world_report(&world, "c1", REPORT_WORKER_LEFT, offer_id(task), "released"));
    cr_assert_str_eq(world_events(&world), "");
}

Test(calls, are_wrapped_up_and_released_when_the_worker_leaves)
{
    struct task *task = talk();

    cr_assert(world_report(&world, "c1", REPORT_WORKER_LEFT, offer_id(task), "hang_up"));
    cr_assert_eq(task->row.state, TASK_WRAPPING);
    cr_assert_str_eq(world_instruction(&world, INSTRUCTION_RELEASE_CALL)->call_id, "c1");
    cr_assert(world_report(&world, "c1", REPORT_CALL_ENDED, "", "released"));
    cr_assert_eq(task->row.state, TASK_WRAPPING);
    cr_assert(world_task_verb(&world, &operation_complete_task, task->row.id));
}

Test(calls, go_to_the_next_worker_when_a_phone_is_not_answered)
{
    static const char *const causes[] = {"busy", "no_answer", "unreachable", "failed"};
    struct task *task = dial();

    world_worker(&world, "bob", CONTACT);
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        const char *id = offer_id(task);

        cr_assert(world_report(&world, "c1", REPORT_WORKER_FAILED, id, causes[i]));
        cr_assert_eq(state_of(id), RESERVATION_CANCELED);
        cr_assert_str_eq(engine_find_reservation(world.engine, id)->row.reason, causes[i]);
        cr_assert_null(world_instruction(&world, INSTRUCTION_RELEASE_WORKER));
        world_pass(&world, RETRY_DELAY_MAX_US);
        cr_assert_str_neq(offer_id(task), id);
        cr_assert(world_accept(&world, task_live_reservation(task)));
    }
}

Test(calls, declined_at_the_phone_are_rejected)
{
    struct task *task = dial();
    const char *id = offer_id(task);

    cr_assert(world_report(&world, "c1", REPORT_WORKER_FAILED, id, "declined"));
    cr_assert_eq(state_of(id), RESERVATION_REJECTED);
    cr_assert_eq(task->row.state, TASK_PENDING, "not the same worker again at once");
}

Test(calls, give_up_dialling_when_the_bridge_says_nothing)
{
    struct task *task = dial();
    const char *id = offer_id(task);

    world_pass(&world, RING_TIMEOUT_US + SETUP_MARGIN_US - 1);
    cr_assert_eq(state_of(id), RESERVATION_PENDING);
    world_pass(&world, 1);
    cr_assert_eq(state_of(id), RESERVATION_CANCELED);
    cr_assert_str_eq(world_instruction(&world, INSTRUCTION_RELEASE_WORKER)->reservation_id, id);
    cr_assert_eq(task->row.state, TASK_PENDING);
}

Test(calls, whose_worker_found_the_caller_gone_are_over)
{
    struct task *task = dial();

    cr_assert(world_report(&world, "c1", REPORT_WORKER_FAILED, offer_id(task), "caller_gone"));
    cr_assert_eq(task->row.state, TASK_CANCELED);
    cr_assert_str_eq(task->row.reason, "caller_gone");
}

Test(calls, are_released_when_their_task_dies)
{
    static const struct operation *const verbs[] = {
        &operation_cancel_task, &operation_complete_task, &operation_delete_task};
    static const char *const reasons[] = {"task_canceled", "task_completed", "task_deleted"};

    for (size_t i = 0; i < 3; i++) {
        const char *call = arena_printf(world.arena, "d%zu", i);
        const struct task *task = NULL;
        struct delete_request request = {.id = NULL};

        if (i == 1) {
            task = talk();
            call = "c1";
        } else {
            task = world_call(&world, call);
        }
        request.id = arena_strdup(world.arena, task->row.id);
        if (i == 2) {
            cr_assert(world_run(&world, verbs[i], &request));
        } else {
            cr_assert(world_task_verb(&world, verbs[i], request.id));
        }
        cr_assert_str_eq(world_instruction(&world, INSTRUCTION_RELEASE_CALL)->reason, reasons[i]);
        cr_assert_str_eq(world_instruction(&world, INSTRUCTION_RELEASE_CALL)->call_id, call);
    }
}

Test(calls, rejected_while_the_phone_rings_stop_the_ringing)
{
    struct task *task = dial();
    const char *id = offer_id(task);

    cr_assert(world_reject(&world, task_live_reservation(task)));
    cr_assert_str_eq(world_instruction(&world, INSTRUCTION_RELEASE_WORKER)->reservation_id, id);
    cr_assert_eq(state_of(id), RESERVATION_REJECTED);
}

Test(calls, have_no_time_to_live_while_the_caller_waits)
{
    const struct task *task = world_call(&world, "c1");

    world_pass(&world, 2 * TASK_TTL_DEFAULT_US);
    cr_assert_eq(task->row.state, TASK_PENDING);
}

Test(calls, of_a_workflow_that_accepts_by_itself_are_dialled_in_the_step_that_offers_them)
{
    struct workflow_row *row = row_new(ROW_WORKFLOW, world.arena);
    struct update_request request = {
        .id = "main", .row = row, .mask = ROW_MASK(WORKFLOW_FIELD_default_instruction)};
    const struct task *task = NULL;

    row->default_instruction = DEFAULT_INSTRUCTION_ACCEPT;
    cr_assert(world_run(&world, &operation_update_workflow, &request));
    world_worker(&world, "silent", "");
    world_worker(&world, "zoe", CONTACT);
    task = world_call(&world, "c1");
    cr_assert_str_eq(world_instruction(&world, INSTRUCTION_DIAL_WORKER)->worker_id, "zoe");
    cr_assert_str_eq(
        TAILQ_FIRST(&task->reservations)->row.reason, "contact_missing",
        "who cannot be dialled is passed over");
}

static void attach(const char *incarnation, const struct bridge_call *calls, size_t count)
{
    struct attach_bridge_request request = {
        .bridge_id = "bridge",
        .incarnation = incarnation,
        .calls = calls,
        .call_count = count,
    };

    cr_assert(world_run(&world, &operation_attach_bridge, &request));
}

Test(calls, of_a_bridge_that_started_anew_are_gone)
{
    struct bridge_call call = {.call_id = "c1", .reservation_id = ""};
    struct task *talking = talk();
    struct task *waiting = NULL;

    attach("first", &call, 1);
    cr_assert_eq(talking->row.state, TASK_ASSIGNED, "its first incarnation that is known");
    waiting = world_call(&world, "c2");
    attach("second", NULL, 0);
    cr_assert_eq(talking->row.state, TASK_WRAPPING);
    cr_assert_eq(waiting->row.state, TASK_CANCELED);
    cr_assert_str_eq(waiting->row.reason, "bridge_lost");
    cr_assert_eq(world.step->effects[0].kind, EFFECT_REPORT_ACK);
    cr_assert_eq(world.step->effects[0].report_number, 4);
}

Test(calls, that_a_returning_bridge_no_longer_holds_are_over_and_the_others_go_on)
{
    struct bridge_call calls[2] = {
        {.call_id = "c2", .reservation_id = ""}
    };
    struct task *gone = NULL;
    struct task *kept = NULL;

    attach("first", calls, 1);
    gone = world_call(&world, "c1");
    kept = world_call(&world, "c2");
    calls[0].task_id = kept->row.id;
    calls[0].reservation_id = "old-reservation";
    calls[1] = (struct bridge_call){.call_id = "c9", .task_id = "old-task", .reservation_id = ""};
    attach("first", calls, 2);
    cr_assert_eq(gone->row.state, TASK_CANCELED);
    cr_assert_eq(kept->row.state, TASK_PENDING);
    cr_assert_str_eq(
        world_instruction(&world, INSTRUCTION_RELEASE_CALL)->call_id, "c9",
        "a call whose task is gone is released");
    cr_assert_str_eq(
        world_instruction(&world, INSTRUCTION_RELEASE_WORKER)->reservation_id, "old-reservation");
    cr_assert_str_eq(
        world_instruction(&world, INSTRUCTION_CALL_ENQUEUED)->call_id, "c1",
        "what was not acknowledged comes again");
}

Test(calls, instructions_are_kept_until_they_are_acknowledged)
{
    struct ack_instructions_request request = {.bridge_id = "bridge", .number = 1};

    world_call(&world, "c1");
    world_call(&world, "c2");
    cr_assert_eq(world.store[ROW_INSTRUCTION].count, 2);
    cr_assert(world_run(&world, &operation_ack_instructions, &request));
    cr_assert_eq(world.store[ROW_INSTRUCTION].count, 1);
    world_restart(&world);
    attach("", NULL, 0);
    cr_assert_eq(world_instruction(&world, INSTRUCTION_CALL_ENQUEUED)->number, 2);
}

Test(calls, of_a_lost_bridge_are_canceled_or_wrapped_up)
{
    struct task *talking = talk();
    struct task *waiting = world_call(&world, "c2");
    struct lose_bridge_request request = {.bridge_id = "bridge"};

    cr_assert(world_run(&world, &operation_lose_bridge, &request));
    cr_assert_eq(talking->row.state, TASK_WRAPPING);
    cr_assert_str_eq(talking->row.reason, "bridge_lost");
    cr_assert_eq(waiting->row.state, TASK_CANCELED);
    cr_assert_eq(world.store[ROW_INSTRUCTION].count, 0);
}

Test(calls, wait_one_lease_for_their_bridge_after_a_restart)
{
    struct resume_request resume = {.gap_us = 0};
    const char *id = NULL;

    id = arena_strdup(world.arena, world_call(&world, "c1")->row.id);
    world_restart(&world);
    cr_assert(world_run(&world, &operation_resume_workspace, &resume));
    world_pass(&world, BRIDGE_LEASE_US - 1);
    cr_assert_eq(world_find_task(&world, id)->row.state, TASK_PENDING);
    world_pass(&world, 1);
    cr_assert_eq(world_find_task(&world, id)->row.state, TASK_CANCELED);
    cr_assert_str_eq(world_find_task(&world, id)->row.reason, "bridge_lost");
}

Test(calls, go_on_after_an_outage_when_their_bridge_was_there_all_the_time)
{
    struct resume_request resume = {.gap_us = 20 * WORLD_SECOND};
    const struct task *task = world_call(&world, "c1");

    world.now_us += resume.gap_us;
    cr_assert(world_run(&world, &operation_resume_workspace, &resume));
    world_pass(&world, 10 * BRIDGE_LEASE_US);
    cr_assert_eq(task->row.state, TASK_PENDING);
}

Test(calls, resumed_after_an_outage_give_offers_the_time_they_missed)
{
    struct resume_request resume = {.gap_us = 100 * WORLD_SECOND};
    int64_t expire_time_us = 0;

    world_worker(&world, "ada", CONTACT);
    world_task(&world, "t1", "");
    expire_time_us = world_offer(&world, "t1")->row.expire_time_us;
    world.now_us += 100 * WORLD_SECOND;
    world_restart(&world);
    cr_assert(world_run(&world, &operation_resume_workspace, &resume));
    cr_assert_eq(
        world_offer(&world, "t1")->row.expire_time_us, expire_time_us + 100 * WORLD_SECOND);
    world_run_due(&world);
    cr_assert_eq(world_find_task(&world, "t1")->row.state, TASK_RESERVED);
    cr_assert_not_null(strstr(world_events(&world), "workspace.resumed"));
}
