/* Where time comes from: the system, or a clock that a test sets.
 *
 * Whoever needs the time is given a `const struct clock *`; the pure modules are given the time
 * itself. Two readings, both in microseconds and never to be mixed: wall time since the epoch (what
 * is stored and shown) and monotonic time (deadlines inside one process). Any thread may read any
 * clock, and set a settable one.
 */
#ifndef COMMON_CLOCK_CLOCK_H
#define COMMON_CLOCK_CLOCK_H

#include <stdint.h>

#include "common/base/attr.h"

struct clock;

/* The one clock of the machine. Not to be freed. */
const struct clock *clock_system(void);

int64_t clock_wall_us(const struct clock *clock);
int64_t clock_mono_us(const struct clock *clock);

/* A clock that stands still until it is told otherwise. */
struct clock *clock_new_settable(int64_t wall_us, int64_t mono_us);
struct clock *clock_free(struct clock *clock);
/* Moves both readings forward; `by_us` is not negative. */
void clock_advance(struct clock *clock, int64_t by_us);
/* Sets the wall alone, as an administrator or NTP may, backwards too. */
void clock_set_wall(struct clock *clock, int64_t wall_us);

DEFINE_CLEANUP(struct clock *, clock_free)

#endif
