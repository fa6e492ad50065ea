/* Who gets what (design 3.4; rows 89 to 95). Matching looks, operations act.
 *
 * A task in a workflow target may go to a worker who serves the target's queue, can take a task of
 * its channel, fulfils the target's expression, is the known worker where one is named, and is not
 * kept away by an attempt of a moment ago. Tasks are served in one published order over all queues
 * (task_before); among workers the target's order_by counts, then the longest idle, then the id.
 */
#ifndef ROUTING_MATCHING_MATCHING_H
#define ROUTING_MATCHING_MATCHING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/routing/domain/objects.h"

struct engine;

/* Whether a worker may have a waiting task now. */
bool matching_may_take(const struct task *task, const struct worker *worker, int64_t now_us);

/* The worker that comes first for a waiting task; NULL when it has to wait. */
struct worker *matching_find_worker(struct task *task, int64_t now_us);

/* Whether there is a worker who may take from the line where this task waits, leaving aside whom
 * its tasks keep away. */
bool matching_line_open(const struct task *task);

/* The waiting task that comes first for a worker, over all its queues; NULL when there is none. */
struct task *matching_find_task(struct worker *worker, int64_t now_us);

/* Derives indexes again from the rows and mends what differs, and counts that; counts besides each
 * waiting task that somebody could have, of which there is never one after a step. Looks at no more
 * than `limit` records of each kind, going on where it stopped the last time; SIZE_MAX: at
 * everything. */
size_t matching_sweep(struct engine *engine, int64_t now_us, size_t limit);

#endif
