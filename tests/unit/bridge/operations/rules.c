/* The rules that the world holds the operations to. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/bridge/operations/world.h"

/* Reports, as the protocol orders them. */

static struct world_reservation *reservation_of(struct world *world, const struct report *report)
{
    for (size_t i = world->reservation_count; i > 0; i--) {
        if (strcmp(world->reservations[i - 1].id, report->reservation_id) == 0 &&
            strcmp(world->reservations[i - 1].call_id, report->call_id) == 0) {
            return &world->reservations[i - 1];
        }
    }
    cr_assert_fail("report about %s, which nobody asked for", report->reservation_id);
    return NULL;
}

static struct world_call *call_of(struct world *world, const char *id)
{
    for (size_t i = world->call_count; i > 0; i--) {
        if (strcmp(world->calls[i - 1].id, id) == 0) {
            return &world->calls[i - 1];
        }
    }
    return NULL;
}

static void check_worker_report(struct world *world, const struct report *report)
{
    struct world_reservation *reservation = reservation_of(world, report);

    cr_assert_not(reservation->gone, "%s: a report after its end", reservation->id);
    switch (report->kind) {
    case REPORT_WORKER_RINGING:
        cr_assert_not(reservation->joined);
        break;
    case REPORT_WORKER_JOINED:
        cr_assert_not(reservation->joined, "joined twice");
        cr_assert(call_of(world, report->call_id)->answered, "joined before the caller answered");
        reservation->joined = true;
        break;
    case REPORT_WORKER_FAILED:
        cr_assert_not(reservation->joined, "failed after it joined");
        reservation->gone = true;
        break;
    case REPORT_WORKER_LEFT:
        cr_assert(reservation->joined, "left before it joined");
        reservation->gone = true;
        break;
    case REPORT_ENQUEUE_CALL:
    case REPORT_CALL_ANSWERED:
    case REPORT_CALL_ENDED:
        break;
    }
}

void world_check_report(struct world *world, const struct report *report)
{
    struct world_call *call = call_of(world, report->call_id);

    cr_assert_str_eq(report->workspace_id, "acme");
    if (report->kind == REPORT_ENQUEUE_CALL) {
        cr_assert_null(call, "enqueued twice");
        cr_assert_lt(world->call_count, WORLD_CALLS_MAX);
        call = &world->calls[world->call_count++];
        (void)snprintf(call->id, sizeof(call->id), "%s", report->call_id);
        (void)snprintf(world->call_id, sizeof(world->call_id), "%s", report->call_id);
        return;
    }
    cr_assert_not_null(call, "a report before ENQUEUE_CALL");
    cr_assert_not(call->ended, "a report after CALL_ENDED");
    if (report->kind == REPORT_CALL_ENDED) {
        call->ended = true;
        for (size_t i = 0; i < world->reservation_count; i++) {
            world->reservations[i].gone |=
                strcmp(world->reservations[i].call_id, report->call_id) == 0;
        }
    } else if (report->kind == REPORT_CALL_ANSWERED) {
        cr_assert_not(call->answered);
        call->answered = true;
    } else {
        check_worker_report(world, report);
    }
}

static void check_leg(const struct leg *leg)
{
    switch (leg->state) {
    case LEG_TRYING:
    case LEG_RINGING:
        cr_assert(leg == leg->call->caller || leg->deadline.set, "%s may ring", leg_party(leg));
        break;
    case LEG_ENDING:
        cr_assert(leg->deadline.set, "%s has no way to end", leg_party(leg));
        cr_assert_not(leg->stream_open);
        break;
    case LEG_CONNECTED:
        cr_assert(leg_alive(leg->call->caller), "%s is alone", leg_party(leg));
        break;
    case LEG_ENDED:
        cr_assert_eq(leg, leg->call->caller);
        cr_assert_not(leg->stream_open);
        break;
    case LEG_IDLE:
    case LEG_STATE_COUNT:
        cr_assert_fail("an idle leg");
    }
}

void world_check(struct world *world)
{
    const struct call *call = NULL;
    const struct leg *leg = NULL;
    size_t conferences = 0;

    TAILQ_FOREACH(call, bridge_calls(world->bridge), link)
    {
        TAILQ_FOREACH(leg, &call->legs, link)
        {
            check_leg(leg);
        }
        cr_assert_eq(call->state != CALL_ENDING, call->deadline.set);
        cr_assert_eq(call->state == CALL_TALKING, call->conference != NULL);
        cr_assert_eq(
            call->state == CALL_TALKING, call->worker && call->worker->state == LEG_CONNECTED);
        conferences += call->conference != NULL;
    }
    cr_assert_eq(conferences, world->conferences_open);
}
