/* Carries effects out against simulated neighbours, and holds them to the rules. */
#include "tests/unit/bridge/operations/world.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"

static const char *const sources[] = {"192.0.2.0/24"};
static const struct trunk trunks[] = {
    {"acme", "carrier", sources, 1}
};
static const struct inbound_route routes[] = {
    {"acme", "after",     "",        "+49301*", ROUTE_ANSWER_AFTER_TASK},
    {"acme", "at_once",   "carrier", "+49302*", ROUTE_ANSWER_AT_ONCE   },
    {"acme", "on_worker", "",        "+49303*", ROUTE_ANSWER_ON_WORKER },
};

static const char *const report_names[] = {
    [REPORT_ENQUEUE_CALL] = "enqueue_call",   [REPORT_CALL_ANSWERED] = "call_answered",
    [REPORT_CALL_ENDED] = "call_ended",       [REPORT_WORKER_RINGING] = "worker_ringing",
    [REPORT_WORKER_JOINED] = "worker_joined", [REPORT_WORKER_FAILED] = "worker_failed",
    [REPORT_WORKER_LEFT] = "worker_left",
};

struct world *world_new(const struct bridge_options *options)
{
    struct world *world = mem_new(struct world);
    struct bridge_options defaults = bridge_default_options();

    world->bridge = bridge_new(options ? options : &defaults);
    world->arena = arena_new();
    world->now_us = SECONDS(1000);
    bridge_set_telephony(world->bridge, &(struct telephony){trunks, 1, routes, 3});
    bridge_set_link(world->bridge, true);
    return world;
}

void world_free(struct world *world)
{
    bridge_free(world->bridge);
    arena_free(world->arena);
    free(world);
}

void world_free_idle(struct world *world)
{
    cr_assert_eq(bridge_call_count(world->bridge), 0, "calls are left");
    cr_assert_eq(bridge_next_deadline_us(world->bridge), INT64_MAX, "a deadline is left");
    cr_assert(TAILQ_EMPTY(bridge_conferences(world->bridge)));
    cr_assert_eq(world->conferences_open, 0, "a conference is left in the media");
    for (size_t i = 0; i < world->leg_count; i++) {
        const struct world_leg *leg = &world->legs[i];
        cr_assert_not(leg->stream_open, "stream of %s leaked", leg->party);
        cr_assert_null(bridge_find_leg(world->bridge, leg->number));
        cr_assert(leg->over, "%s is still in a dialog", leg->party);
        cr_assert(!leg->inbound || leg->final, "an INVITE was never answered");
        cr_assert_leq(leg->final_answers, 1);
    }
    for (size_t i = 0; i < world->reservation_count; i++) {
        cr_assert(world->reservations[i].gone, "%s is not told", world->reservations[i].id);
    }
    for (size_t i = 0; i < world->call_count; i++) {
        cr_assert(world->calls[i].ended);
    }
    world_free(world);
}

#define TRACE(world, ...) append((world), mem_printf(__VA_ARGS__))

/* Consumes the text. */
static void append(struct world *world, char *text)
{
    size_t used = strlen(world->trace);

    (void)snprintf(world->trace + used, WORLD_TRACE_SIZE - used, "%s", text);
    free(text);
}

void world_expect(struct world *world, const char *expected)
{
    cr_assert_str_eq(
        world->trace, expected, "\n--- happened\n%s--- expected\n%s", world->trace, expected);
    world->trace[0] = '\0';
}

static struct world_leg *add_leg(struct world *world, int64_t number, const char *party)
{
    cr_assert_lt(world->leg_count, WORLD_LEGS_MAX);
    struct world_leg *leg = &world->legs[world->leg_count++];

    leg->number = number;
    (void)snprintf(leg->party, sizeof(leg->party), "%s", party);
    leg->inbound = number >= SIGNALLING_FIRST_INBOUND_LEG;
    return leg;
}

static struct world_leg *leg_of(struct world *world, int64_t number)
{
    for (size_t i = world->leg_count; i > 0; i--) {
        if (world->legs[i - 1].number == number) {
            return &world->legs[i - 1];
        }
    }
    return NULL;
}

struct world_leg *world_find_leg(struct world *world, const char *party)
{
    for (size_t i = world->leg_count; i > 0; i--) {
        if (strcmp(world->legs[i - 1].party, party) == 0) {
            return &world->legs[i - 1];
        }
    }
    cr_assert_fail("no leg of %s", party);
    return NULL;
}

static void do_report(struct world *world, const struct report *report)
{
    TRACE(world, "report %s", report_names[report->kind]);
    if (*report->reservation_id != '\0') {
        TRACE(world, " %s", report->reservation_id);
    }
    if (*report->cause != '\0') {
        TRACE(world, " %s", report->cause);
    }
    if (report->sip_status != 0) {
        TRACE(world, " %d", report->sip_status);
    }
    TRACE(world, "\n");
    world_check_report(world, report);
}

