/* Everything at once, in any order, late and twice: the world's rules hold after every step, and in
 * the end nothing is left. A failure names its seed. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/bridge/operations/world.h"

enum {
    SEEDS = 200,
    STEPS = 1500,
    CALLS_AT_ONCE = 6,
};

struct chance {
    uint64_t state;
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(struct chance *chance)
{
    chance->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = chance->state;

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

static size_t below(struct chance *chance, size_t limit)
{
    return (size_t)(draw(chance) % limit);
}

static void send_event(
    struct world *world,
    const struct world_leg *leg,
    enum signalling_event_kind kind,
    int status,
    const struct session_description *description)
{
    struct signalling_event event = {
        .kind = kind,
        .leg = leg->number,
        .status = status,
        .phrase = "",
        .description = description,
    };

    world_signal(world, &event);
}

static void invite(struct world *world, struct chance *chance)
{
    static const char *const numbers[] = {"+4930123", "+4930223", "+4930323", "+1555"};
    static const char *const dialogs[] = {"a", "b", "c", "d", "e"};
    struct session_description offer = world_session((enum media_direction)below(chance, 4));
    struct signalling_event event = {
        .called_number = numbers[below(chance, 4)],
        .description = below(chance, 4) == 0 ? NULL : &offer,
        .sip_call_id = below(chance, 2) == 0 ? dialogs[below(chance, 5)] : NULL,
    };

    offer.format_count = below(chance, 8) == 0 ? 0 : 2;
    if (bridge_call_count(world->bridge) < CALLS_AT_ONCE) {
        world_invite_event(world, &event);
    }
}

/* What SIP may say about a caller's leg now; and, often, what it has said before. */
static void disturb_caller(struct world *world, struct world_leg *leg, struct chance *chance)
{
    struct session_description session = world_session((enum media_direction)below(chance, 4));
    const struct session_description *maybe = below(chance, 3) == 0 ? NULL : &session;

    switch (below(chance, 4)) {
    case 0:
        if (!leg->final) {
            leg->final = true;
            leg->over = true;
            send_event(world, leg, SIGNALLING_CANCELED, 0, NULL);
        }
        break;
    case 1:
        if (leg->answered) {
            send_event(world, leg, SIGNALLING_ACKNOWLEDGED, 0, maybe);
        }
        break;
    case 2:
        if (leg->answered && !leg->over) {
            send_event(world, leg, SIGNALLING_REOFFERED, 0, maybe);
        }
        break;
    default:
        if (leg->answered && below(chance, 2) == 0) {
            leg->over = true;
            send_event(world, leg, SIGNALLING_HUNG_UP, below(chance, 2) == 0 ? 0 : 408, NULL);
        }
        break;
    }
}

static void disturb_ringing(struct world *world, struct world_leg *leg, struct chance *chance)
{
    static const int statuses[] = {486, 603, 480, 408, 404, 503, 487, 500};
    struct session_description session = world_session((enum media_direction)below(chance, 4));

    switch (below(chance, 3)) {
    case 0:
        send_event(world, leg, SIGNALLING_PROGRESS, 180, NULL);
        break;
    case 1:
        leg->answered = true;
        leg->final = true;
        session.format_count = below(chance, 8) == 0 ? 0 : 2;
        send_event(world, leg, SIGNALLING_ANSWERED, 200, below(chance, 8) == 0 ? NULL : &session);
        break;
    default:
        leg->over = true;
        leg->final = true;
        send_event(world, leg, SIGNALLING_FAILED, statuses[below(chance, 8)], NULL);
        break;
    }
}

static void disturb_worker(struct world *world, struct world_leg *leg, struct chance *chance)
{
    struct session_description session = world_session((enum media_direction)below(chance, 4));

    if (!leg->dialed) {
        return;
    }
    if (!leg->final) {
        disturb_ringing(world, leg, chance);
    } else if (leg->answered && below(chance, 3) == 0) {
        leg->over = true;
        send_event(world, leg, SIGNALLING_HUNG_UP, below(chance, 2) == 0 ? 0 : 481, NULL);
    } else if (leg->answered) {
        send_event(world, leg, SIGNALLING_REOFFERED, 0, &session);
    }
}

