/* Real agent, real media, real calls, and phones that speak to them. */
#include "tests/integration/bridge/calls/exchange.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/log/log.h"
#include "services/bridge/sip/agent.h"

enum {
    PATIENCE_S = 10,
    RATE_HZ = 8000,
    AMPLITUDE = 8000,
    SESSION_TEXT_SIZE = 512,
};

struct told {
    enum report_kind kind;
    char cause[32];
};

struct exchange {
    struct calls *calls;
    struct media *media;
    struct media_prompt *wait_audio;
    struct agent *agent;
    struct rtp_stage *voices;

    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    struct told told[EXCHANGE_REPORTS_MAX];
    size_t told_count;
    size_t read_count;
    bool idle;
    char call_id[UUID_TEXT_SIZE];
    char cause[32];
};

static void take_report(void *link, const struct report *report)
{
    struct exchange *exchange = link;

    pthread_mutex_lock(&exchange->mutex);
    if (exchange->told_count < EXCHANGE_REPORTS_MAX) {
        struct told *told = &exchange->told[exchange->told_count++];
        told->kind = report->kind;
        (void)snprintf(told->cause, sizeof(told->cause), "%s", report->cause);
    }
    if (report->kind == REPORT_ENQUEUE_CALL) {
        (void)snprintf(exchange->call_id, sizeof(exchange->call_id), "%s", report->call_id);
    }
    pthread_cond_broadcast(&exchange->changed);
    pthread_mutex_unlock(&exchange->mutex);
}

static const struct link_commands link_commands = {.report = take_report};

static void take_idle(void *context)
{
    struct exchange *exchange = context;

    pthread_mutex_lock(&exchange->mutex);
    exchange->idle = true;
    pthread_cond_broadcast(&exchange->changed);
    pthread_mutex_unlock(&exchange->mutex);
}

static struct timespec patience(void)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    return until;
}

const char *exchange_expect_report(struct exchange *exchange, enum report_kind kind)
{
    struct timespec until = patience();
    struct told told = {0};
    bool came = false;

    pthread_mutex_lock(&exchange->mutex);
    while (exchange->read_count == exchange->told_count &&
           pthread_cond_timedwait(&exchange->changed, &exchange->mutex, &until) == 0) {
    }
    came = exchange->read_count < exchange->told_count;
    if (came) {
        told = exchange->told[exchange->read_count++];
    }
    pthread_mutex_unlock(&exchange->mutex);
    cr_assert(came, "no report came; %d was expected", (int)kind);
    cr_assert_eq(told.kind, kind, "report %d came, not %d", (int)told.kind, (int)kind);
    (void)snprintf(exchange->cause, sizeof(exchange->cause), "%s", told.cause);
    return exchange->cause;
}

static struct media_prompt *tone_prompt(void)
{
    int16_t *samples = mem_new_array(int16_t, RATE_HZ);

    for (int i = 0; i < RATE_HZ; i++) {
        samples[i] = (int16_t)(AMPLITUDE * sin(2 * M_PI * WAIT_HZ * i / RATE_HZ));
    }

    struct media_prompt *prompt = media_prompt_new(samples, RATE_HZ);

    free(samples);
    return prompt;
}

static void post_telephony(struct calls *calls, enum route_answer answer)
{
    static const char *const sources[] = {"127.0.0.0/8"};
    const struct trunk trunk = {"acme", "carrier", sources, 1};
    const struct inbound_route route = {"acme", "all", "", "*", answer};

    calls_post_link_state(calls, true);
    calls_post_telephony(calls, &(struct telephony){&trunk, 1, &route, 1});
}

struct exchange *exchange_new(enum route_answer answer)
{
    struct exchange *exchange = mem_new(struct exchange);
    struct media_options media_options = media_default_options();
    const struct agent_options agent_options = {.listen_address = "127.0.0.1:0", .t1_ms = 50};
    struct error err;

