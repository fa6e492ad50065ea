/* One stream and its party, with real sockets: ports, source, flow, prompts, statistics, load. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock/clock.h"
#include "common/error/error.h"
#include "tests/integration/bridge/media/media_world.h"

static struct world world;
static struct error err;

static void start(void)
{
    struct media_options options = world_options();

    options.watchdog_us = INT64_C(300000);
    options.relatch_us = INT64_C(600000);
    world_start(&world, &options);
}

static void stop(void)
{
    world_stop(&world);
}

TestSuite(stream, .init = start, .fini = stop, .timeout = 60);

static const struct rtp_party_options talker = {.tone_hz = 440};
static const struct rtp_party_options silent = {.mute = true};

/* --- start --- */

Test(media_start, refuses_settings_that_cannot_work_and_says_which)
{
    struct media_options options = media_default_options();
    struct media *media = NULL;

    options.bind_address = "localhost";
    cr_assert_not(media_start(&options, &media, &err));
    cr_assert_eq(err.reason, REASON_CONFIG_INVALID);
    cr_assert(strstr(err.message, "localhost"));
    options.bind_address = "0.0.0.0";
    cr_assert_not(media_start(&options, &media, &err));
    cr_assert(strstr(err.message, "advertise"));
    options = media_default_options();
    options.last_port = options.first_port;
    cr_assert_not(media_start(&options, &media, &err));
    options = media_default_options();
    options.thread_count = 0;
    cr_assert_not(media_start(&options, &media, &err));
    cr_assert_null(media);
}

Test(media_start, says_the_address_to_advertise)
{
    struct media_options options = world_options();
    struct media *media = NULL;

    options.bind_address = "0.0.0.0";
    options.advertised_address = "192.0.2.9";
    cr_assert(media_start(&options, &media, &err));
    cr_assert_str_eq(media_address(media), "192.0.2.9");
    media_stop(media);
}

/* --- ports --- */

static struct media_options one_port(int64_t cooldown_us)
{
    struct media_options options = world_options();

    options.last_port = (uint16_t)(options.first_port + 1);
    options.port_cooldown_us = cooldown_us;
    return options;
}

/* The stream closes on its own thread, so its port comes back a moment later. */
static bool port_rests(struct media *media)
{
    struct media_load load;

    for (int i = 0; i < SOON_MS; i++) {
        media_get_load(media, &load);
        if (load.ports_cooling == 1) {
            return true;
        }
        (void)poll(NULL, 0, 1);
    }
    return false;
}

Test(ports, a_closed_port_rests_and_the_refusal_says_for_how_long)
{
    struct media_options options = one_port(30 * INT64_C(1000000));
    struct media *media = NULL;
    uint64_t id = 0;
    uint16_t port = 0;

    cr_assert(media_start(&options, &media, &err));
    cr_assert(media_stream_open(media, &id, &port, &err), "%s", err.message);
    cr_assert_eq(port, options.first_port);
    cr_assert_not(media_stream_open(media, &id, &port, &err));
    cr_assert_eq(err.reason, REASON_MEDIA_PORTS_EXHAUSTED);
    cr_assert_eq(err.retry_delay_ms, 0);
    media_stream_close(media, id);
    cr_assert(port_rests(media));
    cr_assert_not(media_stream_open(media, &id, &port, &err));
    cr_assert_eq(err.reason, REASON_MEDIA_PORTS_EXHAUSTED);
    cr_assert(err.retry_delay_ms > 20000 && err.retry_delay_ms <= 30001);
    media_stop(media);
}

Test(ports, a_rested_port_is_used_again)
{
    struct media_options options = one_port(50000);
    struct media *media = NULL;
    uint64_t id = 0;
    uint16_t port = 0;
    bool opened = false;

    cr_assert(media_start(&options, &media, &err));
    cr_assert(media_stream_open(media, &id, &port, &err));
    media_stream_close(media, id);
    int64_t closed_us = clock_mono_us(clock_system());

    for (int i = 0; i < SOON_MS && !opened; i++) {
        opened = media_stream_open(media, &id, &port, &err);
        (void)poll(NULL, 0, 1);
    }
    cr_assert(opened);
    cr_assert_geq(clock_mono_us(clock_system()) - closed_us, 49000);
    media_stop(media);
}

