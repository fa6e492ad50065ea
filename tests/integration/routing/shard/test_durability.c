/* Durable before visible: while a COMMIT is held, nothing that depends on it leaves. The store is a
 * fake that holds; the engine, its thread and the committer's are the real ones.
 *
 * How a test knows that an answer does not come: a later question whose answer depends on nothing
 * is answered, so the earlier ones have been run.
 */
#include <criterion/criterion.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "services/routing/domain/states.h"
#include "services/routing/operations/requests.h"
#include "tests/fakes/fake_store.h"
#include "tests/support/shards_world.h"

#define OFFER_US (INT64_C(60) * 1000000)

static void start(struct shards_world *world)
{
    shards_world_init(world);
    world->options.hold_after_us = INT64_C(60) * 1000000; /* steps go on while a commit is held */
    world->options.lease_us = INT64_C(600) * 1000000;
    shards_world_start_acme(world, OFFER_US);
    cr_assert(answered_ok(ask_create_task(world, "durable")));
}

/* Everything asked before has been run. */
static void pass_barrier(struct shards_world *world)
{
    cr_assert(answered_ok(ask_get_task(world, "durable")));
}

Test(durability, no_answer_and_no_event_leaves_before_its_commit)
{
    struct shards_world world;

    start(&world);
    fake_store_hold(world.store, true);
    size_t before = how_much_left(&world);
    struct asked *created = ask_create_task(&world, "t1");

    cr_assert(fake_store_wait_for_held_write(world.store));
    struct asked *read = ask_get_task(&world, "t1");
    struct asked *taken = ask_create_task(&world, "t1");

    pass_barrier(&world);
    cr_assert_not(is_answered(created), "the reply left before its commit");
    cr_assert_not(is_answered(read), "a read of what is not durable was answered");
    cr_assert_not(is_answered(taken), "a refusal because of what is not durable was answered");
    cr_assert_eq(how_much_left(&world), before + 1, "only the barrier has left");
    cr_assert_not(fake_store_has_task(world.store, "acme", "t1"));

    fake_store_hold(world.store, false);
    wait_for_answer(created);
    wait_for_answer(read);
    wait_for_answer(taken);
    cr_assert(created->ok && read->ok);
    cr_assert_eq(taken->reason, REASON_ALREADY_EXISTS);
    cr_assert_lt(created->place, read->place);
    cr_assert_gt(created->place, before + 1, "the step's events leave before its answer");
    cr_assert(fake_store_has_task(world.store, "acme", "t1"));
    asked_free(created);
    asked_free(read);
    asked_free(taken);
    shards_world_deinit(&world);
}

Test(durability, a_group_behind_the_held_one_waits_for_its_own_commit)
{
    struct shards_world world;

    start(&world);
    fake_store_hold(world.store, true);
    struct asked *first = ask_create_task(&world, "t1");

    cr_assert(fake_store_wait_for_held_write(world.store));
    struct asked *second = ask_create_task(&world, "t2"); /* in the next group */
    struct asked *read_second = ask_get_task(&world, "t2");

    pass_barrier(&world);
    cr_assert_not(is_answered(second));
    cr_assert_not(is_answered(read_second));
    fake_store_hold(world.store, false);
    cr_assert(answered_ok(first));
    cr_assert(answered_ok(second));
    cr_assert(answered_ok(read_second));
    shards_world_deinit(&world);
}

Test(durability, a_refusal_because_of_an_uncommitted_accept_waits_for_it)
{
    struct shards_world world;

    start(&world);
    make_available_worker(&world, "ada");
    CLEANUP(asked_free_at_exit) struct asked *offers = ask_reservations_of(&world, "durable");

    wait_for_answer(offers);
    cr_assert_eq(offers->reservation_state, RESERVATION_PENDING);
    cr_assert(answered_ok(ask_create_task(&world, "other"))); /* for the barrier */
    fake_store_hold(world.store, true);
    struct asked *accepted =
        ask_reservation_verb(&world, &operation_accept_reservation, offers->id);

    cr_assert(fake_store_wait_for_held_write(world.store));
    struct asked *again = ask_reservation_verb(&world, &operation_accept_reservation, offers->id);
    struct asked *rejected =
        ask_reservation_verb(&world, &operation_reject_reservation, offers->id);

    cr_assert(answered_ok(ask_get_task(&world, "other")));
    cr_assert_not(is_answered(accepted));
    cr_assert_not(is_answered(again), "it told of an accept that may still be lost");
    cr_assert_not(is_answered(rejected));
    fake_store_hold(world.store, false);
    cr_assert(answered_ok(accepted));
    cr_assert_eq(refused_with(again), REASON_RESERVATION_NOT_PENDING);
    cr_assert_eq(refused_with(rejected), REASON_RESERVATION_NOT_PENDING);
    shards_world_deinit(&world);
}

