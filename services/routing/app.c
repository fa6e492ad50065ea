#include "services/routing/app.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/http/status_server.h"
#include "common/rpc/server.h"
#include "common/value/keys.h"
#include "proto_descriptor_set.h"
#include "services/routing/domain/view.h"
#include "services/routing/outlets/outlets.h"
#include "services/routing/postgres/embedded.h"
#include "services/routing/rpc/services.h"
#include "services/routing/settings.h"
#include "services/routing/shard/shard.h"
#include "services/routing/store/pg_store.h"
#include "services/routing/store/store.h"
#include "services/routing/telemetry/log_events.h"
#include "services/routing/telemetry/metrics.h"
#include "services/routing/wire/event.h"

enum {
    US_PER_MS = 1000,
    PROBE_EVERY = 10, /* calls of app_look_after */
    PROBE_TIMEOUT_MS = 10000,
    PROBE_FAILURES = 3 /* in a row: a busy machine is slow, a dead listener stays dead */,
    ADDRESS_SIZE = 300
};

struct app {
    const struct routing_config *config;
    struct embedded *embedded;
    struct store *store;
    struct value_keys *keys;
    struct hub *hub;
    struct shards *shards;
    struct rpc_server *server;
    struct status_server *status;
    struct routing_rpc rpc;
    struct rpc_service services[ROUTING_SERVICE_COUNT];
    struct rpc_descriptor_set descriptors;
    char grpc_address[ADDRESS_SIZE]; /* with the port that is really listened on */
    char status_address[ADDRESS_SIZE];
    int looks;
    int probe_failures;
};

/* --- what the parts tell --- */

static void observe(void *context, enum shards_notice notice, int64_t value, const char *text)
{
    (void)context;
    switch (notice) {
    case SHARDS_COMMIT_FAILED:
        LOG(NULL, commit_failed, LOG_TEXT("why", text));
        metric_add(METRIC(routing_commit_failures_total), 1);
        break;
    case SHARDS_COMMIT_RECOVERED:
        LOG(NULL, commit_recovered, LOG_INT("away_ms", value / US_PER_MS));
        break;
    case SHARDS_RENEWAL_FAILED:
        LOG(NULL, lease_not_renewed, LOG_TEXT("why", text));
        break;
    case SHARDS_LEASE_LOST:
        LOG(NULL, lease_lost);
        break;
    case SHARDS_LOADED:
        LOG(NULL, shards_loaded, LOG_INT("rows", value));
        break;
    case SHARDS_COMMAND_POISONED:
        LOG(NULL, command_poisoned, LOG_TEXT("operation", text));
        break;
    case SHARDS_SWEEP_MENDED:
        LOG(NULL, sweep_mended, LOG_INT("count", value));
        metric_add(METRIC(routing_sweep_mended_total), value);
        break;
    case SHARDS_COMMITTED:
        metric_add(METRIC(routing_commits_total), 1);
        metric_add(METRIC(routing_steps_total), value);
        break;
    }
}

static void publish(void *context, const struct step *step, const struct store_event *events)
{
    const struct app *app = context;

    hub_publish(app->hub, step, events);
}

static const char *id_in(const struct view *view)
{
    return view ? row_text(view->row, &row_types[view->kind].fields[1]) : "";
}

/* The event as the store and the outlets have it. */
static void pack_event(
    const char *workspace_id,
    const struct event *event,
    struct arena *arena,
    struct store_event *ret_packed)
{
    Cordboard__Routing__V1__Event *message = event_print(workspace_id, event, arena);
    size_t size = protobuf_c_message_get_packed_size(&message->base);
    uint8_t *bytes = arena_alloc(arena, size);

    protobuf_c_message_pack(&message->base, bytes);
    *ret_packed = (struct store_event){
        .workspace_id = workspace_id,
        .sequence = event->sequence,
        .time_us = event->time_us,
        .type = event->type,
        .task_id = id_in(event->task),
        .worker_id = id_in(event->worker),
        .reservation_id = id_in(event->reservation),
        .payload = bytes,
        .payload_size = size,
    };
}

static void request_finished(void *context, const struct rpc_finished *call)
{
    const struct log_context log = {.request = call->request_id};
    const char *code = error_code_name((enum error_code)call->code);

    (void)context;
    metric_add(metric_series(&metric_routing_requests_total, code), 1);
    metric_observe_us(METRIC(routing_request_duration_seconds), call->duration_us);
    if (call->code == ERROR_INTERNAL) {
        LOG(&log, request_failed, LOG_TEXT("method", call->path), LOG_FAILURE(call->err));
    } else {
        LOG(&log, request_finished, LOG_TEXT("method", call->path), LOG_TEXT("code", code),
            LOG_INT("took_us", call->duration_us));
    }
}

static void find_obstacles(void *context, struct status_report *report)
{
    struct app *app = context;
    const char *why = NULL;

    if (!shards_ready(app->shards, &why)) {
        status_add_obstacle(report, "%s", why);
    }
}

/* --- up --- */

static bool open_store(struct app *app, struct error *err)
{
    const struct routing_config *config = app->config;
    struct pg_store_options options = {
        .url = config->database_url,
        .migrations_directory =
            config->migrations_directory[0] ? config->migrations_directory : NULL,
        .shard_count = (int32_t)config->shard_count,
    };

    if (options.url[0] == '\0') {
        const struct embedded_options embedded = {
            .data_directory = config->data_directory,
            .binaries_directory =
                config->postgres_binaries_directory[0] ? config->postgres_binaries_directory : NULL,
        };

        if (!embedded_start(&embedded, &app->embedded, err)) {
            return false;
        }
        options.url = embedded_url(app->embedded);
    }
    return pg_store_open(&options, &app->store, err);
}

