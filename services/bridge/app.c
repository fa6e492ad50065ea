#include "services/bridge/app.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/http/status_server.h"
#include "common/rpc/server.h"
#include "proto_descriptor_set.h"
#include "services/bridge/calls/calls.h"
#include "services/bridge/link/link.h"
#include "services/bridge/media/media.h"
#include "services/bridge/media/wait_audio.h"
#include "services/bridge/rpc/services.h"
#include "services/bridge/settings.h"
#include "services/bridge/sip/agent.h"
#include "services/bridge/telemetry/log_events.h"
#include "services/bridge/telemetry/metrics.h"

enum {
    US_PER_MS = 1000,
    US_PER_SECOND = 1000000,
    NS_PER_US = 1000,
    PROBE_EVERY = 10, /* calls of app_look_after */
    PROBE_TIMEOUT_MS = 10000,
    PROBE_FAILURES = 3,    /* in a row: a busy machine is slow, a dead listener stays dead */
    LINGER_US = 500 * 1000 /* for the last BYEs to be answered */
};

struct app {
    const struct bridge_config *config;
    struct media_prompt *wait_audio;
    struct media *media;
    struct agent *agent;
    bool agent_started;
    struct calls *calls;
    struct link *link;
    struct rpc_server *server;
    struct status_server *status;
    struct bridge_rpc rpc;
    struct rpc_service services[BRIDGE_SERVICE_COUNT];
    struct rpc_descriptor_set descriptors;
    sem_t idle; /* no call is left */
    int looks;
    int probe_failures;
};

/* --- what the parts tell --- */

static void observe_link(void *context, bool up, const char *why)
{
    (void)context;
    if (up) {
        LOG(NULL, link_up);
    } else {
        LOG(NULL, link_down, LOG_TEXT("why", why));
    }
    metric_set(METRIC(bridge_link_up), up ? 1 : 0);
}

static void find_obstacles(void *context, struct status_report *report)
{
    struct app *app = context;

    if (!link_up(app->link)) {
        status_add_obstacle(report, "no link to the routing service");
    }
}

static void request_finished(void *context, const struct rpc_finished *call)
{
    const struct log_context log = {.request = call->request_id};

    (void)context;
    if (call->code == ERROR_INTERNAL) {
        LOG(&log, request_failed, LOG_TEXT("method", call->path), LOG_FAILURE(call->err));
    }
}

/* --- up --- */

static bool start_media(struct app *app, struct error *err)
{
    const struct bridge_config *config = app->config;
    struct media_options options = media_default_options();

    options.bind_address = config->media_bind_address;
    options.advertised_address =
        config->media_advertised_address[0] ? config->media_advertised_address : NULL;
    options.first_port = (uint16_t)config->media_first_port;
    options.last_port = (uint16_t)config->media_last_port;
    options.port_cooldown_us = config->media_port_cooldown_us;
    options.thread_count = (size_t)config->media_threads;
    options.on_event = calls_handle_media;
    options.event_context = app->calls;
    if (config->wait_audio[0] == '\0') {
        app->wait_audio = wait_audio_new();
    } else if (!media_prompt_load(config->wait_audio, &app->wait_audio, err)) {
        return false;
    }
    return media_start(&options, &app->media, err);
}

static void make_calls(struct app *app)
{
    const struct bridge_config *config = app->config;
    struct calls_options options = {.bridge = bridge_default_options()};

    options.bridge.media_address = config->media_advertised_address[0]
                                       ? config->media_advertised_address
                                       : config->media_bind_address;
    options.bridge.calls_max = (size_t)config->calls_max;
    options.bridge.call_limit_us = config->call_limit_us;
    app->calls = calls_new(&options);
}

static bool open_agent(struct app *app, struct error *err)
{
    const struct bridge_config *config = app->config;
    const struct agent_options options = {
        .listen_address = config->sip_listen_address.text,
        .advertised_address = config->sip_advertised_address,
        .user_agent = config->user_agent,
        .legs_max = 2 * (int)config->calls_max, /* the caller and the worker */
    };

    return agent_open(&options, &app->agent, err);
}