Test(durability, a_deleted_task_is_there_until_its_deletion_is_durable)
{
    struct shards_world world;

    start(&world);
    cr_assert(answered_ok(ask_create_task(&world, "t1")));
    fake_store_hold(world.store, true);
    struct arena *arena = arena_new();
    struct delete_request *request = arena_new_object(arena, struct delete_request);

    *request = (struct delete_request){.id = "t1", .etag = ""};
    struct asked *deleted = ask(&world, arena, &operation_delete_task, request);

    cr_assert(fake_store_wait_for_held_write(world.store));
    struct asked *read = ask_get_task(&world, "t1");

    pass_barrier(&world);
    cr_assert_not(is_answered(deleted));
    cr_assert_not(is_answered(read), "NOT_FOUND because of a deletion that may still be lost");
    fake_store_hold(world.store, false);
    cr_assert(answered_ok(deleted));
    cr_assert_eq(refused_with(read), REASON_NOT_FOUND);
    shards_world_deinit(&world);
}

static struct asked *ask_report(struct shards_world *world, int64_t number)
{
    struct arena *arena = arena_new();
    struct bridge_report_request *report = arena_new_object(arena, struct bridge_report_request);

    *report = (struct bridge_report_request){
        .bridge_id = "b1",
        .number = number,
        .bridge_time_us = 1,
        .call_id = "c1",
        .kind = REPORT_ENQUEUE_CALL,
        .trunk_id = "none", /* refused: the bridge is instructed to release the caller */
        .inbound_route_id = "none",
        .called_number = "+4930",
        .caller_number = "",
        .caller_display_name = "",
        .sip_call_id = "x",
        .reservation_id = "",
        .cause = "",
    };
    return ask(world, arena, &operation_bridge_report, report);
}

Test(durability, no_instruction_and_no_acknowledgment_leaves_before_its_commit)
{
    struct shards_world world;

    start(&world);
    struct arena *arena = arena_new();
    struct attach_bridge_request *attach = arena_new_object(arena, struct attach_bridge_request);

    *attach = (struct attach_bridge_request){.bridge_id = "b1", .incarnation = "i1"};
    cr_assert(answered_ok(ask(&world, arena, &operation_attach_bridge, attach)));
    size_t effects = world.effects;

    fake_store_hold(world.store, true);
    struct asked *reported = ask_report(&world, 1);

    cr_assert(fake_store_wait_for_held_write(world.store));
    pass_barrier(&world);
    cr_assert_not(is_answered(reported));
    cr_assert_eq(world.effects, effects, "an effect left before its commit");
    fake_store_hold(world.store, false);
    cr_assert(answered_ok(reported));
    cr_assert_gt(world.effects, effects);
    shards_world_deinit(&world);
}

Test(durability, sixty_four_creates_at_once_take_few_commits)
{
    struct shards_world world;
    struct asked *created[64];

    start(&world);
    size_t before = fake_store_commits(world.store);

    fake_store_hold(world.store, true);
    created[0] = ask_create_task(&world, "t0");
    cr_assert(fake_store_wait_for_held_write(world.store));
    for (int i = 1; i < 64; i++) {
        CLEANUP(mem_free_at_exit) char *id = mem_printf("t%d", i);

        created[i] = ask_create_task(&world, id);
    }
    pass_barrier(&world);
    fake_store_hold(world.store, false);
    for (int i = 0; i < 64; i++) {
        cr_assert(answered_ok(created[i]));
    }
    cr_assert_eq(fake_store_commits(world.store) - before, 2);
    shards_world_deinit(&world);
}
