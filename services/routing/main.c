/* cordboard-routing: reads settings, starts the service, waits for a signal. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/log/log.h"
#include "services/routing/app.h"
#include "services/routing/settings.h"
#include "services/routing/telemetry/log_events.h"

static enum log_level level_named(const char *name)
{
    static const char *const names[LOG_LEVEL_COUNT] = {
        [LOG_DEBUG] = "debug",
        [LOG_INFO] = "info",
        [LOG_WARN] = "warn",
        [LOG_ERROR] = "error",
    };
    int level = LOG_DEBUG;

    while (level < LOG_ERROR && strcmp(names[level], name) != 0) {
        level++;
    }
    return (enum log_level)level;
}

/* Waits for SIGTERM or SIGINT; false, with what is wrong, when the service cannot go on. */
static bool wait_for_signal(struct app *app, const sigset_t *signals, struct error *err)
{
    const struct timespec second = {.tv_sec = 1};

    while (sigtimedwait(signals, NULL, &second) < 0) {
        if (!app_look_after(app, err)) {
            return false;
        }
    }
    return true;
}

static int run(const struct routing_config *config)
{
    CLEANUP(app_stop_at_exit) struct app *app = NULL;
    struct error err;
    sigset_t signals;

    /* Before any thread exists, so that all of them leave the signals to this one. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    sigaction(SIGPIPE, &(const struct sigaction){.sa_handler = SIG_IGN}, NULL);

    if (!app_start(config, &app, &err)) {
        (void)fprintf(stderr, "cordboard-routing: %s\n", err.message);
        return 1;
    }
    if (!wait_for_signal(app, &signals, &err)) {
        LOG(NULL, service_failed, LOG_FAILURE(&err));
        return 1;
    }
    LOG(NULL, service_stopping);
    app = app_stop(app);
    LOG(NULL, service_stopped);
    return 0;
}

int main(int argc, char **argv)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct routing_config config;
    enum config_outcome outcome = config_load_process(&routing_program, argc, argv, arena, &config);

    if (outcome != CONFIG_READY) {
        return (int)outcome;
    }

    const struct log_options log = {
        .level = level_named(config.log_level),
        .format = strcmp(config.log_format, "json") == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT,
    };

    log_start(&log);
    return run(&config);
}
