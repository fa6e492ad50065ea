#include "tests/support/echo/echo_service.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/mailbox/mailbox.h"
#include "common/rpc/call.h"
#include "common/rpc/payload.h"
#include "common/rpc/stream.h"
#include "cordboard/test/v1/echo.pb-c.h"

typedef Cordboard__Test__V1__EchoRequest echo_request;
typedef Cordboard__Test__V1__EchoResponse echo_response;
typedef Cordboard__Test__V1__RepeatRequest repeat_request;

enum {
    PACE = 16,
    POLL_US = 2000,
    REPEAT_QUEUE_MESSAGES = 64
};

struct echo {
    struct rpc_service service;
    struct echo_counts counts;
    struct mailbox *mailbox;
    pthread_t thread;
    struct deferred *held; /* never answered; the thread's own */
};

/* A call on its way to the thread, in the call's arena. */
struct deferred {
    struct mailbox_node node;
    struct rpc_call *call;
    const echo_request *request;
    struct deferred *next_held;
};

static bool wants_failure(const char *reason_name, struct error *err)
{
    enum error_reason reason = REASON_INTERNAL;

    if (!reason_name[0] || !error_reason_find(reason_name, &reason)) {
        return false;
    }
    (void)FAIL_FIELD(err, reason, "fail_reason", "asked to fail with a secret");
    error_add_metadata(err, "asked", "%s", reason_name);
    err->retry_delay_ms = reason == REASON_OVERLOADED ? 1500 : 0;
    return true;
}

static void answer(struct rpc_call *call, const echo_request *request)
{
    echo_response response = CORDBOARD__TEST__V1__ECHO_RESPONSE__INIT;
    struct error err;

    if (wants_failure(request->fail_reason, &err)) {
        rpc_call_fail(call, &err);
        return;
    }

    struct arena *arena = rpc_call_arena(call);
    int64_t remaining_ms = rpc_call_remaining_ms(call);

    response.text = request->text;
    response.body = request->body;
    response.request_id = arena_strdup(arena, rpc_call_request_id(call));
    response.remaining_ms = remaining_ms == INT64_MAX ? -1 : remaining_ms;
    response.n_labels = request->n_labels;
    response.labels =
        arena_new_array(arena, Cordboard__Test__V1__EchoResponse__LabelsEntry *, request->n_labels);
    for (size_t i = 0; i < request->n_labels; i++) {
        response.labels[i] =
            arena_new_object(arena, Cordboard__Test__V1__EchoResponse__LabelsEntry);
        cordboard__test__v1__echo_response__labels_entry__init(response.labels[i]);
        response.labels[i]->key = request->labels[i]->key;
        response.labels[i]->value = request->labels[i]->value;
    }
    rpc_call_reply(call, &response.base);
}

static void echo(struct rpc_call *call, const ProtobufCMessage *message)
{
    const echo_request *request = (const echo_request *)message;
    struct echo *self = rpc_call_context(call);

    if (request->manner == CORDBOARD__TEST__V1__ECHO_REQUEST__MANNER__DEFERRED ||
        request->manner == CORDBOARD__TEST__V1__ECHO_REQUEST__MANNER__NEVER) {
        struct deferred *deferred = arena_new_object(rpc_call_arena(call), struct deferred);

        deferred->call = call;
        deferred->request = request;
        if (!mailbox_post(self->mailbox, &deferred->node)) {
            abort();
        }
    } else {
        answer(call, request);
    }
}

/* The thread. */

static void hold(struct echo *self, struct deferred *deferred)
{
    deferred->next_held = self->held;
    self->held = deferred;
    (void)atomic_fetch_add(&self->counts.held_calls, 1);
}

static void release_held(struct echo *self, bool all)
{
    struct deferred **at = &self->held;

    while (*at) {
        struct deferred *deferred = *at;
        struct error err;

        if (all || rpc_call_cancelled(deferred->call)) {
            *at = deferred->next_held;
            (void)FAIL(&err, REASON_CANCELLED, "let go");
            rpc_call_fail(deferred->call, &err);
            (void)atomic_fetch_sub(&self->counts.held_calls, 1);
        } else {
            at = &deferred->next_held;
        }
    }
}

static void *run(void *argument)
{
    struct echo *self = argument;
    enum mailbox_wake wake = MAILBOX_READY;

    while (wake != MAILBOX_CLOSED) {
        int64_t deadline = self->held ? clock_mono_us(clock_system()) + POLL_US : INT64_MAX;

        wake = mailbox_wait(self->mailbox, deadline);
        struct mailbox_node *node = mailbox_take_all(self->mailbox);

        while (node) {
            struct deferred *deferred = MAILBOX_MESSAGE(node, struct deferred, node);

            node = node->next;
            if (deferred->request->manner == CORDBOARD__TEST__V1__ECHO_REQUEST__MANNER__NEVER) {
                hold(self, deferred);
            } else {
                answer(deferred->call, deferred->request);
            }
        }
        release_held(self, false);
    }
    release_held(self, true);
    return NULL;
}

