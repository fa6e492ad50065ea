/* What the shards do when the store is away, refuses, or belongs to somebody else. */
#include <criterion/criterion.h>
#include <sys/resource.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "services/routing/domain/states.h"
#include "tests/fakes/fake_store.h"
#include "tests/support/shards_world.h"

#define SECOND_US INT64_C(1000000)

static void start(struct shards_world *world, int64_t offer_us)
{
    shards_world_init(world);
    world->options.lease_us = SECOND_US * 3 / 10;
    world->options.hold_after_us = SECOND_US / 20;
    shards_world_start_acme(world, offer_us);
}

static void pass_time(int64_t duration_us)
{
    const struct timespec pause = {
        .tv_sec = duration_us / SECOND_US, .tv_nsec = duration_us % SECOND_US * 1000};

    nanosleep(&pause, NULL); /* the length of an outage, not a wait for something */
}

Test(trouble, commands_wait_while_the_store_is_away_and_are_answered_when_it_is_back)
{
    struct shards_world world;

    start(&world, 60 * SECOND_US);
    fake_store_away(world.store, true);
    struct asked *created = ask_create_task(&world, "t1");

    wait_for_notices(&world, SHARDS_COMMIT_FAILED, 1);
    struct asked *read = ask_get_task(&world, "t1");
    struct asked *second = ask_create_task(&world, "t2");

    cr_assert_not(is_answered(created));
    fake_store_away(world.store, false);
    cr_assert(answered_ok(created));
    cr_assert(answered_ok(read));
    cr_assert(answered_ok(second));
    cr_assert_geq(notices_of(&world, SHARDS_COMMIT_RECOVERED), 1);
    shards_world_deinit(&world);
}

Test(trouble, a_batch_whose_answer_was_lost_is_not_written_twice)
{
    struct shards_world world;

    start(&world, 60 * SECOND_US);
    fake_store_lose_answer(world.store);
    cr_assert(answered_ok(ask_create_task(&world, "t1"))); /* the fake aborts on a gap */
    cr_assert(answered_ok(ask_create_task(&world, "t2")));
    shards_world_deinit(&world);
}

static struct asked *wait_for_offer(struct shards_world *world, const char *task_id)
{
    struct asked *offers = ask_reservations_of(world, task_id);

    wait_for_answer(offers);
    cr_assert_eq(offers->reservation_state, RESERVATION_PENDING);
    return offers;
}

/* An outage longer than the offer lasts; `trouble` begins and ends it. */
static void check_offer_outlives(void (*trouble)(struct fake_store *, bool))
{
    struct shards_world world;

    start(&world, SECOND_US / 2);
    cr_assert(answered_ok(ask_create_task(&world, "t1")));
    make_available_worker(&world, "ada");
    CLEANUP(asked_free_at_exit) struct asked *before = wait_for_offer(&world, "t1");

    trouble(world.store, true);
    pass_time(SECOND_US * 12 / 10);
    trouble(world.store, false);

    CLEANUP(asked_free_at_exit) struct asked *after = wait_for_offer(&world, "t1");

    cr_assert_str_eq(after->id, before->id);
    cr_assert_geq(after->expire_time_us - before->expire_time_us, SECOND_US);
    cr_assert(answered_ok(ask_reservation_verb(&world, &operation_accept_reservation, after->id)));
    shards_world_deinit(&world);
}

Test(trouble, an_offer_does_not_time_out_because_the_store_was_stopped_while_nothing_happened)
{
    check_offer_outlives(fake_store_away);
}

Test(trouble, an_offer_does_not_time_out_because_the_store_hung_while_nothing_happened)
{
    check_offer_outlives(fake_store_hold);
}

