/* Who hears whom, with real sockets. Each check that somebody is heard has a twin that must fail:
 * the same check with that direction shut. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/error/error.h"
#include "tests/integration/bridge/media/media_world.h"

static struct world world;
static struct error err;

static void start(void)
{
    struct media_options options = world_options();

    world_start(&world, &options);
}

static void stop(void)
{
    world_stop(&world);
}

TestSuite(conference, .init = start, .fini = stop, .timeout = 60);

static const double tones[] = {440, 1000, 1700};

static void add_callers(struct caller *callers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct rtp_party_options options = {.tone_hz = tones[i]};

        world_add_caller(&world, &callers[i], &options);
    }
}

static void set_plan(uint64_t id, const struct caller *callers, const uint64_t *masks, size_t count)
{
    struct media_member members[MEDIA_MEMBERS_MAX];

    for (size_t i = 0; i < count; i++) {
        members[i] = (struct media_member){callers[i].stream_id, masks[i]};
    }
    cr_assert(media_conference_set_plan(world.media, id, members, count, &err), "%s", err.message);
}

Test(conference, two_parties_hear_each_other_and_not_themselves)
{
    struct caller callers[2];

    add_callers(callers, 2);
    (void)world_confer(&world, callers, 2);
    cr_assert(hears(&callers[0], &callers[1]));
    cr_assert(hears(&callers[1], &callers[0]));
    cr_assert(does_not_hear(&callers[0], &callers[0]));
    cr_assert(does_not_hear(&callers[1], &callers[1]));
}

Test(conference, a_muted_party_is_not_heard_but_hears)
{
    struct caller callers[2];

    add_callers(callers, 2);
    set_plan(media_conference_open(world.media), callers, (const uint64_t[]){2, 0}, 2);
    cr_assert(hears(&callers[0], &callers[1]));
    cr_assert_not(hears(&callers[1], &callers[0]));
}

Test(conference, parties_that_are_in_no_conference_hear_nobody)
{
    struct caller callers[2];

    add_callers(callers, 2);
    cr_assert_not(hears(&callers[0], &callers[1]));
    cr_assert_gt(world_statistics(&world, callers[0].stream_id).packets_out, 50);
}

Test(conference, three_parties_hear_the_other_two)
{
    struct caller callers[3];

    add_callers(callers, 3);
    (void)world_confer(&world, callers, 3);
    for (size_t i = 0; i < 3; i++) {
        for (size_t other = 0; other < 3; other++) {
            cr_assert(
                i == other ? does_not_hear(&callers[i], &callers[i])
                           : hears(&callers[i], &callers[other]));
        }
    }
}

Test(conference, a_whisper_is_heard_by_one_and_a_monitor_by_nobody)
{
    struct caller callers[3];

    add_callers(callers, 3);
    /* 0 is the caller, 1 the worker, 2 the supervisor, who whispers to the worker. */
    uint64_t id = media_conference_open(world.media);

    set_plan(id, callers, (const uint64_t[]){2, 5, 3}, 3);
    cr_assert(hears(&callers[1], &callers[2]));
    cr_assert(hears(&callers[2], &callers[0]));
    cr_assert(hears(&callers[2], &callers[1]));
    cr_assert(does_not_hear(&callers[0], &callers[2]));
    /* Now the supervisor only listens. */
    set_plan(id, callers, (const uint64_t[]){2, 1, 3}, 3);
    cr_assert(does_not_hear(&callers[1], &callers[2]));
    cr_assert(hears(&callers[2], &callers[0]));
}

Test(conference, the_two_laws_talk_to_each_other)
{
    struct caller callers[2];
    const struct rtp_party_options ulaw = {.tone_hz = 440};
    const struct rtp_party_options alaw = {.tone_hz = 1000, .codec = MEDIA_PCMA, .payload_type = 8};

    world_add_caller(&world, &callers[0], &ulaw);
    world_add_caller(&world, &callers[1], &alaw);
    (void)world_confer(&world, callers, 2);
    cr_assert(hears(&callers[0], &callers[1]));
    cr_assert(hears(&callers[1], &callers[0]));
}

Test(conference, who_leaves_is_not_heard_any_more_and_hears_nobody)
{
    struct caller callers[3];

    add_callers(callers, 3);
    uint64_t id = world_confer(&world, callers, 3);

    cr_assert(hears(&callers[0], &callers[2]));
    set_plan(id, callers, (const uint64_t[]){2, 1}, 2);
    cr_assert(does_not_hear(&callers[0], &callers[2]));
    cr_assert(does_not_hear(&callers[2], &callers[0]));
    cr_assert(hears(&callers[0], &callers[1]));
}

