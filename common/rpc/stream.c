/* Streams. The mutex guards the outbox and how the stream ends; the rest belongs to the loop.
 *
 * `ended` is the owner's view: nothing more is taken in, `closed` is about to be called. The call
 * below may live on until the client has read what was queued and the status, at most
 * the option linger_ms.
 */
#include "common/rpc/stream.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/rpc/outbox.h"
#include "common/rpc/payload.h"
#include "common/rpc/payload_slice.h"
#include "common/rpc/serving.h"

struct rpc_stream {
    struct rpc_call call; /* first: the call's memory is ours */
    const struct rpc_stream_handler *handler;
    void *data;
    atomic_int references;

    pthread_mutex_t mutex;
    struct rpc_outbox outbox;
    bool ended;
    bool finished_by_owner;
    struct error *end_err; /* NULL: OK */
    int pauses;
    bool posted;

    /* Loop only. */
    bool opened;
    bool closed; /* `closed` was called */
    bool sending;
    bool receiving;
    bool no_more;  /* the client has half-closed */
    bool in_reads; /* a callback of the owner about what was read is running */
    bool status_sent;
    bool over; /* gRPC wants to hear nothing more */
    bool undrained;
    struct arena *message_arena;
    struct rpc_tag on_headers;
    struct rpc_tag on_send;
    struct rpc_alarm linger;
};

static void stream_pump(struct rpc_stream *stream);
static void stream_read(struct rpc_stream *stream);

size_t rpc_stream_size(void)
{
    return sizeof(struct rpc_stream);
}

static struct rpc_stream *stream_of(struct rpc_call *call)
{
    return (struct rpc_stream *)call;
}

/* References. */

struct rpc_stream *rpc_stream_ref(struct rpc_stream *stream)
{
    (void)atomic_fetch_add_explicit(&stream->references, 1, memory_order_relaxed);
    return stream;
}

struct rpc_stream *rpc_stream_unref(struct rpc_stream *stream)
{
    if (!stream || atomic_fetch_sub_explicit(&stream->references, 1, memory_order_acq_rel) != 1) {
        return NULL;
    }

    rpc_outbox_clear(&stream->outbox);
    (void)pthread_mutex_destroy(&stream->mutex);
    free(stream->end_err);
    arena_free(stream->message_arena);
    arena_free(stream->call.arena);
    free(stream);
    return NULL;
}

void rpc_stream_release(struct rpc_call *call)
{
    struct rpc_stream *stream = stream_of(call);

    rpc_loop_clear_alarm(call->home->loop, &stream->linger);
    rpc_stream_unref(stream);
}

/* What any thread may do. */

static void run_pump(struct rpc_post *post)
{
    struct rpc_stream *stream = stream_of(RPC_OWNER(post, struct rpc_call, post));

    (void)pthread_mutex_lock(&stream->mutex);
    stream->posted = false;
    (void)pthread_mutex_unlock(&stream->mutex);
    stream_pump(stream);
    rpc_stream_unref(stream);
}

/* With the mutex held. A stream that is over is never posted: its loop may be gone. */
static void wake_pump(struct rpc_stream *stream)
{
    if (!stream->posted) {
        stream->posted = true;
        stream->call.post.run = run_pump;
        (void)rpc_stream_ref(stream);
        rpc_loop_post(stream->call.home->loop, &stream->call.post);
    }
}

/* With the mutex held. */
static void end(struct rpc_stream *stream, const struct error *err, bool by_owner)
{
    if (!stream->ended) {
        stream->ended = true;
        stream->finished_by_owner = by_owner;
        stream->end_err = err ? mem_dup(err, sizeof(*err)) : NULL;
        wake_pump(stream);
    }
}

static void end_unlocked(struct rpc_stream *stream, const struct error *err, bool by_owner)
{
    (void)pthread_mutex_lock(&stream->mutex);
    end(stream, err, by_owner);
    (void)pthread_mutex_unlock(&stream->mutex);
}

bool rpc_stream_send(struct rpc_stream *stream, struct rpc_payload *payload)
{
    (void)pthread_mutex_lock(&stream->mutex);

    bool queued = !stream->ended && rpc_outbox_push(&stream->outbox, payload);

    if (queued) {
        wake_pump(stream);
    } else if (!stream->ended) {
        struct error err;

        (void)FAIL(
            &err, REASON_STREAM_TOO_SLOW,
            "the client reads too slowly: %zu messages of %zu bytes were waiting",
            stream->outbox.count, stream->outbox.bytes);
        rpc_outbox_clear(&stream->outbox);
        end(stream, &err, false);
    }
    (void)pthread_mutex_unlock(&stream->mutex);
    return queued;
}

