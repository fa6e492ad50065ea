/* Streams that are opened, fed, finished, canceled and left by many threads at once, while the
 * server stops: each `open` has its `closed`, each call its reply, and nothing is left over.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/attr.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/rpc/client.h"
#include "common/rpc/method.h"
#include "common/rpc/payload.h"
#include "common/rpc/server.h"
#include "common/rpc/stream.h"
#include "cordboard/test/v1/echo.pb-c.h"

#define ECHO_PATH "/cordboard.test.v1.EchoService/"

enum {
    CLIENTS = 2,
    CALLERS = 4,
    FEEDERS = 2,
    PLACES = 64,
    ENOUGH = 200, /* streams, before the server stops */
    PATIENCE_US = 30 * 1000 * 1000,
    MESSAGES = 20
};

/* The streams that are open now, for the feeders. */
static struct {
    pthread_mutex_t mutex;
    struct rpc_stream *streams[PLACES];
} board = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static atomic_int opened;
static atomic_int closed;
static atomic_int client_opened;
static atomic_int client_closed;
static atomic_int called;
static atomic_int replied;
static atomic_bool stop;

/* gRPC is not instrumented: what it hands from thread to thread would look like a race. */
/* NOLINTBEGIN(cert-dcl37-c,readability-identifier-naming): the sanitizer's name. */
const char *__tsan_default_options(void);

const char *__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1";
}
/* NOLINTEND(cert-dcl37-c,readability-identifier-naming) */

static bool is_over(void)
{
    return atomic_load(&stop);
}

/* The server's side. */

static void pin(struct rpc_stream *stream)
{
    (void)pthread_mutex_lock(&board.mutex);
    for (size_t i = 0; i < PLACES; i++) {
        if (!board.streams[i]) {
            board.streams[i] = rpc_stream_ref(stream);
            break;
        }
    }
    (void)pthread_mutex_unlock(&board.mutex);
}

static void unpin(const struct rpc_stream *stream)
{
    (void)pthread_mutex_lock(&board.mutex);
    for (size_t i = 0; i < PLACES; i++) {
        if (board.streams[i] == stream) {
            board.streams[i] = rpc_stream_unref(board.streams[i]);
        }
    }
    (void)pthread_mutex_unlock(&board.mutex);
}

static struct rpc_stream *pick(size_t place)
{
    (void)pthread_mutex_lock(&board.mutex);
    struct rpc_stream *stream = board.streams[place % PLACES];

    stream = stream ? rpc_stream_ref(stream) : NULL;
    (void)pthread_mutex_unlock(&board.mutex);
    return stream;
}

static void chat_open(struct rpc_stream *stream, const ProtobufCMessage *request)
{
    (void)request;
    (void)atomic_fetch_add(&opened, 1);
    pin(stream);
}

static void chat_message(struct rpc_stream *stream, const ProtobufCMessage *message)
{
    Cordboard__Test__V1__EchoResponse response = CORDBOARD__TEST__V1__ECHO_RESPONSE__INIT;

    response.text = ((const Cordboard__Test__V1__EchoRequest *)message)->text;
    (void)rpc_stream_send_message(stream, &response.base);
}

static void chat_closed(struct rpc_stream *stream, const struct error *err)
{
    (void)err;
    (void)atomic_fetch_add(&closed, 1);
    unpin(stream);
}

static void echo(struct rpc_call *call, const ProtobufCMessage *request)
{
    Cordboard__Test__V1__EchoResponse response = CORDBOARD__TEST__V1__ECHO_RESPONSE__INIT;

    response.text = ((const Cordboard__Test__V1__EchoRequest *)request)->text;
    rpc_call_reply(call, &response.base);
}

static void *feed(void *argument)
{
    struct rpc_payload *payload = rpc_payload_copy("", 0);
    size_t round = *(const size_t *)argument;

    while (!is_over()) {
        struct rpc_stream *stream = pick(round++);

        if (stream && round % 61 == 0) {
            rpc_stream_finish(stream, NULL);
        } else if (stream && round % 7 == 0) {
            rpc_stream_pause(stream);
            rpc_stream_resume(stream);
        } else if (stream) {
            (void)rpc_stream_send(stream, payload);
        }
        rpc_stream_unref(stream);
    }
    rpc_payload_unref(payload);
    return NULL;
}

/* The clients' side. */

static void stream_message(
    struct rpc_client_stream *stream,
    void *data,
    const ProtobufCMessage *message)
{
    (void)stream;
    (void)data;
    (void)message;
}

