/* The server as a whole. Calls come through generic slots, so that a path nobody knows is answered
 * like any other; a slot is armed again as soon as it has taken a call, as gRPC queues calls that
 * find no slot without a bound. How many calls are under way is our own admission.
 */
#include "common/rpc/server.h"

#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/rpc/serving.h"

enum {
    SLOTS_PER_LOOP = 64,
    /* How long handlers that still hold a call may take before the server says they lost it. */
    LOST_CALL_S = 30
};

/* Waits for one call. */
struct slot {
    struct rpc_tag tag;
    struct rpc_server_loop *home;
    grpc_call *grpc;
    grpc_call_details details;
    grpc_metadata_array metadata;
};

static void slot_taken(struct rpc_tag *tag, bool ok);

void rpc_server_options_default(struct rpc_server_options *options)
{
    static const struct rpc_server_options defaults = {
        .loops = 2,
        .max_message_bytes = (size_t)1024 * 1024,
        .max_metadata_bytes = (size_t)64 * 1024,
        .max_unpacked_bytes = (size_t)8 * 1024 * 1024,
        .max_calls = 10000,
        .max_streams = 20000,
        .retry_delay_ms = 200,
        .keepalive_ms = 30000,
        .keepalive_timeout_ms = 10000,
        .min_ping_interval_ms = 5000,
        .connection_age_grace_ms = 30000,
        .linger_ms = 10000,
    };

#define DEFAULT(name) options->name = options->name ? options->name : defaults.name
    DEFAULT(loops);
    DEFAULT(max_message_bytes);
    DEFAULT(max_metadata_bytes);
    DEFAULT(max_unpacked_bytes);
    DEFAULT(max_calls);
    DEFAULT(max_streams);
    DEFAULT(retry_delay_ms);
    DEFAULT(keepalive_ms);
    DEFAULT(keepalive_timeout_ms);
    DEFAULT(min_ping_interval_ms);
    DEFAULT(connection_age_grace_ms);
    DEFAULT(linger_ms);
#undef DEFAULT
}

/* Slots. */

static void slot_free(struct slot *slot)
{
    grpc_metadata_array_destroy(&slot->metadata);
    free(slot);
}

static void slot_arm(struct slot *slot)
{
    struct rpc_server *server = slot->home->server;
    grpc_completion_queue *queue = rpc_loop_queue(slot->home->loop);

    if (atomic_load(&server->stopping) ||
        grpc_server_request_call(
            server->grpc, &slot->grpc, &slot->details, &slot->metadata, queue, queue, &slot->tag) !=
            GRPC_CALL_OK) {
        slot_free(slot);
    }
}

static void slots_new(struct rpc_server_loop *home)
{
    for (int i = 0; i < SLOTS_PER_LOOP; i++) {
        struct slot *slot = mem_new(struct slot);

        slot->tag.done = slot_taken;
        slot->home = home;
        grpc_call_details_init(&slot->details);
        grpc_metadata_array_init(&slot->metadata);
        slot_arm(slot);
    }
}

/* Arrival. */

static uint64_t next_random(struct rpc_server_loop *home) /* splitmix64 */
{
    uint64_t mixed = home->random += 0x9E3779B97F4A7C15U;

    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31);
}

static bool is_request_id(const char *text)
{
    size_t length = text ? strlen(text) : 0;

    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return false;
        }
    }
    return length > 0 && length < REQUEST_ID_SIZE;
}

static void set_request_id(struct rpc_call *call)
{
    const char *given = rpc_call_metadata(call, RPC_REQUEST_ID_KEY);

    if (is_request_id(given)) {
        memcpy(call->request_id, given, strlen(given) + 1);
        return;
    }

    uint64_t random[2] = {next_random(call->home), next_random(call->home)};

    uuid7_print(clock_wall_us(clock_system()), (const uint8_t *)random, call->request_id);
}

static int64_t deadline_of(gpr_timespec deadline)
{
    if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) {
        return INT64_MAX;
    }

    gpr_timespec left = gpr_time_sub(
        gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC), gpr_now(GPR_CLOCK_MONOTONIC));

    return clock_mono_us(clock_system()) + left.tv_sec * 1000000 + left.tv_nsec / 1000;
}

/* Moves out of the slot what the call keeps. */
static struct rpc_call *call_of(struct slot *slot, const struct rpc_route *route, bool is_stream)
{
    struct rpc_server_loop *home = slot->home;
    struct rpc_call *call =
        rpc_call_new(home, is_stream ? rpc_stream_size() : sizeof(struct rpc_call));

