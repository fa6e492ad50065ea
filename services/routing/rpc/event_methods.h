/* EventService's unary methods: stored events, read from the store. */
#ifndef ROUTING_RPC_EVENT_METHODS_H
#define ROUTING_RPC_EVENT_METHODS_H

#include <protobuf-c/protobuf-c.h>

struct rpc_call;

void event_get(struct rpc_call *call, const ProtobufCMessage *request);
void event_list(struct rpc_call *call, const ProtobufCMessage *request);

#endif
