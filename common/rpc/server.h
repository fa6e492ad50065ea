/* The gRPC server: services in tables, on a few threads of its own, with health and reflection.
 *
 *     rpc_server_start -> (serving) -> rpc_server_stop -> rpc_server_free
 *
 * Signals: gRPC starts threads of its own, so block the signals that the program waits for before
 * the first rpc_server_start or rpc_client_new. Do not fork afterwards.
 *
 * Compressed requests are refused (UNIMPLEMENTED): they would get around the limit on size.
 *
 * The libgrpc of this age has a fault: once accept() fails for want of descriptors the listener is
 * dead for good, while everything else looks healthy. rpc_probe() from time to time, and exit when
 * it fails; raise the descriptor limit.
 */
#ifndef COMMON_RPC_SERVER_H
#define COMMON_RPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct error;
struct rpc_server;
struct rpc_service;

/* What became of one call; texts are borrowed. */
struct rpc_finished {
    const char *path;
    const char *request_id;
    const char *peer;
    int code;                /* gRPC status code; 1 when the client went before an OK */
    const struct error *err; /* what the handler said, before anything was hidden; NULL for OK */
    int64_t duration_us;
};

/* A serialized FileDescriptorSet, as proto's <name>_descriptor_set. Not copied. */
struct rpc_descriptor_set {
    const unsigned char *bytes;
    size_t size;
};

struct rpc_server_options {
    const char *address; /* "127.0.0.1:7001", "[::1]:0"; port 0: any free one */
    const struct rpc_service *services;
    size_t service_count;
    const struct rpc_descriptor_set *descriptor_sets; /* none: no reflection */
    size_t descriptor_set_count;

    /* Called on a loop for every call that is over. May be NULL. */
    void (*finished)(void *data, const struct rpc_finished *call);
    void *finished_data;

    /* 0 means the default that rpc_server_options_default fills in. */
    int loops;                   /* threads, 2 */
    size_t max_message_bytes;    /* of a request; 1 MiB */
    size_t max_metadata_bytes;   /* 64 KiB; above it gRPC ends the whole connection */
    size_t max_unpacked_bytes;   /* of a request once unpacked; 8 MiB */
    int max_calls;               /* unary ones at a time, more are OVERLOADED; 10000 */
    int max_streams;             /* likewise; 20000 */
    int retry_delay_ms;          /* what an OVERLOADED client is told; 200 */
    int keepalive_ms;            /* ping an idle connection; 30000 */
    int keepalive_timeout_ms;    /* and drop it without an answer; 10000 */
    int min_ping_interval_ms;    /* clients may ping this often; 5000 */
    int max_connection_age_ms;   /* ask clients to reconnect now and then; 0 stays: never */
    int connection_age_grace_ms; /* for calls on such a connection; 30000 */
    int linger_ms; /* for a client to read the end of a stream before it is canceled; 10000 */
};

void rpc_server_options_default(struct rpc_server_options *options);

/* Listens and serves; health says SERVING for each service and for "". The services' tables,
 * contexts and the descriptor sets must outlive the server. */
MUST_USE bool rpc_server_start(
    const struct rpc_server_options *options,
    struct rpc_server **ret_server,
    struct error *err);
int rpc_server_port(const struct rpc_server *server);

/* What grpc.health.v1 says of a service ("": the server as a whole). Any thread. */
void rpc_server_set_serving(struct rpc_server *server, const char *service, bool serving);

/* Health says NOT_SERVING, the port is closed, clients are told to go elsewhere, streams end with
 * SHUTTING_DOWN, unary calls have grace_ms to be answered and are then canceled. Afterwards no
 * handler is called any more, but calls that handlers still hold must still be answered. */
void rpc_server_stop(struct rpc_server *server, int grace_ms);
/* Stops when that has not been done; waits for the last answers. Aborts, naming the method, when a
 * handler has lost a call. */
struct rpc_server *rpc_server_free(struct rpc_server *server);

/* Calls the health service at this address and fails when it does not say SERVING in time. Blocks.
 */
MUST_USE bool rpc_probe(const char *address, int timeout_ms, struct error *err);

DEFINE_CLEANUP(struct rpc_server *, rpc_server_free)

#endif
