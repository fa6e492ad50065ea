/* The bridge link's messages: to requests of the engine, and from its effects. */
#ifndef ROUTING_OUTLETS_LINK_WIRE_H
#define ROUTING_OUTLETS_LINK_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cordboard/routing/v1/bridge_link_service.pb-c.h"

struct arena;
struct attach_bridge_request;
struct bridge_report_request;
struct effect;
struct error;
struct instruction_row;
struct rpc_stream;
struct step;

/* One call of a hello, with the workspace it is in. */
struct link_hello_call {
    const char *workspace_id;
    const char *call_id;
    const char *task_id;
    const char *reservation_id;
    bool talking;
};

struct link_hello {
    const char *bridge_id;
    const char *incarnation;
    const struct link_hello_call *calls;
    size_t call_count;
};

/* Everything copied into the arena; NULL, with an error, when a name or id is not one. */
const struct link_hello *link_hello_copy(
    struct arena *arena,
    const Cordboard__Routing__V1__AttachBridgeRequest__Hello *hello,
    struct error *err);

/* The engine's request for one workspace: its share of the calls. */
const struct attach_bridge_request *link_attach_request(
    struct arena *arena,
    const struct link_hello *hello,
    const char *workspace_id);

/* A report as the engine wants it, in the arena. */
bool link_report_request(
    struct arena *arena,
    const struct link_hello *hello,
    const Cordboard__Routing__V1__BridgeReport *report,
    const char **ret_workspace_id,
    struct bridge_report_request **ret_request,
    struct error *err);

/* What the link needs of a step's reply, copied: names of workspaces, or trunks and routes, or what
 * an attachment sends again. */
struct link_answer {
    const char **workspace_ids;
    size_t workspace_count;
    const char *next_page; /* NULL: that was all */
    Cordboard__Routing__V1__AttachBridgeResponse *telephony;
    const struct effect *effects;
    size_t effect_count;
};

/* Deep copies of a step's effects. */
const struct effect *effects_copy(struct arena *arena, const struct effect *effects, size_t count);
const struct link_answer *link_answer_copy(struct arena *arena, const struct step *step);

void link_send_welcome(struct rpc_stream *stream, int64_t lease_us, int heartbeats_per_lease);
void link_send_report_ack(struct rpc_stream *stream, const char *workspace_id, int64_t number);
void link_send_instruction(struct rpc_stream *stream, const struct instruction_row *row);

#endif