/* Streams. */

static void note_closed(struct rpc_stream *stream, const struct error *err)
{
    struct echo *self = rpc_call_context(rpc_stream_call(stream));

    atomic_store(&self->counts.closed_reason, err ? (int)err->reason : -1);
    (void)atomic_fetch_sub(&self->counts.open_streams, 1);
    free(rpc_stream_data(stream));
}

struct repeat {
    const repeat_request *request; /* in the stream's arena */
    int64_t sent;
    struct rpc_payload *body;
};

static void finish_as_asked(struct rpc_stream *stream, const char *fail_reason)
{
    struct error err;
    bool fails = wants_failure(fail_reason, &err);

    rpc_stream_finish(stream, fails ? &err : NULL);
}

static void send_some(struct rpc_stream *stream)
{
    struct repeat *repeat = rpc_stream_data(stream);
    struct echo *self = rpc_call_context(rpc_stream_call(stream));
    int64_t until = repeat->request->count;
    echo_response response = CORDBOARD__TEST__V1__ECHO_RESPONSE__INIT;
    CLEANUP(mem_free_at_exit) uint8_t *body = mem_alloc((size_t)repeat->request->body_bytes);

    if (repeat->request->paced && until > repeat->sent + PACE) {
        until = repeat->sent + PACE;
    }
    response.body.data = body;
    response.body.len = (size_t)repeat->request->body_bytes;
    for (; repeat->sent < until; repeat->sent++) {
        response.index = repeat->sent;
        if (!rpc_stream_send_message(stream, &response.base)) {
            (void)atomic_fetch_add(&self->counts.refused_sends, 1);
            return;
        }
    }
    if (repeat->sent == repeat->request->count) {
        finish_as_asked(stream, repeat->request->fail_reason);
    }
}

static void repeat_open(struct rpc_stream *stream, const ProtobufCMessage *request)
{
    struct echo *self = rpc_call_context(rpc_stream_call(stream));
    struct repeat *repeat = mem_new(struct repeat);

    (void)atomic_fetch_add(&self->counts.open_streams, 1);
    repeat->request = (const repeat_request *)request;
    rpc_stream_set_data(stream, repeat);
    send_some(stream);
}

static const struct rpc_stream_handler repeat_stream = {
    .open = repeat_open,
    .drained = send_some,
    .closed = note_closed,
    .queue_messages = REPEAT_QUEUE_MESSAGES,
};

static void chat_open(struct rpc_stream *stream, const ProtobufCMessage *request)
{
    struct echo *self = rpc_call_context(rpc_stream_call(stream));

    (void)request;
    (void)atomic_fetch_add(&self->counts.open_streams, 1);
    rpc_stream_set_data(stream, mem_new(int64_t));
}

static void chat_message(struct rpc_stream *stream, const ProtobufCMessage *message)
{
    const echo_request *request = (const echo_request *)message;
    int64_t *index = rpc_stream_data(stream);
    echo_response response = CORDBOARD__TEST__V1__ECHO_RESPONSE__INIT;

    if (request->fail_reason[0]) {
        finish_as_asked(stream, request->fail_reason);
        return;
    }
    response.text = request->text;
    response.body = request->body;
    response.index = (*index)++;
    (void)rpc_stream_send_message(stream, &response.base);
}

static const struct rpc_stream_handler chat_stream = {
    .bidi = true,
    .open = chat_open,
    .message = chat_message,
    .closed = note_closed,
};

static const struct rpc_method methods[] = {
    {.name = "Echo",   .unary = echo           },
    {.name = "Repeat", .stream = &repeat_stream},
    {.name = "Chat",   .stream = &chat_stream  },
};

struct echo *echo_new(void)
{
    struct echo *self = mem_new(struct echo);

    self->service = (struct rpc_service){
        .descriptor = &cordboard__test__v1__echo_service__descriptor,
        .methods = methods,
        .method_count = sizeof(methods) / sizeof(methods[0]),
        .context = self,
    };
    self->mailbox = mailbox_new();
    if (pthread_create(&self->thread, NULL, run, self) != 0) {
        abort();
    }
    return self;
}

struct echo *echo_free(struct echo *self)
{
    mailbox_close(self->mailbox);
    (void)pthread_join(self->thread, NULL);
    mailbox_free(self->mailbox);
    free(self);
    return NULL;
}

const struct rpc_service *echo_service(struct echo *self)
{
    return &self->service;
}

struct echo_counts *echo_counts(struct echo *self)
{
    return &self->counts;
}
