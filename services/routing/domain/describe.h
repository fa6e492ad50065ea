/* Makes views: what clients and events get to see of an object (view.h). */
#ifndef ROUTING_DOMAIN_DESCRIBE_H
#define ROUTING_DOMAIN_DESCRIBE_H

#include "services/routing/domain/record.h"
#include "services/routing/domain/view.h"

struct arena;

/* Fills the view in; everything is copied into the arena. */
void describe(const struct record *record, struct arena *arena, struct view *ret_view);
/* The same for an event: without a workflow's configuration. */
const struct view *describe_for_event(const struct record *record, struct arena *arena);

#endif