Test(ports, a_port_that_another_program_holds_is_passed_over)
{
    struct media_options options = world_options();
    struct rtp_stage *stage = rtp_stage_start();
    struct rtp_party_options holder = {.port = options.first_port};
    struct media *media = NULL;
    uint64_t id = 0;
    uint16_t port = 0;

    options.last_port = (uint16_t)(options.first_port + 3);
    (void)rtp_party_open(stage, &holder);
    cr_assert(media_start(&options, &media, &err));
    cr_assert(media_stream_open(media, &id, &port, &err), "%s", err.message);
    cr_assert_eq(port, options.first_port + 2);
    media_stop(media);
    rtp_stage_stop(stage);
}

/* --- remote --- */

Test(stream, refuses_a_remote_that_cannot_be)
{
    struct caller caller;

    world_add_caller(&world, &caller, &talker);
    const struct media_remote good = world_remote(caller.party, MEDIA_PCMU);
    struct media_remote bad[5] = {good, good, good, good, good};

    bad[0].address = "example.org";
    bad[1].port = 0;
    bad[2].payload_type = 128;
    bad[3].event_payload_type = bad[3].payload_type;
    bad[4].address = "2001:db8::1";
    for (size_t i = 0; i < 5; i++) {
        cr_assert_not(
            media_stream_set_remote(world.media, caller.stream_id, &bad[i], &err), "%zu", i);
        cr_assert_eq(err.reason, REASON_FIELD_INVALID);
    }
    cr_assert_not(media_stream_set_remote(world.media, 999999, &good, &err));
    cr_assert_eq(err.reason, REASON_NOT_FOUND);
}

Test(stream, commands_for_a_closed_stream_do_nothing)
{
    struct caller caller;
    struct media_statistics statistics;

    world_add_caller(&world, &caller, &talker);
    media_stream_close(world.media, caller.stream_id);
    media_stream_close(world.media, caller.stream_id);
    media_stream_stop_playing(world.media, caller.stream_id);
    cr_assert_not(media_stream_get_statistics(world.media, caller.stream_id, &statistics));
}

Test(stream, sends_packets_of_the_length_agreed_on)
{
    const uint16_t lengths[] = {10, 20, 30, 40, 60};

    for (size_t i = 0; i < 5; i++) {
        struct caller caller;
        struct rtp_party_report report = {.packets_in = 0};

        world_add_caller(&world, &caller, &silent);
        struct media_remote remote = world_remote(caller.party, MEDIA_PCMU);

        remote.ptime_ms = lengths[i];
        world_set_remote(&world, caller.stream_id, &remote);
        while (report.heard_ms < 600) {
            rtp_party_get_report(caller.party, &report);
            (void)poll(NULL, 0, 5);
        }
        /* Those before the second set_remote took effect were of 20 ms. */
        int64_t expected = report.heard_ms / lengths[i];

        cr_assert_leq(llabs((int64_t)report.packets_in - expected), 3, "%u ms", lengths[i]);
        cr_assert_eq(report.missing, 0);
        media_stream_close(world.media, caller.stream_id);
    }
}

Test(stream, hears_packets_of_any_length)
{
    const unsigned lengths[] = {10, 30, 60};

    for (size_t i = 0; i < 3; i++) {
        struct caller callers[2];
        const struct rtp_party_options options = {.tone_hz = 1000, .ptime_ms = lengths[i]};

        world_add_caller(&world, &callers[0], &options);
        world_add_caller(&world, &callers[1], &talker);
        (void)world_confer(&world, callers, 2);
        cr_assert(hears(&callers[1], &callers[0]), "%u ms", lengths[i]);
        cr_assert_eq(world_statistics(&world, callers[0].stream_id).late, 0);
    }
}

Test(stream, hears_the_other_law_too_when_the_peer_sends_it)
{
    struct caller callers[2];
    const struct rtp_party_options alaw = {.tone_hz = 1000, .codec = MEDIA_PCMA, .payload_type = 8};

    world_add_caller(&world, &callers[0], &alaw);
    world_add_caller(&world, &callers[1], &talker);
    struct media_remote remote = world_remote(callers[0].party, MEDIA_PCMU);

    world_set_remote(&world, callers[0].stream_id, &remote);
    (void)world_confer(&world, callers, 2);
    cr_assert(hears(&callers[1], &callers[0]));
    cr_assert_eq(world_statistics(&world, callers[0].stream_id).invalid, 0);
}

