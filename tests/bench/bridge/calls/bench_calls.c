/* Calls per second: INVITE, wait audio, the worker is dialled and answers, both are in a
 * conference, and both hang up. The whole bridge in this process (SIP, calls, media), phones over
 * loopback UDP, and a routing service that answers at once.
 *
 * The bound is what the kernel needs for the same conversation: as many datagrams of that size back
 * and forth between two threads, without anybody reading them.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/log/log.h"
#include "services/bridge/calls/calls.h"
#include "services/bridge/sip/agent.h"
#include "tests/bench/bridge/calls/phones.h"

enum {
    RUN_US = 4 * 1000 * 1000,
    IN_FLIGHT = 32,
    CALLS_MAX = 200000,
    ROUND_TRIPS = 6, /* twelve messages make a call */
    DATAGRAM_BYTES = 600,
    FIRST_PORT = 20000,
    LAST_PORT = 59998,
};

static int64_t now_us(void)
{
    return clock_mono_us(clock_system());
}

/* The routing service: every call has a task at once, and a worker. */
struct routing {
    struct calls *calls;
    int workers_port;
};

static void take_report(void *link, const struct report *report)
{
    const struct routing *routing = link;
    char contact[64];
    struct instruction instruction = {
        .kind = INSTRUCTION_CALL_ENQUEUED,
        .workspace_id = report->workspace_id,
        .call_id = report->call_id,
        .task_id = report->call_id,
        .reservation_id = report->call_id,
        .worker_id = "w",
        .contact_uri = contact,
        .reason = "",
    };

    if (report->kind != REPORT_ENQUEUE_CALL) {
        return;
    }
    (void)snprintf(
        contact, sizeof(contact), "sip:w%s@127.0.0.1:%d", report->sip_call_id + strlen("call-"),
        routing->workers_port);
    calls_post_instruction(routing->calls, &instruction);
    instruction.kind = INSTRUCTION_DIAL_WORKER;
    calls_post_instruction(routing->calls, &instruction);
}

static const struct link_commands link_commands = {.report = take_report};

static void require(bool ok, const struct error *err)
{
    if (!ok) {
        (void)fprintf(stderr, "%s\n", err->message);
        exit(1);
    }
}

static void post_telephony(struct calls *calls)
{
    static const char *const sources[] = {"127.0.0.1"};
    static const struct trunk trunk = {"acme", "carrier", sources, 1};
    static const struct inbound_route route = {"acme", "all", "", "*", ROUTE_ANSWER_AFTER_TASK};

    calls_post_link_state(calls, true);
    calls_post_telephony(calls, &(struct telephony){&trunk, 1, &route, 1});
}

static double cpu_us(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static double measure_calls(void)
{
    struct media_options media_options = media_default_options();
    const struct agent_options agent_options = {.listen_address = "127.0.0.1:0"};
    struct calls_options calls_options = {.bridge = bridge_default_options()};
    struct routing routing = {0};
    struct phones phones;
    struct media *media = NULL;
    struct agent *agent = NULL;
    struct error err;

    routing.calls = calls_new(&calls_options);
    media_options.first_port = FIRST_PORT;
    media_options.last_port = LAST_PORT;
    media_options.port_cooldown_us = 0;
    media_options.on_event = calls_handle_media;
    media_options.event_context = routing.calls;
    require(media_start(&media_options, &media, &err), &err);
    require(agent_open(&agent_options, &agent, &err), &err);
    phones_open(&phones, agent_port(agent), CALLS_MAX);
    routing.workers_port = phones.workers_port;
    calls_connect(
        routing.calls, &(struct calls_peers){
                           .signalling = &agent_commands,
                           .sip = agent,
                           .media = media,
                           .link_commands = &link_commands,
                           .link = &routing,
                       });
    post_telephony(routing.calls);
    agent_start(
        agent, &(struct agent_owner){
                   .context = routing.calls,
                   .handle_event = calls_handle_signalling,
                   .run = calls_run,
                   .wake_descriptor = calls_wake_descriptor(routing.calls),
               });

    int64_t start_us = now_us();
    double cpu_start_us = cpu_us();

    phones_run(&phones, IN_FLIGHT, start_us + RUN_US);

    double took_s = (double)(now_us() - start_us) / 1e6;
    double per_s = (double)phones.finished / took_s;

    printf("RESULT calls_per_s %.0f 1/s\n", per_s);
    printf(
        "RESULT calls_per_s.cpu %.0f us/call\n",
        (cpu_us() - cpu_start_us) / (double)(phones.finished > 0 ? phones.finished : 1));
    printf("RESULT calls_per_s.lost %lld calls\n", (long long)(phones.started - phones.finished));
    agent_stop(agent, 0);
    media_stop(media);
    calls_free(routing.calls);
    agent_free(agent);
    phones_close(&phones);
    return per_s;
}

/* The bound. */

static int pair[2];

static void *answer_all(void *argument)
{
    char bytes[DATAGRAM_BYTES];
    ssize_t got = 0;

    (void)argument;
    while ((got = recv(pair[1], bytes, sizeof(bytes), 0)) > 1) {
        (void)send(pair[1], bytes, (size_t)got, 0);
    }
    return NULL;
}

static void connect_pair(void)
{
    struct sockaddr_in addresses[2];
    socklen_t length = sizeof(addresses[0]);

    for (int i = 0; i < 2; i++) {
        addresses[i] = (struct sockaddr_in){
            .sin_family = AF_INET,
            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        pair[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (pair[i] < 0 ||
            bind(pair[i], (struct sockaddr *)&addresses[i], sizeof(addresses[i])) != 0 ||
            getsockname(pair[i], (struct sockaddr *)&addresses[i], &length) != 0) {
            perror("bound");
            exit(1);
        }
    }
    if (connect(pair[0], (struct sockaddr *)&addresses[1], length) != 0 ||
        connect(pair[1], (struct sockaddr *)&addresses[0], length) != 0) {
        perror("bound");
        exit(1);
    }
}

static double measure_bound(void)
{
    char bytes[DATAGRAM_BYTES] = {0};
    int64_t round_trips = 0;
    int64_t start_us = now_us();
    pthread_t thread;

    connect_pair();
    (void)pthread_create(&thread, NULL, answer_all, NULL);
    for (int i = 0; i < IN_FLIGHT; i++) {
        (void)send(pair[0], bytes, sizeof(bytes), 0);
    }
    while (now_us() - start_us < RUN_US / 2) {
        (void)recv(pair[0], bytes, sizeof(bytes), 0);
        (void)send(pair[0], bytes, sizeof(bytes), 0);
        round_trips++;
    }

    double took_s = (double)(now_us() - start_us) / 1e6;

    (void)send(pair[0], bytes, 1, 0);
    (void)pthread_join(thread, NULL);
    (void)close(pair[0]);
    (void)close(pair[1]);
    return (double)round_trips / ROUND_TRIPS / took_s;
}

int main(void)
{
    double bound = 0;
    double calls = 0;

    log_set_level(LOG_ERROR);
    bound = measure_bound();
    calls = measure_calls();
    printf("RESULT calls_per_s.bound %.0f 1/s\n", bound);
    printf("RESULT calls_per_s.ratio %.3f\n", calls / bound);
    return calls > 0 ? 0 : 1;
}
