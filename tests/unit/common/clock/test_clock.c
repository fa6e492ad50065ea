#include <criterion/criterion.h>

#include "common/clock/clock.h"

Test(clock, of_the_system_never_goes_back_and_knows_the_century)
{
    int64_t before = clock_mono_us(clock_system());

    cr_assert_geq(clock_mono_us(clock_system()), before);
    cr_assert_gt(clock_wall_us(clock_system()), INT64_C(1700000000000000));
}

Test(clock, of_a_test_stands_still_until_advanced)
{
    CLEANUP(clock_free_at_exit) struct clock *clock = clock_new_settable(1000, 7);

    cr_assert_eq(clock_wall_us(clock), 1000);
    cr_assert_eq(clock_mono_us(clock), 7);
    clock_advance(clock, 5);
    cr_assert_eq(clock_wall_us(clock), 1005);
    cr_assert_eq(clock_mono_us(clock), 12);
}

Test(clock, wall_may_jump_back_while_monotonic_time_stays)
{
    CLEANUP(clock_free_at_exit) struct clock *clock = clock_new_settable(1000, 7);

    clock_set_wall(clock, 3);
    cr_assert_eq(clock_wall_us(clock), 3);
    cr_assert_eq(clock_mono_us(clock), 7);
}