/* Signalling. */

static void final_answer(struct world_leg *leg)
{
    cr_assert(leg->inbound && !leg->final && !leg->over, "a second final answer");
    leg->final = true;
    leg->final_answers++;
}

static void do_end_leg(struct world *world, const struct effect *effect, struct world_leg *leg)
{
    const struct signalling_reason *reason = &effect->reason;
    static const char *const verbs[] = {
        [EFFECT_REFUSE] = "refuse",
        [EFFECT_CANCEL] = "cancel",
        [EFFECT_HANG_UP] = "hang_up",
    };

    TRACE(world, "%s %s", verbs[effect->kind], leg->party);
    if (reason->status != 0) {
        TRACE(world, " %d", reason->status);
    }
    if (reason->retry_after_s != 0) {
        TRACE(world, " retry %d", reason->retry_after_s);
    }
    TRACE(world, " (%s)\n", reason->text);
    if (effect->kind == EFFECT_REFUSE) {
        final_answer(leg);
        cr_assert_geq(reason->status, 400);
        leg->over = true;
    } else if (effect->kind == EFFECT_CANCEL) {
        cr_assert(leg->dialed && !leg->answered && !leg->over && !leg->canceled);
        leg->canceled = true;
    } else {
        cr_assert(leg->answered && !leg->over, "BYE to %s without a dialog", leg->party);
        leg->over = true;
    }
}

static void do_describe(struct world *world, const struct effect *effect, struct world_leg *leg)
{
    if (effect->description) {
        world->said = *effect->description;
        cr_assert_gt(world->said.port, 0);
        cr_assert_gt(world->said.session_id, 0);
    }
    if (effect->kind == EFFECT_ANSWER) {
        TRACE(world, "answer %s\n", leg->party);
        final_answer(leg);
        cr_assert_not_null(effect->description);
        leg->answered = true;
    } else if (effect->kind == EFFECT_PROGRESS) {
        TRACE(world, "progress %s %d\n", leg->party, effect->status);
        cr_assert(leg->inbound && !leg->final);
        cr_assert_eq(effect->status == 183, effect->description != NULL);
    } else {
        TRACE(world, "answer_reoffer %s %d\n", leg->party, effect->status);
        cr_assert_eq(effect->status == 200, effect->description != NULL);
        cr_assert_not(leg->over);
    }
}

static void do_dial(struct world *world, const struct effect *effect, struct world_leg *leg)
{
    TRACE(world, "dial %s\n", leg->party);
    cr_assert(!leg->inbound && !leg->dialed && leg->stream_open);
    cr_assert_gt(effect->dial.ring_timeout_us, 0);
    cr_assert_eq(effect->dial.leg, effect->leg);
    cr_assert_not_null(effect->dial.offer);
    world->said = *effect->dial.offer;
    leg->dialed = true;
}

/* Media. */

static void do_open_stream(struct world *world, struct step *step, const struct effect *effect)
{
    const struct leg *known = bridge_find_leg(world->bridge, effect->leg);
    cr_assert_not_null(known);
    struct world_leg *leg = leg_of(world, effect->leg);

    if (!leg) {
        leg = add_leg(world, effect->leg, leg_party(known));
    }
    cr_assert_not(leg->stream_open);
    if (world->no_ports) {
        leg->over = !leg->inbound;
        bridge_stream_refused(world->bridge, step, effect->leg);
        return;
    }
    leg->stream_open = true;
    bridge_stream_opened(world->bridge, step, effect->leg, 20000 + 2 * (int)world->leg_count);
}

static void do_media(struct world *world, const struct effect *effect, struct world_leg *leg)
{
    cr_assert(leg->stream_open, "media of %s without a stream", leg->party);
    if (effect->kind == EFFECT_SET_REMOTE) {
        TRACE(
            world, "media %s%s%s\n", leg->party, effect->agreed.send ? " send" : "",
            effect->agreed.receive ? " receive" : "");
        leg->has_remote = true;
    } else if (effect->kind == EFFECT_PLAY_WAIT_AUDIO) {
        TRACE(world, "play %s\n", leg->party);
        cr_assert_not(leg->playing);
        leg->playing = true;
    } else if (effect->kind == EFFECT_STOP_PLAYING) {
        TRACE(world, "stop %s\n", leg->party);
        leg->playing = false;
    } else {
        TRACE(world, "close %s\n", leg->party);
        leg->stream_open = false;
        leg->playing = false;
    }
}