Test(stream, a_packet_length_we_cannot_do_becomes_20_ms)
{
    struct caller caller;
    struct rtp_party_report report = {.packets_in = 0};

    world_add_caller(&world, &caller, &silent);
    struct media_remote remote = world_remote(caller.party, MEDIA_PCMU);

    remote.ptime_ms = 50;
    world_set_remote(&world, caller.stream_id, &remote);
    for (int i = 0; i < SOON_MS && report.packets_in < 20; i++) {
        rtp_party_get_report(caller.party, &report);
        (void)poll(NULL, 0, 1);
    }
    cr_assert_geq(report.packets_in, 20);
    cr_assert_eq(report.heard_ms, (int64_t)report.packets_in * 20);
}

Test(stream, sends_nothing_when_it_may_not)
{
    struct caller caller;
    struct media_event event;
    struct media_remote remote;

    world_add_caller(&world, &caller, &talker);
    cr_assert(world_wait_for_event(caller.stream_id, MEDIA_EVENT_FIRST_PACKET, &event));
    remote = world_remote(caller.party, MEDIA_PCMU);
    remote.send = false;
    world_set_remote(&world, caller.stream_id, &remote);
    cr_assert(rtp_party_waits_for_silence(caller.party, 0, -90, SOON_MS));

    uint64_t before = 0;
    uint64_t after = world_statistics(&world, caller.stream_id).packets_out;

    for (int i = 0; i < 20 && before != after; i++) {
        before = after;
        (void)poll(NULL, 0, 60);
        after = world_statistics(&world, caller.stream_id).packets_out;
    }
    cr_assert_eq(before, after);
}

/* --- prompts --- */

static struct media_prompt *square_wave(size_t count)
{
    int16_t *samples = calloc(count, sizeof(*samples));

    for (size_t i = 0; i < count; i++) {
        samples[i] = i / 5 % 2 == 0 ? 6000 : -6000; /* 800 Hz */
    }

    struct media_prompt *prompt = media_prompt_new(samples, count);

    free(samples);
    return prompt;
}

Test(stream, plays_a_prompt_over_and_over_until_it_is_stopped)
{
    struct caller caller;
    const struct caller player = {.tone_hz = 800};
    /* 75 ms, no whole number of frames: it must go on without a seam. */
    CLEANUP(media_prompt_unref_at_exit) struct media_prompt *prompt = square_wave(600);

    world_add_caller(&world, &caller, &talker);
    cr_assert_not(rtp_party_waits_to_hear(caller.party, 800, HEARD_DBFS, 600));
    cr_assert(media_stream_play(world.media, caller.stream_id, prompt, true, &err));
    cr_assert(hears(&caller, &player));
    (void)poll(NULL, 0, 700);
    cr_assert_geq(rtp_party_level(caller.party, 800), HEARD_DBFS);
    cr_assert_not(world_has_event(caller.stream_id, MEDIA_EVENT_PROMPT_ENDED));
    media_stream_stop_playing(world.media, caller.stream_id);
    cr_assert(does_not_hear(&caller, &player));
}

Test(stream, reports_the_end_of_a_prompt_that_plays_once)
{
    struct caller caller;
    struct media_event event;
    CLEANUP(media_prompt_unref_at_exit) struct media_prompt *prompt = square_wave(1000);

    world_add_caller(&world, &caller, &talker);
    cr_assert(media_stream_play(world.media, caller.stream_id, prompt, false, &err));
    cr_assert(world_wait_for_event(caller.stream_id, MEDIA_EVENT_PROMPT_ENDED, &event));
    cr_assert(rtp_party_waits_for_silence(caller.party, 800, UNHEARD_DBFS, SOON_MS));
}

/* --- source --- */

Test(stream, learns_the_source_answers_there_and_reports_it_once)
{
    struct caller caller;
    struct rtp_party *behind_nat = rtp_party_open(world.stage, &talker);
    struct media_event event;
    char expected[32];

    /* The SDP names a place where nobody listens. */
    world_add_caller(&world, &caller, &silent);
    rtp_party_call(behind_nat, "127.0.0.1", caller.port);
    cr_assert(world_wait_for_event(caller.stream_id, MEDIA_EVENT_SOURCE_CHANGED, &event));
    (void)snprintf(expected, sizeof(expected), "127.0.0.1:%u", rtp_party_port(behind_nat));
    cr_assert_str_eq(event.source, expected);
    cr_assert(world_wait_for_event(caller.stream_id, MEDIA_EVENT_FIRST_PACKET, &event));

    struct rtp_party_report report = {.packets_in = 0};

    for (int i = 0; i < SOON_MS && report.packets_in < 10; i++) {
        rtp_party_get_report(behind_nat, &report);
        (void)poll(NULL, 0, 1);
    }
    cr_assert_geq(report.packets_in, 10);
    cr_assert_not(world_has_event(caller.stream_id, MEDIA_EVENT_SOURCE_CHANGED));
}