/* A name that no other replica has, and the same again after a restart on this machine: its own old
 * leases are taken over at once. */
static const char *owner_name(const struct app *app, char *buffer, size_t size)
{
    char host[64] = "localhost";

    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(buffer, size, "%s:%s", host, app->config->listen_address.text);
    return buffer;
}

static bool start_shards(struct app *app, struct error *err)
{
    const struct routing_config *config = app->config;
    struct shards_options options = shards_default_options();
    char owner[160];

    options.keys = app->keys;
    options.store = app->store;
    options.clock = clock_system();
    options.owner = owner_name(app, owner, sizeof(owner));
    options.lease_us = config->lease_us;
    options.command_limit = (size_t)config->command_limit;
    options.pack = pack_event;
    options.publish = publish;
    options.observe = observe;
    options.context = app;
    if (!shards_start(&options, &app->shards, err)) {
        return false;
    }
    hub_set_shards(app->hub, app->shards);
    return true;
}

/* The setting may leave the choice of the port to the system. */
static void print_address(char buffer[ADDRESS_SIZE], const struct config_address *address, int port)
{
    bool bracketed = strchr(address->host, ':') != NULL;

    (void)snprintf(
        buffer, ADDRESS_SIZE, "%s%s%s:%d", bracketed ? "[" : "", address->host,
        bracketed ? "]" : "", port);
}

static bool start_server(struct app *app, struct error *err)
{
    const struct routing_config *config = app->config;
    struct rpc_server_options options = {0};

    rpc_server_options_default(&options);
    app->rpc = (struct routing_rpc){.shards = app->shards, .keys = app->keys, .hub = app->hub};
    routing_services(&app->rpc, app->services);
    app->descriptors = (struct rpc_descriptor_set){proto_descriptor_set, proto_descriptor_set_size};
    options.address = config->listen_address.text;
    options.services = app->services;
    options.service_count = ROUTING_SERVICE_COUNT;
    options.descriptor_sets = &app->descriptors;
    options.descriptor_set_count = config->reflection ? 1 : 0;
    options.finished = request_finished;
    options.loops = (int)config->rpc_threads;
    options.max_connection_age_ms = (int)(config->max_connection_age_us / US_PER_MS);
    options.max_message_bytes = 4 << 20; /* a workflow document of a megabyte, as JSON text */
    if (!rpc_server_start(&options, &app->server, err)) {
        return false;
    }
    print_address(app->grpc_address, &config->listen_address, rpc_server_port(app->server));
    return true;
}

static bool start_status(struct app *app, struct error *err)
{
    static struct metric *const *const tables[] = {routing_metrics, NULL};
    const struct status_options options = {
        .host = app->config->status_address.host,
        .port = app->config->status_address.port,
        .tables = tables,
        .find_obstacles = find_obstacles,
        .context = app,
    };

    if (!status_server_start(&options, &app->status, err)) {
        return false;
    }
    print_address(
        app->status_address, &app->config->status_address, status_server_port(app->status));
    return true;
}

bool app_start(const struct routing_config *config, struct app **ret_app, struct error *err)
{
    CLEANUP(app_stop_at_exit) struct app *app = mem_new(struct app);

    app->config = config;
    if (!open_store(app, err)) {
        return false;
    }
    app->keys = value_keys_new(VALUE_KEYS_DEFAULT);

    const struct hub_options hub = {
        .clock = clock_system(),
        .store = app->store,
        .heartbeat_us = config->heartbeat_us,
        .bridge_lease_us = config->bridge_lease_us,
    };

    app->hub = hub_start(&hub);
    if (!start_shards(app, err) || !start_server(app, err) || !start_status(app, err)) {
        return false;
    }
    metric_set(METRIC(routing_start_time_seconds), clock_wall_us(clock_system()) / 1000000);
    LOG(NULL, service_started, LOG_TEXT("version", CORDBOARD_VERSION),
        LOG_TEXT("grpc", app->grpc_address), LOG_TEXT("status", app->status_address),
        LOG_TEXT("database", app->embedded ? "embedded" : "external"));
    *ret_app = STEAL(app);
    return true;
}

bool app_look_after(struct app *app, struct error *err)
{
    struct error trouble;

    if (app->embedded && !embedded_keep(app->embedded, &trouble)) {
        LOG(NULL, database_trouble, LOG_FAILURE(&trouble));
    }
    if (++app->looks % PROBE_EVERY != 0) {
        return true;
    }
    return rpc_probe(app->grpc_address, PROBE_TIMEOUT_MS, err);
}

/* --- down --- */

struct app *app_stop(struct app *app)
{
    if (!app) {
        return NULL;
    }

    int64_t grace_us = app->config->shutdown_grace_us;

    if (app->server) {
        rpc_server_stop(app->server, (int)(grace_us / US_PER_MS));
    }
    shards_stop(app->shards, grace_us);
    rpc_server_free(app->server);
    hub_stop(app->hub);
    status_server_stop(app->status);
    shards_free(app->shards); /* hub and probes may have asked them until now */
    value_keys_free(app->keys);
    if (app->store) {
        app->store->operations->close(app->store);
    }
    embedded_stop(app->embedded);
    free(app);
    return NULL;
}
