/* Streams of a client. The mutex guards the outbox and `ended`; the rest belongs to the loop. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/calling.h"
#include "common/rpc/outbox.h"
#include "common/rpc/payload.h"
#include "common/rpc/payload_slice.h"

struct rpc_client_stream {
    struct rpc_calling calling; /* first */
    const struct rpc_client_stream_handler *handler;
    void *data;
    atomic_int references;
    struct rpc_post post;

    pthread_mutex_t mutex;
    struct rpc_outbox outbox;
    bool ended; /* nothing more is sent, and calling.grpc is not ours to touch */
    bool half_closed;
    bool overflowed;
    bool posted;

    /* Loop only. */
    bool started;
    bool sending;
    bool half_close_sent;
    bool has_status;
    bool read_all;
    int pending; /* batches under way */
    struct error message_err;
    bool message_failed;
    grpc_byte_buffer *received;
    struct arena *arena;
    struct rpc_tag on_metadata;
    struct rpc_tag on_status;
    struct rpc_tag on_receive;
    struct rpc_tag on_send;
};

struct rpc_client_stream *rpc_client_stream_ref(struct rpc_client_stream *stream)
{
    (void)atomic_fetch_add_explicit(&stream->references, 1, memory_order_relaxed);
    return stream;
}

struct rpc_client_stream *rpc_client_stream_unref(struct rpc_client_stream *stream)
{
    if (!stream || atomic_fetch_sub_explicit(&stream->references, 1, memory_order_acq_rel) != 1) {
        return NULL;
    }

    rpc_outbox_clear(&stream->outbox);
    (void)pthread_mutex_destroy(&stream->mutex);
    arena_free(stream->arena);
    free(stream);
    return NULL;
}

static void start_batch(
    struct rpc_client_stream *stream,
    const grpc_op *ops,
    size_t count,
    struct rpc_tag *tag)
{
    stream->pending++;
    rpc_loop_start_batch(stream->calling.grpc, ops, count, tag);
}

/* The end. */

static bool succeeded(struct rpc_client_stream *stream, struct error *err)
{
    if (stream->overflowed) {
        return FAIL(err, REASON_STREAM_TOO_SLOW, "the server reads too slowly: the queue is full");
    }
    if (stream->message_failed) {
        *err = stream->message_err;
        return false;
    }
    return rpc_calling_succeeded(&stream->calling, err);
}

static void settle(struct rpc_client_stream *stream)
{
    struct error err;

    stream->pending--;
    if (stream->pending > 0 || !stream->has_status || !stream->read_all) {
        return;
    }
    (void)pthread_mutex_lock(&stream->mutex);
    stream->ended = true;
    (void)pthread_mutex_unlock(&stream->mutex);

    bool ok = succeeded(stream, &err);

    stream->handler->closed(stream, stream->data, ok ? NULL : &err);
    rpc_calling_deinit(&stream->calling);
    rpc_client_stream_unref(stream);
}

/* Sending. */

static void send_payload(struct rpc_client_stream *stream, struct rpc_payload *payload)
{
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};
    grpc_byte_buffer *buffer = rpc_payload_buffer(payload);

    op.data.send_message.send_message = buffer;
    stream->sending = true;
    start_batch(stream, &op, 1, &stream->on_send);
    grpc_byte_buffer_destroy(buffer);
    rpc_payload_unref(payload);
}

static void pump(struct rpc_client_stream *stream)
{
    grpc_op half_close = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};

    if (stream->sending || stream->half_close_sent || stream->has_status) {
        return;
    }
    (void)pthread_mutex_lock(&stream->mutex);
    struct rpc_payload *payload = rpc_outbox_take(&stream->outbox);
    bool half_closed = stream->half_closed;
    (void)pthread_mutex_unlock(&stream->mutex);

    if (payload) {
        send_payload(stream, payload);
    } else if (half_closed) {
        stream->half_close_sent = true;
        stream->sending = true;
        start_batch(stream, &half_close, 1, &stream->on_send);
    }
}

static void sent(struct rpc_tag *tag, bool ok)
{
    struct rpc_client_stream *stream = RPC_OWNER(tag, struct rpc_client_stream, on_send);

    stream->sending = false;
    if (ok) {
        pump(stream);
    }
    settle(stream);
}

/* Receiving. */

static void receive(struct rpc_client_stream *stream)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

    op.data.recv_message.recv_message = &stream->received;
    start_batch(stream, &op, 1, &stream->on_receive);
}

static void take_message(struct rpc_client_stream *stream)
{
    ProtobufCMessage *message = NULL;

    arena_reset(stream->arena);
    if (rpc_calling_unpack(
            &stream->calling, STEAL(stream->received), stream->arena, &message,
            &stream->message_err)) {
        stream->handler->message(stream, stream->data, message);
    } else {
        stream->message_failed = true;
        rpc_client_stream_cancel(stream);
    }
}

static void received(struct rpc_tag *tag, bool ok)
{
    struct rpc_client_stream *stream = RPC_OWNER(tag, struct rpc_client_stream, on_receive);

    (void)ok;
    if (stream->received) {
        take_message(stream);
        receive(stream);
    } else {
        stream->read_all = true;
    }
    settle(stream);
}