Test(stream, a_stranger_who_comes_later_is_not_heard)
{
    struct caller callers[2];
    struct rtp_party_options options = {.tone_hz = 1700};
    const struct caller stranger = {
        .party = rtp_party_open(world.stage, &options), .tone_hz = 1700};
    struct media_event event;

    world_add_caller(&world, &callers[0], &talker);
    options.tone_hz = 1000;
    world_add_caller(&world, &callers[1], &options);
    (void)world_confer(&world, callers, 2);
    cr_assert(hears(&callers[1], &callers[0]));
    rtp_party_call(stranger.party, "127.0.0.1", callers[0].port);
    cr_assert_not(hears(&callers[1], &stranger));
    cr_assert(hears(&callers[1], &callers[0]));
    cr_assert(world_wait_for_event(callers[0].stream_id, MEDIA_EVENT_SOURCE_CHANGED, &event));
    cr_assert_not(world_has_event(callers[0].stream_id, MEDIA_EVENT_SOURCE_CHANGED));
}

Test(stream, another_source_takes_over_after_a_silence_and_after_a_new_remote)
{
    struct caller callers[2];
    struct rtp_party_options options = {.tone_hz = 1700};
    struct caller moved = {.party = rtp_party_open(world.stage, &options), .tone_hz = 1700};
    struct media_event event;

    world_add_caller(&world, &callers[0], &talker);
    options.tone_hz = 1000;
    world_add_caller(&world, &callers[1], &options);
    (void)world_confer(&world, callers, 2);
    cr_assert(hears(&callers[1], &callers[0]));
    cr_assert(world_wait_for_event(callers[0].stream_id, MEDIA_EVENT_SOURCE_CHANGED, &event));
    /* The NAT gives the peer another port: the old source falls silent, the new one talks. */
    rtp_party_set_mute(callers[0].party, true);
    rtp_party_call(moved.party, "127.0.0.1", callers[0].port);
    cr_assert(hears(&callers[1], &moved));
    cr_assert(world_wait_for_event(callers[0].stream_id, MEDIA_EVENT_SOURCE_CHANGED, &event));

    /* A re-INVITE names the old one again, and it counts at once. */
    struct media_remote remote = world_remote(callers[0].party, MEDIA_PCMU);

    remote.signalled_only = true;
    rtp_party_set_mute(callers[0].party, false);
    world_set_remote(&world, callers[0].stream_id, &remote);
    cr_assert(hears(&callers[1], &callers[0]));
    cr_assert(does_not_hear(&callers[1], &moved));
}

Test(stream, only_the_signalled_source_is_heard_when_so_agreed)
{
    struct caller callers[2];
    struct rtp_party_options options = {.tone_hz = 1700};
    const struct caller stranger = {
        .party = rtp_party_open(world.stage, &options), .tone_hz = 1700};

    world_add_caller(&world, &callers[0], &silent);
    world_add_caller(&world, &callers[1], &talker);
    struct media_remote remote = world_remote(callers[0].party, MEDIA_PCMU);

    remote.signalled_only = true;
    world_set_remote(&world, callers[0].stream_id, &remote);
    (void)world_confer(&world, callers, 2);
    rtp_party_call(stranger.party, "127.0.0.1", callers[0].port);
    cr_assert_not(hears(&callers[1], &stranger));
}

Test(wildcard, a_stream_bound_to_all_addresses_keeps_its_port_when_the_source_changes)
{
    struct media_options options = world_options();
    const struct rtp_party_options voice = {.tone_hz = 1700};
    struct caller callers[2];
    struct caller moved = {.tone_hz = 1700};
    struct media_event event;

    options.bind_address = "0.0.0.0";
    options.advertised_address = "127.0.0.1";
    options.relatch_us = INT64_C(400000);
    world_start(&world, &options);
    moved.party = rtp_party_open(world.stage, &voice);
    world_add_caller(&world, &callers[0], &talker);
    world_add_caller(&world, &callers[1], &silent);
    (void)world_confer(&world, callers, 2);
    cr_assert(hears(&callers[1], &callers[0]));
    cr_assert(world_wait_for_event(callers[0].stream_id, MEDIA_EVENT_SOURCE_CHANGED, &event));
    rtp_party_set_mute(callers[0].party, true);
    rtp_party_call(moved.party, "127.0.0.1", callers[0].port);
    cr_assert(hears(&callers[1], &moved));
    cr_assert(world_wait_for_event(callers[0].stream_id, MEDIA_EVENT_SOURCE_CHANGED, &event));
    world_stop(&world);
}