    call->route = route;
    call->grpc = slot->grpc;
    call->metadata = slot->metadata;
    call->is_stream = is_stream;
    call->path = route ? route->path
                       : arena_strndup(
                             call->arena, (const char *)GRPC_SLICE_START_PTR(slot->details.method),
                             GRPC_SLICE_LENGTH(slot->details.method));
    call->deadline_mono_us = deadline_of(slot->details.deadline);
    set_request_id(call);
    TAILQ_INSERT_TAIL(&home->calls, call, link);

    grpc_slice_unref(slot->details.method);
    grpc_slice_unref(slot->details.host);
    grpc_call_details_init(&slot->details);
    grpc_metadata_array_init(&slot->metadata);

    (void)pthread_mutex_lock(&home->server->mutex);
    home->server->live++;
    (void)pthread_mutex_unlock(&home->server->mutex);
    return call;
}

/* Counts the call in, or says why not. */
static bool admit(struct rpc_server *server, const struct rpc_route *route, struct error *err)
{
    if (!route) {
        return FAIL(err, REASON_METHOD_UNKNOWN, "this server has no such method");
    }
    if (atomic_load(&server->stopping)) {
        return FAIL(err, REASON_SHUTTING_DOWN, "the server is shutting down");
    }

    bool is_stream = route->method->stream != NULL;
    atomic_int *count = is_stream ? &server->stream_count : &server->unary_count;
    int most = is_stream ? server->options.max_streams : server->options.max_calls;

    if (atomic_fetch_add(count, 1) < most) {
        return true;
    }
    (void)atomic_fetch_sub(count, 1);
    (void)FAIL(
        err, REASON_OVERLOADED, "%d %s are under way already", most,
        is_stream ? "streams" : "calls");
    err->retry_delay_ms = server->options.retry_delay_ms;
    return false;
}

/* NOLINTNEXTLINE(readability-function-size): the library's macro. */
static const struct rpc_route *find_route(const struct rpc_server *server, grpc_slice path)
{
    struct rpc_route *route = NULL;

    HASH_FIND(
        hh, server->routes, GRPC_SLICE_START_PTR(path), (unsigned)GRPC_SLICE_LENGTH(path), route);
    return route;
}

static void slot_taken(struct rpc_tag *tag, bool ok)
{
    struct slot *slot = RPC_OWNER(tag, struct slot, tag);

    if (!ok) { /* the server is shutting down */
        slot_free(slot);
        return;
    }

    struct rpc_server *server = slot->home->server;
    const struct rpc_route *route = find_route(server, slot->details.method);
    struct error err;
    bool admitted = admit(server, route, &err);
    struct rpc_call *call = call_of(slot, route, admitted && route->method->stream);

    slot_arm(slot);
    call->admitted = admitted;
    if (!admitted) {
        if (!route) {
            error_add_metadata(&err, "method", "%s", call->path);
        }
        rpc_call_begin(call, 1);
        rpc_call_fail(call, &err);
    } else if (call->is_stream) {
        rpc_stream_serve(call);
    } else {
        rpc_call_serve_unary(call);
    }
}

void rpc_server_forget(struct rpc_server *server, const struct rpc_call *call)
{
    if (call->admitted) {
        (void)atomic_fetch_sub(call->is_stream ? &server->stream_count : &server->unary_count, 1);
    }
    (void)pthread_mutex_lock(&server->mutex);
    server->live--;
    if (server->live == 0) {
        (void)pthread_cond_broadcast(&server->changed);
    }
    (void)pthread_mutex_unlock(&server->mutex);
}

/* Start. */

const char *rpc_service_name(const struct rpc_service *service)
{
    return service->name ? service->name : service->descriptor->name;
}

static bool is_row(const struct rpc_method *method, const ProtobufCMethodDescriptor *descriptor)
{
    return descriptor && !method->unary != !method->stream;
}

/* NOLINTNEXTLINE(readability-function-size): the library's macro. */
static void add_routes(struct rpc_server *server, const struct rpc_service *service)
{
    for (size_t i = 0; i < service->method_count; i++) {
        const struct rpc_method *method = &service->methods[i];
        const ProtobufCMethodDescriptor *descriptor =
            protobuf_c_service_descriptor_get_method_by_name(service->descriptor, method->name);
        struct rpc_route *route = mem_new(struct rpc_route);

        if (!is_row(method, descriptor)) {
            (void)fprintf(stderr, "%s: row %s is wrong\n", rpc_service_name(service), method->name);
            abort(); /* a fault of the program's own table */
        }
        route->path = mem_printf("/%s/%s", rpc_service_name(service), method->name);
        route->service = service;
        route->method = method;
        route->request = descriptor->input;
        HASH_ADD_KEYPTR(hh, server->routes, route->path, (unsigned)strlen(route->path), route);
    }
}