Test(trouble, only_the_command_that_the_store_refuses_fails)
{
    struct shards_world world;
    struct asked *created[5];
    static const char *const ids[] = {"t0", "t1", "bad", "t3", "t4"};

    start(&world, 60 * SECOND_US);
    world.options.hold_after_us = 60 * SECOND_US;
    fake_store_refuse_task(world.store, "bad");
    fake_store_hold(world.store, true);
    for (int i = 0; i < 5; i++) {
        created[i] = ask_create_task(&world, ids[i]);
    }
    cr_assert(fake_store_wait_for_held_write(world.store));
    fake_store_hold(world.store, false);
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(refused_with(created[i]), i == 2 ? REASON_INTERNAL : NOT_REFUSED);
        cr_assert_eq(fake_store_has_task(world.store, "acme", ids[i]), i != 2);
    }
    cr_assert_eq(notices_of(&world, SHARDS_COMMAND_POISONED), 1);
    cr_assert_eq(refused_with(ask_get_task(&world, "bad")), REASON_NOT_FOUND);
    cr_assert(answered_ok(ask_create_task(&world, "after")));
    shards_world_deinit(&world);
}

Test(trouble, a_fenced_replica_answers_unavailable_and_writes_nothing_more)
{
    struct shards_world world;

    start(&world, 60 * SECOND_US);
    size_t commits = fake_store_commits(world.store);
    size_t published = world.publications;

    fake_store_take_away(world.store, true);
    struct asked *created = ask_create_task(&world, "t1");

    wait_for_answer(created);
    cr_assert_eq(created->reason, REASON_STORE_UNAVAILABLE);
    cr_assert_gt(created->retry_delay_ms, 0);
    asked_free(created);
    wait_for_notices(&world, SHARDS_LEASE_LOST, 1);
    cr_assert_eq(refused_with(ask_get_task(&world, "t1")), REASON_STORE_UNAVAILABLE);
    cr_assert_eq(refused_with(ask_create_task(&world, "t2")), REASON_STORE_UNAVAILABLE);
    cr_assert_eq(fake_store_commits(world.store), commits);
    cr_assert_eq(world.publications, published);

    fake_store_take_away(world.store, false);
    wait_for_notices(&world, SHARDS_LOADED, 2);
    struct asked *again = NULL;

    do { /* loaded, and about to be installed */
        asked_free(again);
        again = ask_create_task(&world, "t3");
        wait_for_answer(again);
    } while (again->reason == REASON_STORE_UNAVAILABLE);
    cr_assert(answered_ok(again));
    shards_world_deinit(&world);
}

Test(trouble, an_idle_replica_notices_by_its_renewal_that_it_is_fenced)
{
    struct shards_world world;

    start(&world, 60 * SECOND_US);
    cr_assert(answered_ok(ask_create_task(&world, "t1")));
    fake_store_take_away(world.store, true);
    wait_for_notices(&world, SHARDS_LEASE_LOST, 1);
    cr_assert_eq(refused_with(ask_get_task(&world, "t1")), REASON_STORE_UNAVAILABLE);
    shards_world_deinit(&world);
}

Test(trouble, a_fenced_replica_stops_at_once)
{
    struct shards_world world;

    start(&world, 60 * SECOND_US);
    fake_store_take_away(world.store, true);
    wait_for_notices(&world, SHARDS_LEASE_LOST, 1);
    int64_t before_us = clock_mono_us(clock_system());

    shards_world_stop(&world, 20 * SECOND_US);
    cr_assert_lt(clock_mono_us(clock_system()) - before_us, 5 * SECOND_US);
    shards_world_deinit(&world);
}

Test(trouble, what_waited_behind_a_held_commit_is_answered_when_the_lease_is_lost)
{
    struct shards_world world;

    start(&world, 60 * SECOND_US);
    fake_store_hold(world.store, true);
    struct asked *first = ask_create_task(&world, "t1");

    cr_assert(fake_store_wait_for_held_write(world.store));
    pass_time(SECOND_US / 10); /* longer than hold_after_us: nothing new is run */
    struct asked *second = ask_create_task(&world, "t2");

    fake_store_take_away(world.store, true);
    fake_store_hold(world.store, false);
    cr_assert_eq(refused_with(first), REASON_STORE_UNAVAILABLE);
    cr_assert_eq(refused_with(second), REASON_STORE_UNAVAILABLE);
    shards_world_deinit(&world);
}

static int64_t cpu_time_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * SECOND_US + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