Test(conference, a_stream_that_closes_leaves_the_others_talking)
{
    struct caller callers[3];

    add_callers(callers, 3);
    (void)world_confer(&world, callers, 3);
    cr_assert(hears(&callers[1], &callers[2]));
    media_stream_close(world.media, callers[0].stream_id);
    cr_assert(does_not_hear(&callers[1], &callers[0]));
    cr_assert(hears(&callers[1], &callers[2]));
    cr_assert(hears(&callers[2], &callers[1]));
}

Test(conference, members_of_a_closed_conference_go_on_alone_and_may_join_another)
{
    struct caller callers[2];

    add_callers(callers, 2);
    uint64_t id = world_confer(&world, callers, 2);

    cr_assert(hears(&callers[0], &callers[1]));
    media_conference_close(world.media, id);
    cr_assert(does_not_hear(&callers[0], &callers[1]));
    (void)world_confer(&world, callers, 2);
    cr_assert(hears(&callers[0], &callers[1]));
}

Test(conference, a_plan_that_cannot_be_is_refused_and_the_old_one_stays)
{
    struct caller callers[3];
    struct media_member twice[2];

    add_callers(callers, 3);
    uint64_t id = world_confer(&world, callers, 2);
    uint64_t other = media_conference_open(world.media);
    const struct media_member taken = {.stream_id = callers[0].stream_id};
    const struct media_member unknown = {.stream_id = 999999};

    cr_assert_not(media_conference_set_plan(world.media, other, &taken, 1, &err));
    cr_assert_eq(err.reason, REASON_STATE_FORBIDS);
    cr_assert_not(media_conference_set_plan(world.media, id, &unknown, 1, &err));
    cr_assert_eq(err.reason, REASON_NOT_FOUND);
    twice[0] = twice[1] = (struct media_member){.stream_id = callers[2].stream_id};
    cr_assert_not(media_conference_set_plan(world.media, other, twice, 2, &err));
    cr_assert_eq(err.reason, REASON_FIELD_INVALID);
    cr_assert_not(media_conference_set_plan(world.media, 999999, &taken, 1, &err));
    cr_assert_eq(err.reason, REASON_NOT_FOUND);
    cr_assert(hears(&callers[0], &callers[1]));
}

/* --- digits --- */

static bool received_digits(struct rtp_party *party, const char *digits)
{
    struct rtp_party_report report;

    for (int i = 0; i < SOON_MS / 10; i++) {
        rtp_party_get_report(party, &report);
        if (strcmp(report.digits, digits) == 0) {
            return true;
        }
        (void)poll(NULL, 0, 10);
    }
    return false;
}

Test(conference, digits_are_passed_on_in_the_payload_type_of_the_listener)
{
    struct caller callers[2];
    const struct rtp_party_options one = {.tone_hz = 440, .event_payload_type = 101};
    const struct rtp_party_options other = {.tone_hz = 1000, .event_payload_type = 96};
    struct rtp_party_report report;

    world_add_caller(&world, &callers[0], &one);
    world_add_caller(&world, &callers[1], &other);
    (void)world_confer(&world, callers, 2);
    cr_assert(hears(&callers[1], &callers[0]));
    rtp_party_dial(callers[0].party, '4', 100);
    rtp_party_dial(callers[0].party, '2', 140);
    rtp_party_dial(callers[0].party, '#', 100);
    cr_assert(received_digits(callers[1].party, "42#"));
    rtp_party_get_report(callers[1].party, &report);
    cr_assert_eq(report.digit_ms, 100);
    cr_assert_eq(report.missing, 0);
    cr_assert_eq(report.sources, 1);
    cr_assert_eq(report.foreign_events, 0);
    cr_assert(hears(&callers[1], &callers[0]));
}

Test(conference, digits_are_reported_with_their_length)
{
    struct caller callers[2];
    struct media_event event;

    add_callers(callers, 2);
    (void)world_confer(&world, callers, 2);
    cr_assert(hears(&callers[1], &callers[0]));
    rtp_party_dial(callers[0].party, '7', 120);
    cr_assert(world_wait_for_event(callers[0].stream_id, MEDIA_EVENT_DIGIT_STARTED, &event));
    cr_assert_eq(event.digit, '7');
    cr_assert(world_wait_for_event(callers[0].stream_id, MEDIA_EVENT_DIGIT_ENDED, &event));
    cr_assert_eq(event.digit, '7');
    cr_assert_eq(event.duration_ms, 120);
    cr_assert_not(world_has_event(callers[0].stream_id, MEDIA_EVENT_DIGIT_STARTED));
    cr_assert_not(world_has_event(callers[0].stream_id, MEDIA_EVENT_DIGIT_ENDED));
}

