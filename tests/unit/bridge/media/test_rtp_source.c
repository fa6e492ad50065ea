#include <criterion/criterion.h>

#include "services/bridge/media/rtp.h"
#include "services/bridge/media/rtp_source.h"

static enum rtp_arrival arrive_from(struct rtp_source *source, uint32_t ssrc, int sequence)
{
    const struct rtp_packet packet = {.ssrc = ssrc, .sequence = (uint16_t)sequence};

    return rtp_source_receive(source, &packet);
}

static enum rtp_arrival arrive(struct rtp_source *source, int sequence)
{
    return arrive_from(source, 1, sequence);
}

Test(rtp_source, counts_a_gap_as_lost_and_a_late_packet_as_found)
{
    struct rtp_source source = {.started = false};

    cr_assert_eq(arrive(&source, 10), RTP_ARRIVED_RESTARTED);
    cr_assert_eq(arrive(&source, 11), RTP_ARRIVED_NEW);
    cr_assert_eq(arrive(&source, 14), RTP_ARRIVED_NEW);
    cr_assert_eq(rtp_source_lost(&source), 2);
    cr_assert_eq(arrive(&source, 12), RTP_ARRIVED_NEW);
    cr_assert_eq(rtp_source_lost(&source), 1);
    cr_assert_eq(source.restarts, 0);
}

Test(rtp_source, knows_a_duplicate_in_order_and_out_of_order)
{
    struct rtp_source source = {.started = false};

    (void)arrive(&source, 10);
    (void)arrive(&source, 12);
    cr_assert_eq(arrive(&source, 12), RTP_ARRIVED_DUPLICATE);
    cr_assert_eq(arrive(&source, 10), RTP_ARRIVED_DUPLICATE);
    cr_assert_eq(arrive(&source, 11), RTP_ARRIVED_NEW);
    cr_assert_eq(arrive(&source, 11), RTP_ARRIVED_DUPLICATE);
    cr_assert_eq(source.duplicates, 3);
    cr_assert_eq(rtp_source_lost(&source), 0);
}

Test(rtp_source, the_sequence_number_wraps)
{
    struct rtp_source source = {.started = false};

    (void)arrive(&source, 65534);
    (void)arrive(&source, 65535);
    cr_assert_eq(arrive(&source, 1), RTP_ARRIVED_NEW);
    cr_assert_eq(rtp_source_lost(&source), 1);
    cr_assert_eq(arrive(&source, 0), RTP_ARRIVED_NEW);
    cr_assert_eq(rtp_source_lost(&source), 0);
    cr_assert_eq(arrive(&source, 65535), RTP_ARRIVED_DUPLICATE);
}

Test(rtp_source, one_stray_packet_does_not_restart_it_but_two_in_a_row_do)
{
    struct rtp_source source = {.started = false};

    (void)arrive(&source, 100);
    cr_assert_eq(arrive(&source, 40000), RTP_ARRIVED_STRAY);
    cr_assert_eq(arrive(&source, 101), RTP_ARRIVED_NEW);
    cr_assert_eq(arrive(&source, 40001), RTP_ARRIVED_STRAY);
    cr_assert_eq(arrive(&source, 40002), RTP_ARRIVED_RESTARTED);
    cr_assert_eq(arrive(&source, 40003), RTP_ARRIVED_NEW);
    cr_assert_eq(source.restarts, 1);
    cr_assert_eq(rtp_source_lost(&source), 0);
}

Test(rtp_source, another_ssrc_restarts_it_and_keeps_what_was_lost)
{
    struct rtp_source source = {.started = false};

    (void)arrive(&source, 100);
    (void)arrive(&source, 103);
    cr_assert_eq(arrive_from(&source, 2, 9), RTP_ARRIVED_RESTARTED);
    cr_assert_eq(arrive_from(&source, 2, 11), RTP_ARRIVED_NEW);
    cr_assert_eq(rtp_source_lost(&source), 3);
    cr_assert_eq(source.restarts, 1);
}

Test(rtp_source, even_packets_have_no_jitter_and_uneven_ones_have)
{
    struct rtp_source source = {.started = false};

    for (int i = 0; i < 100; i++) {
        rtp_source_measure_jitter(&source, (uint32_t)i * 160, i * INT64_C(20000), 8000);
    }
    cr_assert_eq(rtp_source_jitter_us(&source, 8000), 0);
    /* Every other packet 8 ms late: the difference is always 8 ms, and so becomes the jitter. */
    for (int i = 100; i < 400; i++) {
        rtp_source_measure_jitter(
            &source, (uint32_t)i * 160, i * INT64_C(20000) + (i % 2 == 0 ? 0 : 8000), 8000);
    }
    cr_assert_geq(rtp_source_jitter_us(&source, 8000), 7500);
    cr_assert_leq(rtp_source_jitter_us(&source, 8000), 8000);
}
