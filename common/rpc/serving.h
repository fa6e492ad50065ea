/* The inside of server, call and stream. Internal.
 *
 *     server.c     routes, slots, admission, start and stop
 *     call.c       one call: arrival, answer, end; also the base of a stream
 *     stream.c     what a stream adds
 *     health.c, reflection.c   services that every server has
 *
 * A call lives on the loop it arrived on. Other threads reach it only by rpc_loop_post, and a
 * stream also by its mutex. Lock order: health, stream, loop.
 */
#ifndef COMMON_RPC_SERVING_H
#define COMMON_RPC_SERVING_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <uthash.h>

#include "common/rpc/loop.h"
#include "common/rpc/method.h"
#include "common/rpc/server.h"

struct arena;
struct rpc_health;
struct rpc_reflection;

#define RPC_REQUEST_ID_KEY "x-request-id"

enum {
    REQUEST_ID_SIZE = 65
};

/* Where a path leads. */
struct rpc_route {
    char *path;
    const struct rpc_service *service;
    const struct rpc_method *method;
    const ProtobufCMessageDescriptor *request;
    UT_hash_handle hh;
};

/* A loop and what the server keeps on it. */
struct rpc_server_loop {
    struct rpc_server *server;
    struct rpc_loop *loop;
    uint64_t random;
    TAILQ_HEAD(, rpc_call) calls; /* every one that is not over; loop only */
    struct rpc_post stop;
};

struct rpc_call {
    struct rpc_server_loop *home;
    const struct rpc_route *route; /* NULL: no such method */
    const char *path;
    grpc_call *grpc;
    grpc_metadata_array metadata;
    struct arena *arena;
    const char *peer;
    char request_id[REQUEST_ID_SIZE];
    int64_t start_mono_us;
    int64_t deadline_mono_us; /* INT64_MAX: none */
    bool is_stream;
    bool admitted; /* counted by the server's limits */
    atomic_bool cancelled;
    atomic_bool answered;

    /* What the client is told at the end; written by who answers, then read by the loop. */
    grpc_byte_buffer *reply;
    const struct error *err; /* in the arena, or the stream's; NULL: OK */

    /* Loop only. */
    int pending;       /* what gRPC or the handler still owes; at 0 the call is over */
    int was_cancelled; /* filled in by gRPC */
    grpc_byte_buffer *received;
    struct rpc_tag on_close;
    struct rpc_tag on_receive;
    struct rpc_tag on_answer;
    struct rpc_post post;
    TAILQ_ENTRY(rpc_call) link;
};

struct rpc_server {
    struct rpc_server_options options;
    grpc_server *grpc;
    int port;
    struct rpc_server_loop *loops;
    struct rpc_route *routes;
    struct rpc_health *health;
    struct rpc_reflection *reflection; /* NULL: switched off */

    atomic_bool stopping;
    atomic_int unary_count;
    atomic_int stream_count;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    int live; /* calls that are not over */
    bool shut_down;
    struct rpc_tag on_shutdown;
};

/* call.c */

/* A call that has just arrived, `size` bytes with a struct rpc_call in front. */
struct rpc_call *rpc_call_new(struct rpc_server_loop *home, size_t size);
/* Starts to watch for cancellation; the call is over when that and `pending` more have come back.
 */
void rpc_call_begin(struct rpc_call *call, int pending);
/* Starts to read a message; on_receive. */
void rpc_call_receive(struct rpc_call *call);
/* Checks and unpacks what was received into the arena. */
bool rpc_call_unpack(
    struct rpc_call *call,
    struct arena *arena,
    ProtobufCMessage **ret_message,
    struct error *err);
/* A unary call whose request is being read. */
void rpc_call_serve_unary(struct rpc_call *call);
/* Sends the status that `err` means; on_answer. With the initial metadata when none was sent yet.
 */
void rpc_call_send_status(struct rpc_call *call, bool initial_metadata);
/* One thing less is pending. */
void rpc_call_settle(struct rpc_call *call);

/* stream.c */

size_t rpc_stream_size(void);
void rpc_stream_serve(struct rpc_call *call);
/* gRPC has said that the call is over. */
void rpc_stream_hung_up(struct rpc_call *call);
/* After the call is over: frees the stream, unless others have references. */
void rpc_stream_release(struct rpc_call *call);
void rpc_stream_shut_down(struct rpc_call *call);

/* server.c */

/* The call is over and out of every list. */
void rpc_server_forget(struct rpc_server *server, const struct rpc_call *call);

/* health.c, reflection.c */

struct rpc_health *rpc_health_new(const struct rpc_service *services, size_t count);
struct rpc_health *rpc_health_free(struct rpc_health *health);
const struct rpc_service *rpc_health_service(const struct rpc_health *health);
void rpc_health_set(struct rpc_health *health, const char *service, bool serving);
void rpc_health_set_all(struct rpc_health *health, bool serving);

bool rpc_reflection_new(
    const struct rpc_server_options *options,
    struct rpc_reflection **ret_reflection,
    struct error *err);
struct rpc_reflection *rpc_reflection_free(struct rpc_reflection *reflection);
/* Two: v1 and v1alpha. */
const struct rpc_service *rpc_reflection_services(const struct rpc_reflection *reflection);
/* Full name of a service. */
const char *rpc_service_name(const struct rpc_service *service);

#endif
