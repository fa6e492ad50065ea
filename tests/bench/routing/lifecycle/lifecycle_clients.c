/* Clients that take tasks through their life as fast as they can, over gRPC: create, look for the
 * reservation, accept, complete. One request in flight for each client.
 *
 *     lifecycle_clients ADDRESS WORKSPACE CLIENTS SECONDS     prints lifecycles per second
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/rpc/client.h"
#include "cordboard/routing/v1/reservation_service.pb-c.h"
#include "cordboard/routing/v1/task_service.pb-c.h"

enum {
    CONNECTIONS = 4,
    TIMEOUT_MS = 30000
};

struct run {
    const char *workspace;
    int64_t until_us;
    _Atomic int64_t lifecycles;
    _Atomic int left; /* clients that still work */
    pthread_mutex_t mutex;
    pthread_cond_t done;
};

struct client {
    struct run *run;
    struct rpc_client *rpc;
    char *reservation;
};

static void create_task(struct client *client);

static void give_up(const struct error *err)
{
    (void)fprintf(stderr, "lifecycle_clients: %s\n", err->message);
    exit(1);
}

static void call(
    struct client *client,
    const char *path,
    const ProtobufCMessage *message,
    const ProtobufCMessageDescriptor *response,
    rpc_reply_handler *reply)
{
    const struct rpc_request request = {
        .path = path,
        .message = message,
        .response = response,
        .timeout_ms = TIMEOUT_MS,
        .wait_for_ready = true,
    };

    rpc_client_call(client->rpc, &request, reply, client);
}

static void finish(struct run *run)
{
    if (atomic_fetch_sub(&run->left, 1) > 1) {
        return;
    }
    pthread_mutex_lock(&run->mutex);
    pthread_cond_signal(&run->done);
    pthread_mutex_unlock(&run->mutex);
}

static void handle_completed(void *data, const ProtobufCMessage *response, const struct error *err)
{
    struct client *client = data;

    (void)response;
    if (err) {
        give_up(err);
    }
    atomic_fetch_add(&client->run->lifecycles, 1);
    free(client->reservation);
    client->reservation = NULL;
    if (clock_mono_us(clock_system()) < client->run->until_us) {
        create_task(client);
    } else {
        finish(client->run);
    }
}

static void handle_accepted(void *data, const ProtobufCMessage *response, const struct error *err)
{
    struct client *client = data;
    Cordboard__Routing__V1__CompleteReservationRequest request =
        CORDBOARD__ROUTING__V1__COMPLETE_RESERVATION_REQUEST__INIT;

    (void)response;
    if (err) {
        give_up(err);
    }
    request.name = client->reservation;
    call(
        client, "/cordboard.routing.v1.ReservationService/CompleteReservation", &request.base,
        &cordboard__routing__v1__reservation__descriptor, handle_completed);
}

static void handle_reservations(
    void *data,
    const ProtobufCMessage *response,
    const struct error *err)
{
    struct client *client = data;
    const Cordboard__Routing__V1__ListReservationsResponse *page =
        (const Cordboard__Routing__V1__ListReservationsResponse *)response;
    Cordboard__Routing__V1__AcceptReservationRequest request =
        CORDBOARD__ROUTING__V1__ACCEPT_RESERVATION_REQUEST__INIT;

    if (err) {
        give_up(err);
    }
    if (page->n_reservations == 0) {
        (void)fprintf(stderr, "lifecycle_clients: no worker has room for the task\n");
        exit(1);
    }
    client->reservation = mem_strdup(page->reservations[0]->name);
    request.name = client->reservation;
    call(
        client, "/cordboard.routing.v1.ReservationService/AcceptReservation", &request.base,
        &cordboard__routing__v1__reservation__descriptor, handle_accepted);
}

static void handle_created(void *data, const ProtobufCMessage *response, const struct error *err)
{
    struct client *client = data;
    Cordboard__Routing__V1__ListReservationsRequest request =
        CORDBOARD__ROUTING__V1__LIST_RESERVATIONS_REQUEST__INIT;

    if (err) {
        give_up(err);
    }
    request.parent = ((const Cordboard__Routing__V1__Task *)response)->name;
    call(
        client, "/cordboard.routing.v1.ReservationService/ListReservations", &request.base,
        &cordboard__routing__v1__list_reservations_response__descriptor, handle_reservations);
}

static void create_task(struct client *client)
{
    CLEANUP(mem_free_at_exit) char *parent = mem_printf("workspaces/%s", client->run->workspace);
    CLEANUP(mem_free_at_exit)
    char *channel = mem_printf("workspaces/%s/taskChannels/chat", client->run->workspace);
    char attributes[] = "{\"language\": \"de\", \"customer\": \"4711\"}";
    Cordboard__Routing__V1__Task task = CORDBOARD__ROUTING__V1__TASK__INIT;
    Cordboard__Routing__V1__CreateTaskRequest request =
        CORDBOARD__ROUTING__V1__CREATE_TASK_REQUEST__INIT;

    task.task_channel = channel;
    task.attributes = attributes;
    request.parent = parent;
    request.task = &task;
    call(
        client, "/cordboard.routing.v1.TaskService/CreateTask", &request.base,
        &cordboard__routing__v1__task__descriptor, handle_created);
}

int main(int argc, char **argv)
{
    struct run run = {.mutex = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
    struct rpc_client *connections[CONNECTIONS];

    if (argc != 5) {
        (void)fprintf(stderr, "usage: lifecycle_clients ADDRESS WORKSPACE CLIENTS SECONDS\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);

    int client_count = (int)strtol(argv[3], NULL, 10);
    struct client *clients = mem_new_array(struct client, (size_t)client_count);
    const struct rpc_client_options options = {.target = argv[1]};

    for (int i = 0; i < CONNECTIONS; i++) {
        connections[i] = rpc_client_new(&options);
    }
    int64_t start_us = clock_mono_us(clock_system());

    run.workspace = argv[2];
    run.until_us = start_us + strtol(argv[4], NULL, 10) * 1000000;
    atomic_store(&run.left, client_count);
    for (int i = 0; i < client_count; i++) {
        clients[i] = (struct client){.run = &run, .rpc = connections[i % CONNECTIONS]};
        create_task(&clients[i]);
    }
    pthread_mutex_lock(&run.mutex);
    while (atomic_load(&run.left) > 0) {
        pthread_cond_wait(&run.done, &run.mutex);
    }
    pthread_mutex_unlock(&run.mutex);

    double seconds = (double)(clock_mono_us(clock_system()) - start_us) / 1e6;

    printf("%.1f\n", (double)atomic_load(&run.lifecycles) / seconds);
    for (int i = 0; i < CONNECTIONS; i++) {
        rpc_client_free(connections[i]);
    }
    free(clients);
    return 0;
}