static void do_conference(struct world *world, const struct effect *effect)
{
    if (effect->kind == EFFECT_OPEN_CONFERENCE) {
        world->open_conference = effect->conference;
        world->conferences_open++;
        return;
    }
    if (effect->kind == EFFECT_CLOSE_CONFERENCE) {
        TRACE(world, "close conference\n");
        cr_assert_gt(world->conferences_open, 0);
        world->conferences_open--;
        return;
    }
    TRACE(world, "plan");
    cr_assert_eq(effect->member_count, 2);
    for (size_t i = 0; i < effect->member_count; i++) {
        const struct world_leg *leg = leg_of(world, effect->members[i].leg);
        TRACE(world, " %s", leg->party);
        cr_assert(leg->stream_open);
        cr_assert_eq(effect->members[i].hears, UINT64_C(2) >> i, "each hears the other");
    }
    TRACE(world, "\n");
}

static void carry_out(struct world *world, struct step *step, const struct effect *effect)
{
    struct world_leg *leg = leg_of(world, effect->leg);

    switch (effect->kind) {
    case EFFECT_OPEN_STREAM:
        do_open_stream(world, step, effect);
        break;
    case EFFECT_SET_REMOTE:
    case EFFECT_PLAY_WAIT_AUDIO:
    case EFFECT_STOP_PLAYING:
    case EFFECT_CLOSE_STREAM:
        do_media(world, effect, leg);
        break;
    case EFFECT_OPEN_CONFERENCE:
    case EFFECT_SET_PLAN:
    case EFFECT_CLOSE_CONFERENCE:
        do_conference(world, effect);
        break;
    case EFFECT_PROGRESS:
    case EFFECT_ANSWER:
    case EFFECT_ANSWER_REOFFER:
        do_describe(world, effect, leg);
        break;
    case EFFECT_REFUSE:
    case EFFECT_CANCEL:
    case EFFECT_HANG_UP:
        do_end_leg(world, effect, leg);
        break;
    case EFFECT_DIAL:
        do_dial(world, effect, leg);
        break;
    case EFFECT_REPORT:
        do_report(world, &effect->report);
        break;
    case EFFECT_NOTE:
        break;
    }
}

static struct step new_step(struct world *world)
{
    struct step step = {
        .now_us = world->now_us,
        .wall_us = SECONDS(1700000000) + world->now_us,
        .arena = world->arena,
    };

    memset(step.random, ++world->chance, sizeof(step.random));
    arena_reset(world->arena);
    return step;
}

static void finish_step(struct world *world, struct step *step)
{
    for (const struct effect *effect = step->first; effect; effect = effect->next) {
        carry_out(world, step, effect);
    }
    world_check(world);
}

/* Events. */

struct session_description world_session(enum media_direction direction)
{
    return (struct session_description){
        .session_id = 77,
        .version = 1,
        .address = "192.0.2.1",
        .port = 4000,
        .direction = direction,
        .formats = {{CODEC_PCMA, 8}, {CODEC_PCMU, 0}},
        .format_count = 2,
        .telephone_event_payload_type = 101,
        .ptime_ms = 20,
        .media_count = 1,
    };
}

void world_signal(struct world *world, const struct signalling_event *event)
{
    struct step step = new_step(world);

    bridge_handle_signalling(world->bridge, &step, event);
    finish_step(world, &step);
}

void world_invite_event(struct world *world, struct signalling_event *event)
{
    char dialog[32];

    (void)snprintf(dialog, sizeof(dialog), "dialog%d", ++world->next_inbound);
    event->kind = SIGNALLING_INVITED;
    event->leg = SIGNALLING_FIRST_INBOUND_LEG + world->next_inbound;
    event->phrase = "";
    event->source_address = event->source_address ? event->source_address : "192.0.2.1";
    event->source_port = 5060;
    event->caller_number = "+4989555";
    event->caller_display_name = "Ada";
    event->sip_call_id = event->sip_call_id ? event->sip_call_id : dialog;
    event->from_tag = "tag";
    event->contact_uri = "sip:ada@192.0.2.1";
    add_leg(world, event->leg, "caller");
    world_signal(world, event);
    event->sip_call_id = NULL;
}

int64_t world_invite(struct world *world, const char *called_number)
{
    struct session_description offer = world_session(DIRECTION_SENDRECV);
    struct signalling_event event = {.called_number = called_number, .description = &offer};

    world_invite_event(world, &event);
    return event.leg;
}

void world_invite_late_offer(struct world *world, const char *called_number)
{
    struct signalling_event event = {.called_number = called_number};

    world_invite_event(world, &event);
}

static void leg_event(
    struct world *world,
    const char *party,
    enum signalling_event_kind kind,
    int status,
    const struct session_description *description)
{
    const struct world_leg *leg = world_find_leg(world, party);

    world_signal(
        world, &(struct signalling_event){
                   .kind = kind,
                   .leg = leg->number,
                   .status = status,
                   .phrase = "",
                   .description = description,
               });
}

