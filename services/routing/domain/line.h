/* Lines: the waiting tasks of a queue, those together that are alike to every worker (design 3.4:
 * classes). A line exists while somebody waits in it.
 */
#ifndef ROUTING_DOMAIN_LINE_H
#define ROUTING_DOMAIN_LINE_H

#include "services/routing/domain/objects.h"

struct engine;

/* Puts a task that waits into its line, moves it when its place has changed, and takes one out that
 * does not wait. */
void line_place(struct engine *engine, struct task *task);
/* Takes it out; before its attributes, or its workflow's document, change. */
void line_leave(struct task *task);

/* In the published order. */
struct task *line_first(struct line *line);
struct task *line_next(struct task *task);

#endif
