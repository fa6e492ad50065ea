/* A task's walk through its workflow (reference part 4): the filter that matches, its targets one
 * after another, the next filter, the default filter, the end.
 *
 * Time-outs of targets are counted together on the filter's clock, which starts when the task
 * enters the filter: the second of two targets of 10 s ends 20 s after that, however the task got
 * there. A deadline that passes while a reservation is pending counts when the reservation fails.
 */
#ifndef ROUTING_OPERATIONS_WALK_H
#define ROUTING_OPERATIONS_WALK_H

struct task;
struct work;
struct workflow;

/* A PENDING task enters its workflow at the top. */
void walk_from_top(struct work *work, struct task *task);
/* A task that is PENDING again goes on where it was: in its target, or, when that one's time is
 * over or it no longer exists, in the next one. */
void walk_on(struct work *work, struct task *task);
/* The target's time is over. */
void walk_target_timed_out(struct work *work, struct task *task);
/* The workflow has a new document: every task that waits in it takes up its place there. Tasks have
 * left their lines before (walk_leave_lines). */
void walk_leave_lines(struct work *work, struct workflow *workflow);
void walk_new_document(struct work *work, struct workflow *workflow);

#endif
