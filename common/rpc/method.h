/* What a service is made of: a table of methods, each a row and a handler.
 *
 *     static const struct rpc_method methods[] = {
 *         {.name = "GetTask", .unary = get_task},
 *         {.name = "WatchEvents", .stream = &watch_events},
 *     };
 *     static const struct rpc_service service = {
 *         .descriptor = &cordboard__routing__v1__task_service__descriptor,
 *         .methods = methods,
 *         .method_count = sizeof(methods) / sizeof(methods[0]),
 *     };
 *
 * Names, request and response types come from the descriptor that protobuf-c generates. A method of
 * the descriptor without a row is answered UNIMPLEMENTED. Handlers run on a thread of the server
 * (a loop), which they must not block: nothing that waits, no database, no file.
 */
#ifndef COMMON_RPC_METHOD_H
#define COMMON_RPC_METHOD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct error;
struct rpc_call;
struct rpc_stream;

/* Answers one request, then or later, from any thread: rpc_call_reply or rpc_call_fail, exactly
 * once. `request` was checked and unpacked into the call's arena and lives as long as the call. */
typedef void(rpc_unary_handler)(struct rpc_call *call, const ProtobufCMessage *request);

/* The callbacks of a server or bidirectional stream, one at a time, on the stream's loop. */
struct rpc_stream_handler {
    /* The client streams too; then `request` of `open` is NULL and `message` is required. */
    bool bidi;

    /* The first call. Finishing here is the way to refuse. The stream is borrowed until `closed`
     * has returned; rpc_stream_ref to keep it longer. */
    void (*open)(struct rpc_stream *stream, const ProtobufCMessage *request);
    /* One message of the client, valid until the callback returns. The next one is not read before
     * that, nor while rpc_stream_pause is in force. */
    void (*message)(struct rpc_stream *stream, const ProtobufCMessage *message);
    /* The client will send no more. When it cancels, gRPC may report this first, and `closed` comes
     * at once. May be NULL: then the stream is finished with OK. */
    void (*half_closed)(struct rpc_stream *stream);
    /* Everything that was queued is on its way: the moment to send more of a backlog. May be NULL.
     */
    void (*drained)(struct rpc_stream *stream);
    /* The last call, once for every `open`. `err`: why it ended, when it was not the owner's own
     * rpc_stream_finish: CANCELLED, STREAM_TOO_SLOW, SHUTTING_DOWN, MESSAGE_INVALID; else NULL. */
    void (*closed)(struct rpc_stream *stream, const struct error *err);

    /* What may wait to be sent before the client is too slow; 0: the default of stream.h. */
    size_t queue_messages;
    size_t queue_bytes;
};

struct rpc_method {
    const char *name; /* as in the proto: "GetTask" */
    /* Exactly one of these. */
    rpc_unary_handler *unary;
    const struct rpc_stream_handler *stream;
    /* Whatever a handler shared by several rows needs to tell them apart. */
    const void *data;
};

struct rpc_service {
    const ProtobufCServiceDescriptor *descriptor;
    const char *name; /* when another than the descriptor's */
    const struct rpc_method *methods;
    size_t method_count;
    void *context; /* rpc_call_context() */
};

#endif
