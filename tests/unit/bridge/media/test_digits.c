#include <criterion/criterion.h>

#include "services/bridge/media/digits.h"
#include "services/bridge/media/rtp.h"

static struct digits digits;
static struct digit_reports reports;

static void fresh(void)
{
    digits = (struct digits){.known = false};
}

TestSuite(digits, .init = fresh);

static bool receive(uint32_t timestamp, uint8_t code, uint16_t duration, bool end)
{
    const struct rtp_event event = {.code = code, .duration = duration, .end = end};

    return digits_receive(&digits, timestamp, &event, 0, &reports);
}

Test(digits, one_digit_starts_once_and_ends_once)
{
    cr_assert(receive(1000, 5, 160, false));
    cr_assert_eq(reports.count, 1);
    cr_assert(reports.list[0].started);
    cr_assert_eq(reports.list[0].code, 5);
    cr_assert(receive(1000, 5, 320, false));
    cr_assert_eq(reports.count, 0);
    cr_assert(receive(1000, 5, 800, true));
    cr_assert_eq(reports.count, 1);
    cr_assert_not(reports.list[0].started);
    cr_assert_eq(reports.list[0].duration, 800);
    /* The two repetitions of the end are passed on, but tell nothing. */
    cr_assert(receive(1000, 5, 800, true));
    cr_assert_eq(reports.count, 0);
    cr_assert(receive(1000, 5, 800, true));
    cr_assert_eq(reports.count, 0);
}

Test(digits, the_same_digit_twice_is_two_digits)
{
    (void)receive(1000, 5, 800, true);
    (void)receive(3000, 5, 160, false);
    cr_assert_eq(reports.count, 1);
    cr_assert(reports.list[0].started);
}

Test(digits, a_digit_of_which_only_the_end_arrived_starts_and_ends)
{
    (void)receive(1000, 11, 800, true);
    cr_assert_eq(reports.count, 2);
    cr_assert(reports.list[0].started);
    cr_assert_not(reports.list[1].started);
    cr_assert_eq(reports.list[1].duration, 800);
}

Test(digits, a_new_digit_ends_the_one_whose_end_was_lost)
{
    (void)receive(1000, 1, 480, false);
    (void)receive(3000, 2, 160, true);
    cr_assert_eq(reports.count, 3);
    cr_assert_not(reports.list[0].started);
    cr_assert_eq(reports.list[0].code, 1);
    cr_assert_eq(reports.list[0].duration, 480);
    cr_assert(reports.list[1].started);
    cr_assert_eq(reports.list[1].code, 2);
    cr_assert_not(reports.list[2].started);
}

Test(digits, an_old_packet_is_not_passed_on)
{
    (void)receive(3000, 2, 160, false);
    cr_assert_not(receive(1000, 1, 800, true));
    cr_assert_eq(reports.count, 0);
}

Test(digits, the_longest_duration_counts_when_packets_come_out_of_order)
{
    (void)receive(1000, 1, 480, false);
    (void)receive(1000, 1, 320, false);
    (void)receive(1000, 1, 480, true);
    cr_assert_eq(reports.list[0].duration, 480);
}

Test(digits, a_long_digit_goes_on_in_a_new_segment)
{
    (void)receive(1000, 1, 0xffff, false);
    (void)receive(1000 + 0xffff, 1, 160, false);
    cr_assert_eq(reports.count, 0);
    (void)receive(1000 + 0xffff, 1, 320, true);
    cr_assert_eq(reports.count, 1);
    cr_assert_eq(reports.list[0].duration, 0xffff + 320);
}

Test(digits, a_digit_whose_end_is_lost_ends_after_a_silence)
{
    (void)receive(1000, 7, 400, false);
    digits_expire(&digits, DIGITS_SILENCE_US, &reports);
    cr_assert_eq(reports.count, 0);
    digits_expire(&digits, DIGITS_SILENCE_US + 1, &reports);
    cr_assert_eq(reports.count, 1);
    cr_assert_eq(reports.list[0].duration, 400);
    digits_expire(&digits, INT64_MAX, &reports);
    cr_assert_eq(reports.count, 0);
}

Test(digits, silence_before_the_first_digit_tells_nothing)
{
    digits_expire(&digits, INT64_MAX, &reports);
    cr_assert_eq(reports.count, 0);
}
