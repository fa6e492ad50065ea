/* SIPp against the agent: a few hundred calls of a kind, over UDP and over TCP. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock/clock.h"
#include "common/error/error.h"
#include "services/bridge/domain/offer_answer.h"
#include "services/bridge/sip/agent.h"

enum {
    CALLS = 200,
    LINGER_US = 3000000,
    PATIENCE_US = 15000000,
};

/* Answers every call at once, but lets those for "ring" ring. */
struct robot {
    struct agent *agent;
    bool reliable; /* over TCP */
    atomic_int hung_up;
    atomic_int canceled;
    atomic_llong held; /* what the agent still holds, as of its last round */
};

static const enum codec codecs[] = {CODEC_PCMU, CODEC_PCMA};

static void describe(const struct session_description *offer, struct session_description *ret_ours)
{
    struct local_media local = {
        .session_id = 1,
        .address = "127.0.0.1",
        .port = 30000,
        .codecs = codecs,
        .codec_count = 2,
    };

    if (offer) {
        cr_assert_eq(answer_make(&local, offer, NULL, ret_ours), ANSWER_MADE);
    } else {
        offer_make(&local, NULL, ret_ours);
    }
}

static void handle_event(void *context, const struct signalling_event *event)
{
    struct robot *robot = context;
    struct session_description ours;

    switch (event->kind) {
    case SIGNALLING_INVITED:
        agent_commands.progress(robot->agent, event->leg, 180, NULL);
        if (strcmp(event->called_number, "ring") != 0) {
            describe(event->description, &ours);
            agent_commands.answer(robot->agent, event->leg, &ours);
        }
        break;
    case SIGNALLING_REOFFERED:
        describe(event->description, &ours);
        agent_commands.answer_reoffer(robot->agent, event->leg, 200, &ours);
        break;
    case SIGNALLING_HUNG_UP:
        robot->hung_up++;
        break;
    case SIGNALLING_CANCELED:
        robot->canceled++;
        break;
    case SIGNALLING_ACKNOWLEDGED:
    case SIGNALLING_PROGRESS:
    case SIGNALLING_ANSWERED:
    case SIGNALLING_FAILED:
        break;
    }
}

static int64_t run(void *context, int64_t now_mono_us)
{
    struct robot *robot = context;
    struct agent_statistics now;

    agent_read_statistics(robot->agent, &now);
    /* Over UDP transactions stay for half a minute; that they go then, other tests show. */
    robot->held = now.legs + now.legs_finishing + now.dialogs +
                  (robot->reliable ? now.server_transactions + now.client_transactions : 0);
    return now_mono_us + 20000;
}

/* Free a moment ago; the system gives each number out once in a while only. */
static void find_port(char text[16])
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof(address);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_geq(descriptor, 0);
    cr_assert_eq(bind(descriptor, (struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(getsockname(descriptor, (struct sockaddr *)&address, &length), 0);
    (void)close(descriptor);
    (void)snprintf(text, 16, "%d", ntohs(address.sin_port));
}

static int run_sipp(const char *scenario, const char *service, const char *transport, int port)
{
    char path[512];
    char target[64];
    char calls[16];
    char local_port[16];
    pid_t child;

    (void)snprintf(path, sizeof(path), "%s/%s.xml", SIPP_SCENARIOS, scenario);
    (void)snprintf(target, sizeof(target), "127.0.0.1:%d", port);
    (void)snprintf(calls, sizeof(calls), "%d", CALLS);
    find_port(local_port);
    child = fork();
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stdout);
        (void)execlp(
            "sipp", "sipp", target, "-sf", path, "-s", service, "-t", transport, "-m", calls, "-r",
            "200", "-i", "127.0.0.1", "-p", local_port, "-nostdin", "-timeout", "60",
            "-timeout_error", (char *)NULL);
        _exit(127);
    }

    int status = -1;

    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_nothing_held(const struct robot *robot)
{
    int64_t deadline_us = clock_mono_us(clock_system()) + PATIENCE_US;

    while (robot->held != 0 && clock_mono_us(clock_system()) < deadline_us) {
        (void)usleep(10000);
    }
    cr_assert_eq(robot->held, 0, "%lld things are still held", robot->held);
}

/* SIPp ends with our last answer; what it means to us may come a moment later. */
static void expect_all_over(const struct robot *robot)
{
    int64_t deadline_us = clock_mono_us(clock_system()) + PATIENCE_US;

    while (robot->hung_up + robot->canceled != CALLS &&
           clock_mono_us(clock_system()) < deadline_us) {
        (void)usleep(10000);
    }
    cr_assert_eq(robot->hung_up + robot->canceled, CALLS);
}

static void play(const char *scenario, const char *service)
{
    static const char *const transports[] = {"u1", "t1"};

    for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
        struct robot robot = {.reliable = transports[i][0] == 't'};
        struct error err;
        struct agent_options options = {.listen_address = "127.0.0.1:0"};

        cr_assert(agent_open(&options, &robot.agent, &err), "%s", err.message);
        agent_start(
            robot.agent, &(struct agent_owner){
                             .context = &robot,
                             .handle_event = handle_event,
                             .run = run,
                             .wake_descriptor = -1,
                         });
        cr_assert_eq(
            run_sipp(scenario, service, transports[i], agent_port(robot.agent)), 0, "%s over %s",
            scenario, transports[i]);
        expect_all_over(&robot);
        expect_nothing_held(&robot);
        agent_stop(robot.agent, LINGER_US);
        agent_free(robot.agent);
    }
}

/* One after the other: SIPp takes its ports without asking whether they are free. */
Test(sipp, callers_hang_up_cancel_offer_late_and_hold, .timeout = 110)
{
    play("caller_hangs_up", "+4930555");
    play("caller_cancels", "ring");
    play("caller_offers_late", "+4930555");
    play("caller_holds", "+4930555");
}
