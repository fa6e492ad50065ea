/* The routing service put together: database, store, hub, shards, API, status; in this order up,
 * and in reverse down.
 */
#ifndef ROUTING_APP_H
#define ROUTING_APP_H

#include <stdbool.h>

#include "common/base/attr.h"

struct app;
struct error;
struct routing_config;

/* Starts everything; when it returns true, requests are served. Main thread; signals blocked. */
MUST_USE bool app_start(
    const struct routing_config *config,
    struct app **ret_app,
    struct error *err);
/* Once a second: keeps the embedded database alive, looks whether the API still accepts. False,
 * with what is wrong, when the process should end and be started again. */
MUST_USE bool app_look_after(struct app *app, struct error *err);
/* Finishes what was begun, within the grace of the settings. NULL is fine. */
struct app *app_stop(struct app *app);

DEFINE_CLEANUP(struct app *, app_stop)

#endif
