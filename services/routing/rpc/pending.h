/* A request on its way through the engine: the command, and the call that waits for its answer.
 * Lives in the call's arena.
 */
#ifndef ROUTING_RPC_PENDING_H
#define ROUTING_RPC_PENDING_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "services/routing/rpc/resource_methods.h"
#include "services/routing/shard/shard.h"

struct error;
struct resource;

struct pending {
    struct command command;
    struct rpc_call *call;
    const struct resource_method *method;
    uint64_t page_scope;
};

/* For the call's method; workspace_id and request are set by the caller, then pending_post. */
struct pending *pending_new(struct rpc_call *call);
/* Posts it; the answer, by `answer`, ends the call. */
void pending_post(struct pending *pending, const void *request, command_answer *answer);

/* Answers with the first view, with a page of views, or with google.protobuf.Empty. */
void pending_answer_resource(void *context, const struct step *step);
void pending_answer_page(void *context, const struct step *step);
void pending_answer_empty(void *context, const struct step *step);

/* A field of a request by name: texts, numbers and messages. The field must exist. */
const char *request_text(const ProtobufCMessage *request, const char *field);
int32_t request_int32(const ProtobufCMessage *request, const char *field);
const ProtobufCMessage *request_message(const ProtobufCMessage *request, const char *field);

/* The workspace of a `parent` field, "workspaces/w". */
bool pending_parent(struct pending *pending, const ProtobufCMessage *request, struct error *err);
/* The workspace and id of a resource's name; `field` is how the error names it. Of a reservation
 * also its task. */
struct target {
    const char *id;
    const char *task_id; /* "" unless a reservation */
};

bool pending_target(
    struct pending *pending,
    const char *name,
    const char *field,
    struct target *ret_target,
    struct error *err);

#endif
