/* Server and client of common/rpc against each other, over loopback. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"
#include "cordboard/test/v1/echo.pb-c.h"
#include "tests/support/echo/echo_service.h"

typedef Cordboard__Test__V1__EchoRequest echo_request;
typedef Cordboard__Test__V1__EchoResponse echo_response;
typedef Cordboard__Test__V1__RepeatRequest repeat_request;

#define ECHO_PATH "/cordboard.test.v1.EchoService/"

enum {
    PATIENCE_US = 10 * 1000 * 1000,
    TIMEOUT_MS = 10000
};

/* Waits until the condition holds; false when it does not in time. */
#define WAIT_FOR(condition)                                                                        \
    __extension__({                                                                                \
        int64_t until_ = clock_mono_us(clock_system()) + PATIENCE_US;                              \
        while (!(condition) && clock_mono_us(clock_system()) < until_) {                           \
            (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);                         \
        }                                                                                          \
        (condition);                                                                               \
    })

struct world {
    struct echo *echo;
    struct rpc_server *server;
    struct rpc_client *client;
    struct arena *arena;
    struct error err;
    atomic_int finished;
    char address[32];
};

static void count_finished(void *data, const struct rpc_finished *call)
{
    struct world *world = data;

    cr_assert_gt(strlen(call->request_id), 0);
    (void)atomic_fetch_add(&world->finished, 1);
}

static void world_start_server(struct world *world, struct rpc_server_options options)
{
    world->echo = echo_new();
    options.address = world->address[0] ? world->address : "127.0.0.1:0";
    options.services = echo_service(world->echo);
    options.service_count = 1;
    options.finished = count_finished;
    options.finished_data = world;
    cr_assert(rpc_server_start(&options, &world->server, &world->err), "%s", world->err.message);
    (void)snprintf(
        world->address, sizeof(world->address), "127.0.0.1:%d", rpc_server_port(world->server));
}

static void world_stop_server(struct world *world, int grace_ms)
{
    rpc_server_stop(world->server, grace_ms);
    world->echo = echo_free(world->echo);
    world->server = rpc_server_free(world->server);
}

static void world_init(struct world *world, struct rpc_server_options options)
{
    memset(world, 0, sizeof(*world));
    world->arena = arena_new();
    world_start_server(world, options);
    world->client = rpc_client_new(&(struct rpc_client_options){
        .target = world->address, .backoff_min_ms = 20, .backoff_max_ms = 50});
}

static void world_deinit(struct world *world)
{
    rpc_client_free(world->client);
    if (world->server) {
        world_stop_server(world, TIMEOUT_MS);
    }
    arena_free(world->arena);
}

static struct rpc_request request_of(const char *path, const ProtobufCMessage *message)
{
    return (struct rpc_request){
        .path = path,
        .message = message,
        .response = &cordboard__test__v1__echo_response__descriptor,
        .timeout_ms = TIMEOUT_MS,
    };
}

static const echo_response *call(struct world *world, const echo_request *request)
{
    struct rpc_request rpc = request_of(ECHO_PATH "Echo", &request->base);
    const ProtobufCMessage *response = NULL;
    bool ok = rpc_client_call_wait(world->client, &rpc, world->arena, &response, &world->err);

    return ok ? (const echo_response *)response : NULL;
}

static char *text(struct world *world, const char *value)
{
    return arena_strdup(world->arena, value);
}

Test(rpc, answers_from_the_loop_and_from_another_thread)
{
    struct world world;
    echo_request request = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;

    world_init(&world, (struct rpc_server_options){0});
    request.text = text(&world, "hello");
    for (int manner = CORDBOARD__TEST__V1__ECHO_REQUEST__MANNER__DIRECT;
         manner <= CORDBOARD__TEST__V1__ECHO_REQUEST__MANNER__DEFERRED; manner++) {
        request.manner = (Cordboard__Test__V1__EchoRequest__Manner)manner;
        const echo_response *response = call(&world, &request);

        cr_assert(response, "%s", world.err.message);
        cr_assert_str_eq(response->text, "hello");
        cr_assert_gt(response->remaining_ms, TIMEOUT_MS / 2);
    }
    cr_assert(WAIT_FOR(atomic_load(&world.finished) == 2));
    world_deinit(&world);
}

Test(rpc, carries_an_error_with_all_its_parts)
{
    struct world world;
    echo_request request = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;

    world_init(&world, (struct rpc_server_options){0});
    request.fail_reason = text(&world, "OVERLOADED");
    cr_assert_not(call(&world, &request));
    cr_assert_eq(world.err.reason, REASON_OVERLOADED);
    cr_assert_str_eq(world.err.field, "fail_reason");
    cr_assert_eq(world.err.retry_delay_ms, 1500);
    cr_assert_eq(world.err.metadata_count, 1);
    cr_assert_str_eq(world.err.metadata[0].key, "asked");
    world_deinit(&world);
}

