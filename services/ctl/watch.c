/* The timeline of a workspace, one event per line. When the connection is lost it goes on where it
 * was, as soon as there is one again.
 */
#include <errno.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/client.h"
#include "cordboard/routing/v1/event_service.pb-c.h"
#include "services/ctl/commands.h"
#include "services/ctl/settings.h"

typedef Cordboard__Routing__V1__Event event_message;
typedef Cordboard__Routing__V1__WatchEventsResponse watch_response;

enum {
    NS_PER_MS = 1000000
};

struct watch {
    sem_t ended;
    int64_t after; /* the last sequence that is known */
    bool told;     /* that the connection is lost */
    bool failed;
    struct error err;
};

static const char *last_part(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash ? slash + 1 : name;
}

/* Who it is about or who did it, in one word. */
static const char *who(const event_message *event)
{
    if (event->call && event->call->party[0] != '\0') {
        return last_part(event->call->party);
    }
    if (event->reservation && event->reservation->worker[0] != '\0') {
        return last_part(event->reservation->worker);
    }
    return event->worker ? last_part(event->worker->name) : event->actor;
}

static void print_event(const event_message *event)
{
    char clock[16] = "";
    struct tm local;
    time_t seconds = event->event_time ? (time_t)event->event_time->seconds : 0;
    int ms = event->event_time ? event->event_time->nanos / NS_PER_MS : 0;

    if (localtime_r(&seconds, &local)) {
        (void)strftime(clock, sizeof(clock), "%H:%M:%S", &local);
    }
    (void)printf(
        "%s.%03d  %5" PRId64 "  %-26s  %-10s  %s\n", clock, ms, event->sequence, event->event_type,
        who(event), event->description);
}

static void take_events(
    struct rpc_client_stream *stream,
    void *data,
    const ProtobufCMessage *message)
{
    const watch_response *response = (const watch_response *)message;
    struct watch *watch = data;

    (void)stream;
    watch->told = false;
    for (size_t i = 0; i < response->n_events; i++) {
        print_event(response->events[i]);
    }
    (void)fflush(stdout);
    watch->after = response->sequence;
}

static void watch_ended(struct rpc_client_stream *stream, void *data, const struct error *err)
{
    struct watch *watch = data;

    (void)stream;
    watch->failed = err != NULL;
    if (err) {
        watch->err = *err;
    }
    (void)sem_post(&watch->ended);
}

/* One stream from its beginning to its end. */
static void watch_once(struct rpc_client *client, const char *workspace, struct watch *watch)
{
    static const struct rpc_client_stream_handler handler = {
        .message = take_events, .closed = watch_ended};
    Cordboard__Routing__V1__WatchEventsRequest message =
        CORDBOARD__ROUTING__V1__WATCH_EVENTS_REQUEST__INIT;
    CLEANUP(mem_free_at_exit)
    char *parent = mem_printf("%s%s", strchr(workspace, '/') ? "" : "workspaces/", workspace);
    const struct rpc_request request = {
        .path = "/cordboard.routing.v1.EventService/WatchEvents",
        .message = &message.base,
        .response = &cordboard__routing__v1__watch_events_response__descriptor,
    };

    message.parent = parent;
    message.after_sequence = watch->after;

    struct rpc_client_stream *stream = rpc_client_stream_open(client, &request, &handler, watch);

    rpc_client_stream_half_close(stream);
    while (sem_wait(&watch->ended) != 0) {
    }
    (void)rpc_client_stream_unref(stream);
}

/* Whether the sequence is a number that a watch can start after. */
static bool read_sequence(const char *text, int64_t *ret_sequence)
{
    char *rest = NULL;

    errno = 0;
    *ret_sequence = strtoll(text, &rest, 10);
    return errno == 0 && rest != text && *rest == '\0' && *ret_sequence >= -1;
}

enum exit_code command_watch(
    const struct ctl_config *config,
    const char *workspace,
    const char *after)
{
    const struct rpc_client_options options = {.target = config->routing_address};
    const struct timespec pause = {.tv_nsec = 500L * NS_PER_MS};
    struct watch watch = {.after = -1};

    if (after && !read_sequence(after, &watch.after)) {
        (void)fprintf(stderr, "cordboard: '%s' is not the number of an event\n", after);
        return EXIT_WRONG_COMMAND;
    }
    (void)sem_init(&watch.ended, 0, 0);

    struct rpc_client *client = rpc_client_new(&options);
    bool connected = false;

    for (;;) {
        int64_t before = watch.after;

        watch_once(client, workspace, &watch);
        connected = connected || watch.after != before || !watch.failed;
        if (!connected || (watch.failed && error_code(watch.err.reason) != ERROR_UNAVAILABLE)) {
            break;
        }
        if (!watch.told) {
            (void)fprintf(stderr, "cordboard: the connection is lost; trying again\n");
            watch.told = true;
        }
        (void)nanosleep(&pause, NULL);
    }
    (void)rpc_client_free(client);
    (void)sem_destroy(&watch.ended);
    return report_error(&watch.err);
}