/* The link needs the calls, and the calls need the link before the signalling thread runs. */
static void start_calls(struct app *app)
{
    const struct link_options link = {
        .target = app->config->routing_address,
        .bridge_id = app->config->bridge_id,
        .calls = app->calls,
        .clock = clock_system(),
        .observe = observe_link,
        .context = app,
    };

    app->link = link_start(&link);

    const struct calls_peers peers = {
        .signalling = &agent_commands,
        .sip = app->agent,
        .media = app->media,
        .wait_audio = app->wait_audio,
        .link_commands = &link_commands_table,
        .link = app->link,
    };
    const struct agent_owner owner = {
        .context = app->calls,
        .handle_event = calls_handle_signalling,
        .run = calls_run,
        .wake_descriptor = calls_wake_descriptor(app->calls),
    };

    calls_connect(app->calls, &peers);
    agent_start(app->agent, &owner);
    app->agent_started = true;
}

static bool start_server(struct app *app, struct error *err)
{
    const struct bridge_config *config = app->config;
    struct rpc_server_options options = {0};

    rpc_server_options_default(&options);
    app->rpc = (struct bridge_rpc){.calls = app->calls};
    bridge_services(&app->rpc, app->services);
    app->descriptors = (struct rpc_descriptor_set){proto_descriptor_set, proto_descriptor_set_size};
    options.address = config->listen_address.text;
    options.services = app->services;
    options.service_count = BRIDGE_SERVICE_COUNT;
    options.descriptor_sets = &app->descriptors;
    options.descriptor_set_count = config->reflection ? 1 : 0;
    options.finished = request_finished;
    options.loops = 1;
    return rpc_server_start(&options, &app->server, err);
}

static bool start_status(struct app *app, struct error *err)
{
    static struct metric *const *const tables[] = {bridge_metrics, NULL};
    const struct status_options options = {
        .host = app->config->status_address.host,
        .port = app->config->status_address.port,
        .tables = tables,
        .find_obstacles = find_obstacles,
        .context = app,
    };

    return status_server_start(&options, &app->status, err);
}

bool app_start(const struct bridge_config *config, struct app **ret_app, struct error *err)
{
    CLEANUP(app_stop_at_exit) struct app *app = mem_new(struct app);

    app->config = config;
    sem_init(&app->idle, 0, 0);
    make_calls(app);
    if (!start_media(app, err) || !open_agent(app, err)) {
        return false;
    }
    start_calls(app);
    if (!start_server(app, err) || !start_status(app, err)) {
        return false;
    }
    metric_set(METRIC(bridge_start_time_seconds), clock_wall_us(clock_system()) / US_PER_SECOND);
    LOG(NULL, service_started, LOG_TEXT("version", CORDBOARD_VERSION),
        LOG_TEXT("contact", agent_contact(app->agent)),
        LOG_TEXT("media", media_address(app->media)), LOG_TEXT("grpc", config->listen_address.text),
        LOG_TEXT("status", config->status_address.text),
        LOG_TEXT("routing", config->routing_address));
    *ret_app = STEAL(app);
    return true;
}

bool app_look_after(struct app *app, struct error *err)
{
    if (++app->looks % PROBE_EVERY != 0) {
        return true;
    }
    if (rpc_probe(app->config->listen_address.text, PROBE_TIMEOUT_MS, err)) {
        app->probe_failures = 0;
        return true;
    }
    LOG(NULL, probe_failed, LOG_FAILURE(err));
    return ++app->probe_failures < PROBE_FAILURES;
}

/* --- down --- */

static void handle_idle(void *context)
{
    struct app *app = context;

    sem_post(&app->idle);
}

/* Every party is told; what the routing service has to know is reported. */
static void end_calls(struct app *app)
{
    int64_t until_us = clock_wall_us(clock_system()) + app->config->shutdown_grace_us;
    const struct timespec until = {
        .tv_sec = until_us / US_PER_SECOND,
        .tv_nsec = until_us % US_PER_SECOND * NS_PER_US,
    };

    agent_set_draining(app->agent, true);
    calls_post_end_all(app->calls, handle_idle, app);
    (void)sem_timedwait(&app->idle, &until);
}

struct app *app_stop(struct app *app)
{
    if (!app) {
        return NULL;
    }

    if (app->server) {
        rpc_server_stop(app->server, (int)(app->config->shutdown_grace_us / US_PER_MS));
    }
    if (app->agent_started) {
        end_calls(app);
        agent_stop(app->agent, LINGER_US);
    }
    app->link = link_stop(app->link, LINGER_US);
    rpc_server_free(app->server);
    status_server_stop(app->status);
    media_stop(app->media);
    calls_free(app->calls);
    agent_free(app->agent);
    media_prompt_unref(app->wait_audio);
    sem_destroy(&app->idle);
    free(app);
    return NULL;
}