static void stream_closed(struct rpc_client_stream *stream, void *data, const struct error *err)
{
    (void)stream;
    (void)data;
    (void)err;
    (void)atomic_fetch_add(&client_closed, 1);
}

static const struct rpc_client_stream_handler seen = {
    .message = stream_message,
    .closed = stream_closed,
};

static void reply_seen(void *data, const ProtobufCMessage *response, const struct error *err)
{
    (void)data;
    assert((response == NULL) != (err == NULL));
    (void)atomic_fetch_add(&replied, 1);
}

static void talk_once(struct rpc_client *client, int round)
{
    Cordboard__Test__V1__EchoRequest message = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;
    struct rpc_request request = {
        .path = ECHO_PATH "Chat",
        .message = &message.base,
        .response = &cordboard__test__v1__echo_response__descriptor,
        .timeout_ms = round % 5 == 0 ? 3 : 0,
    };
    struct rpc_client_stream *stream = rpc_client_stream_open(client, &request, &seen, NULL);

    (void)atomic_fetch_add(&client_opened, 1);
    for (int i = 0; i < round % MESSAGES; i++) {
        (void)rpc_client_stream_send(stream, &message.base);
    }
    request.path = ECHO_PATH "Echo";
    (void)atomic_fetch_add(&called, 1);
    rpc_client_call(client, &request, reply_seen, NULL);
    if (round % 3 == 0) {
        rpc_client_stream_cancel(stream);
    } else {
        rpc_client_stream_half_close(stream);
    }
    rpc_client_stream_unref(stream);
}

static void *talk(void *argument)
{
    struct rpc_client *client = argument;

    /* No further ahead than this, or the machine is busy with a backlog. */
    for (int round = 0; !is_over(); round++) {
        while (atomic_load(&client_opened) - atomic_load(&client_closed) > PLACES && !is_over()) {
            (void)sched_yield();
        }
        talk_once(client, round);
    }
    return NULL;
}

static const struct rpc_stream_handler chat = {
    .bidi = true,
    .open = chat_open,
    .message = chat_message,
    .closed = chat_closed,
    .queue_messages = 32, /* so that some are too slow */
};

static const struct rpc_method methods[] = {
    {.name = "Echo", .unary = echo  },
    {.name = "Chat", .stream = &chat},
};

static const struct rpc_service service = {
    .descriptor = &cordboard__test__v1__echo_service__descriptor,
    .methods = methods,
    .method_count = sizeof(methods) / sizeof(methods[0]),
};

int main(void)
{
    static size_t starts[FEEDERS];
    struct rpc_server *server = NULL;
    struct rpc_client *clients[CLIENTS];
    pthread_t threads[CALLERS + FEEDERS];
    struct rpc_server_options options = {
        .address = "127.0.0.1:0", .services = &service, .service_count = 1};
    struct error err;
    char target[32];

    if (!rpc_server_start(&options, &server, &err)) {
        (void)fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    (void)snprintf(target, sizeof(target), "127.0.0.1:%d", rpc_server_port(server));
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = rpc_client_new(&(struct rpc_client_options){.target = target});
    }
    for (int i = 0; i < CALLERS + FEEDERS; i++) {
        bool feeds = i >= CALLERS;
        void *argument = feeds ? (void *)&starts[i - CALLERS] : (void *)clients[i % CLIENTS];

        if (pthread_create(&threads[i], NULL, feeds ? feed : talk, argument) != 0) {
            abort();
        }
    }
    int64_t until_us = clock_mono_us(clock_system()) + PATIENCE_US;

    while (atomic_load(&opened) < ENOUGH && clock_mono_us(clock_system()) < until_us) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    rpc_server_stop(server, 50); /* with everybody still at it */
    atomic_store(&stop, true);
    for (int i = 0; i < CALLERS + FEEDERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < CLIENTS; i++) {
        rpc_client_free(clients[i]);
    }
    rpc_server_free(server);

    printf(
        "%d streams opened, %d of them at the server; %d calls\n", atomic_load(&client_opened),
        atomic_load(&opened), atomic_load(&called));
    assert(atomic_load(&opened) >= ENOUGH && atomic_load(&opened) == atomic_load(&closed));
    assert(atomic_load(&client_opened) == atomic_load(&client_closed));
    assert(atomic_load(&called) == atomic_load(&replied));
    for (size_t i = 0; i < PLACES; i++) {
        assert(!board.streams[i]);
    }
    return 0;
}