    log_set_level(LOG_ERROR);
    pthread_mutex_init(&exchange->mutex, NULL);
    pthread_cond_init(&exchange->changed, NULL);
    exchange->voices = rtp_stage_start();
    exchange->wait_audio = tone_prompt();
    exchange->calls = calls_new(&(struct calls_options){.bridge = bridge_default_options()});
    media_options.on_event = calls_handle_media;
    media_options.event_context = exchange->calls;
    cr_assert(media_start(&media_options, &exchange->media, &err), "%s", err.message);
    cr_assert(agent_open(&agent_options, &exchange->agent, &err), "%s", err.message);
    calls_connect(
        exchange->calls, &(struct calls_peers){
                             .signalling = &agent_commands,
                             .sip = exchange->agent,
                             .media = exchange->media,
                             .wait_audio = exchange->wait_audio,
                             .link_commands = &link_commands,
                             .link = exchange,
                         });
    post_telephony(exchange->calls, answer);
    agent_start(
        exchange->agent, &(struct agent_owner){
                             .context = exchange->calls,
                             .handle_event = calls_handle_signalling,
                             .run = calls_run,
                             .wake_descriptor = calls_wake_descriptor(exchange->calls),
                         });
    return exchange;
}

struct exchange *exchange_free(struct exchange *exchange)
{
    struct timespec until = patience();
    struct media_load load;

    calls_post_end_all(exchange->calls, take_idle, exchange);
    pthread_mutex_lock(&exchange->mutex);
    while (!exchange->idle &&
           pthread_cond_timedwait(&exchange->changed, &exchange->mutex, &until) == 0) {
    }
    pthread_mutex_unlock(&exchange->mutex);
    cr_assert(exchange->idle, "a call does not end");
    cr_assert_eq(exchange->read_count, exchange->told_count, "a report was not expected");
    agent_stop(exchange->agent, 0);
    media_get_load(exchange->media, &load);
    cr_assert_eq(load.conferences, 0);
    cr_assert_eq(load.streams, 0, "%zu streams leaked", load.streams);
    exchange->media = media_stop(exchange->media);
    exchange->agent = agent_free(exchange->agent);
    exchange->calls = calls_free(exchange->calls);
    exchange->wait_audio = media_prompt_unref(exchange->wait_audio);
    exchange->voices = rtp_stage_stop(exchange->voices);
    pthread_cond_destroy(&exchange->changed);
    pthread_mutex_destroy(&exchange->mutex);
    free(exchange);
    return NULL;
}

struct calls *exchange_calls(struct exchange *exchange)
{
    return exchange->calls;
}

