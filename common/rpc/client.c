#include "common/rpc/client.h"

#include <assert.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/calling.h"
#include "common/rpc/message.h"
#include "common/rpc/payload_slice.h"
#include "common/rpc/server.h"
#include "common/rpc/status.h"
#include "grpc/health/v1/health.pb-c.h"

enum {
    STATUS_BUDGET = 64 * 1024
};

struct rpc_client {
    char *target;
    struct rpc_loop *loop;
    grpc_channel *channel;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t idle;
    TAILQ_HEAD(, rpc_calling) callings;
};

/* Calls in general. */

static gpr_timespec deadline_of(const struct rpc_request *request)
{
    if (request->timeout_ms <= 0) {
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    }
    return gpr_time_add(
        gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(request->timeout_ms, GPR_TIMESPAN));
}

void rpc_calling_init(
    struct rpc_calling *calling,
    struct rpc_client *client,
    const struct rpc_request *request)
{
    grpc_slice path = grpc_slice_from_copied_string(request->path);

    calling->client = client;
    calling->response = request->response;
    calling->status_text = grpc_empty_slice();
    grpc_metadata_array_init(&calling->initial);
    grpc_metadata_array_init(&calling->trailing);
    if (request->wait_for_ready) {
        calling->flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY |
                         GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET;
    }
    if (request->request_id) {
        calling->sent[calling->sent_count++] = (grpc_metadata){
            .key = grpc_slice_from_static_string("x-request-id"),
            .value = grpc_slice_from_copied_string(request->request_id),
        };
    }
    calling->grpc = grpc_channel_create_call(
        client->channel, NULL, GRPC_PROPAGATE_DEFAULTS, rpc_loop_queue(client->loop), path, NULL,
        deadline_of(request), NULL);
    grpc_slice_unref(path);

    (void)pthread_mutex_lock(&client->mutex);
    TAILQ_INSERT_TAIL(&client->callings, calling, link);
    (void)pthread_mutex_unlock(&client->mutex);
}

void rpc_calling_deinit(struct rpc_calling *calling)
{
    struct rpc_client *client = calling->client;

    /* Out of the list first: rpc_client_free cancels what it finds there. */
    (void)pthread_mutex_lock(&client->mutex);
    TAILQ_REMOVE(&client->callings, calling, link);
    (void)pthread_cond_broadcast(&client->idle);
    (void)pthread_mutex_unlock(&client->mutex);

    grpc_metadata_array_destroy(&calling->initial);
    grpc_metadata_array_destroy(&calling->trailing);
    grpc_slice_unref(calling->status_text);
    for (size_t i = 0; i < calling->sent_count; i++) {
        grpc_slice_unref(calling->sent[i].value);
    }
    grpc_call_unref(calling->grpc);
}

struct rpc_loop *rpc_calling_loop(const struct rpc_calling *calling)
{
    return calling->client->loop;
}

grpc_op rpc_calling_send_metadata(struct rpc_calling *calling)
{
    grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA, .flags = calling->flags};

    op.data.send_initial_metadata.metadata = calling->sent;
    op.data.send_initial_metadata.count = calling->sent_count;
    return op;
}

grpc_op rpc_calling_receive_metadata(struct rpc_calling *calling)
{
    grpc_op op = {.op = GRPC_OP_RECV_INITIAL_METADATA};

    op.data.recv_initial_metadata.recv_initial_metadata = &calling->initial;
    return op;
}

grpc_op rpc_calling_receive_status(struct rpc_calling *calling)
{
    grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};

    op.data.recv_status_on_client.status = &calling->status;
    op.data.recv_status_on_client.status_details = &calling->status_text;
    op.data.recv_status_on_client.trailing_metadata = &calling->trailing;
    return op;
}

/* The status with details that a server of ours sends; NULL when there is none. */
static const Google__Rpc__Status *details_of(const struct rpc_calling *calling, struct arena *arena)
{
    ProtobufCMessage *status = NULL;
    struct error ignored;

    for (size_t i = 0; i < calling->trailing.count; i++) {
        const grpc_metadata *entry = &calling->trailing.metadata[i];
        struct rpc_bytes bytes = {
            GRPC_SLICE_START_PTR(entry->value), GRPC_SLICE_LENGTH(entry->value)};

        if (grpc_slice_str_cmp(entry->key, "grpc-status-details-bin") == 0 &&
            rpc_message_unpack(
                &google__rpc__status__descriptor, bytes, STATUS_BUDGET, arena, &status, &ignored)) {
            return (const Google__Rpc__Status *)status;
        }
    }
    return NULL;
}