Test(conference, digits_of_a_muted_party_are_not_passed_on)
{
    struct caller callers[2];
    struct media_event event;

    add_callers(callers, 2);
    set_plan(media_conference_open(world.media), callers, (const uint64_t[]){2, 0}, 2);
    cr_assert(hears(&callers[0], &callers[1]));
    rtp_party_dial(callers[0].party, '1', 100);
    cr_assert(world_wait_for_event(callers[0].stream_id, MEDIA_EVENT_DIGIT_ENDED, &event));
    cr_assert_not(received_digits(callers[1].party, "1"));
}

/* --- prompts --- */

static struct media_prompt *tone_prompt(double period_samples, size_t count)
{
    int16_t *samples = calloc(count, sizeof(*samples));

    /* A square wave: its fundamental is what is looked for. */
    for (size_t i = 0; i < count; i++) {
        samples[i] = (int16_t)((size_t)((double)i * 2 / period_samples) % 2 == 0 ? 6000 : -6000);
    }

    struct media_prompt *prompt = media_prompt_new(samples, count);

    free(samples);
    return prompt;
}

Test(conference, the_one_on_hold_hears_the_prompt_and_the_other_does_not)
{
    struct caller callers[2];
    CLEANUP(media_prompt_unref_at_exit) struct media_prompt *prompt = tone_prompt(10, 800);
    const struct caller player = {.tone_hz = 800};

    add_callers(callers, 2);
    (void)world_confer(&world, callers, 2);
    cr_assert(hears(&callers[0], &callers[1]));
    cr_assert(media_stream_play(world.media, callers[0].stream_id, prompt, true, &err));
    cr_assert(hears(&callers[0], &player));
    cr_assert(does_not_hear(&callers[0], &callers[1]));
    cr_assert(does_not_hear(&callers[1], &player));
    media_stream_stop_playing(world.media, callers[0].stream_id);
    cr_assert(hears(&callers[0], &callers[1]));
    cr_assert(does_not_hear(&callers[0], &player));
}

/* --- several threads --- */

Test(conference_threads, streams_move_between_threads_and_back_without_losing_their_place)
{
    struct media_options options = world_options();
    struct caller callers[3];
    uint64_t ids[4];

    options.thread_count = 3;
    world_start(&world, &options);
    add_callers(callers, 3);
    for (size_t i = 0; i < 4; i++) {
        ids[i] = media_conference_open(world.media);
    }
    for (int round = 0; round < 200; round++) {
        uint64_t id = ids[round % 4];
        struct media_remote remote = world_remote(callers[round % 3].party, MEDIA_PCMU);

        set_plan(id, callers, (const uint64_t[]){6, 5, 3}, 3);
        world_set_remote(&world, callers[round % 3].stream_id, &remote);
        set_plan(id, callers, (const uint64_t[]){6, 5}, 2);
        set_plan(id, callers, NULL, 0);
    }
    set_plan(ids[1], callers, (const uint64_t[]){6, 5, 3}, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_assert(hears(&callers[i], &callers[(i + 1) % 3]));
        cr_assert(hears(&callers[i], &callers[(i + 2) % 3]));
    }
    world_stop(&world);
}

Test(conference_threads, stopping_in_the_middle_of_moves_leaves_nothing_behind)
{
    struct media_options options = world_options();
    struct caller callers[3];
    CLEANUP(media_prompt_unref_at_exit) struct media_prompt *prompt = tone_prompt(10, 800);

    options.thread_count = 3;
    for (int round = 0; round < 20; round++) {
        world_start(&world, &options);
        add_callers(callers, 3);
        uint64_t one = media_conference_open(world.media);
        uint64_t other = media_conference_open(world.media);

        set_plan(one, callers, (const uint64_t[]){6, 5, 3}, 3);
        cr_assert(media_stream_play(world.media, callers[1].stream_id, prompt, true, &err));
        media_conference_close(world.media, one);
        set_plan(other, callers, (const uint64_t[]){2, 1}, 2);
        media_stream_close(world.media, callers[0].stream_id);
        world_stop(&world);
    }
}
