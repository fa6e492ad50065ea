/* One signalling thread, and senders that post instructions, media events and queries while calls
 * come and go: every query is answered once, on the signalling thread, and nothing is lost. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock/clock.h"
#include "common/log/log.h"
#include "tests/unit/bridge/calls/fakes.h"

enum {
    SENDERS = 3,
    ROUNDS = 2000,
    CALLS = 200,
};

static struct calls *calls;
static atomic_int answers;
static atomic_bool idle;
static pthread_t signalling_thread;

static void require(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static void take_view(void *context, struct calls_view *view)
{
    require(pthread_equal(pthread_self(), signalling_thread) != 0, "answered on its thread");
    require(context == &answers, "the context comes back");
    calls_view_free(view);
    atomic_fetch_add(&answers, 1);
}

static void *send_all(void *context)
{
    const struct instruction instruction = {
        .kind = INSTRUCTION_RELEASE_CALL,
        .workspace_id = "acme",
        .call_id = "nobody",
        .task_id = "",
        .reservation_id = "",
        .worker_id = "",
        .contact_uri = "",
        .reason = "",
    };

    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        calls_post_instruction(calls, &instruction);
        calls_handle_media(calls, &(struct media_event){.type = MEDIA_EVENT_FIRST_PACKET});
        calls_post_link_state(calls, i % 2 == 0);
        calls_post_query(
            calls, &(struct calls_query){
                       .kind = i % 2 == 0 ? CALLS_QUERY_CALLS : CALLS_QUERY_SNAPSHOT,
                       .limit = 50,
                       .handler = take_view,
                       .context = &answers,
                   });
    }
    return NULL;
}

static void note_idle(void *context)
{
    (void)context;
    atomic_store(&idle, true);
}

static void invite(int number)
{
    static const struct session_description session = {
        .session_id = 77,
        .version = 1,
        .address = "192.0.2.1",
        .port = 4000,
        .formats = {{CODEC_PCMU, 0}},
        .format_count = 1,
        .telephone_event_payload_type = -1,
        .media_count = 1,
    };
    char dialog[16];

    (void)snprintf(dialog, sizeof(dialog), "d%d", number);
    calls_handle_signalling(
        calls, &(struct signalling_event){
                   .kind = SIGNALLING_INVITED,
                   .leg = SIGNALLING_FIRST_INBOUND_LEG + number,
                   .phrase = "",
                   .description = &session,
                   .source_address = "192.0.2.1",
                   .source_port = 5060,
                   .called_number = "1",
                   .caller_number = "2",
                   .caller_display_name = "",
                   .sip_call_id = dialog,
                   .from_tag = "tag",
                   .contact_uri = "sip:a@192.0.2.1",
               });
    (void)fakes_told();
}

/* As the agent's loop does it: run, then wait for the descriptor. */
static void *run_signalling(void *context)
{
    struct pollfd wake = {.fd = calls_wake_descriptor(calls), .events = POLLIN};
    int number = 0;

    (void)context;
    signalling_thread = pthread_self();
    while (!atomic_load(&idle)) {
        (void)calls_run(calls, clock_mono_us(clock_system()));
        if (number < CALLS) {
            invite(number++);
        } else {
            (void)poll(&wake, 1, 100);
        }
    }
    return NULL;
}

static void post_telephony(void)
{
    static const char *const sources[] = {"192.0.2.0/24"};
    static const struct trunk trunk = {"acme", "carrier", sources, 1};
    static const struct inbound_route route = {"acme", "all", "", "*", ROUTE_ANSWER_AFTER_TASK};

    calls_post_telephony(calls, &(struct telephony){&trunk, 1, &route, 1});
}

int main(void)
{
    pthread_t loop;
    pthread_t senders[SENDERS];

    log_set_level(LOG_ERROR);
    calls = calls_new(&(struct calls_options){.bridge = bridge_default_options()});
    calls_connect(
        calls, &(struct calls_peers){
                   .signalling = &fake_signalling,
                   .media = fakes_media(),
                   .link_commands = &fake_link,
               });
    post_telephony();
    require(pthread_create(&loop, NULL, run_signalling, NULL) == 0, "a loop");
    for (int i = 0; i < SENDERS; i++) {
        require(pthread_create(&senders[i], NULL, send_all, NULL) == 0, "a sender");
    }
    for (int i = 0; i < SENDERS; i++) {
        (void)pthread_join(senders[i], NULL);
    }
    calls_post_end_all(calls, note_idle, NULL);
    (void)pthread_join(loop, NULL);
    require(atomic_load(&answers) == SENDERS * ROUNDS, "every query is answered once");
    require(fakes_open_streams() == 0, "no stream is left");
    calls_free(calls);
    return 0;
}