bool rpc_calling_succeeded(const struct rpc_calling *calling, struct error *err)
{
    if (calling->status == GRPC_STATUS_OK) {
        return true;
    }

    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    const Google__Rpc__Status *details = details_of(calling, arena);
    Google__Rpc__Status plain = GOOGLE__RPC__STATUS__INIT;

    plain.code = (int32_t)calling->status;
    plain.message = arena_printf(
        arena, "%s: %.*s", calling->client->target, (int)GRPC_SLICE_LENGTH(calling->status_text),
        (const char *)GRPC_SLICE_START_PTR(calling->status_text));
    rpc_status_read(details ? details : &plain, err);
    return false;
}

bool rpc_calling_unpack(
    const struct rpc_calling *calling,
    grpc_byte_buffer *received,
    struct arena *arena,
    ProtobufCMessage **ret_message,
    struct error *err)
{
    grpc_slice slice = rpc_buffer_slice(received);
    bool unpacked = rpc_message_unpack(
        calling->response,
        (struct rpc_bytes){GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice)},
        RPC_RESPONSE_BUDGET, arena, ret_message, err);

    grpc_slice_unref(slice);
    grpc_byte_buffer_destroy(received);
    return unpacked;
}

/* The client. */

static grpc_arg integer(const char *key, int value, int otherwise)
{
    grpc_arg arg = {.type = GRPC_ARG_INTEGER};

    memcpy(&arg.key, &key, sizeof(key)); /* gRPC only reads it, but does not say const */
    arg.value.integer = value ? value : otherwise;
    return arg;
}

static grpc_channel *make_channel(const struct rpc_client_options *options)
{
    enum {
        RESPONSE_BYTES = 16 * 1024 * 1024
    };
    grpc_arg args[] = {
        integer(GRPC_ARG_KEEPALIVE_TIME_MS, options->keepalive_ms, 30000),
        integer(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, options->keepalive_timeout_ms, 10000),
        integer(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0, 0), /* any number */
        integer(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, options->backoff_min_ms, 200),
        /* In spite of its name: how long one attempt to connect may take, on a busy machine too. */
        integer(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 0, 5000),
        integer(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, options->backoff_max_ms, 5000),
        integer(
            GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, (int)options->max_message_bytes, RESPONSE_BYTES),
        integer(GRPC_ARG_MAX_METADATA_SIZE, 0, 64 * 1024),
        integer(GRPC_ARG_ENABLE_HTTP_PROXY, 0, 0),
        /* The retries of this libgrpc now and then lose a call for good when a server says goodbye.
         */
        integer(GRPC_ARG_ENABLE_RETRIES, 0, 0),
        integer(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1, 1), /* a connection of its own */
        integer(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1, 1),
    };
    grpc_channel_args all = {.num_args = sizeof(args) / sizeof(args[0]), .args = args};
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    grpc_channel *channel = grpc_channel_create(options->target, credentials, &all);

    grpc_channel_credentials_release(credentials);
    return channel;
}

struct rpc_client *rpc_client_new(const struct rpc_client_options *options)
{
    struct rpc_client *client = mem_new(struct rpc_client);

    rpc_library_init();
    client->target = mem_strdup(options->target);
    client->loop = rpc_loop_new();
    client->channel = make_channel(options);
    (void)pthread_mutex_init(&client->mutex, NULL);
    (void)pthread_cond_init(&client->idle, NULL);
    TAILQ_INIT(&client->callings);
    rpc_loop_start(client->loop);
    return client;
}

struct rpc_client *rpc_client_free(struct rpc_client *client)
{
    if (!client) {
        return NULL;
    }
    assert(!rpc_loop_is_here(client->loop));

    (void)pthread_mutex_lock(&client->mutex);
    struct rpc_calling *calling = NULL;

    TAILQ_FOREACH(calling, &client->callings, link)
    {
        (void)grpc_call_cancel(calling->grpc, NULL);
    }
    while (!TAILQ_EMPTY(&client->callings)) {
        (void)pthread_cond_wait(&client->idle, &client->mutex);
    }
    (void)pthread_mutex_unlock(&client->mutex);

    rpc_loop_stop(client->loop);
    grpc_channel_destroy(client->channel);
    rpc_loop_free(client->loop);
    (void)pthread_cond_destroy(&client->idle);
    (void)pthread_mutex_destroy(&client->mutex);
    free(client->target);
    free(client);
    rpc_library_deinit();
    return NULL;
}

/* Unary calls. */

struct unary {
    struct rpc_calling calling; /* first */
    rpc_reply_handler *reply;
    void *data;
    struct arena *arena;
    bool own_arena;
    grpc_byte_buffer *received;
    struct rpc_tag done;
};