Test(rpc, ends_a_call_at_its_deadline_on_both_sides)
{
    struct world world;
    echo_request request = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;

    world_init(&world, (struct rpc_server_options){0});
    request.manner = CORDBOARD__TEST__V1__ECHO_REQUEST__MANNER__NEVER;
    struct rpc_request rpc = request_of(ECHO_PATH "Echo", &request.base);
    const ProtobufCMessage *response = NULL;

    rpc.timeout_ms = 200;
    cr_assert_not(rpc_client_call_wait(world.client, &rpc, world.arena, &response, &world.err));
    cr_assert_eq(world.err.reason, REASON_DEADLINE_EXCEEDED);
    cr_assert(WAIT_FOR(atomic_load(&echo_counts(world.echo)->held_calls) == 0));
    world_deinit(&world);
}

Test(rpc, refuses_an_unknown_method)
{
    struct world world;
    echo_request request = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;
    const ProtobufCMessage *response = NULL;

    world_init(&world, (struct rpc_server_options){0});
    struct rpc_request rpc = request_of(ECHO_PATH "Nope", &request.base);

    cr_assert_not(rpc_client_call_wait(world.client, &rpc, world.arena, &response, &world.err));
    cr_assert_eq(world.err.reason, REASON_METHOD_UNKNOWN);
    world_deinit(&world);
}

static void ignore_reply(void *data, const ProtobufCMessage *response, const struct error *err)
{
    (void)response;
    (void)err;
    (void)atomic_fetch_add((atomic_int *)data, 1);
}

Test(rpc, admits_no_more_calls_than_it_is_told)
{
    struct world world;
    echo_request request = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;
    atomic_int replies = 0;

    world_init(&world, (struct rpc_server_options){.max_calls = 2, .retry_delay_ms = 70});
    request.manner = CORDBOARD__TEST__V1__ECHO_REQUEST__MANNER__NEVER;
    struct rpc_request rpc = request_of(ECHO_PATH "Echo", &request.base);

    rpc_client_call(world.client, &rpc, ignore_reply, &replies);
    rpc_client_call(world.client, &rpc, ignore_reply, &replies);
    cr_assert(WAIT_FOR(atomic_load(&echo_counts(world.echo)->held_calls) == 2));
    cr_assert_not(call(&world, &request));
    cr_assert_eq(world.err.reason, REASON_OVERLOADED);
    cr_assert_eq(world.err.retry_delay_ms, 70);
    world_deinit(&world);
    cr_assert_eq(atomic_load(&replies), 2);
}

/* What a client stream saw. */
struct seen {
    pthread_mutex_t mutex;
    atomic_int connected;
    atomic_int messages;
    atomic_int closed;
    int64_t last_index;
    bool in_order;
    struct error err;
    bool failed;
    bool hold_first; /* the first message blocks until the mutex is free */
};

static void seen_init(struct seen *seen)
{
    memset(seen, 0, sizeof(*seen));
    (void)pthread_mutex_init(&seen->mutex, NULL);
    seen->last_index = -1;
    seen->in_order = true;
}

static void on_connected(struct rpc_client_stream *stream, void *data)
{
    struct seen *seen = data;

    (void)stream;
    (void)atomic_fetch_add(&seen->connected, 1);
}

static void on_message(
    struct rpc_client_stream *stream,
    void *data,
    const ProtobufCMessage *message)
{
    struct seen *seen = data;
    const echo_response *response = (const echo_response *)message;

    (void)stream;
    if (seen->hold_first) {
        (void)pthread_mutex_lock(&seen->mutex);
        (void)pthread_mutex_unlock(&seen->mutex);
    }
    seen->in_order &= response->index == seen->last_index + 1;
    seen->last_index = response->index;
    (void)atomic_fetch_add(&seen->messages, 1);
}

static void on_closed(struct rpc_client_stream *stream, void *data, const struct error *err)
{
    struct seen *seen = data;

    (void)stream;
    seen->failed = err != NULL;
    if (err) {
        seen->err = *err;
    }
    (void)atomic_fetch_add(&seen->closed, 1);
}

static const struct rpc_client_stream_handler seen_handler = {
    .connected = on_connected,
    .message = on_message,
    .closed = on_closed,
};

static struct rpc_client_stream *repeat(
    struct world *world,
    struct seen *seen,
    const repeat_request *request)
{
    struct rpc_request rpc = request_of(ECHO_PATH "Repeat", &request->base);
    struct rpc_client_stream *stream = NULL;

    rpc.timeout_ms = 0;
    stream = rpc_client_stream_open(world->client, &rpc, &seen_handler, seen);
    rpc_client_stream_half_close(stream);
    return stream;
}

