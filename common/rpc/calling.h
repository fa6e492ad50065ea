/* What unary calls and streams of a client share. Internal. */
#ifndef COMMON_RPC_CALLING_H
#define COMMON_RPC_CALLING_H

#include <grpc/grpc.h>

#include "common/rpc/client.h"
#include "common/rpc/loop.h"

struct error;

enum {
    /* What a response may unpack to: the server is ours, so this only stops the absurd. */
    RPC_RESPONSE_BUDGET = 256 * 1024 * 1024
};

/* A call that a client has under way; embedded. */
struct rpc_calling {
    struct rpc_client *client;
    grpc_call *grpc;
    const ProtobufCMessageDescriptor *response;
    grpc_metadata sent[1];
    size_t sent_count;
    uint32_t flags;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code status;
    grpc_slice status_text;
    TAILQ_ENTRY(rpc_calling) link;
};

void rpc_calling_init(
    struct rpc_calling *calling,
    struct rpc_client *client,
    const struct rpc_request *request);
/* Last of all: the client may be freed when no call is left. */
void rpc_calling_deinit(struct rpc_calling *calling);

struct rpc_loop *rpc_calling_loop(const struct rpc_calling *calling);

/* Operations that every call has. */
grpc_op rpc_calling_send_metadata(struct rpc_calling *calling);
grpc_op rpc_calling_receive_metadata(struct rpc_calling *calling);
grpc_op rpc_calling_receive_status(struct rpc_calling *calling);

/* Once the status is there: true for OK, else what the server said. */
bool rpc_calling_succeeded(const struct rpc_calling *calling, struct error *err);
/* Unpacks and destroys the buffer. */
bool rpc_calling_unpack(
    const struct rpc_calling *calling,
    grpc_byte_buffer *received,
    struct arena *arena,
    ProtobufCMessage **ret_message,
    struct error *err);

#endif