Test(ipv6, a_stream_on_an_ipv6_address_takes_an_ipv6_remote_and_no_other)
{
    struct media_options options = world_options();
    struct media_remote remote = {
        .address = "::1", .port = 4000, .event_payload_type = -1, .ptime_ms = 20};
    struct media *media = NULL;
    uint64_t id = 0;
    uint16_t port = 0;

    options.bind_address = "::1";
    if (!media_start(&options, &media, &err) || !media_stream_open(media, &id, &port, &err)) {
        media_stop(media);
        cr_skip_test("no IPv6 here: %s", err.message);
    }
    cr_assert(media_stream_set_remote(media, id, &remote, &err), "%s", err.message);
    remote.address = "127.0.0.1";
    cr_assert_not(media_stream_set_remote(media, id, &remote, &err));
    media_stop(media);
}

/* --- flow --- */

Test(stream, names_one_way_audio_and_its_end)
{
    struct caller caller;
    struct media_event event;

    world_add_caller(&world, &caller, &talker);
    cr_assert(world_wait_for_event(caller.stream_id, MEDIA_EVENT_FIRST_PACKET, &event));
    rtp_party_set_mute(caller.party, true);
    cr_assert(world_wait_for_event(caller.stream_id, MEDIA_EVENT_FLOW_CHANGED, &event));
    cr_assert(event.in_missing);
    cr_assert_not(event.out_missing);
    rtp_party_set_mute(caller.party, false);
    cr_assert(world_wait_for_event(caller.stream_id, MEDIA_EVENT_FLOW_CHANGED, &event));
    cr_assert_not(event.in_missing);
}

Test(stream, a_party_on_hold_is_not_missed)
{
    struct caller caller;
    struct media_event event;

    world_add_caller(&world, &caller, &talker);
    cr_assert(world_wait_for_event(caller.stream_id, MEDIA_EVENT_FIRST_PACKET, &event));
    struct media_remote remote = world_remote(caller.party, MEDIA_PCMU);

    remote.receive = false;
    world_set_remote(&world, caller.stream_id, &remote);
    rtp_party_set_mute(caller.party, true);
    cr_assert_not(world_wait_for_event(caller.stream_id, MEDIA_EVENT_FLOW_CHANGED, &event));
}

Test(stream, a_party_that_has_gone_is_a_socket_error_and_later_no_flow_out)
{
    struct media_event event;
    uint64_t id = 0;
    uint16_t port = 0;
    struct rtp_stage *stage = rtp_stage_start();
    struct media_remote remote = world_remote(rtp_party_open(stage, &silent), MEDIA_PCMU);

    cr_assert(media_stream_open(world.media, &id, &port, &err));
    remote.signalled_only = true; /* so that the socket is connected and hears the refusal */
    world_set_remote(&world, id, &remote);
    rtp_stage_stop(stage);
    cr_assert(world_wait_for_event(id, MEDIA_EVENT_SOCKET_ERROR, &event));
    cr_assert_eq(event.error_number, ECONNREFUSED);
    do {
        cr_assert(world_wait_for_event(id, MEDIA_EVENT_FLOW_CHANGED, &event));
    } while (!event.out_missing);
}

/* --- what is not audio --- */

Test(stream, rubbish_rtcp_and_unknown_payload_types_are_counted_and_not_answered)
{
    struct caller caller;
    struct media_event event;
    struct media_statistics statistics;
    const uint8_t stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    const uint8_t rtcp[28] = {0x80, 200, 0, 6};
    const uint8_t video[20] = {0x80, 97, 0, 1};

    world_add_caller(&world, &caller, &talker);
    cr_assert(world_wait_for_event(caller.stream_id, MEDIA_EVENT_FIRST_PACKET, &event));
    rtp_party_send_raw(caller.party, stun, sizeof(stun));
    rtp_party_send_raw(caller.party, video, sizeof(video));
    rtp_party_send_raw(caller.party, rtcp, sizeof(rtcp));
    rtp_party_send_raw(caller.party, "", 0);
    for (int i = 0; i < SOON_MS; i++) {
        statistics = world_statistics(&world, caller.stream_id);
        if (statistics.rtcp == 1 && statistics.invalid == 3) {
            break;
        }
        (void)poll(NULL, 0, 1);
    }
    cr_assert_eq(statistics.rtcp, 1);
    cr_assert_eq(statistics.invalid, 3);
    cr_assert_eq(statistics.lost, 0);
}