static struct rpc_client_stream *chat(struct world *world, struct seen *seen)
{
    struct rpc_request rpc = request_of(ECHO_PATH "Chat", NULL);

    rpc.timeout_ms = 0;
    rpc.wait_for_ready = true;
    return rpc_client_stream_open(world->client, &rpc, &seen_handler, seen);
}

Test(rpc, streams_in_order_to_the_end)
{
    struct world world;
    struct seen seen;
    repeat_request request = CORDBOARD__TEST__V1__REPEAT_REQUEST__INIT;

    world_init(&world, (struct rpc_server_options){0});
    seen_init(&seen);
    request.count = 1000;
    request.body_bytes = 5000;
    request.paced = true;
    CLEANUP(rpc_client_stream_unref_at_exit)
    struct rpc_client_stream *stream = repeat(&world, &seen, &request);

    cr_assert(WAIT_FOR(atomic_load(&seen.closed) == 1));
    cr_assert_not(seen.failed, "%s", seen.err.message);
    cr_assert_eq(atomic_load(&seen.connected), 1);
    cr_assert_eq(atomic_load(&seen.messages), 1000);
    cr_assert(seen.in_order);
    cr_assert_not(rpc_client_stream_send(stream, &request.base));
    world_deinit(&world);
}

Test(rpc, ends_the_stream_of_a_client_that_does_not_read)
{
    struct world world;
    struct seen seen;
    repeat_request request = CORDBOARD__TEST__V1__REPEAT_REQUEST__INIT;

    world_init(&world, (struct rpc_server_options){0});
    struct echo_counts *counts = echo_counts(world.echo);

    seen_init(&seen);
    seen.hold_first = true;
    (void)pthread_mutex_lock(&seen.mutex);
    request.count = 100000;
    request.body_bytes = 10000;
    rpc_client_stream_unref(repeat(&world, &seen, &request));

    /* The owner is told although the client has not read a byte. */
    cr_assert(WAIT_FOR(atomic_load(&counts->closed_reason) == REASON_STREAM_TOO_SLOW));
    cr_assert_eq(atomic_load(&counts->refused_sends), 1);
    cr_assert_eq(atomic_load(&counts->open_streams), 0);
    (void)pthread_mutex_unlock(&seen.mutex);
    cr_assert(WAIT_FOR(atomic_load(&seen.closed) == 1));
    cr_assert_eq(seen.err.reason, REASON_STREAM_TOO_SLOW);
    world_deinit(&world);
}

Test(rpc, tells_the_owner_of_a_stream_that_the_client_has_canceled)
{
    struct world world;
    struct seen seen;
    echo_request request = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;

    world_init(&world, (struct rpc_server_options){0});
    struct echo_counts *counts = echo_counts(world.echo);

    seen_init(&seen);
    CLEANUP(rpc_client_stream_unref_at_exit)
    struct rpc_client_stream *stream = chat(&world, &seen);

    cr_assert(rpc_client_stream_send(stream, &request.base));
    cr_assert(WAIT_FOR(atomic_load(&seen.messages) == 1));
    rpc_client_stream_cancel(stream);
    cr_assert(WAIT_FOR(atomic_load(&seen.closed) == 1));
    cr_assert_eq(seen.err.reason, REASON_CANCELLED);
    cr_assert(WAIT_FOR(atomic_load(&counts->open_streams) == 0));
    /* Or -1: gRPC may report the end of the client's messages first, and the owner finishes. */
    cr_assert(
        atomic_load(&counts->closed_reason) == REASON_CANCELLED ||
        atomic_load(&counts->closed_reason) == -1);
    world_deinit(&world);
}

Test(rpc, answers_a_half_closed_chat_before_it_ends)
{
    struct world world;
    struct seen seen;
    echo_request request = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;

    world_init(&world, (struct rpc_server_options){0});
    seen_init(&seen);
    CLEANUP(rpc_client_stream_unref_at_exit)
    struct rpc_client_stream *stream = chat(&world, &seen);

    for (int i = 0; i < 200; i++) {
        cr_assert(rpc_client_stream_send(stream, &request.base));
    }
    rpc_client_stream_half_close(stream);
    cr_assert(WAIT_FOR(atomic_load(&seen.closed) == 1));
    cr_assert_not(seen.failed, "%s", seen.err.message);
    cr_assert_eq(atomic_load(&seen.messages), 200);
    cr_assert(seen.in_order);
    world_deinit(&world);
}

