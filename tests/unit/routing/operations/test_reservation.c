#include <criterion/criterion.h>
#include <string.h>

#include "common/base/arena.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/reservation.h"
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

TestSuite(reservation, .init = begin, .fini = end);

Test(reservation, becomes_only_what_the_written_table_of_states_allows)
{
    static const bool allowed[RESERVATION_STATE_COUNT][RESERVATION_STATE_COUNT] = {
        [RESERVATION_PENDING] =
            {[RESERVATION_ACCEPTED] = true,
                                   [RESERVATION_REJECTED] = true,
                                   [RESERVATION_TIMED_OUT] = true,
                                   [RESERVATION_CANCELED] = true,
                                   [RESERVATION_RESCINDED] = true},
        [RESERVATION_ACCEPTED] = {[RESERVATION_WRAPPING] = true, [RESERVATION_COMPLETED] = true},
        [RESERVATION_WRAPPING] = {[RESERVATION_COMPLETED] = true},
    };

    for (int from = RESERVATION_PENDING; from < RESERVATION_STATE_COUNT; from++) {
        for (int to = RESERVATION_PENDING; to < RESERVATION_STATE_COUNT; to++) {
            cr_assert_eq(
                reservation_state_can_become(
                    (enum reservation_state)from, (enum reservation_state)to),
                allowed[from][to], "%s to %s", reservation_state_name((enum reservation_state)from),
                reservation_state_name((enum reservation_state)to));
        }
    }
}

static const struct operation *const verbs[] = {
    &operation_accept_reservation,
    &operation_reject_reservation,
    &operation_wrap_up_reservation,
    &operation_complete_reservation,
};

/* The id of a reservation of that state. */
static const char *bring_to(enum reservation_state state, int serial)
{
    const char *task = arena_printf(world.arena, "t%d", serial);
    const char *id = NULL;
    struct reservation *offer = NULL;

    world_worker(&world, arena_printf(world.arena, "w%d", serial), "");
    world_task(&world, task, "");
    offer = world_offer(&world, task);
    id = arena_strdup(world.arena, offer->row.id);
    if (state == RESERVATION_REJECTED) {
        cr_assert(world_set_activity(&world, offer->row.worker_id, "offline"));
        cr_assert(world_reject(&world, offer));
    } else if (state == RESERVATION_TIMED_OUT) {
        world_pass(&world, RESERVATION_TIMEOUT_DEFAULT_US);
    } else if (state == RESERVATION_CANCELED) {
        cr_assert(world_task_verb(&world, &operation_cancel_task, task));
    } else if (state != RESERVATION_PENDING) {
        cr_assert(world_accept(&world, offer));
    }
    if (state == RESERVATION_WRAPPING) {
        cr_assert(world_task_verb(&world, &operation_wrap_up_task, task));
    } else if (state == RESERVATION_COMPLETED) {
        cr_assert(world_task_verb(&world, &operation_complete_task, task));
    }
    cr_assert_eq(engine_find_reservation(world.engine, id)->row.state, (int32_t)state);
    return id;
}

/* Nothing that is left may be offered to the next one. */
static void clear(const char *id)
{
    const struct reservation *reservation = engine_find_reservation(world.engine, id);
    struct delete_request request = {.id = arena_strdup(world.arena, reservation->row.task_id)};
    const char *worker_id = arena_strdup(world.arena, reservation->row.worker_id);

    cr_assert(world_run(&world, &operation_delete_task, &request));
    cr_assert(world_set_activity(&world, worker_id, "offline"));
}

