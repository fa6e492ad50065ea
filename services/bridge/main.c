/* cordboard-bridge: the service's parts, given to what every service does. */
#include "common/service/service.h"
#include "services/bridge/app.h"
#include "services/bridge/settings.h"
#include "services/bridge/telemetry/log_events.h"

static bool start(const void *config, void **ret_app, struct error *err)
{
    struct app *app = NULL;

    if (!app_start(config, &app, err)) {
        return false;
    }
    *ret_app = app;
    return true;
}

static bool look_after(void *app, struct error *err)
{
    return app_look_after(app, err);
}

static void stop(void *app)
{
    app_stop(app);
}

int main(int argc, char **argv)
{
    const struct service service = {
        .program = &bridge_program,
        .config_size = sizeof(struct bridge_config),
        .start = start,
        .look_after = look_after,
        .stop = stop,
        .failed = &log_event_service_failed,
        .stopping = &log_event_service_stopping,
        .stopped = &log_event_service_stopped,
    };

    return service_main(&service, argc, argv);
}
