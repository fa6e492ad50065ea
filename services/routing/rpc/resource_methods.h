/* The handlers that all resource methods share: create, get, list, update, delete and the verbs are
 * written once; a method is a table row that says which operation, which kind and, for lists and
 * verbs, what is special.
 */
#ifndef ROUTING_RPC_RESOURCE_METHODS_H
#define ROUTING_RPC_RESOURCE_METHODS_H

#include <protobuf-c/protobuf-c.h>

#include "services/routing/domain/row.h"

struct operation;
struct rpc_call;

/* rpc_method.data of the handlers below. */
struct resource_method {
    const struct operation *operation;
    enum row_kind kind;
    const ProtobufCMessageDescriptor *page; /* of a list: its response */
};

void resource_create(struct rpc_call *call, const ProtobufCMessage *request);
void resource_get(struct rpc_call *call, const ProtobufCMessage *request);
void resource_list(struct rpc_call *call, const ProtobufCMessage *request);
void resource_update(struct rpc_call *call, const ProtobufCMessage *request);
void resource_delete(struct rpc_call *call, const ProtobufCMessage *request);
void task_verb(struct rpc_call *call, const ProtobufCMessage *request);
void reservation_verb(struct rpc_call *call, const ProtobufCMessage *request);
void worker_set_activity(struct rpc_call *call, const ProtobufCMessage *request);

#endif