Test(trouble, waiting_for_the_store_costs_no_processor_time)
{
    struct shards_world world;

    shards_world_init(&world);
    world.options.hold_after_us = SECOND_US / 20;
    world.options.sweep_interval_us = SECOND_US / 10; /* comes due while the store is away */
    shards_world_start_acme(&world, 60 * SECOND_US);
    fake_store_hold(world.store, true);
    struct asked *created = ask_create_task(&world, "t1");

    cr_assert(fake_store_wait_for_held_write(world.store));
    pass_time(SECOND_US / 5);
    int64_t before_us = cpu_time_us();

    pass_time(SECOND_US);
    cr_assert_lt(cpu_time_us() - before_us, SECOND_US / 5);
    fake_store_hold(world.store, false);
    cr_assert(answered_ok(created));
    shards_world_deinit(&world);
}

Test(trouble, a_stop_makes_everything_durable_first)
{
    struct shards_world world;
    struct asked *created[50];

    start(&world, 60 * SECOND_US);
    for (int i = 0; i < 50; i++) {
        CLEANUP(mem_free_at_exit) char *id = mem_printf("t%d", i);

        created[i] = ask_create_task(&world, id);
    }
    shards_world_stop(&world, 10 * SECOND_US);
    for (int i = 0; i < 50; i++) {
        CLEANUP(mem_free_at_exit) char *id = mem_printf("t%d", i);

        cr_assert(is_answered(created[i]));
        cr_assert(answered_ok(created[i]));
        cr_assert(fake_store_has_task(world.store, "acme", id));
    }
    shards_world_deinit(&world);
}

Test(trouble, a_stop_without_a_store_answers_everyone_within_its_grace)
{
    struct shards_world world;

    start(&world, 60 * SECOND_US);
    fake_store_away(world.store, true);
    struct asked *first = ask_create_task(&world, "t1");

    wait_for_notices(&world, SHARDS_COMMIT_FAILED, 1);
    pass_time(SECOND_US / 10);
    struct asked *second = ask_create_task(&world, "t2"); /* held back */
    int64_t before_us = clock_mono_us(clock_system());

    shards_world_stop(&world, SECOND_US / 2);
    cr_assert_lt(clock_mono_us(clock_system()) - before_us, 5 * SECOND_US);
    cr_assert_eq(refused_with(first), REASON_STORE_UNAVAILABLE);
    enum error_reason reason = refused_with(second);

    cr_assert(reason == REASON_SHUTTING_DOWN || reason == REASON_STORE_UNAVAILABLE);
    shards_world_deinit(&world);
}

Test(trouble, a_restart_finds_everything_in_flight)
{
    struct shards_world world;

    start(&world, 60 * SECOND_US);
    cr_assert(answered_ok(ask_create_task(&world, "assigned")));
    make_available_worker(&world, "ada");
    CLEANUP(asked_free_at_exit) struct asked *offer = wait_for_offer(&world, "assigned");

    cr_assert(answered_ok(ask_reservation_verb(&world, &operation_accept_reservation, offer->id)));
    cr_assert(answered_ok(ask_create_task(&world, "reserved")));
    make_available_worker(&world, "bob");
    cr_assert(answered_ok(ask_create_task(&world, "waiting")));

    shards_world_stop(&world, 10 * SECOND_US);
    shards_world_start(&world);

    static const struct {
        const char *id;
        int32_t state;
    } wanted[] = {
        {"assigned", TASK_ASSIGNED},
        {"reserved", TASK_RESERVED},
        {"waiting",  TASK_PENDING }
    };

    for (size_t i = 0; i < 3; i++) {
        CLEANUP(asked_free_at_exit) struct asked *task = ask_get_task(&world, wanted[i].id);

        wait_for_answer(task);
        cr_assert_eq(task->task_state, wanted[i].state, "%s", wanted[i].id);
    }
    cr_assert(answered_ok(ask_reservation_verb(&world, &operation_wrap_up_reservation, offer->id)));
    cr_assert_eq(notices_of(&world, SHARDS_SWEEP_MENDED), 0);
    shards_world_deinit(&world);
}
