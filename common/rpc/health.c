/* grpc.health.v1: Check and Watch. Any thread sets, loops ask. */
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/rpc/serving.h"
#include "common/rpc/stream.h"
#include "grpc/health/v1/health.pb-c.h"

typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus serving_status;

#define STATUS(name) GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__##name

struct watched {
    char *service;
    bool serving;
    UT_hash_handle hh;
};

struct watcher {
    struct rpc_health *health;
    struct rpc_stream *stream;
    const char *service; /* in the stream's arena */
    TAILQ_ENTRY(watcher) link;
};

struct rpc_health {
    struct rpc_service service;
    pthread_mutex_t mutex; /* guards what follows */
    struct watched *all;
    TAILQ_HEAD(, watcher) watchers;
};

static const char *service_of(const ProtobufCMessage *request)
{
    return ((const Grpc__Health__V1__HealthCheckRequest *)request)->service;
}

/* NOLINTNEXTLINE(readability-function-size): the library's macro. */
static struct watched *find(struct rpc_health *health, const char *service)
{
    struct watched *found = NULL;

    HASH_FIND_STR(health->all, service, found);
    return found;
}

static serving_status find_status(struct rpc_health *health, const char *service)
{
    const struct watched *found = find(health, service);

    if (!found) {
        return STATUS(SERVICE_UNKNOWN);
    }
    return found->serving ? STATUS(SERVING) : STATUS(NOT_SERVING);
}

static void check(struct rpc_call *call, const ProtobufCMessage *request)
{
    struct rpc_health *health = rpc_call_context(call);
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    struct error err;

    (void)pthread_mutex_lock(&health->mutex);
    response.status = find_status(health, service_of(request));
    (void)pthread_mutex_unlock(&health->mutex);

    if (response.status == STATUS(SERVICE_UNKNOWN)) {
        (void)FAIL_FIELD(
            &err, REASON_NOT_FOUND, "service", "no service %s here", service_of(request));
        rpc_call_fail(call, &err);
    } else {
        rpc_call_reply(call, &response.base);
    }
}

static void tell(struct rpc_stream *stream, serving_status status)
{
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    response.status = status;
    (void)rpc_stream_send_message(stream, &response.base);
}

static void watch_open(struct rpc_stream *stream, const ProtobufCMessage *request)
{
    struct rpc_call *call = rpc_stream_call(stream);
    struct rpc_health *health = rpc_call_context(call);
    struct watcher *watcher = mem_new(struct watcher);

    watcher->health = health;
    watcher->stream = stream;
    watcher->service = arena_strdup(rpc_call_arena(call), service_of(request));
    rpc_stream_set_data(stream, watcher);

    (void)pthread_mutex_lock(&health->mutex);
    TAILQ_INSERT_TAIL(&health->watchers, watcher, link);
    tell(stream, find_status(health, watcher->service));
    (void)pthread_mutex_unlock(&health->mutex);
}

static void watch_closed(struct rpc_stream *stream, const struct error *err)
{
    struct watcher *watcher = rpc_stream_data(stream);
    struct rpc_health *health = watcher->health;

    (void)err;
    (void)pthread_mutex_lock(&health->mutex);
    TAILQ_REMOVE(&health->watchers, watcher, link);
    (void)pthread_mutex_unlock(&health->mutex);
    free(watcher);
}

static const struct rpc_stream_handler watch = {
    .open = watch_open,
    .closed = watch_closed,
    .queue_messages = 16,
};

static const struct rpc_method methods[] = {
    {.name = "Check", .unary = check  },
    {.name = "Watch", .stream = &watch},
};

/* NOLINTNEXTLINE(readability-function-size): the library's macro. */
static void add(struct rpc_health *health, const char *service)
{
    struct watched *watched = mem_new(struct watched);

    watched->service = mem_strdup(service);
    watched->serving = true;
    HASH_ADD_KEYPTR(hh, health->all, watched->service, (unsigned)strlen(watched->service), watched);
}

struct rpc_health *rpc_health_new(const struct rpc_service *services, size_t count)
{
    struct rpc_health *health = mem_new(struct rpc_health);

    health->service = (struct rpc_service){
        .descriptor = &grpc__health__v1__health__descriptor,
        .methods = methods,
        .method_count = sizeof(methods) / sizeof(methods[0]),
        .context = health,
    };
    (void)pthread_mutex_init(&health->mutex, NULL);
    TAILQ_INIT(&health->watchers);
    add(health, "");
    add(health, health->service.descriptor->name);
    for (size_t i = 0; i < count; i++) {
        add(health, rpc_service_name(&services[i]));
    }
    return health;
}

struct rpc_health *rpc_health_free(struct rpc_health *health)
{
    if (!health) {
        return NULL;
    }

    struct watched *watched = health->all; /* the macro's list of all outlives its table */

    HASH_CLEAR(hh, health->all);
    while (watched) {
        struct watched *next = watched->hh.next;

        free(watched->service);
        free(watched);
        watched = next;
    }
    (void)pthread_mutex_destroy(&health->mutex);
    free(health);
    return NULL;
}

const struct rpc_service *rpc_health_service(const struct rpc_health *health)
{
    return &health->service;
}

/* With the mutex held. */
static void set(struct rpc_health *health, struct watched *watched, bool serving)
{
    struct watcher *watcher = NULL;

    if (watched->serving == serving) {
        return;
    }
    watched->serving = serving;
    TAILQ_FOREACH(watcher, &health->watchers, link)
    {
        if (strcmp(watcher->service, watched->service) == 0) {
            tell(watcher->stream, serving ? STATUS(SERVING) : STATUS(NOT_SERVING));
        }
    }
}

void rpc_health_set(struct rpc_health *health, const char *service, bool serving)
{
    (void)pthread_mutex_lock(&health->mutex);
    struct watched *watched = find(health, service);

    if (watched) {
        set(health, watched, serving);
    }
    (void)pthread_mutex_unlock(&health->mutex);
}

void rpc_health_set_all(struct rpc_health *health, bool serving)
{
    struct watched *watched = NULL;
    struct watched *next = NULL;

    (void)pthread_mutex_lock(&health->mutex);
    HASH_ITER(hh, health->all, watched, next)
    {
        set(health, watched, serving);
    }
    (void)pthread_mutex_unlock(&health->mutex);
}