Test(stream, statistics_tell_levels_and_jitter)
{
    struct caller callers[2];
    struct media_statistics statistics = {.level_in_dbfs = -96};

    world_add_caller(&world, &callers[0], &talker);
    world_add_caller(&world, &callers[1], &silent);
    (void)world_confer(&world, callers, 2);
    for (int i = 0; i < SOON_MS / 10 && statistics.level_in_dbfs < -16; i++) {
        statistics = world_statistics(&world, callers[0].stream_id);
        (void)poll(NULL, 0, 10);
    }
    cr_assert_float_eq(statistics.level_in_dbfs, -15.2, 0.8);
    cr_assert_float_eq(statistics.level_out_dbfs, -96, 0.01);
    cr_assert_lt(statistics.jitter_us, 20000);
    cr_assert_gt(statistics.last_in_mono_us, 0);
    cr_assert_float_eq(world_statistics(&world, callers[1].stream_id).level_out_dbfs, -15.2, 3.0);
}

/* --- late --- */

enum {
    STALL_MS = 300
};

/* A handler that breaks the rule: it holds the media thread up, once. */
static void stall(void *context, const struct media_event *event)
{
    (void)context;
    if (event->type == MEDIA_EVENT_FIRST_PACKET) {
        (void)poll(NULL, 0, STALL_MS);
    }
}

Test(late, frames_that_are_too_late_are_left_out_and_not_sent_in_a_burst)
{
    struct media_options options = world_options();
    struct caller caller;
    struct rtp_party_report report = {.packets_in = 0};
    struct media_load load;

    options.on_event = stall;
    world_start(&world, &options);
    world_add_caller(&world, &caller, &talker);
    do {
        (void)poll(NULL, 0, 5);
        rtp_party_get_report(caller.party, &report);
    } while (report.heard_ms < 1000);
    media_get_load(world.media, &load);
    /* All but two of the frames of the stall; a step more or less, for the machine's own delays. */
    cr_assert_geq(load.late_ticks, (STALL_MS - 10) / 5);
    cr_assert_geq(load.skipped_frames, STALL_MS / 20 - 4);
    cr_assert_eq(report.missing, 0);
    cr_assert_geq(report.heard_ms / 20 - (int64_t)report.packets_in, STALL_MS / 20 - 4);
    world_stop(&world);
}

/* --- load --- */

Test(load, two_hundred_streams_talk_in_pairs_without_loss)
{
    enum {
        STREAMS = 200
    };
    struct media_options options = world_options();
    static struct caller callers[STREAMS];
    struct media_load load;

    options.thread_count = 2;
    world_start(&world, &options);
    for (size_t i = 0; i < STREAMS; i++) {
        const struct rtp_party_options party = {.tone_hz = i % 2 == 0 ? 440 : 1000};

        world_add_caller(&world, &callers[i], &party);
    }
    for (size_t i = 0; i < STREAMS; i += 2) {
        (void)world_confer(&world, &callers[i], 2);
    }
    for (size_t i = 0; i < STREAMS; i++) {
        cr_assert(hears(&callers[i], &callers[i ^ 1]), "%zu", i);
    }
    for (size_t i = 0; i < STREAMS; i++) {
        struct rtp_party_report report;
        struct media_statistics statistics = world_statistics(&world, callers[i].stream_id);

        for (int waited = 0; waited < SOON_MS / 10 && statistics.packets_in <= 20; waited++) {
            (void)poll(NULL, 0, 10);
            statistics = world_statistics(&world, callers[i].stream_id);
        }
        rtp_party_get_report(callers[i].party, &report);
        cr_assert_eq(report.missing, 0);
        cr_assert_eq(report.sources, 1);
        cr_assert_eq(statistics.lost, 0);
        cr_assert_gt(statistics.packets_in, 20);
    }
    media_get_load(world.media, &load);
    cr_assert_eq(load.streams, STREAMS);
    cr_assert_eq(load.conferences, STREAMS / 2);
    world_stop(&world);
}
