/* The bridge service put together: media, SIP, calls, the link, its API, status; in this order up,
 * and in reverse down.
 */
#ifndef BRIDGE_APP_H
#define BRIDGE_APP_H

#include <stdbool.h>

#include "common/base/attr.h"

struct app;
struct bridge_config;
struct error;

/* Starts everything; when it returns true, calls are taken as soon as the routing service answers.
 * Main thread; signals blocked. */
MUST_USE bool app_start(
    const struct bridge_config *config,
    struct app **ret_app,
    struct error *err);
/* Once a second: looks whether the API still accepts. False, with what is wrong, when the process
 * should end and be started again. */
MUST_USE bool app_look_after(struct app *app, struct error *err);
/* Ends the calls properly, within the grace of the settings. NULL is fine. */
struct app *app_stop(struct app *app);

DEFINE_CLEANUP(struct app *, app_stop)

#endif
