#include "common/service/service.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/base/arena.h"
#include "common/config/config.h"
#include "common/error/error.h"
#include "common/log/log.h"

static const char *setting(const struct service *service, const void *config, const char *name)
{
    const struct config_program *program = service->program;
    const char *value = "";

    for (size_t i = 0; i < program->setting_count; i++) {
        if (strcmp(program->settings[i].name, name) == 0) {
            memcpy(&value, (const char *)config + program->settings[i].offset, sizeof(char *));
        }
    }
    return value;
}

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

/* An exhausted descriptor table would kill gRPC's listener for good (see common/rpc/server.h). */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Before any thread exists, so that all of them leave the signals to this one. */
static void hold_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, signals, NULL);
    sigaction(SIGPIPE, &(const struct sigaction){.sa_handler = SIG_IGN}, NULL);
}

static int run(const struct service *service, const void *config)
{
    const struct timespec second = {.tv_sec = 1};
    const struct log_field none[] = {{.kind = LOG_FIELD_END}};
    struct error err;
    sigset_t signals;
    void *app = NULL;
    bool well = true;

    hold_signals(&signals);
    raise_descriptor_limit();
    if (!service->start(config, &app, &err)) {
        (void)fprintf(stderr, "%s: %s\n", service->program->name, err.message);
        return 1;
    }
    while (well && sigtimedwait(&signals, NULL, &second) < 0) {
        well = service->look_after(app, &err);
    }
    if (well) {
        log_write(NULL, service->stopping, none);
    } else {
        const struct log_field fields[] = {LOG_FAILURE(&err), {.kind = LOG_FIELD_END}};

        log_write(NULL, service->failed, fields);
    }
    service->stop(app);
    log_write(NULL, service->stopped, none);
    return well ? 0 : 1;
}

int service_main(const struct service *service, int argc, char **argv)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    void *config = arena_alloc(arena, service->config_size);
    enum config_outcome outcome = config_load_process(service->program, argc, argv, arena, config);

    if (outcome != CONFIG_READY) {
        return (int)outcome;
    }

    const struct log_options log = {
        .level = level_named(setting(service, config, "log_level")),
        .format = strcmp(setting(service, config, "log_format"), "json") == 0 ? LOG_FORMAT_JSON
                                                                              : LOG_FORMAT_TEXT,
    };

    log_start(&log);
    return run(service, config);
}