Test(rpc, tells_open_streams_that_the_server_stops)
{
    struct world world;
    struct seen seen;

    world_init(&world, (struct rpc_server_options){0});
    seen_init(&seen);
    rpc_client_stream_unref(chat(&world, &seen));

    cr_assert(WAIT_FOR(atomic_load(&seen.connected) == 1));
    world_stop_server(&world, TIMEOUT_MS);
    cr_assert(WAIT_FOR(atomic_load(&seen.closed) == 1));
    cr_assert_eq(seen.err.reason, REASON_SHUTTING_DOWN);
    world_deinit(&world);
}

Test(rpc, connects_again_when_the_server_is_back)
{
    struct world world;
    echo_request request = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;
    const ProtobufCMessage *response = NULL;

    world_init(&world, (struct rpc_server_options){0});
    cr_assert(call(&world, &request));
    world_stop_server(&world, TIMEOUT_MS);
    cr_assert_not(call(&world, &request));
    cr_assert_eq(error_code(world.err.reason), ERROR_UNAVAILABLE);

    world_start_server(&world, (struct rpc_server_options){0});
    struct rpc_request rpc = request_of(ECHO_PATH "Echo", &request.base);

    rpc.wait_for_ready = true;
    cr_assert(
        rpc_client_call_wait(world.client, &rpc, world.arena, &response, &world.err), "%s",
        world.err.message);
    world_deinit(&world);
}

Test(rpc, says_that_a_port_is_taken)
{
    struct world world;
    struct rpc_server *second = NULL;

    world_init(&world, (struct rpc_server_options){0});
    cr_assert_not(rpc_server_start(
        &(struct rpc_server_options){.address = world.address}, &second, &world.err));
    cr_assert_eq(world.err.reason, REASON_LISTEN_FAILED);
    cr_assert(strstr(world.err.message, world.address));
    world_deinit(&world);
}

Test(rpc, probes_a_server_that_serves_and_one_that_does_not)
{
    struct world world;

    world_init(&world, (struct rpc_server_options){0});
    cr_assert(rpc_probe(world.address, TIMEOUT_MS, &world.err), "%s", world.err.message);
    rpc_server_set_serving(world.server, "", false);
    cr_assert_not(rpc_probe(world.address, TIMEOUT_MS, &world.err));
    world_stop_server(&world, TIMEOUT_MS);
    cr_assert_not(rpc_probe(world.address, TIMEOUT_MS, &world.err));
    cr_assert_eq(world.err.reason, REASON_PEER_UNAVAILABLE);
    world_deinit(&world);
}

Test(rpc, cancels_what_a_freed_client_has_under_way)
{
    struct world world;
    struct seen seen;
    echo_request request = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;
    atomic_int replies = 0;

    world_init(&world, (struct rpc_server_options){0});
    seen_init(&seen);
    request.manner = CORDBOARD__TEST__V1__ECHO_REQUEST__MANNER__NEVER;
    struct rpc_request rpc = request_of(ECHO_PATH "Echo", &request.base);

    rpc_client_call(world.client, &rpc, ignore_reply, &replies);
    rpc_client_stream_unref(chat(&world, &seen));
    world.client = rpc_client_free(world.client);
    cr_assert_eq(atomic_load(&replies), 1);
    cr_assert_eq(atomic_load(&seen.closed), 1);
    world_deinit(&world);
}

enum {
    CALLERS = 8,
    CALLS_EACH = 200
};

static void *call_many(void *data)
{
    struct world *world = data;
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    echo_request request = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;
    const ProtobufCMessage *response = NULL;
    struct error err;

    for (int i = 0; i < CALLS_EACH; i++) {
        request.text = arena_printf(arena, "%p %d", (void *)arena, i);
        request.manner = i % 2 ? CORDBOARD__TEST__V1__ECHO_REQUEST__MANNER__DEFERRED
                               : CORDBOARD__TEST__V1__ECHO_REQUEST__MANNER__DIRECT;
        struct rpc_request rpc = request_of(ECHO_PATH "Echo", &request.base);

        if (!rpc_client_call_wait(world->client, &rpc, arena, &response, &err) ||
            strcmp(((const echo_response *)response)->text, request.text) != 0) {
            return world;
        }
    }
    return NULL;
}

Test(rpc, keeps_calls_of_many_threads_apart)
{
    struct world world;
    pthread_t threads[CALLERS];
    void *failed = NULL;

    world_init(&world, (struct rpc_server_options){0});
    for (int i = 0; i < CALLERS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, call_many, &world), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        (void)pthread_join(threads[i], &failed);
        cr_assert_null(failed);
    }
    cr_assert(WAIT_FOR(atomic_load(&world.finished) == CALLERS * CALLS_EACH));
    world_deinit(&world);
}
