#include "common/rpc/call.h"

#include <assert.h>
#include <grpc/support/alloc.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/rpc/message.h"
#include "common/rpc/payload_slice.h"
#include "common/rpc/serving.h"
#include "common/rpc/status.h"

static void call_closed(struct rpc_tag *tag, bool ok);
static void call_answered(struct rpc_tag *tag, bool ok);

struct rpc_call *rpc_call_new(struct rpc_server_loop *home, size_t size)
{
    struct rpc_call *call = mem_alloc(size);

    call->home = home;
    call->arena = arena_new();
    call->start_mono_us = clock_mono_us(clock_system());
    call->on_close.done = call_closed;
    call->on_answer.done = call_answered;
    atomic_init(&call->cancelled, false);
    atomic_init(&call->answered, false);
    return call;
}

void rpc_call_begin(struct rpc_call *call, int pending)
{
    grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};

    call->pending = pending + 1;
    op.data.recv_close_on_server.cancelled = &call->was_cancelled;
    rpc_loop_start_batch(call->grpc, &op, 1, &call->on_close);
}

void rpc_call_receive(struct rpc_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

    op.data.recv_message.recv_message = &call->received;
    rpc_loop_start_batch(call->grpc, &op, 1, &call->on_receive);
}

bool rpc_call_unpack(
    struct rpc_call *call,
    struct arena *arena,
    ProtobufCMessage **ret_message,
    struct error *err)
{
    if (!call->received) {
        return FAIL(err, REASON_MESSAGE_INVALID, "the call ended without a request message");
    }

    grpc_slice bytes = rpc_buffer_slice(call->received);
    bool unpacked = rpc_message_unpack(
        call->route->request,
        (struct rpc_bytes){GRPC_SLICE_START_PTR(bytes), GRPC_SLICE_LENGTH(bytes)},
        call->home->server->options.max_unpacked_bytes, arena, ret_message, err);

    grpc_slice_unref(bytes);
    grpc_byte_buffer_destroy(STEAL(call->received));
    return unpacked;
}

/* The end of a call. */

static void report_finished(struct rpc_call *call)
{
    const struct rpc_server_options *options = &call->home->server->options;

    if (!options->finished) {
        return;
    }

    struct rpc_finished finished = {
        .path = call->path,
        .request_id = call->request_id,
        .peer = rpc_call_peer(call),
        .err = call->err,
        .duration_us = clock_mono_us(clock_system()) - call->start_mono_us,
    };

    if (call->err) {
        finished.code = (int)error_code(call->err->reason);
    } else if (rpc_call_cancelled(call)) {
        finished.code = ERROR_CANCELLED;
    }
    options->finished(options->finished_data, &finished);
}

static void call_over(struct rpc_call *call)
{
    struct rpc_server *server = call->home->server;

    report_finished(call);
    TAILQ_REMOVE(&call->home->calls, call, link);
    if (call->received) {
        grpc_byte_buffer_destroy(STEAL(call->received));
    }
    if (call->reply) {
        grpc_byte_buffer_destroy(STEAL(call->reply));
    }
    grpc_metadata_array_destroy(&call->metadata);
    grpc_metadata_array_init(&call->metadata); /* others may still ask a stream */
    grpc_call_unref(STEAL(call->grpc));
    rpc_server_forget(server, call);
    if (call->is_stream) {
        rpc_stream_release(call);
    } else {
        arena_free(call->arena);
        free(call);
    }
}

void rpc_call_settle(struct rpc_call *call)
{
    if (--call->pending == 0) {
        call_over(call);
    }
}

static void call_closed(struct rpc_tag *tag, bool ok)
{
    struct rpc_call *call = RPC_OWNER(tag, struct rpc_call, on_close);

    (void)ok; /* always true here */
    if (call->was_cancelled) {
        atomic_store_explicit(&call->cancelled, true, memory_order_relaxed);
    }
    if (call->is_stream) {
        rpc_stream_hung_up(call);
    }
    rpc_call_settle(call);
}

static void call_answered(struct rpc_tag *tag, bool ok)
{
    (void)ok; /* when it did not arrive, call_closed knows */
    rpc_call_settle(RPC_OWNER(tag, struct rpc_call, on_answer));
}

/* The answer. */

enum {
    TRAILERS_MAX = 2
};

struct ending {
    size_t count;
    grpc_metadata trailers[TRAILERS_MAX];
    grpc_slice message;
};

static grpc_slice pack_slice(const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));

    (void)protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    return slice;
}

static void ending_of(const struct rpc_call *call, struct ending *ending)
{
    /* Not the call's own: the owner of a stream may be using that, on another thread. */
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    const Google__Rpc__Status *status = rpc_status_make(arena, call->err, call->request_id);

    ending->message = grpc_slice_from_copied_string(status->message);
    ending->trailers[ending->count++] = (grpc_metadata){
        .key = grpc_slice_from_static_string("grpc-status-details-bin"),
        .value = pack_slice(&status->base),
    };
    if (call->err->retry_delay_ms > 0) {
        ending->trailers[ending->count++] = (grpc_metadata){
            .key = grpc_slice_from_static_string("grpc-retry-pushback-ms"),
            .value = grpc_slice_from_copied_string(
                arena_printf(arena, "%lld", (long long)call->err->retry_delay_ms)),
        };
    }
}