Test(reservation, may_do_in_each_state_what_the_written_table_says)
{
    /* By state and verb: the state after it; 0 where it is refused. Rescinded ones do not come up
     * while a task is offered to one worker at a time. */
    static const enum reservation_state expected[RESERVATION_STATE_COUNT][4] = {
        [RESERVATION_PENDING] = {RESERVATION_ACCEPTED, RESERVATION_REJECTED, 0,                    0                    },
        [RESERVATION_ACCEPTED] = {0,                    0,                    RESERVATION_WRAPPING, RESERVATION_COMPLETED},
        [RESERVATION_WRAPPING] = {0,                    0,                    0,                    RESERVATION_COMPLETED},
    };
    int serial = 0;

    for (int state = RESERVATION_PENDING; state < RESERVATION_STATE_COUNT; state++) {
        for (size_t verb = 0; verb < 4 && state != RESERVATION_RESCINDED; verb++) {
            bool allowed = expected[state][verb] != 0;
            const char *id = bring_to((enum reservation_state)state, serial++);
            struct reservation_verb_request request = {.id = id};

            cr_assert_eq(
                world_run(&world, verbs[verb], &request), allowed, "%s when %s", verbs[verb]->name,
                reservation_state_name((enum reservation_state)state));
            cr_assert_eq(
                engine_find_reservation(world.engine, id)->row.state,
                allowed ? (int)expected[state][verb] : state);
            clear(id);
        }
    }
}

Test(reservation, times_out_and_moves_its_worker_to_the_timeout_activity)
{
    world_worker(&world, "ada", "");
    world_task(&world, "t1", "");
    world_events(&world);
    world_pass(&world, RESERVATION_TIMEOUT_DEFAULT_US - 1);
    cr_assert_str_eq(world_events(&world), "");
    world_pass(&world, 1);
    cr_assert_str_eq(world_events(&world), "worker.activity.update reservation.timeout");
    cr_assert_eq(world_find_task(&world, "t1")->row.state, TASK_PENDING);
    cr_assert_str_eq(engine_find_worker(world.engine, "ada")->row.activity_id, "offline");
}

Test(reservation, cannot_be_accepted_at_its_deadline)
{
    struct reservation *offer = NULL;

    world_worker(&world, "ada", "");
    world_task(&world, "t1", "");
    offer = world_offer(&world, "t1");
    world.now_us = offer->row.expire_time_us;
    cr_assert_not(world_accept(&world, offer));
    cr_assert_eq(world.err.reason, REASON_RESERVATION_EXPIRED);
    cr_assert_eq(world_find_task(&world, "t1")->row.state, TASK_RESERVED);
    world_run_due(&world);
    cr_assert_eq(world_find_task(&world, "t1")->row.state, TASK_PENDING);
}

Test(reservation, rejected_goes_to_another_worker_at_once_and_to_the_same_one_later)
{
    world_worker(&world, "ada", "");
    world_worker(&world, "bob", "");
    world_task(&world, "t1", "");
    cr_assert_str_eq(world_offer(&world, "t1")->row.worker_id, "ada");
    cr_assert(world_reject(&world, world_offer(&world, "t1")));
    cr_assert_str_eq(world_offer(&world, "t1")->row.worker_id, "bob");
    cr_assert(world_reject(&world, world_offer(&world, "t1")));
    cr_assert_null(world_offer(&world, "t1"), "both have just said no");
    world_pass(&world, RETRY_DELAY_US);
    cr_assert_str_eq(world_offer(&world, "t1")->row.worker_id, "ada");
    cr_assert(world_reject(&world, world_offer(&world, "t1")));
    cr_assert_str_eq(world_offer(&world, "t1")->row.worker_id, "bob");
}

Test(reservation, rejected_again_and_again_comes_back_more_slowly_each_time)
{
    int64_t before_us = 0;

    world_worker(&world, "ada", "");
    world_task(&world, "t1", "");
    cr_assert(world_reject(&world, world_offer(&world, "t1")));
    for (int64_t delay_us = RETRY_DELAY_US; delay_us <= RETRY_DELAY_MAX_US; delay_us *= 2) {
        before_us = delay_us - 1;
        world_pass(&world, before_us);
        cr_assert_null(world_offer(&world, "t1"));
        world_pass(&world, 1);
        cr_assert_not_null(world_offer(&world, "t1"));
        cr_assert(world_reject(&world, world_offer(&world, "t1")));
    }
}

