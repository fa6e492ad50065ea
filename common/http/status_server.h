/* The small HTTP listener beside the API, for those who watch the process:
 *
 *     /metrics   Prometheus' text
 *     /healthz   200 while the process works at all; 503: restart it
 *     /readyz    200 when it can take work; 503 with one reason per line
 *
 * It runs on a thread of its own and calls the functions below from there. It is unencrypted and
 * asks for no credentials, so it listens on loopback unless told otherwise.
 */
#ifndef COMMON_HTTP_STATUS_SERVER_H
#define COMMON_HTTP_STATUS_SERVER_H

#include <stdbool.h>

#include "common/base/attr.h"

struct error;
struct metric;
struct status_report;
struct status_server;

struct status_options {
    const char *host; /* an address or a name; "" for all addresses */
    int port;         /* 0: the system chooses */
    struct metric *const *const *tables;
    /* Each may be NULL. They must be quick and must not wait for a loop of the service. */
    void (*collect)(void *context); /* sets gauges, before /metrics is printed */
    bool (*is_alive)(void *context);
    void (*find_obstacles)(void *context, struct status_report *report); /* for /readyz */
    void *context;
};

MUST_USE bool status_server_start(
    const struct status_options *options,
    struct status_server **ret_server,
    struct error *err);
/* Waits until no function of the options runs any more. Takes NULL. */
struct status_server *status_server_stop(struct status_server *server);
int status_server_port(const struct status_server *server);

/* For find_obstacles: one reason why the process cannot take work, in one line. */
void status_add_obstacle(struct status_report *report, const char *format, ...) PRINTF_LIKE(2, 3);

DEFINE_CLEANUP(struct status_server *, status_server_stop)

#endif
