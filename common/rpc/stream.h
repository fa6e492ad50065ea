/* A stream to a client: messages out of a bounded queue, and for bidirectional ones messages in.
 *
 *     open --> [message | drained | half_closed]* --> closed        (rpc_stream_handler)
 *
 * It ends when somebody finishes it, the client cancels or goes away, the server stops, or the
 * client reads so slowly that the queue is full: then the queue is dropped, the client gets
 * RESOURCE_EXHAUSTED with the reason STREAM_TOO_SLOW, and the owner is told by `closed`. At most
 * one message is with gRPC at a time, so a client that never reads costs its queue's bound plus one
 * flow control window (64 kB).
 *
 * Functions here may be called by any thread that has a reference; after the end they do nothing.
 * The loop holds one reference until `closed` has returned.
 */
#ifndef COMMON_RPC_STREAM_H
#define COMMON_RPC_STREAM_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

struct error;
struct rpc_call;
struct rpc_payload;
struct rpc_stream;

enum {
    RPC_STREAM_QUEUE_MESSAGES = 1024,
    RPC_STREAM_QUEUE_BYTES = 1024 * 1024
};

struct rpc_stream *rpc_stream_ref(struct rpc_stream *stream);
struct rpc_stream *rpc_stream_unref(struct rpc_stream *stream);

/* Who asks and with what; see call.h. Borrowed as long as the stream is; context and method only as
 * long as the server is. */
struct rpc_call *rpc_stream_call(struct rpc_stream *stream);
/* The owner's own pointer, for its callbacks. Set it in `open`. */
void rpc_stream_set_data(struct rpc_stream *stream, void *data);
void *rpc_stream_data(const struct rpc_stream *stream);

/* Queue one message. False when it was not queued, because the stream has ended or just now did. */
bool rpc_stream_send(struct rpc_stream *stream, struct rpc_payload *payload);
bool rpc_stream_send_message(struct rpc_stream *stream, const ProtobufCMessage *message);
/* Messages not yet given to gRPC. */
size_t rpc_stream_queued(struct rpc_stream *stream);

/* Ends the stream after what is queued: with OK when `err` is NULL. */
void rpc_stream_finish(struct rpc_stream *stream, const struct error *err);

/* Stops and restarts the reading of the client's messages; pauses add up. Called in `message`, a
 * pause holds the next message back, and so, in the end, the client. */
void rpc_stream_pause(struct rpc_stream *stream);
void rpc_stream_resume(struct rpc_stream *stream);

#endif
