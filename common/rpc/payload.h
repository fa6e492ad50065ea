/* A packed message, shared: pack once, send on a thousand streams. Immutable; any thread. */
#ifndef COMMON_RPC_PAYLOAD_H
#define COMMON_RPC_PAYLOAD_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "common/base/attr.h"

struct rpc_payload;

struct rpc_payload *rpc_payload_pack(const ProtobufCMessage *message);
/* Copies bytes that are packed already. */
struct rpc_payload *rpc_payload_copy(const void *bytes, size_t size);
struct rpc_payload *rpc_payload_ref(struct rpc_payload *payload);
struct rpc_payload *rpc_payload_unref(struct rpc_payload *payload);
size_t rpc_payload_size(const struct rpc_payload *payload);

DEFINE_CLEANUP(struct rpc_payload *, rpc_payload_unref)

#endif
