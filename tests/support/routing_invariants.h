/* What holds between any two steps of the routing engine, whatever happened. */
#ifndef TESTS_SUPPORT_ROUTING_INVARIANTS_H
#define TESTS_SUPPORT_ROUTING_INVARIANTS_H

struct world;

/* Asserts: no capacity is exceeded, no task has two live reservations, states of tasks and
 * reservations fit together, every state that waits has a deadline and none is overdue by more than
 * the step under way, nobody waits for a worker who is free (a sweep finds nothing to mend). */
void check_invariants(struct world *world);

/* Asserts that the engine holds what the store holds, and that another one loaded from the store is
 * the same in every row, line, membership and deadline. */
void check_reload(struct world *world);

#endif
