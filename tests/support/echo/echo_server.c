/* Serves EchoService for clients in other languages: prints its port, then a line for each call
 * that is over; stops on SIGTERM or when its standard input ends.
 *
 *     echo_server [linger_ms]
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/rpc/server.h"
#include "proto_descriptor_set.h"
#include "proto_test_descriptor_set.h"
#include "tests/support/echo/echo_service.h"

static void *wait_for_input_end(void *argument)
{
    char byte = 0;

    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    (void)kill(getpid(), SIGTERM);
    return argument;
}

static void print_finished(void *data, const struct rpc_finished *call)
{
    (void)data;
    printf("%s %d %s %s\n", call->path, call->code, call->request_id, call->peer);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    sigset_t wanted;
    pthread_t watcher;
    int got = 0;
    struct error err;

    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, SIGTERM);
    (void)sigaddset(&wanted, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &wanted, NULL);

    struct echo *echo = echo_new();
    struct rpc_server *server = NULL;
    struct rpc_descriptor_set sets[] = {
        {proto_descriptor_set,      proto_descriptor_set_size     },
        {proto_test_descriptor_set, proto_test_descriptor_set_size},
    };
    struct rpc_server_options options = {
        .address = "127.0.0.1:0",
        .services = echo_service(echo),
        .service_count = 1,
        .descriptor_sets = sets,
        .descriptor_set_count = 2,
        .finished = print_finished,
        .linger_ms = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0,
    };

    if (!rpc_server_start(&options, &server, &err)) {
        (void)fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("%d\n", rpc_server_port(server));
    (void)fflush(stdout);
    if (pthread_create(&watcher, NULL, wait_for_input_end, NULL) != 0) {
        return 1;
    }
    (void)pthread_detach(watcher);
    (void)sigwait(&wanted, &got);
    rpc_server_stop(server, 1000);
    echo_free(echo);
    rpc_server_free(server);
    return 0;
}