Test(reservation, rejected_with_an_activity_moves_the_worker)
{
    struct reservation_verb_request request = {.activity_id = "unavailable"};

    world_worker(&world, "ada", "");
    world_task(&world, "t1", "");
    request.id = arena_strdup(world.arena, world_offer(&world, "t1")->row.id);
    request.activity_id = "nowhere";
    cr_assert_not(world_run(&world, &operation_reject_reservation, &request));
    cr_assert_str_eq(world.err.field, "activity");
    request.activity_id = "unavailable";
    cr_assert(world_run(&world, &operation_reject_reservation, &request));
    cr_assert_str_eq(engine_find_worker(world.engine, "ada")->row.activity_id, "unavailable");
}

Test(reservation, thousand_attempts_end_the_task)
{
    struct task *task = NULL;

    world_worker(&world, "ada", "");
    task = world_task(&world, "t1", "");
    task->row.assignment_count = ASSIGNMENT_COUNT_MAX - 1; /* as if there had been so many */
    cr_assert(world_reject(&world, world_offer(&world, "t1")));
    world_pass(&world, RETRY_DELAY_US);
    cr_assert_eq(task->row.assignment_count, ASSIGNMENT_COUNT_MAX);
    cr_assert(world_reject(&world, world_offer(&world, "t1")));
    cr_assert_eq(task->row.state, TASK_CANCELED);
    cr_assert_str_eq(task->row.reason, "assignment_count_exceeded");
}

Test(reservation, belongs_to_one_task_and_one_worker)
{
    struct reservation_verb_request request = {.worker_id = "bob"};
    struct get_request get = {.task_id = "t2"};
    struct list_request list = {.task_id = "t1"};

    world_worker(&world, "ada", "");
    world_task(&world, "t1", "");
    world_task(&world, "t2", "");
    request.id = arena_strdup(world.arena, world_offer(&world, "t1")->row.id);
    get.id = request.id;
    cr_assert_not(world_run(&world, &operation_accept_reservation, &request));
    cr_assert_eq(world.err.reason, REASON_NOT_FOUND);
    cr_assert_not(world_run(&world, &operation_get_reservation, &get));
    get.task_id = "t1";
    cr_assert(world_run(&world, &operation_get_reservation, &get));
    cr_assert(world_run(&world, &operation_list_reservations, &list));
    cr_assert_eq(world.step->view_count, 1);
    list.task_id = "";
    list.worker_id = "ada";
    cr_assert(world_run(&world, &operation_list_reservations, &list));
    cr_assert_eq(world.step->view_count, 1);
}

Test(reservation, of_a_workflow_that_accepts_by_itself_is_accepted_in_the_same_step)
{
    world_telephony(&world, true);
    world_worker(&world, "ada", "");
    world_events(&world);
    world_task(&world, "t1", "");
    cr_assert_eq(world_find_task(&world, "t1")->row.state, TASK_ASSIGNED);
    cr_assert_eq(world_offer(&world, "t1")->row.state, RESERVATION_ACCEPTED);
    cr_assert_str_eq(
        world_events(&world),
        "task.created workflow.entered workflow.target-matched task-queue.entered "
        "reservation.created reservation.accepted");
}

Test(reservation, snapshot_shows_the_worker_its_activities_offers_and_tasks)
{
    struct snapshot_request request = {.worker_id = "ada"};

    world_worker(&world, "ada", "");
    world_task(&world, "t1", "");
    cr_assert(world_run(&world, &operation_get_worker_snapshot, &request));
    cr_assert_eq(world.step->view_count, 6);
    cr_assert_eq(world.step->views[0].kind, ROW_WORKER);
    cr_assert_eq(world.step->views[3].kind, ROW_ACTIVITY);
    cr_assert_eq(world.step->views[4].kind, ROW_RESERVATION);
    cr_assert_eq(world.step->views[5].kind, ROW_TASK);
    cr_assert_eq(world.step->sequence, world.last_sequence);
}
