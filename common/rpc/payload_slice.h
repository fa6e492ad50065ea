/* The inside of a payload, for those who send it. Internal. */
#ifndef COMMON_RPC_PAYLOAD_SLICE_H
#define COMMON_RPC_PAYLOAD_SLICE_H

#include <grpc/grpc.h>
#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

struct rpc_payload;

/* A buffer for one send; gRPC moves the slices out, so destroy it right after the batch started. */
grpc_byte_buffer *rpc_payload_buffer(const struct rpc_payload *payload);
grpc_byte_buffer *rpc_pack_buffer(const ProtobufCMessage *message);

/* A received buffer as one piece. Unref the slice; it stays valid without the buffer. */
grpc_slice rpc_buffer_slice(grpc_byte_buffer *buffer);

#endif