void exchange_open_phone(struct exchange *exchange, struct phone *phone, int tone_hz)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof(address);
    struct peer *peer = &phone->peer;

    peer->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(peer->socket, 0);
    cr_assert_eq(bind(peer->socket, (struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(getsockname(peer->socket, (struct sockaddr *)&address, &length), 0);
    peer->port = ntohs(address.sin_port);
    peer->target_port = agent_port(exchange->agent);
    address.sin_port = htons((uint16_t)peer->target_port);
    cr_assert_eq(connect(peer->socket, (struct sockaddr *)&address, sizeof(address)), 0);
    phone->voice = rtp_party_open(
        exchange->voices, &(struct rtp_party_options){
                              .codec = MEDIA_PCMA,
                              .payload_type = 8,
                              .tone_hz = tone_hz,
                          });
}

void exchange_close_phone(struct phone *phone)
{
    peer_close(&phone->peer);
}

static struct instruction instruction_of(
    const struct exchange *exchange,
    enum instruction_kind kind)
{
    return (struct instruction){
        .kind = kind,
        .workspace_id = "acme",
        .call_id = exchange->call_id,
        .task_id = "t1",
        .reservation_id = "",
        .worker_id = "",
        .contact_uri = "",
        .reason = "",
    };
}

void exchange_instruct(struct exchange *exchange, enum instruction_kind kind)
{
    struct instruction instruction = instruction_of(exchange, kind);

    calls_post_instruction(exchange->calls, &instruction);
}

void exchange_dial(struct exchange *exchange, const struct phone *worker, const char *reservation)
{
    struct instruction instruction = instruction_of(exchange, INSTRUCTION_DIAL_WORKER);
    char contact[STAGE_WORD_SIZE];

    (void)snprintf(contact, sizeof(contact), "sip:ada@127.0.0.1:%d", worker->peer.port);
    instruction.reservation_id = reservation;
    instruction.worker_id = "ada";
    instruction.contact_uri = contact;
    calls_post_instruction(exchange->calls, &instruction);
}

/* Phones. */

static void print_session(
    const struct phone *phone,
    int version,
    const char *direction,
    char session[SESSION_TEXT_SIZE])
{
    (void)snprintf(
        session, SESSION_TEXT_SIZE,
        "v=0\r\no=- 1 %d IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio %u RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=%s\r\n",
        version, rtp_party_port(phone->voice), direction);
}

void phone_invite(struct phone *phone, int cseq, const char *direction)
{
    char session[SESSION_TEXT_SIZE];
    char branch[32];

    (void)snprintf(branch, sizeof(branch), "invite%d", cseq);
    print_session(phone, cseq, direction, session);
    peer_request(
        &phone->peer, &(struct peer_request){
                          .method = "INVITE",
                          .cseq = cseq,
                          .branch = branch,
                          .to_tag = phone->tag[0] != '\0' ? phone->tag : NULL,
                          .body = session,
                      });
}

/* Sends our voice to where the last message says. */
static void speak(struct phone *phone)
{
    const char *media = strstr(phone->peer.text, "m=audio ");

    cr_assert_not_null(media, "no audio in %s", phone->peer.text);
    rtp_party_call(
        phone->voice, "127.0.0.1", (uint16_t)strtoul(media + strlen("m=audio "), NULL, 10));
}

void phone_is_answered(struct phone *phone, int cseq)
{
    char to[STAGE_WORD_SIZE];
    char branch[32];

    peer_expect(&phone->peer, "SIP/2.0 200");
    peer_header(&phone->peer, "To:", to);
    cr_assert_not_null(strstr(to, ";tag="));
    (void)snprintf(phone->tag, sizeof(phone->tag), "%s", strstr(to, ";tag=") + strlen(";tag="));
    speak(phone);
    (void)snprintf(branch, sizeof(branch), "ack%d", cseq);
    peer_request(
        &phone->peer, &(struct peer_request){
                          .method = "ACK",
                          .cseq = cseq,
                          .branch = branch,
                          .to_tag = phone->tag,
                      });
}

void phone_hang_up(struct phone *phone, int cseq)
{
    peer_request(
        &phone->peer, &(struct peer_request){
                          .method = "BYE",
                          .cseq = cseq,
                          .branch = "bye",
                          .to_tag = phone->tag,
                      });
    peer_expect(&phone->peer, "SIP/2.0 200");
}

static void reply(struct phone *phone, const char *status, const char *body)
{
    char contact[STAGE_WORD_SIZE];

    (void)snprintf(
        contact, sizeof(contact), "Contact: <sip:ada@127.0.0.1:%d>\r\n", phone->peer.port);
    peer_reply(&phone->peer, status, "phone", contact, body);
}

void phone_rings(struct phone *phone)
{
    peer_expect(&phone->peer, "INVITE sip:ada@127.0.0.1");
    reply(phone, "180 Ringing", NULL);
}

void phone_answers(struct phone *phone)
{
    char session[SESSION_TEXT_SIZE];

    speak(phone);
    print_session(phone, 1, "sendrecv", session);
    reply(phone, "200 OK", session);
    peer_expect(&phone->peer, "ACK");
}

void phone_refuses(struct phone *phone, const char *status)
{
    reply(phone, status, NULL);
    peer_expect(&phone->peer, "ACK");
}

void phone_takes(struct phone *phone, const char *method)
{
    peer_expect(&phone->peer, method);
    peer_reply(&phone->peer, "200 OK", NULL, NULL, NULL);
}