/* Mostly a leg of late, sometimes one that is long over. */
static void disturb(struct world *world, struct chance *chance)
{
    static const enum signalling_event_kind repeats[] = {
        SIGNALLING_CANCELED, SIGNALLING_ACKNOWLEDGED, SIGNALLING_PROGRESS,
        SIGNALLING_FAILED,   SIGNALLING_REOFFERED,    SIGNALLING_HUNG_UP,
    };
    size_t recent = world->leg_count < 12 ? world->leg_count : 12;

    if (recent == 0) {
        return;
    }
    struct world_leg *leg = &world->legs[world->leg_count - 1 - below(chance, recent)];

    if (leg->over && below(chance, 2) == 0) {
        send_event(world, leg, repeats[below(chance, 6)], 487, NULL);
    } else if (leg->inbound) {
        disturb_caller(world, leg, chance);
    } else {
        disturb_worker(world, leg, chance);
    }
}

/* Mostly a call that is there, sometimes one that was. */
static void choose_call(struct world *world, struct chance *chance)
{
    size_t recent = world->call_count < 8 ? world->call_count : 8;
    size_t living = bridge_call_count(world->bridge);

    if (living > 0 && below(chance, 8) > 0) {
        const struct call *call = TAILQ_FIRST(bridge_calls(world->bridge));
        for (size_t i = below(chance, living); i > 0; i--) {
            call = TAILQ_NEXT(call, link);
        }
        memcpy(world->call_id, call->id, sizeof(world->call_id));
    } else if (recent > 0) {
        memcpy(
            world->call_id, world->calls[world->call_count - 1 - below(chance, recent)].id,
            sizeof(world->call_id));
    }
}

static void instruct(struct world *world, struct chance *chance, size_t number)
{
    char reservation[32];
    char worker[32];
    const struct call *call = NULL;

    choose_call(world, chance);
    call = bridge_find_call(world->bridge, world->call_id);
    (void)snprintf(reservation, sizeof(reservation), "r%zu", number);
    (void)snprintf(worker, sizeof(worker), "w%zu", number);
    if (call && *call->last_reservation_id != '\0' && below(chance, 2) == 0) {
        (void)snprintf(reservation, sizeof(reservation), "%s", call->last_reservation_id);
    }
    switch (below(chance, 16)) {
    case 0:
        world_release_worker(world, reservation);
        break;
    case 1:
        world_release_call(world, "task_canceled", below(chance, 2) == 0 ? 0 : 486);
        break;
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
        world_dial(world, reservation, worker);
        break;
    default:
        world_enqueued(world);
        break;
    }
}

static void run_step(struct world *world, struct chance *chance, size_t number)
{
    size_t what = below(chance, 100);

    world->no_ports = below(chance, 20) == 0;
    if (what < 12) {
        invite(world, chance);
    } else if (what < 45) {
        instruct(world, chance, number);
    } else if (what < 90) {
        disturb(world, chance);
    } else if (what < 97) {
        world_advance(world, SECONDS((int64_t)below(chance, 15)));
    } else if (what < 98) {
        bridge_set_link(world->bridge, below(chance, 2) == 0);
    } else {
        choose_call(world, chance);
        world_hang_up(world);
    }
    world->trace[0] = '\0';
}

/* What SIP owes: each leg that was given up says so, or is forgotten. */
static void wind_down(struct world *world)
{
    world_end_all(world);
    world_advance(world, SECONDS(40));
    for (size_t i = 0; i < world->leg_count; i++) {
        struct world_leg *leg = &world->legs[i];
        leg->over |= leg->canceled && !leg->answered;
    }
}

/* 0 when none runs: one that failed stays. */
static uint64_t running_seed;

static void name_seed(void)
{
    if (running_seed != 0) {
        (void)fprintf(stderr, "it was SEED=%" PRIu64 "\n", running_seed);
    }
}

TestSuite(random, .fini = name_seed);

/* Returns how many talks there were. */
static size_t run_seed(uint64_t seed)
{
    size_t talks = 0;
    struct world *world = world_new(NULL);
    struct chance chance = {seed};

    running_seed = seed;
    for (size_t number = 0; number < STEPS; number++) {
        run_step(world, &chance, number);
    }
    cr_assert_gt(world->call_count, 20);
    wind_down(world);
    for (size_t i = 0; i < world->reservation_count; i++) {
        talks += world->reservations[i].joined;
    }
    world_free_idle(world);
    running_seed = 0;
    return talks;
}

Test(random, the_rules_hold_whatever_happens)
{
    const char *wanted = getenv("SEED");
    size_t talks = 0;

    if (wanted) {
        (void)run_seed(strtoull(wanted, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        talks += run_seed(seed);
    }
    cr_assert_gt(talks, (size_t)10 * SEEDS, "%zu talks prove little", talks);
}
