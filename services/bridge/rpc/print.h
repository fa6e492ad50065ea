/* Calls and conferences as public messages, in an arena. */
#ifndef BRIDGE_RPC_PRINT_H
#define BRIDGE_RPC_PRINT_H

#include "cordboard/bridge/v1/call.pb-c.h"
#include "cordboard/bridge/v1/conference.pb-c.h"

struct arena;
struct call_view;
struct conference_view;

Cordboard__Bridge__V1__Call *call_print(struct arena *arena, const struct call_view *view);
Cordboard__Bridge__V1__Conference *conference_print(
    struct arena *arena,
    const struct conference_view *view);

#endif
