/* A client of one gRPC server: a connection that is made on demand, kept alive, and made again with
 * backoff when it is lost; unary calls and bidirectional streams over it.
 *
 * Callbacks run on the client's own thread, one at a time, and must not block. Other functions may
 * be called by any thread, callbacks included (except rpc_client_free and rpc_client_call_wait).
 * An error from the server carries the reason, metadata, field and retry delay that it sent; one
 * without a reason known to us gets the nearest. A lost or refused connection is PEER_UNAVAILABLE.
 */
#ifndef COMMON_RPC_CLIENT_H
#define COMMON_RPC_CLIENT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

struct arena;
struct error;
struct rpc_client;
struct rpc_client_stream;
struct rpc_payload;

struct rpc_client_options {
    const char *target; /* "127.0.0.1:7001", "dns:///routing:7001" */
    /* 0 means the default. */
    int keepalive_ms;         /* 30000 */
    int keepalive_timeout_ms; /* 10000 */
    int backoff_min_ms;       /* before the second try to connect; 200 */
    int backoff_max_ms;       /* 5000 */
    size_t max_message_bytes; /* of a response; 16 MiB */
};

struct rpc_client *rpc_client_new(const struct rpc_client_options *options);
/* Cancels what is under way, calls the callbacks that are due, and waits for them. */
struct rpc_client *rpc_client_free(struct rpc_client *client);

/* What to call; everything is copied or used before the function returns. */
struct rpc_request {
    const char *path; /* "/cordboard.routing.v1.TaskService/GetTask" */
    const ProtobufCMessage *message;
    const ProtobufCMessageDescriptor *response;
    int timeout_ms;      /* 0: no deadline */
    bool wait_for_ready; /* wait for a connection until the deadline instead of failing at once */
    const char *request_id; /* sent as x-request-id; may be NULL */
};

/* Called exactly once; `response` (NULL on error) lives in an arena until the callback returns. */
typedef void(
    rpc_reply_handler)(void *data, const ProtobufCMessage *response, const struct error *err);

void rpc_client_call(
    struct rpc_client *client,
    const struct rpc_request *request,
    rpc_reply_handler *reply,
    void *data);
/* The same, blocking; the response is in the caller's arena. */
MUST_USE bool rpc_client_call_wait(
    struct rpc_client *client,
    const struct rpc_request *request,
    struct arena *arena,
    const ProtobufCMessage **ret_response,
    struct error *err);

struct rpc_client_stream_handler {
    /* The server has accepted the stream (servers of ours say so at once). May be NULL. */
    void (*connected)(struct rpc_client_stream *stream, void *data);
    /* One message, valid until the callback returns; the next is not read before. */
    void (*message)(struct rpc_client_stream *stream, void *data, const ProtobufCMessage *message);
    /* The last call: err is NULL when the server ended with OK. Nothing is made again by itself:
     * open a new stream, after a delay of the caller's choice. */
    void (*closed)(struct rpc_client_stream *stream, void *data, const struct error *err);
    size_t queue_messages; /* bound of what waits to be sent; 0: 1024 */
    size_t queue_bytes;    /* 0: 1 MiB */
};

/* Opens a stream; `request->message` is the first message, or NULL. For a server stream give the
 * request and half-close. The caller owns a reference and unrefs it, in `closed` or any time: the
 * stream goes on without it. `closed` may be called before this returns. */
struct rpc_client_stream *rpc_client_stream_open(
    struct rpc_client *client,
    const struct rpc_request *request,
    const struct rpc_client_stream_handler *handler,
    void *data);
struct rpc_client_stream *rpc_client_stream_ref(struct rpc_client_stream *stream);
struct rpc_client_stream *rpc_client_stream_unref(struct rpc_client_stream *stream);

/* Any thread; after the end they do nothing. */

/* False when it was not queued: the stream is over, or the queue is full (then it is canceled, and
 * closed with STREAM_TOO_SLOW). */
bool rpc_client_stream_send(struct rpc_client_stream *stream, const ProtobufCMessage *message);
/* No more messages will be sent. */
void rpc_client_stream_half_close(struct rpc_client_stream *stream);
/* Ends it now; `closed` follows with CANCELLED. */
void rpc_client_stream_cancel(struct rpc_client_stream *stream);

DEFINE_CLEANUP(struct rpc_client *, rpc_client_free)
DEFINE_CLEANUP(struct rpc_client_stream *, rpc_client_stream_unref)

#endif