void world_cancel(struct world *world, const char *party)
{
    struct world_leg *leg = world_find_leg(world, party);

    leg->final = true;
    leg->over = true;
    leg_event(world, party, SIGNALLING_CANCELED, 0, NULL);
}

void world_ack(struct world *world, const char *party, const struct session_description *answer)
{
    leg_event(world, party, SIGNALLING_ACKNOWLEDGED, 0, answer);
}

void world_bye(struct world *world, const char *party, int status)
{
    world_find_leg(world, party)->over = true;
    leg_event(world, party, SIGNALLING_HUNG_UP, status, NULL);
}

void world_ring(struct world *world, const char *party)
{
    leg_event(world, party, SIGNALLING_PROGRESS, 180, NULL);
}

void world_answer_with(
    struct world *world,
    const char *party,
    const struct session_description *answer)
{
    struct world_leg *leg = world_find_leg(world, party);

    leg->answered = true;
    leg->final = true;
    leg_event(world, party, SIGNALLING_ANSWERED, 200, answer);
}

void world_answer(struct world *world, const char *party)
{
    struct session_description answer = world_session(DIRECTION_SENDRECV);

    world_answer_with(world, party, &answer);
}

void world_fail(struct world *world, const char *party, int status)
{
    struct world_leg *leg = world_find_leg(world, party);

    leg->over = true;
    leg->final = true;
    leg_event(world, party, SIGNALLING_FAILED, status, NULL);
}

void world_reoffer(struct world *world, const char *party, const struct session_description *offer)
{
    leg_event(world, party, SIGNALLING_REOFFERED, 0, offer);
}

static void instruct(struct world *world, const struct instruction *instruction)
{
    struct step step = new_step(world);

    bridge_handle_instruction(world->bridge, &step, instruction);
    finish_step(world, &step);
}

static struct instruction instruction_of(const struct world *world, enum instruction_kind kind)
{
    return (struct instruction){
        .kind = kind,
        .workspace_id = "acme",
        .call_id = world->call_id,
        .task_id = "t1",
        .reservation_id = "",
        .worker_id = "",
        .contact_uri = "",
        .reason = "",
    };
}

void world_enqueued(struct world *world)
{
    struct instruction instruction = instruction_of(world, INSTRUCTION_CALL_ENQUEUED);

    instruct(world, &instruction);
}

void world_dial(struct world *world, const char *reservation, const char *worker)
{
    struct instruction instruction = instruction_of(world, INSTRUCTION_DIAL_WORKER);
    const struct call *call = bridge_find_call(world->bridge, world->call_id);

    instruction.reservation_id = reservation;
    instruction.worker_id = worker;
    instruction.contact_uri = "sip:worker@192.0.2.50";
    instruction.ring_timeout_us = SECONDS(20);
    if (call && call->state != CALL_ENDING && strcmp(call->last_reservation_id, reservation) != 0) {
        cr_assert_lt(world->reservation_count, WORLD_RESERVATIONS_MAX);
        struct world_reservation *known = &world->reservations[world->reservation_count++];
        (void)snprintf(known->id, sizeof(known->id), "%s", reservation);
        (void)snprintf(known->call_id, sizeof(known->call_id), "%s", world->call_id);
    }
    instruct(world, &instruction);
}

void world_release_worker(struct world *world, const char *reservation)
{
    struct instruction instruction = instruction_of(world, INSTRUCTION_RELEASE_WORKER);

    instruction.reservation_id = reservation;
    instruct(world, &instruction);
}

void world_release_call(struct world *world, const char *reason, int status)
{
    struct instruction instruction = instruction_of(world, INSTRUCTION_RELEASE_CALL);

    instruction.reason = reason;
    instruction.sip_status = status;
    instruct(world, &instruction);
}

void world_advance(struct world *world, int64_t by_us)
{
    int64_t until_us = world->now_us + by_us;

    while (bridge_next_deadline_us(world->bridge) <= until_us) {
        world->now_us = bridge_next_deadline_us(world->bridge);
        struct step step = new_step(world);
        bridge_run_deadlines(world->bridge, &step);
        finish_step(world, &step);
    }
    world->now_us = until_us;
}

void world_hang_up(struct world *world)
{
    struct step step = new_step(world);

    (void)bridge_hang_up_call(world->bridge, &step, world->call_id);
    finish_step(world, &step);
}

void world_end_all(struct world *world)
{
    struct step step = new_step(world);

    bridge_end_all(world->bridge, &step);
    finish_step(world, &step);
}

const char *world_state(const struct world *world)
{
    const struct call *call = bridge_find_call(world->bridge, world->call_id);

    return call ? call_state_name(call->state) : "none";
}
