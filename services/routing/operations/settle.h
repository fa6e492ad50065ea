/* Settling: after each step, whoever can be matched now is. */
#ifndef ROUTING_OPERATIONS_SETTLE_H
#define ROUTING_OPERATIONS_SETTLE_H

struct work;

/* Between two steps no waiting task has a worker who could take it. So whatever pair is possible
 * now has a task or a worker that this step changed: only those are looked at. The task that comes
 * first in the published order is served first, by the worker who comes first for it, and so on
 * until nobody is left. */
void settle(struct work *work);

#endif