static void ending_deinit(struct ending *ending)
{
    grpc_slice_unref(ending->message);
    for (size_t i = 0; i < ending->count; i++) {
        grpc_slice_unref(ending->trailers[i].value);
    }
}

void rpc_call_send_status(struct rpc_call *call, bool initial_metadata)
{
    struct ending ending = {.message = grpc_empty_slice()};
    grpc_op ops[3] = {0};
    size_t count = 0;

    if (call->err) {
        ending_of(call, &ending);
    }
    if (initial_metadata) {
        ops[count++].op = GRPC_OP_SEND_INITIAL_METADATA;
    }
    if (call->reply) {
        ops[count].op = GRPC_OP_SEND_MESSAGE;
        ops[count++].data.send_message.send_message = call->reply;
    }
    ops[count].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    ops[count].data.send_status_from_server.status =
        call->err ? (grpc_status_code)error_code(call->err->reason) : GRPC_STATUS_OK;
    ops[count].data.send_status_from_server.status_details = &ending.message;
    ops[count].data.send_status_from_server.trailing_metadata = ending.trailers;
    ops[count++].data.send_status_from_server.trailing_metadata_count = ending.count;
    rpc_loop_start_batch(call->grpc, ops, count, &call->on_answer);
    ending_deinit(&ending);
}

static void send_answer(struct rpc_call *call)
{
    if (atomic_load_explicit(&call->cancelled, memory_order_relaxed)) {
        rpc_call_settle(call);
    } else {
        rpc_call_send_status(call, true);
    }
}

static void send_posted_answer(struct rpc_post *post)
{
    send_answer(RPC_OWNER(post, struct rpc_call, post));
}

static void hand_over_answer(struct rpc_call *call)
{
    if (rpc_loop_is_here(call->home->loop)) {
        send_answer(call);
        return;
    }
    /* About 7 us of sendmsg are better spent on the loop than on the thread that commits. */
    call->post.run = send_posted_answer;
    rpc_loop_post(call->home->loop, &call->post);
}

static void mark_answered(struct rpc_call *call)
{
    bool before = atomic_exchange(&call->answered, true);

    assert(!before && "a call was answered twice");
    (void)before;
}

void rpc_call_reply(struct rpc_call *call, const ProtobufCMessage *message)
{
    mark_answered(call);
    call->reply = rpc_pack_buffer(message);
    hand_over_answer(call);
}

void rpc_call_fail(struct rpc_call *call, const struct error *err)
{
    mark_answered(call);
    call->err = arena_dup(call->arena, err, sizeof(*err));
    hand_over_answer(call);
}

static void request_received(struct rpc_tag *tag, bool ok)
{
    struct rpc_call *call = RPC_OWNER(tag, struct rpc_call, on_receive);
    ProtobufCMessage *request = NULL;
    struct error err;

    (void)ok; /* false: nothing was received, and the unpacking says so */
    if (rpc_call_unpack(call, call->arena, &request, &err)) {
        call->route->method->unary(call, request);
    } else {
        rpc_call_fail(call, &err);
    }
}

void rpc_call_serve_unary(struct rpc_call *call)
{
    call->on_receive.done = request_received;
    rpc_call_begin(call, 1);
    rpc_call_receive(call);
}

/* Questions. */

struct arena *rpc_call_arena(struct rpc_call *call)
{
    return call->arena;
}

void *rpc_call_context(const struct rpc_call *call)
{
    return call->route->service->context;
}

const struct rpc_method *rpc_call_method(const struct rpc_call *call)
{
    return call->route->method;
}

const char *rpc_call_path(const struct rpc_call *call)
{
    return call->path;
}

const char *rpc_call_request_id(const struct rpc_call *call)
{
    return call->request_id;
}

const char *rpc_call_metadata(struct rpc_call *call, const char *key)
{
    for (size_t i = 0; i < call->metadata.count; i++) {
        const grpc_metadata *entry = &call->metadata.metadata[i];

        if (grpc_slice_str_cmp(entry->key, key) == 0) {
            return arena_strndup(
                call->arena, (const char *)GRPC_SLICE_START_PTR(entry->value),
                GRPC_SLICE_LENGTH(entry->value));
        }
    }
    return NULL;
}

const char *rpc_call_peer(struct rpc_call *call)
{
    if (!call->peer) {
        char *peer = grpc_call_get_peer(call->grpc);

        call->peer = arena_strdup(call->arena, peer);
        gpr_free(peer);
    }
    return call->peer;
}

int64_t rpc_call_remaining_ms(const struct rpc_call *call)
{
    if (call->deadline_mono_us == INT64_MAX) {
        return INT64_MAX;
    }

    int64_t left_us = call->deadline_mono_us - clock_mono_us(clock_system());

    return left_us > 0 ? left_us / 1000 : 0;
}

bool rpc_call_cancelled(const struct rpc_call *call)
{
    return atomic_load_explicit(&call->cancelled, memory_order_relaxed);
}