static void remove_routes(struct rpc_server *server)
{
    struct rpc_route *route = server->routes; /* the macro's list of all outlives its table */

    HASH_CLEAR(hh, server->routes);
    while (route) {
        struct rpc_route *next = route->hh.next;

        free(route->path);
        free(route);
        route = next;
    }
}

static grpc_arg integer(const char *key, size_t value)
{
    grpc_arg arg = {.type = GRPC_ARG_INTEGER};

    memcpy(&arg.key, &key, sizeof(key)); /* gRPC only reads it, but does not say const */

    arg.value.integer = value > INT32_MAX ? INT32_MAX : (int)value;
    return arg;
}

static void make_grpc(struct rpc_server *server)
{
    const struct rpc_server_options *options = &server->options;
    size_t age = (size_t)options->max_connection_age_ms;
    grpc_arg args[] = {
        integer(GRPC_ARG_ALLOW_REUSEPORT, 0), /* else two processes share a port unnoticed */
        integer(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, options->max_message_bytes),
        integer(GRPC_ARG_MAX_METADATA_SIZE, options->max_metadata_bytes),
        integer(GRPC_ARG_KEEPALIVE_TIME_MS, (size_t)options->keepalive_ms),
        integer(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, (size_t)options->keepalive_timeout_ms),
        integer(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        integer(
            GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
            (size_t)options->min_ping_interval_ms),
        integer(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0), /* any number of our own */
        integer(GRPC_ARG_ENABLE_CHANNELZ, 0),
        /* Only uncompressed: gRPC would unpack 200 kB to 200 MB before it looks at the limit. */
        integer(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1U << GRPC_COMPRESS_NONE),
        integer(GRPC_ARG_MAX_CONNECTION_AGE_MS, age ? age : INT32_MAX),
        integer(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, (size_t)options->connection_age_grace_ms),
    };
    grpc_channel_args all = {.num_args = sizeof(args) / sizeof(args[0]), .args = args};

    server->grpc = grpc_server_create(&all, NULL);
}

static void make_loops(struct rpc_server *server)
{
    server->loops = mem_new_array(struct rpc_server_loop, (size_t)server->options.loops);
    for (int i = 0; i < server->options.loops; i++) {
        struct rpc_server_loop *home = &server->loops[i];

        home->server = server;
        home->loop = rpc_loop_new();
        TAILQ_INIT(&home->calls);
        if (getrandom(&home->random, sizeof(home->random), 0) != sizeof(home->random)) {
            home->random = (uint64_t)clock_wall_us(clock_system()) + (uint64_t)i;
        }
        grpc_server_register_completion_queue(server->grpc, rpc_loop_queue(home->loop), NULL);
    }
}

static bool listen_on(struct rpc_server *server, struct error *err)
{
    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();

    server->port = grpc_server_add_http2_port(server->grpc, server->options.address, credentials);
    grpc_server_credentials_release(credentials);
    if (server->port == 0) {
        (void)FAIL(
            err, REASON_LISTEN_FAILED,
            "cannot listen on %s: the port is taken, or the address is not of this machine",
            server->options.address);
        error_add_metadata(err, "address", "%s", server->options.address);
        return false;
    }
    return true;
}

static bool add_services(struct rpc_server *server, struct error *err)
{
    const struct rpc_server_options *options = &server->options;

    server->health = rpc_health_new(options->services, options->service_count);
    add_routes(server, rpc_health_service(server->health));
    for (size_t i = 0; i < options->service_count; i++) {
        add_routes(server, &options->services[i]);
    }
    if (options->descriptor_set_count == 0) {
        return true;
    }
    if (!rpc_reflection_new(options, &server->reflection, err)) {
        return false;
    }
    add_routes(server, &rpc_reflection_services(server->reflection)[0]);
    add_routes(server, &rpc_reflection_services(server->reflection)[1]);
    return true;
}

static void shutdown_done(struct rpc_tag *tag, bool ok)
{
    struct rpc_server *server = RPC_OWNER(tag, struct rpc_server, on_shutdown);

    (void)ok;
    (void)pthread_mutex_lock(&server->mutex);
    server->shut_down = true;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->mutex);
}

