#include <criterion/criterion.h>

#include "services/bridge/media/port_pool.h"

#define SECOND INT64_C(1000000)

static struct port_pool *pool_of(uint16_t first, uint16_t last)
{
    const struct port_pool_options options = {
        .first = first, .last = last, .cooldown_us = 30 * SECOND, .seed = 5};

    return port_pool_new(&options);
}

Test(port_pool, gives_each_even_port_once)
{
    CLEANUP(port_pool_free_at_exit) struct port_pool *pool = pool_of(20000, 20009);
    bool given[10] = {false};
    uint16_t port = 0;

    cr_assert_eq(port_pool_size(pool), 5);
    for (int i = 0; i < 5; i++) {
        cr_assert(port_pool_take(pool, 0, &port));
        cr_assert_eq(port % 2, 0);
        cr_assert(port >= 20000 && port <= 20008 && !given[port - 20000]);
        given[port - 20000] = true;
    }
    cr_assert_not(port_pool_take(pool, INT64_MAX, &port));
}

Test(port_pool, a_range_without_a_pair_is_empty)
{
    const uint16_t ranges[][2] = {
        {20001, 20002},
        {20000, 20000},
        {20004, 20001},
        {65535, 65535}
    };

    for (size_t i = 0; i < 4; i++) {
        CLEANUP(port_pool_free_at_exit)
        struct port_pool *pool = pool_of(ranges[i][0], ranges[i][1]);
        uint16_t port = 0;

        cr_assert_eq(port_pool_size(pool), 0);
        cr_assert_not(port_pool_take(pool, 0, &port));
    }
}

Test(port_pool, an_odd_first_port_is_skipped_and_the_last_pair_is_used)
{
    CLEANUP(port_pool_free_at_exit) struct port_pool *pool = pool_of(65531, 65535);
    uint16_t port = 0;

    cr_assert_eq(port_pool_size(pool), 2);
    cr_assert(port_pool_take(pool, 0, &port));
    cr_assert(port == 65532 || port == 65534);
}

Test(port_pool, a_returned_port_rests_until_its_time_to_the_microsecond)
{
    CLEANUP(port_pool_free_at_exit) struct port_pool *pool = pool_of(20000, 20001);
    uint16_t port = 0;

    cr_assert(port_pool_take(pool, 0, &port));
    port_pool_return(pool, port, 10 * SECOND);
    cr_assert_eq(port_pool_resting(pool, 10 * SECOND), 1);
    cr_assert_eq(port_pool_next_ready_us(pool), 40 * SECOND);
    cr_assert_not(port_pool_take(pool, 40 * SECOND - 1, &port));
    cr_assert_eq(port_pool_ready(pool, 40 * SECOND), 1);
    cr_assert(port_pool_take(pool, 40 * SECOND, &port));
    cr_assert_eq(port, 20000);
}

Test(port_pool, the_longest_rested_goes_first)
{
    CLEANUP(port_pool_free_at_exit) struct port_pool *pool = pool_of(20000, 20007);
    uint16_t taken[4];
    uint16_t port = 0;

    for (int i = 0; i < 4; i++) {
        cr_assert(port_pool_take(pool, 0, &taken[i]));
    }
    port_pool_return(pool, taken[2], 1 * SECOND);
    port_pool_return(pool, taken[0], 2 * SECOND);
    port_pool_return(pool, taken[3], 3 * SECOND);
    cr_assert_eq(port_pool_ready(pool, 32 * SECOND), 2);
    cr_assert_eq(port_pool_resting(pool, 32 * SECOND), 1);
    cr_assert(port_pool_take(pool, 32 * SECOND, &port));
    cr_assert_eq(port, taken[2]);
    cr_assert(port_pool_take(pool, 32 * SECOND, &port));
    cr_assert_eq(port, taken[0]);
    cr_assert_not(port_pool_take(pool, 32 * SECOND, &port));
}

Test(port_pool, the_seed_decides_the_first_round)
{
    struct port_pool_options options = {.first = 20000, .last = 20999, .seed = 1};
    CLEANUP(port_pool_free_at_exit) struct port_pool *one = port_pool_new(&options);
    options.seed = 2;
    CLEANUP(port_pool_free_at_exit) struct port_pool *other = port_pool_new(&options);
    int same = 0;

    for (int i = 0; i < 500; i++) {
        uint16_t first = 0;
        uint16_t second = 0;

        cr_assert(port_pool_take(one, 0, &first) && port_pool_take(other, 0, &second));
        same += first == second;
    }
    cr_assert_lt(same, 50);
}
