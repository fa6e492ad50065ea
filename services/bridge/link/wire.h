/* The bridge link's messages: reports and hellos to the wire, instructions and telephony from it.
 */
#ifndef BRIDGE_LINK_WIRE_H
#define BRIDGE_LINK_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "cordboard/routing/v1/bridge_link_service.pb-c.h"
#include "services/bridge/domain/link.h"

struct arena;
struct error;

/* All in the arena; texts of the message are borrowed where they fit. */
Cordboard__Routing__V1__AttachBridgeRequest *wire_hello(
    struct arena *arena,
    const char *bridge_id,
    const char *incarnation,
    const struct call_snapshot *calls,
    size_t count);
Cordboard__Routing__V1__AttachBridgeRequest *wire_report(
    struct arena *arena,
    const struct report *report,
    int64_t number);
Cordboard__Routing__V1__AttachBridgeRequest *wire_ack(
    struct arena *arena,
    const char *workspace_id,
    int64_t number);

/* False for one that cannot be read: a kind that this bridge does not know, a bad name. */
bool wire_read_instruction(
    struct arena *arena,
    const Cordboard__Routing__V1__BridgeInstruction *message,
    struct instruction *ret_instruction);
void wire_read_telephony(
    struct arena *arena,
    const Cordboard__Routing__V1__AttachBridgeResponse__Telephony *message,
    struct telephony *ret_telephony);

/* The id at the end of a resource name. */
const char *wire_last_id(const char *name);
/* The workspace's id in a resource name, in the arena; "" when it has none. */
const char *wire_workspace_id(struct arena *arena, const char *name);

#endif
