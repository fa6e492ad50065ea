#include <criterion/criterion.h>

#include "services/bridge/media/jitter_buffer.h"

static struct jitter_buffer buffer;

static void fresh(void)
{
    jitter_buffer_init(&buffer);
}

TestSuite(jitter_buffer, .init = fresh);

/* A packet whose samples are all `value`. */
static enum jitter_verdict put(uint32_t timestamp, int16_t value, size_t count)
{
    int16_t samples[2000];

    for (size_t i = 0; i < count; i++) {
        samples[i] = value;
    }
    return jitter_buffer_put(&buffer, timestamp, samples, count);
}

/* The one value of the next frame; -1: nothing to play; -2: not all the same. */
static int take(void)
{
    int16_t frame[FRAME_SAMPLES];

    if (!jitter_buffer_take(&buffer, frame)) {
        return -1;
    }
    for (size_t i = 1; i < FRAME_SAMPLES; i++) {
        if (frame[i] != frame[0]) {
            return -2;
        }
    }
    return frame[0];
}

Test(jitter_buffer, plays_in_order_after_the_target_delay)
{
    (void)put(1000, 1, 160);
    cr_assert_eq(take(), 0);
    (void)put(1160, 2, 160);
    cr_assert_eq(take(), 0);
    (void)put(1320, 3, 160);
    cr_assert_eq(take(), 1);
    cr_assert_eq(take(), 2);
    cr_assert_eq(take(), 3);
    cr_assert_eq(take(), -1);
}

Test(jitter_buffer, puts_packets_back_into_order_and_plays_silence_for_a_lost_one)
{
    (void)put(1000, 1, 160);
    (void)put(1640, 5, 160);
    (void)put(1320, 3, 160);
    (void)put(1160, 2, 160);
    cr_assert_eq(take(), 0);
    cr_assert_eq(take(), 0);
    cr_assert_eq(take(), 1);
    cr_assert_eq(take(), 2);
    cr_assert_eq(take(), 3);
    cr_assert_eq(take(), 0);
    cr_assert_eq(take(), 5);
    cr_assert_eq(take(), -1);
}

Test(jitter_buffer, refuses_what_is_late)
{
    (void)put(1000, 1, 160);
    (void)put(1320, 3, 160);
    for (int i = 0; i < 4; i++) {
        (void)take();
    }
    cr_assert_eq(put(1160, 2, 160), JITTER_LATE);
    cr_assert_eq(take(), 3);
    cr_assert_eq(put(1160, 2, 160), JITTER_LATE);
}

Test(jitter_buffer, takes_packets_of_any_length)
{
    (void)put(1000, 1, 80);
    (void)put(1080, 1, 80);
    (void)put(1160, 2, 320);
    (void)put(1480, 4, 240);
    (void)take();
    (void)take();
    cr_assert_eq(take(), 1);
    cr_assert_eq(take(), 2);
    cr_assert_eq(take(), 2);
    cr_assert_eq(take(), 4);
    cr_assert_eq(put(5000, 1, JITTER_PACKET_MAX + 1), JITTER_TOO_LONG);
}

Test(jitter_buffer, the_timestamp_wraps)
{
    (void)put(UINT32_MAX - 159, 1, 160);
    (void)put(0, 2, 160);
    (void)put(160, 3, 160);
    (void)take();
    (void)take();
    cr_assert_eq(take(), 1);
    cr_assert_eq(take(), 2);
    cr_assert_eq(take(), 3);
    cr_assert_eq(take(), -1);
}

Test(jitter_buffer, begins_anew_when_the_timestamp_jumps_either_way)
{
    (void)put(1000, 1, 160);
    cr_assert_eq(put(9000000, 7, 160), JITTER_KEPT);
    (void)take();
    (void)take();
    cr_assert_eq(take(), 7);
    cr_assert_eq(put(500, 8, 160), JITTER_KEPT);
    (void)take();
    (void)take();
    cr_assert_eq(take(), 8);
}

Test(jitter_buffer, waits_longer_after_a_packet_came_too_late)
{
    uint32_t before = buffer.target;

    (void)put(1000, 1, 160);
    while (take() != -1) {
    }
    (void)put(1160, 2, 160);
    cr_assert_eq(buffer.target, before + FRAME_SAMPLES);
    cr_assert_eq(jitter_buffer_depth(&buffer), buffer.target + 160);
}

Test(jitter_buffer, does_not_wait_longer_after_a_pause_of_the_sender)
{
    uint32_t before = buffer.target;

    (void)put(1000, 1, 160);
    while (take() != -1) {
    }
    (void)put(1000 + 8000, 2, 160);
    cr_assert_eq(buffer.target, before);
}

Test(jitter_buffer, the_target_has_a_limit)
{
    uint32_t timestamp = 0;

    for (int i = 0; i < 100; i++) {
        (void)put(timestamp, 1, 160);
        timestamp += 160;
        while (take() != -1) {
        }
    }
    cr_assert_eq(buffer.target, JITTER_TARGET_MAX);
}

Test(jitter_buffer, a_burst_after_a_stall_does_not_stay_as_delay)
{
    for (uint32_t i = 0; i < 30; i++) {
        (void)put(1000 + i * 160, 1, 160);
        cr_assert_leq(jitter_buffer_depth(&buffer), JITTER_DEPTH_MAX);
    }
}

/* Puts and takes in step for `frames` frames; returns how many takes found nothing. */
static int run(uint32_t *timestamp, int16_t value, int frames)
{
    int dry = 0;

    for (int i = 0; i < frames; i++) {
        (void)put(*timestamp, value, 160);
        *timestamp += 160;
        dry += take() == -1;
    }
    return dry;
}

Test(jitter_buffer, gives_back_delay_it_does_not_need_without_running_dry)
{
    uint32_t timestamp = 0;

    for (int i = 0; i < 8; i++) {
        (void)put(timestamp, 0, 160);
        timestamp += 160;
    }
    uint32_t deep = jitter_buffer_depth(&buffer);

    cr_assert_eq(run(&timestamp, 1, 30 * JITTER_WINDOW), 0);
    cr_assert_lt(jitter_buffer_depth(&buffer), deep - 6 * FRAME_SAMPLES);
    cr_assert_geq(jitter_buffer_depth(&buffer), JITTER_TARGET_MIN);
}

Test(jitter_buffer, leaves_out_a_loud_frame_only_when_no_quiet_one_comes)
{
    uint32_t timestamp = 0;

    for (int i = 0; i < 8; i++) {
        (void)put(timestamp, 8000, 160);
        timestamp += 160;
    }
    uint32_t deep = jitter_buffer_depth(&buffer);

    (void)run(&timestamp, 8000, JITTER_WINDOW + 5);
    cr_assert_eq(jitter_buffer_depth(&buffer), deep);
    (void)run(&timestamp, 8000, 260);
    cr_assert_lt(jitter_buffer_depth(&buffer), deep);
}