static bool was_accepted(const struct rpc_client_stream *stream)
{
    for (size_t i = 0; i < stream->calling.initial.count; i++) {
        if (grpc_slice_str_cmp(stream->calling.initial.metadata[i].key, "x-request-id") == 0) {
            return true;
        }
    }
    return false;
}

static void metadata_received(struct rpc_tag *tag, bool ok)
{
    struct rpc_client_stream *stream = RPC_OWNER(tag, struct rpc_client_stream, on_metadata);

    if (ok && was_accepted(stream) && stream->handler->connected) {
        stream->handler->connected(stream, stream->data);
    }
    receive(stream);
    settle(stream);
}

static void status_received(struct rpc_tag *tag, bool ok)
{
    struct rpc_client_stream *stream = RPC_OWNER(tag, struct rpc_client_stream, on_status);

    (void)ok;
    stream->has_status = true;
    settle(stream);
}

static void start(struct rpc_client_stream *stream)
{
    grpc_op ops[] = {
        rpc_calling_send_metadata(&stream->calling),
        rpc_calling_receive_metadata(&stream->calling),
    };
    grpc_op status = rpc_calling_receive_status(&stream->calling);

    stream->started = true;
    stream->on_metadata.done = metadata_received;
    stream->on_status.done = status_received;
    stream->on_receive.done = received;
    stream->on_send.done = sent;
    start_batch(stream, ops, sizeof(ops) / sizeof(ops[0]), &stream->on_metadata);
    start_batch(stream, &status, 1, &stream->on_status);
}

static void run_post(struct rpc_post *post)
{
    struct rpc_client_stream *stream = RPC_OWNER(post, struct rpc_client_stream, post);

    (void)pthread_mutex_lock(&stream->mutex);
    stream->posted = false;
    (void)pthread_mutex_unlock(&stream->mutex);
    if (!stream->started) {
        start(stream);
    }
    pump(stream);
    rpc_client_stream_unref(stream);
}

/* What any thread may do. */

/* With the mutex held. */
static void wake(struct rpc_client_stream *stream)
{
    if (!stream->posted) {
        stream->posted = true;
        stream->post.run = run_post;
        (void)rpc_client_stream_ref(stream);
        rpc_loop_post(rpc_calling_loop(&stream->calling), &stream->post);
    }
}

struct rpc_client_stream *rpc_client_stream_open(
    struct rpc_client *client,
    const struct rpc_request *request,
    const struct rpc_client_stream_handler *handler,
    void *data)
{
    struct rpc_client_stream *stream = mem_new(struct rpc_client_stream);

    atomic_init(&stream->references, 2); /* the caller's and the loop's */
    stream->handler = handler;
    stream->data = data;
    stream->arena = arena_new();
    (void)pthread_mutex_init(&stream->mutex, NULL);
    rpc_outbox_init(&stream->outbox, handler->queue_messages, handler->queue_bytes);
    rpc_calling_init(&stream->calling, client, request);
    if (request->message) {
        CLEANUP(rpc_payload_unref_at_exit)
        struct rpc_payload *payload = rpc_payload_pack(request->message);

        (void)rpc_outbox_push(&stream->outbox, payload);
    }
    (void)pthread_mutex_lock(&stream->mutex);
    wake(stream);
    (void)pthread_mutex_unlock(&stream->mutex);
    return stream;
}

/* With the mutex held. */
static bool push(struct rpc_client_stream *stream, struct rpc_payload *payload)
{
    if (stream->ended || stream->half_closed) {
        return false;
    }
    if (rpc_outbox_push(&stream->outbox, payload)) {
        wake(stream);
        return true;
    }
    stream->ended = true;
    stream->overflowed = true;
    rpc_outbox_clear(&stream->outbox);
    (void)grpc_call_cancel(stream->calling.grpc, NULL);
    return false;
}

bool rpc_client_stream_send(struct rpc_client_stream *stream, const ProtobufCMessage *message)
{
    CLEANUP(rpc_payload_unref_at_exit) struct rpc_payload *payload = rpc_payload_pack(message);

    (void)pthread_mutex_lock(&stream->mutex);
    bool queued = push(stream, payload);
    (void)pthread_mutex_unlock(&stream->mutex);
    return queued;
}

void rpc_client_stream_half_close(struct rpc_client_stream *stream)
{
    (void)pthread_mutex_lock(&stream->mutex);
    if (!stream->ended && !stream->half_closed) {
        stream->half_closed = true;
        wake(stream);
    }
    (void)pthread_mutex_unlock(&stream->mutex);
}

void rpc_client_stream_cancel(struct rpc_client_stream *stream)
{
    (void)pthread_mutex_lock(&stream->mutex);
    if (!stream->ended) {
        stream->ended = true;
        (void)grpc_call_cancel(stream->calling.grpc, NULL);
    }
    (void)pthread_mutex_unlock(&stream->mutex);
}