bool rpc_stream_send_message(struct rpc_stream *stream, const ProtobufCMessage *message)
{
    CLEANUP(rpc_payload_unref_at_exit) struct rpc_payload *payload = rpc_payload_pack(message);

    return rpc_stream_send(stream, payload);
}

size_t rpc_stream_queued(struct rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->mutex);
    size_t count = stream->outbox.count;
    (void)pthread_mutex_unlock(&stream->mutex);
    return count;
}

void rpc_stream_finish(struct rpc_stream *stream, const struct error *err)
{
    end_unlocked(stream, err, true);
}

void rpc_stream_pause(struct rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->mutex);
    stream->pauses++;
    (void)pthread_mutex_unlock(&stream->mutex);
}

void rpc_stream_resume(struct rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->mutex);
    assert(stream->pauses > 0);
    stream->pauses--;
    if (stream->pauses == 0 && !stream->ended) {
        wake_pump(stream);
    }
    (void)pthread_mutex_unlock(&stream->mutex);
}

struct rpc_call *rpc_stream_call(struct rpc_stream *stream)
{
    return &stream->call;
}

void rpc_stream_set_data(struct rpc_stream *stream, void *data)
{
    stream->data = data;
}

void *rpc_stream_data(const struct rpc_stream *stream)
{
    return stream->data;
}

/* Sending, on the loop. */

static void headers_sent(struct rpc_tag *tag, bool ok)
{
    struct rpc_stream *stream = RPC_OWNER(tag, struct rpc_stream, on_headers);

    (void)ok;
    rpc_call_settle(&stream->call);
}

static void message_sent(struct rpc_tag *tag, bool ok)
{
    struct rpc_stream *stream = RPC_OWNER(tag, struct rpc_stream, on_send);

    (void)ok; /* when it failed the call is canceled, and that is reported by itself */
    stream->sending = false;
    stream_pump(stream);
    rpc_call_settle(&stream->call);
}

static void start_send(struct rpc_stream *stream, struct rpc_payload *payload)
{
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};
    grpc_byte_buffer *buffer = rpc_payload_buffer(payload);

    op.data.send_message.send_message = buffer;
    stream->sending = true;
    stream->undrained = true;
    stream->call.pending++;
    rpc_loop_start_batch(stream->call.grpc, &op, 1, &stream->on_send);
    grpc_byte_buffer_destroy(buffer);
    rpc_payload_unref(payload);
}

static void give_up(struct rpc_alarm *alarm)
{
    struct rpc_stream *stream = RPC_OWNER(alarm, struct rpc_stream, linger);
    const struct error *err = stream->end_err; /* set for good once ended */

    /* The client does not read even the end. This status goes around the flow control. */
    (void)grpc_call_cancel_with_status(
        stream->call.grpc,
        err ? (grpc_status_code)error_code(err->reason) : GRPC_STATUS_RESOURCE_EXHAUSTED,
        err ? error_reason_name(err->reason) : "STREAM_TOO_SLOW", NULL);
}

/* The end of the owner's part: what is queued still goes out, then the status. */
static void close_for_owner(struct rpc_stream *stream)
{
    if (stream->closed || !stream->opened) {
        return;
    }
    stream->closed = true;
    if (!stream->over) {
        const struct rpc_server_loop *home = stream->call.home;

        rpc_loop_set_alarm(
            home->loop, &stream->linger, (int64_t)home->server->options.linger_ms * 1000);
    }
    if (stream->handler->closed) {
        stream->handler->closed(stream, stream->finished_by_owner ? NULL : stream->end_err);
    }
}

static void send_status(struct rpc_stream *stream)
{
    stream->call.err = stream->end_err; /* which does not change once ended */
    stream->status_sent = true;
    stream->call.pending++;
    rpc_call_send_status(&stream->call, false);
}

/* Does whatever there is to do: the one place that decides. */
static void stream_pump(struct rpc_stream *stream)
{
    struct rpc_payload *payload = NULL;

    (void)pthread_mutex_lock(&stream->mutex);
    if (stream->over) {
        rpc_outbox_clear(&stream->outbox);
    } else if (!stream->sending) {
        payload = rpc_outbox_take(&stream->outbox);
    }
    bool ended = stream->ended;
    (void)pthread_mutex_unlock(&stream->mutex);

    if (payload) {
        start_send(stream, payload);
    } else if (ended && !stream->sending && !stream->status_sent && !stream->over) {
        send_status(stream);
    } else if (stream->undrained && !stream->sending && !ended) {
        stream->undrained = false;
        if (stream->handler->drained) {
            stream->handler->drained(stream);
        }
    }
    if (ended) {
        close_for_owner(stream);
    } else {
        stream_read(stream);
    }
}

