#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/error/error.h"
#include "common/http/status_server.h"
#include "common/metrics/metrics.h"

METRIC_DEFINE_GAUGE(things, "", "Things that are there.")

static struct metric *const table[] = {&metric_things, NULL};
static struct metric *const *const tables[] = {table, NULL};

struct service {
    bool stuck;
    bool starting;
};

static void collect(void *context)
{
    (void)context;
    metric_set(METRIC(things), 42);
}

static bool is_alive(void *context)
{
    return !((const struct service *)context)->stuck;
}

static void find_obstacles(void *context, struct status_report *report)
{
    if (((const struct service *)context)->starting) {
        status_add_obstacle(report, "database: not connected for %d s", 3);
        status_add_obstacle(report, "shards: none owned yet");
    }
}

static struct status_server *start(struct service *service)
{
    struct status_server *server = NULL;
    struct error err;
    bool started = status_server_start(
        &(struct status_options){
            .host = "127.0.0.1",
            .tables = tables,
            .collect = collect,
            .is_alive = is_alive,
            .find_obstacles = find_obstacles,
            .context = service,
        },
        &server, &err);

    cr_assert(started, "%s", err.message);
    return server;
}

/* Sends one request and returns everything that was answered. */
static const char *ask(const struct status_server *server, const char *request)
{
    static char answer[8192];
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((in_port_t)status_server_port(server)),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[256];
    size_t length = 0;
    ssize_t got = 0;

    cr_assert_eq(connect(descriptor, (const struct sockaddr *)&address, sizeof(address)), 0);
    (void)snprintf(
        text, sizeof(text), "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", request);
    cr_assert_eq(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
    while ((got = read(descriptor, answer + length, sizeof(answer) - 1 - length)) > 0) {
        length += (size_t)got;
    }
    (void)close(descriptor);
    answer[length] = '\0';
    return answer;
}

static bool says(const char *answer, const char *status, const char *body)
{
    const char *end = strstr(answer, "\r\n\r\n");

    return strncmp(answer, "HTTP/1.1 ", 9) == 0 && strncmp(answer + 9, status, 3) == 0 && end &&
           strstr(end, body);
}

Test(status_server, shows_metrics_that_were_collected_for_it)
{
    struct service service = {false, false};
    CLEANUP(status_server_stop_at_exit) struct status_server *server = start(&service);

    cr_assert(says(ask(server, "GET /metrics"), "200", "\ncordboard_things 42\n"));
    cr_assert(strstr(ask(server, "GET /metrics"), "version=0.0.4"));
}

Test(status_server, says_whether_the_process_is_alive)
{
    struct service service = {false, false};
    CLEANUP(status_server_stop_at_exit) struct status_server *server = start(&service);

    cr_assert(says(ask(server, "GET /healthz"), "200", "ok\n"));
    service.stuck = true;
    cr_assert(says(ask(server, "GET /healthz"), "503", "stuck\n"));
}

Test(status_server, says_why_it_is_not_ready)
{
    struct service service = {false, true};
    CLEANUP(status_server_stop_at_exit) struct status_server *server = start(&service);

    cr_assert(says(
        ask(server, "GET /readyz"), "503",
        "database: not connected for 3 s\nshards: none owned yet\n"));
    service.starting = false;
    cr_assert(says(ask(server, "GET /readyz"), "200", "ready\n"));
}

Test(status_server, refuses_other_paths_and_methods)
{
    struct service service = {false, false};
    CLEANUP(status_server_stop_at_exit) struct status_server *server = start(&service);

    cr_assert(says(ask(server, "GET /"), "404", "/metrics"));
    cr_assert(says(ask(server, "DELETE /metrics"), "405", "only GET"));
}

Test(status_server, says_which_address_is_taken)
{
    struct service service = {false, false};
    CLEANUP(status_server_stop_at_exit) struct status_server *first = start(&service);
    struct status_server *second = NULL;
    struct error err;
    const struct status_options options = {
        .host = "127.0.0.1", .port = status_server_port(first), .tables = tables};

    cr_assert_not(status_server_start(&options, &second, &err));
    cr_assert_eq(err.reason, REASON_LISTEN_FAILED);
    cr_assert(strstr(err.message, "Address already in use"), "%s", err.message);
}
