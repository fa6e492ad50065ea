#include "common/http/status_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/metrics/metrics.h"

enum {
    CONNECTIONS_MAX = 32,
    IDLE_SECONDS_MAX = 10,
    REQUEST_BYTES_MAX = 16 * 1024,
    BACKLOG = 16
};

struct status_server {
    struct status_options options;
    struct MHD_Daemon *daemon;
    int port;
};

struct status_report {
    FILE *out;
    int obstacles;
};

/* What is answered; `text` is freed with it. */
struct answer {
    unsigned code;
    char *text;
    const char *type;
};

static const char plain[] = "text/plain; charset=utf-8";

void status_add_obstacle(struct status_report *report, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vfprintf(report->out, format, args);
    va_end(args);
    (void)fputc('\n', report->out);
    report->obstacles++;
}

static struct answer show_metrics(const struct status_server *server)
{
    if (server->options.collect) {
        server->options.collect(server->options.context);
    }
    return (struct answer){
        MHD_HTTP_OK, metrics_print(server->options.tables), "text/plain; version=0.0.4"};
}

static struct answer show_health(const struct status_server *server)
{
    bool alive = !server->options.is_alive || server->options.is_alive(server->options.context);

    return alive ? (struct answer){MHD_HTTP_OK, mem_strdup("ok\n"), plain}
                 : (struct answer){MHD_HTTP_SERVICE_UNAVAILABLE, mem_strdup("stuck\n"), plain};
}

static struct answer show_readiness(const struct status_server *server)
{
    struct answer answer = {MHD_HTTP_OK, NULL, plain};
    size_t size = 0;
    struct status_report report = {.out = open_memstream(&answer.text, &size)};

    if (!report.out) {
        abort(); /* no memory */
    }
    if (server->options.find_obstacles) {
        server->options.find_obstacles(server->options.context, &report);
    }
    if (report.obstacles == 0) {
        (void)fputs("ready\n", report.out);
    } else {
        answer.code = MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    (void)fclose(report.out);
    return answer;
}

static struct answer answer_to(const struct status_server *server, const char *path)
{
    static const struct {
        const char *path;
        struct answer (*show)(const struct status_server *server);
    } pages[] = {
        {"/metrics", show_metrics  },
        {"/healthz", show_health   },
        {"/readyz",  show_readiness},
    };

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (strcmp(path, pages[i].path) == 0) {
            return pages[i].show(server);
        }
    }
    return (struct answer){
        MHD_HTTP_NOT_FOUND, mem_strdup("there are /metrics, /healthz and /readyz\n"), plain};
}

/* NOLINTBEGIN(readability-function-size,readability-non-const-parameter): MHD_AccessHandlerCallback
 */
static enum MHD_Result handle_request(
    void *context,
    struct MHD_Connection *connection,
    const char *path,
    const char *method,
    const char *version,
    const char *upload,
    size_t *upload_size,
    void **request)
{
    struct answer answer = {MHD_HTTP_METHOD_NOT_ALLOWED, mem_strdup("only GET and HEAD\n"), plain};

    (void)version;
    (void)upload;
    (void)upload_size;
    (void)request;
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0) {
        free(answer.text);
        answer = answer_to(context, path);
    }

    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(answer.text), answer.text, MHD_RESPMEM_MUST_FREE);

    if (!response) {
        free(answer.text);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.type);

    enum MHD_Result result = MHD_queue_response(connection, answer.code, response);

    MHD_destroy_response(response);
    return result;
}
/* NOLINTEND(readability-function-size,readability-non-const-parameter) */

static int listen_on(const struct addrinfo *address)
{
    int on = 1;
    int descriptor = socket(
        address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
        address->ai_protocol);

    if (descriptor < 0) {
        return -1;
    }
    (void)setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(descriptor, address->ai_addr, address->ai_addrlen) != 0 ||
        listen(descriptor, BACKLOG) != 0) {
        int saved = errno;

        (void)close(descriptor);
        errno = saved;
        return -1;
    }
    return descriptor;
}

/* A listening socket, or -1. Ours and not the library's: it would only say that it failed. */
static int open_listener(const struct status_options *options, struct error *err)
{
    char service[16];
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
    };
    struct addrinfo *addresses = NULL;
    const char *host = options->host[0] != '\0' ? options->host : NULL;

    (void)snprintf(service, sizeof(service), "%d", options->port);

    int failure = getaddrinfo(host, service, &hints, &addresses);
    int descriptor = failure == 0 ? listen_on(addresses) : -1;

    if (descriptor < 0) {
        (void)FAIL(
            err, REASON_LISTEN_FAILED, "cannot listen on %s:%d: %s", options->host, options->port,
            failure ? gai_strerror(failure) : strerrordesc_np(errno));
    }
    if (addresses) {
        freeaddrinfo(addresses);
    }
    return descriptor;
}

static int port_of(int descriptor)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(address);
    in_port_t port = 0;

    (void)getsockname(descriptor, (struct sockaddr *)&address, &size);
    if (address.ss_family == AF_INET) {
        port = ((const struct sockaddr_in *)&address)->sin_port;
    } else if (address.ss_family == AF_INET6) {
        port = ((const struct sockaddr_in6 *)&address)->sin6_port;
    }
    return ntohs(port);
}

bool status_server_start(
    const struct status_options *options,
    struct status_server **ret_server,
    struct error *err)
{
    int descriptor = open_listener(options, err);

    if (descriptor < 0) {
        return false;
    }

    struct status_server *server = mem_new(struct status_server);

    server->options = *options;
    server->port = port_of(descriptor);
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | MHD_USE_ITC, 0, NULL, NULL, handle_request,
        server, MHD_OPTION_LISTEN_SOCKET, descriptor, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES_MAX, MHD_OPTION_END);
    if (!server->daemon) {
        (void)close(descriptor);
        free(server);
        return FAIL(err, REASON_LISTEN_FAILED, "cannot start the status listener");
    }
    *ret_server = server;
    return true;
}

struct status_server *status_server_stop(struct status_server *server)
{
    if (!server) {
        return NULL;
    }

    MHD_stop_daemon(server->daemon); /* closes the socket too */
    free(server);
    return NULL;
}

int status_server_port(const struct status_server *server)
{
    return server->port;
}