/* Receiving, on the loop. */

static bool may_read(struct rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->mutex);
    bool may = stream->pauses == 0 && !stream->ended;
    (void)pthread_mutex_unlock(&stream->mutex);
    return may;
}

static void stream_read(struct rpc_stream *stream)
{
    if (stream->handler->bidi && stream->opened && !stream->receiving && !stream->no_more &&
        !stream->in_reads && !stream->over && may_read(stream)) {
        stream->receiving = true;
        stream->call.pending++;
        rpc_call_receive(&stream->call);
    }
}

static void stream_open(struct rpc_stream *stream, const ProtobufCMessage *request)
{
    stream->in_reads = true;
    stream->opened = true;
    stream->handler->open(stream, request);
    stream->in_reads = false;
}

static void half_closed(struct rpc_stream *stream)
{
    stream->no_more = true;
    if (stream->handler->half_closed) {
        stream->handler->half_closed(stream);
    } else {
        rpc_stream_finish(stream, NULL);
    }
}

static bool is_ended(struct rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->mutex);
    bool ended = stream->ended;
    (void)pthread_mutex_unlock(&stream->mutex);
    return ended;
}

static void take_message(struct rpc_stream *stream)
{
    ProtobufCMessage *message = NULL;
    struct error err;

    if (stream->opened && !stream->call.received) {
        half_closed(stream);
        return;
    }

    struct arena *arena = stream->call.arena;

    if (stream->opened) {
        arena = stream->message_arena;
        arena_reset(arena);
    }
    if (!rpc_call_unpack(&stream->call, arena, &message, &err)) {
        end_unlocked(stream, &err, false);
    } else if (stream->opened) {
        stream->in_reads = true;
        stream->handler->message(stream, message);
        stream->in_reads = false;
    } else {
        stream_open(stream, message);
    }
}

static void message_received(struct rpc_tag *tag, bool ok)
{
    struct rpc_call *call = RPC_OWNER(tag, struct rpc_call, on_receive);
    struct rpc_stream *stream = stream_of(call);

    (void)ok;
    stream->receiving = false;
    if (!is_ended(stream)) {
        take_message(stream);
        stream_pump(stream);
    }
    rpc_call_settle(call);
}

void rpc_stream_hung_up(struct rpc_call *call)
{
    struct rpc_stream *stream = stream_of(call);
    struct error err;

    stream->over = true;
    if (rpc_call_remaining_ms(call) == 0) {
        (void)FAIL(&err, REASON_DEADLINE_EXCEEDED, "the client's deadline has passed");
    } else {
        (void)FAIL(&err, REASON_CANCELLED, "the client canceled, or its connection is gone");
    }
    end_unlocked(stream, &err, false);
    call->err = stream->end_err; /* for who keeps the record of calls */
    stream_pump(stream);
}

void rpc_stream_shut_down(struct rpc_call *call)
{
    struct error err;

    (void)FAIL(&err, REASON_SHUTTING_DOWN, "the server is shutting down");
    end_unlocked(stream_of(call), &err, false);
}

void rpc_stream_serve(struct rpc_call *call)
{
    struct rpc_stream *stream = stream_of(call);
    grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA};
    grpc_metadata accepted = {
        .key = grpc_slice_from_static_string(RPC_REQUEST_ID_KEY),
        .value = grpc_slice_from_copied_string(call->request_id),
    };

    stream->handler = call->route->method->stream;
    atomic_init(&stream->references, 1);
    (void)pthread_mutex_init(&stream->mutex, NULL);
    rpc_outbox_init(&stream->outbox, stream->handler->queue_messages, stream->handler->queue_bytes);
    stream->message_arena = stream->handler->bidi ? arena_new() : NULL;
    stream->linger.ring = give_up;
    stream->on_headers.done = headers_sent;
    stream->on_send.done = message_sent;
    call->on_receive.done = message_received;
    (void)rpc_call_peer(call);

    rpc_call_begin(call, 1);
    /* At once, so that the client knows that the stream is open, and not refused. */
    op.data.send_initial_metadata.metadata = &accepted;
    op.data.send_initial_metadata.count = 1;
    rpc_loop_start_batch(call->grpc, &op, 1, &stream->on_headers);
    grpc_slice_unref(accepted.value);
    if (stream->handler->bidi) {
        stream_open(stream, NULL);
        stream_pump(stream);
    } else {
        stream->receiving = true;
        call->pending++;
        rpc_call_receive(call);
    }
}
