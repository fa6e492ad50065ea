#include "common/clock/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/mem.h"

struct clock {
    _Atomic(int64_t) wall_us;
    _Atomic(int64_t) mono_us;
};

/* Told apart by its address; its fields are not used. */
static const struct clock system_clock;

static int64_t read_us(clockid_t id)
{
    struct timespec now = {0, 0};
    int result = clock_gettime(id, &now);

    assert(result == 0);
    (void)result;
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

const struct clock *clock_system(void)
{
    return &system_clock;
}

int64_t clock_wall_us(const struct clock *clock)
{
    return clock == &system_clock ? read_us(CLOCK_REALTIME) : atomic_load(&clock->wall_us);
}

int64_t clock_mono_us(const struct clock *clock)
{
    return clock == &system_clock ? read_us(CLOCK_MONOTONIC) : atomic_load(&clock->mono_us);
}

struct clock *clock_new_settable(int64_t wall_us, int64_t mono_us)
{
    struct clock *clock = mem_new(struct clock);

    atomic_init(&clock->wall_us, wall_us);
    atomic_init(&clock->mono_us, mono_us);
    return clock;
}

struct clock *clock_free(struct clock *clock)
{
    assert(clock != &system_clock);
    free(clock);
    return NULL;
}

void clock_advance(struct clock *clock, int64_t by_us)
{
    assert(clock != &system_clock && by_us >= 0);
    (void)atomic_fetch_add(&clock->wall_us, by_us);
    (void)atomic_fetch_add(&clock->mono_us, by_us);
}

void clock_set_wall(struct clock *clock, int64_t wall_us)
{
    assert(clock != &system_clock);
    atomic_store(&clock->wall_us, wall_us);
}
