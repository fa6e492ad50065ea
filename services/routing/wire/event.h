/* Events to their public message. */
#ifndef ROUTING_WIRE_EVENT_H
#define ROUTING_WIRE_EVENT_H

#include "cordboard/routing/v1/event.pb-c.h"

struct arena;
struct event;

/* The message, in the arena. */
Cordboard__Routing__V1__Event *event_print(
    const char *workspace_id,
    const struct event *event,
    struct arena *arena);

#endif
