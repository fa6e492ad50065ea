/* What time brings about. */
#ifndef ROUTING_OPERATIONS_RUN_DEADLINE_H
#define ROUTING_OPERATIONS_RUN_DEADLINE_H

#include <stdbool.h>

struct engines;
struct step;

/* Runs the first deadline, which must be due at the step's time and be of the step's workspace (see
 * engines_next_deadline in engine.h): one deadline is one step. False when none is due there; then
 * the step is empty. A stale one changes nothing. */
bool engines_run_deadline(struct engines *engines, struct step *step);

#endif
