/* Unary calls per second: a server process, and this one as client with many calls in flight.
 *
 * The bound is what the kernel needs for the same conversation without gRPC: the same number of
 * connections and requests in flight over loopback TCP, one write for each request and each answer,
 * of the sizes that gRPC puts on the wire. `server_cpu` is the server's processor time for a call.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"
#include "cordboard/test/v1/echo.pb-c.h"
#include "tests/support/echo/echo_service.h"

enum {
    CONNECTIONS = 4,
    IN_FLIGHT = 32, /* on each connection */
    RUN_US = 3 * 1000 * 1000,
    TEXT_BYTES = 200,
    WIRE_BYTES = 260 /* text, message and HTTP/2 frames around it */
};

static int64_t now_us(void)
{
    return clock_mono_us(clock_system());
}

static void check(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

/* The bound. */

static void *answer_all(void *argument)
{
    int socket = *(int *)argument;
    char bytes[WIRE_BYTES * IN_FLIGHT];
    ssize_t got = 0;
    size_t left = 0;

    while ((got = read(socket, bytes, sizeof(bytes))) > 0) {
        for (left += (size_t)got; left >= WIRE_BYTES; left -= WIRE_BYTES) {
            (void)send(socket, bytes, WIRE_BYTES, MSG_NOSIGNAL); /* the other end may be done */
        }
    }
    return NULL;
}

struct talker {
    int socket;
    int64_t until_us;
    int64_t answers;
};

static void *ask_all(void *argument)
{
    struct talker *talker = argument;
    char bytes[WIRE_BYTES * IN_FLIGHT] = {0};
    size_t left = 0;

    for (int i = 0; i < IN_FLIGHT; i++) {
        check(write(talker->socket, bytes, WIRE_BYTES) == WIRE_BYTES, "write");
    }
    while (now_us() < talker->until_us) {
        ssize_t got = read(talker->socket, bytes, sizeof(bytes));

        check(got > 0, "read");
        for (left += (size_t)got; left >= WIRE_BYTES; left -= WIRE_BYTES) {
            check(write(talker->socket, bytes, WIRE_BYTES) == WIRE_BYTES, "write");
            talker->answers++;
        }
    }
    (void)shutdown(talker->socket, SHUT_RDWR);
    return NULL;
}

/* Two ends of a TCP connection over loopback. */
static void connect_pair(int sockets[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    check(bind(listener, (struct sockaddr *)&address, size) == 0, "bind");
    check(listen(listener, 1) == 0, "listen");
    check(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    sockets[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(connect(sockets[0], (struct sockaddr *)&address, size) == 0, "connect");
    sockets[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    check(sockets[1] >= 0, "accept");
    for (int i = 0; i < 2; i++) {
        (void)setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    (void)close(listener);
}

static double measure_bound(void)
{
    int sockets[CONNECTIONS][2];
    struct talker talkers[CONNECTIONS];
    pthread_t threads[CONNECTIONS][2];
    int64_t answers = 0;

    for (int i = 0; i < CONNECTIONS; i++) {
        connect_pair(sockets[i]);
        talkers[i] = (struct talker){.socket = sockets[i][0], .until_us = now_us() + RUN_US};
        check(pthread_create(&threads[i][0], NULL, ask_all, &talkers[i]) == 0, "thread");
        check(pthread_create(&threads[i][1], NULL, answer_all, &sockets[i][1]) == 0, "thread");
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        (void)pthread_join(threads[i][0], NULL);
        (void)pthread_join(threads[i][1], NULL);
        (void)close(sockets[i][0]);
        (void)close(sockets[i][1]);
        answers += talkers[i].answers;
    }
    return (double)answers * 1e6 / RUN_US;
}

/* The server process. */

static void serve(int port_pipe)
{
    struct echo *echo = echo_new();
    struct rpc_server *server = NULL;
    struct rpc_server_options options = {
        .address = "127.0.0.1:0", .services = echo_service(echo), .service_count = 1};
    struct error err;
    sigset_t wanted;
    int got = 0;

    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, SIGTERM);
    check(rpc_server_start(&options, &server, &err), "server");

    int port = rpc_server_port(server);

    check(write(port_pipe, &port, sizeof(port)) == sizeof(port), "pipe");
    (void)sigwait(&wanted, &got);
    rpc_server_stop(server, 1000);
    echo_free(echo);
    rpc_server_free(server);
}

static pid_t start_server(int *ret_port)
{
    int ends[2];
    sigset_t blocked;

    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    check(pipe2(ends, O_CLOEXEC) == 0, "pipe");

    pid_t child = fork(); /* before gRPC has started any thread */

    if (child == 0) {
        serve(ends[1]);
        exit(0); /* NOLINT(concurrency-mt-unsafe): no other thread is left */
    }
    check(child > 0 && read(ends[0], ret_port, sizeof(*ret_port)) == sizeof(*ret_port), "server");
    (void)close(ends[0]);
    (void)close(ends[1]);
    return child;
}

/* The clients. */

struct load {
    struct rpc_request request;
    int64_t until_us;
    atomic_llong finished;
    atomic_int active; /* calls in flight */
};

struct caller {
    struct load *load;
    struct rpc_client *client;
};

static void call_again(void *data, const ProtobufCMessage *response, const struct error *err)
{
    const struct caller *caller = data;
    struct load *load = caller->load;

    if (!response) {
        (void)fprintf(stderr, "%s\n", err->message);
        abort();
    }
    (void)atomic_fetch_add(&load->finished, 1);
    if (now_us() < load->until_us) {
        rpc_client_call(caller->client, &load->request, call_again, data);
    } else {
        (void)atomic_fetch_sub(&load->active, 1);
    }
}

/* Calls per second with this many in flight on each connection. */
static double measure(struct caller *callers, int connections, int in_flight)
{
    struct load *load = callers->load;
    int64_t start_us = now_us();

    load->until_us = start_us + RUN_US;
    atomic_store(&load->finished, 0);
    for (int i = 0; i < connections * in_flight; i++) {
        struct caller *caller = &callers[i % connections];

        (void)atomic_fetch_add(&load->active, 1);
        rpc_client_call(caller->client, &load->request, call_again, caller);
    }
    while (atomic_load(&load->active) > 0) {
        (void)usleep(1000);
    }
    return (double)atomic_load(&load->finished) * 1e6 / (double)(now_us() - start_us);
}

static double cpu_us_of(pid_t process)
{
    clockid_t clock = 0;
    struct timespec used;

    check(clock_getcpuclockid(process, &clock) == 0, "cpu clock");
    check(clock_gettime(clock, &used) == 0, "cpu clock");
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

int main(void)
{
    int port = 0;
    double bound = measure_bound();
    pid_t server = start_server(&port);
    char target[32];
    char text[TEXT_BYTES + 1] = {0};
    Cordboard__Test__V1__EchoRequest message = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;
    struct load load = {
        .request = {
                    .path = "/cordboard.test.v1.EchoService/Echo",
                    .message = &message.base,
                    .response = &cordboard__test__v1__echo_response__descriptor,
                    .wait_for_ready = true,
                    }
    };
    struct caller callers[CONNECTIONS];

    memset(text, 'x', TEXT_BYTES);
    message.text = text;
    (void)snprintf(target, sizeof(target), "127.0.0.1:%d", port);
    for (int i = 0; i < CONNECTIONS; i++) {
        struct rpc_client_options options = {.target = target};

        callers[i] = (struct caller){&load, rpc_client_new(&options)};
    }

    double one = measure(callers, 1, 1);
    double cpu_us = cpu_us_of(server);
    double many = measure(callers, CONNECTIONS, IN_FLIGHT);

    cpu_us = (cpu_us_of(server) - cpu_us) / (double)atomic_load(&load.finished);
    for (int i = 0; i < CONNECTIONS; i++) {
        rpc_client_free(callers[i].client);
    }
    (void)kill(server, SIGTERM);
    (void)waitpid(server, NULL, 0);
    printf("RESULT unary_per_s %.0f calls/s\n", many);
    printf("RESULT unary_per_s.bound %.0f calls/s\n", bound);
    printf("RESULT unary_per_s.ratio %.3f of_bound\n", many / bound);
    printf("RESULT unary_per_s.one_at_a_time %.0f calls/s\n", one);
    printf("RESULT unary_per_s.server_cpu %.1f us/call\n", cpu_us);
    return 0;
}