static bool take_response(struct unary *unary, ProtobufCMessage **ret_response, struct error *err)
{
    if (!rpc_calling_succeeded(&unary->calling, err)) {
        return false;
    }
    if (!unary->received) {
        return FAIL(err, REASON_INTERNAL, "the server said OK without a response");
    }
    return rpc_calling_unpack(
        &unary->calling, STEAL(unary->received), unary->arena, ret_response, err);
}

static void unary_done(struct rpc_tag *tag, bool ok)
{
    struct unary *unary = RPC_OWNER(tag, struct unary, done);
    ProtobufCMessage *response = NULL;
    struct error err;

    (void)ok; /* a batch with a status always succeeds; the status tells */
    bool succeeded = take_response(unary, &response, &err);

    unary->reply(unary->data, succeeded ? response : NULL, succeeded ? NULL : &err);
    if (unary->received) {
        grpc_byte_buffer_destroy(unary->received);
    }
    if (unary->own_arena) {
        arena_free(unary->arena);
    }
    rpc_calling_deinit(&unary->calling);
    free(unary);
}

static void unary_start(struct unary *unary, const struct rpc_request *request)
{
    grpc_byte_buffer *message = rpc_pack_buffer(request->message);
    grpc_op ops[6] = {
        rpc_calling_send_metadata(&unary->calling),
        {.op = GRPC_OP_SEND_MESSAGE},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        rpc_calling_receive_metadata(&unary->calling),
        {.op = GRPC_OP_RECV_MESSAGE},
        rpc_calling_receive_status(&unary->calling),
    };

    ops[1].data.send_message.send_message = message;
    ops[4].data.recv_message.recv_message = &unary->received;
    unary->done.done = unary_done;
    rpc_loop_start_batch(unary->calling.grpc, ops, sizeof(ops) / sizeof(ops[0]), &unary->done);
    grpc_byte_buffer_destroy(message);
}

static struct unary *unary_new(
    struct rpc_client *client,
    const struct rpc_request *request,
    rpc_reply_handler *reply,
    void *data)
{
    struct unary *unary = mem_new(struct unary);

    rpc_calling_init(&unary->calling, client, request);
    unary->reply = reply;
    unary->data = data;
    return unary;
}

void rpc_client_call(
    struct rpc_client *client,
    const struct rpc_request *request,
    rpc_reply_handler *reply,
    void *data)
{
    struct unary *unary = unary_new(client, request, reply, data);

    unary->arena = arena_new();
    unary->own_arena = true;
    unary_start(unary, request);
}

/* What the caller of rpc_client_call_wait waits for, on its stack. */
struct wait {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool done;
    const ProtobufCMessage *response;
    struct error err;
};

static void wake_caller(void *data, const ProtobufCMessage *response, const struct error *err)
{
    struct wait *wait = data;

    (void)pthread_mutex_lock(&wait->mutex);
    wait->response = response;
    if (err) {
        wait->err = *err;
    }
    wait->done = true;
    (void)pthread_cond_signal(&wait->changed);
    (void)pthread_mutex_unlock(&wait->mutex);
}

bool rpc_client_call_wait(
    struct rpc_client *client,
    const struct rpc_request *request,
    struct arena *arena,
    const ProtobufCMessage **ret_response,
    struct error *err)
{
    struct wait wait = {
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
    };
    struct unary *unary = unary_new(client, request, wake_caller, &wait);

    assert(!rpc_loop_is_here(client->loop));
    unary->arena = arena;
    unary_start(unary, request);

    (void)pthread_mutex_lock(&wait.mutex);
    while (!wait.done) {
        (void)pthread_cond_wait(&wait.changed, &wait.mutex);
    }
    (void)pthread_mutex_unlock(&wait.mutex);
    (void)pthread_cond_destroy(&wait.changed);
    (void)pthread_mutex_destroy(&wait.mutex);
    if (!wait.response) {
        *err = wait.err;
        return false;
    }
    *ret_response = wait.response;
    return true;
}

bool rpc_probe(const char *address, int timeout_ms, struct error *err)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct rpc_client_options options = {.target = address};
    CLEANUP(rpc_client_free_at_exit) struct rpc_client *client = rpc_client_new(&options);
    Grpc__Health__V1__HealthCheckRequest question = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    const ProtobufCMessage *answer = NULL;
    struct rpc_request request = {
        .path = "/grpc.health.v1.Health/Check",
        .message = &question.base,
        .response = &grpc__health__v1__health_check_response__descriptor,
        .timeout_ms = timeout_ms,
    };

    if (!rpc_client_call_wait(client, &request, arena, &answer, err)) {
        return false;
    }
    if (((const Grpc__Health__V1__HealthCheckResponse *)answer)->status !=
        GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING) {
        return FAIL(err, REASON_PEER_UNAVAILABLE, "%s does not serve", address);
    }
    return true;
}