static struct rpc_server *server_new(const struct rpc_server_options *options)
{
    struct rpc_server *server = mem_new(struct rpc_server);
    pthread_condattr_t monotonic;

    rpc_library_init();
    server->options = *options;
    rpc_server_options_default(&server->options);
    atomic_init(&server->stopping, false);
    atomic_init(&server->unary_count, 0);
    atomic_init(&server->stream_count, 0);
    server->on_shutdown.done = shutdown_done;
    (void)pthread_mutex_init(&server->mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&server->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    make_grpc(server);
    make_loops(server);
    return server;
}

bool rpc_server_start(
    const struct rpc_server_options *options,
    struct rpc_server **ret_server,
    struct error *err)
{
    CLEANUP(rpc_server_free_at_exit) struct rpc_server *server = server_new(options);
    bool ready = add_services(server, err) && listen_on(server, err);

    /* Started in any case: a server that was not cannot be shut down like one that was. */
    grpc_server_start(server->grpc);
    for (int i = 0; i < server->options.loops; i++) {
        if (ready) {
            slots_new(&server->loops[i]);
        }
        rpc_loop_start(server->loops[i].loop);
    }
    if (!ready) {
        return false;
    }
    *ret_server = STEAL(server);
    return true;
}

int rpc_server_port(const struct rpc_server *server)
{
    return server->port;
}

void rpc_server_set_serving(struct rpc_server *server, const char *service, bool serving)
{
    rpc_health_set(server->health, service, serving);
}

/* Stop. */

static void shut_down_streams(struct rpc_post *post)
{
    struct rpc_server_loop *home = RPC_OWNER(post, struct rpc_server_loop, stop);
    struct rpc_call *call = NULL;

    TAILQ_FOREACH(call, &home->calls, link)
    {
        if (call->is_stream) {
            rpc_stream_shut_down(call);
        }
    }
}

/* True when gRPC and all handlers are done with the server. */
static bool wait_until_idle(struct rpc_server *server, int timeout_ms)
{
    struct timespec deadline;
    int waited = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_ms / 1000;
    deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&server->mutex);
    while ((server->live > 0 || !server->shut_down) && waited == 0) {
        waited = pthread_cond_timedwait(&server->changed, &server->mutex, &deadline);
    }
    bool idle = server->live == 0 && server->shut_down;
    (void)pthread_mutex_unlock(&server->mutex);
    return idle;
}

void rpc_server_stop(struct rpc_server *server, int grace_ms)
{
    enum {
        CANCELED_MS = 1000
    };

    if (atomic_exchange(&server->stopping, true)) {
        return;
    }
    rpc_health_set_all(server->health, false);
    grpc_server_shutdown_and_notify(
        server->grpc, rpc_loop_queue(server->loops[0].loop), &server->on_shutdown);
    for (int i = 0; i < server->options.loops; i++) {
        server->loops[i].stop.run = shut_down_streams;
        rpc_loop_post(server->loops[i].loop, &server->loops[i].stop);
    }
    if (!wait_until_idle(server, grace_ms)) {
        grpc_server_cancel_all_calls(server->grpc);
        (void)wait_until_idle(server, CANCELED_MS);
    }
}

static void abort_for_lost_call(const struct rpc_server *server)
{
    for (int i = 0; i < server->options.loops; i++) {
        const struct rpc_call *call = TAILQ_FIRST(&server->loops[i].calls);

        if (call) {
            (void)fprintf(stderr, "rpc: a call of %s was never answered\n", call->path);
        }
    }
    abort();
}

struct rpc_server *rpc_server_free(struct rpc_server *server)
{
    if (!server) {
        return NULL;
    }

    rpc_server_stop(server, 0);
    if (!wait_until_idle(server, LOST_CALL_S * 1000)) {
        abort_for_lost_call(server);
    }
    for (int i = 0; i < server->options.loops; i++) {
        rpc_loop_stop(server->loops[i].loop);
    }
    grpc_server_destroy(server->grpc);
    for (int i = 0; i < server->options.loops; i++) {
        rpc_loop_free(server->loops[i].loop);
    }
    free(server->loops);
    remove_routes(server);
    rpc_reflection_free(server->reflection);
    rpc_health_free(server->health);
    (void)pthread_cond_destroy(&server->changed);
    (void)pthread_mutex_destroy(&server->mutex);
    rpc_library_deinit();
    free(server);
    return NULL;
}
