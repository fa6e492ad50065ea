#include "tests/integration/bridge/sip/stage.h"

#include <arpa/inet.h>
#include <bsd/sys/queue.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/mailbox/mailbox.h"

enum {
    PATIENCE_MS = 10000,
    LINGER_US = 3000000,
    TIMER_D_MS = 32000, /* RFC 3261, 17.1.1.2: at least, whatever T1 is */
};

struct kept_scene {
    STAILQ_ENTRY(kept_scene) link;
    struct scene scene;
};

typedef void(stage_action)(struct stage *stage, void *argument);

struct errand {
    struct mailbox_node node;
    stage_action *action;
    void *argument;
    bool done;
};

struct stage {
    struct agent *agent;
    struct mailbox *mailbox;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    STAILQ_HEAD(, kept_scene) scenes;
    bool refuses_all; /* signalling thread */
};

static void copy_word(char word[STAGE_WORD_SIZE], const char *text)
{
    (void)snprintf(word, STAGE_WORD_SIZE, "%s", text ? text : "");
}

static void handle_event(void *context, const struct signalling_event *event)
{
    struct stage *stage = context;

    if (stage->refuses_all && event->kind == SIGNALLING_INVITED) {
        agent_commands.refuse(
            stage->agent, event->leg,
            &(struct signalling_reason){.status = 403, .text = "No trunk"});
        cr_assert_eq(strncmp(event->sip_call_id, "call-", 5), 0, "texts outlive the refusal");
        return;
    }

    struct kept_scene *kept = mem_new(struct kept_scene);
    struct scene *scene = &kept->scene;

    scene->kind = event->kind;
    scene->leg = event->leg;
    scene->status = event->status;
    scene->source_port = event->source_port;
    scene->described = event->description != NULL;
    if (event->description) {
        scene->description = *event->description;
    }
    copy_word(scene->phrase, event->phrase);
    copy_word(scene->source_address, event->source_address);
    copy_word(scene->called_number, event->called_number);
    copy_word(scene->caller_number, event->caller_number);
    copy_word(scene->caller_display_name, event->caller_display_name);
    copy_word(scene->sip_call_id, event->sip_call_id);
    copy_word(scene->from_tag, event->from_tag);
    copy_word(scene->contact_uri, event->contact_uri);
    (void)pthread_mutex_lock(&stage->mutex);
    STAILQ_INSERT_TAIL(&stage->scenes, kept, link);
    (void)pthread_cond_broadcast(&stage->changed);
    (void)pthread_mutex_unlock(&stage->mutex);
}

static int64_t run(void *context, int64_t now_mono_us)
{
    struct stage *stage = context;
    struct mailbox_node *node;

    (void)now_mono_us;
    while ((node = mailbox_take_all(stage->mailbox))) {
        while (node) {
            struct errand *errand = MAILBOX_MESSAGE(node, struct errand, node);

            node = node->next;
            errand->action(stage, errand->argument);
            (void)pthread_mutex_lock(&stage->mutex);
            errand->done = true;
            (void)pthread_cond_broadcast(&stage->changed);
            (void)pthread_mutex_unlock(&stage->mutex);
        }
    }
    return INT64_MAX;
}

static void send_errand(struct stage *stage, stage_action *action, void *argument)
{
    struct errand errand = {.action = action, .argument = argument};

    cr_assert(mailbox_post(stage->mailbox, &errand.node));
    (void)pthread_mutex_lock(&stage->mutex);
    while (!errand.done) {
        (void)pthread_cond_wait(&stage->changed, &stage->mutex);
    }
    (void)pthread_mutex_unlock(&stage->mutex);
}

struct stage *stage_new(void)
{
    return stage_new_with((struct agent_options){0});
}

struct stage *stage_new_with(struct agent_options options)
{
    struct stage *stage = mem_new(struct stage);
    struct error err;

    options.t1_ms = STAGE_T1_MS;
    if (!options.listen_address) {
        options.listen_address = "127.0.0.1:0";
    }
    STAILQ_INIT(&stage->scenes);
    (void)pthread_mutex_init(&stage->mutex, NULL);
    (void)pthread_cond_init(&stage->changed, NULL);
    stage->mailbox = mailbox_new();
    cr_assert(agent_open(&options, &stage->agent, &err), "%s", err.message);
    agent_start(
        stage->agent, &(struct agent_owner){
                          .context = stage,
                          .handle_event = handle_event,
                          .run = run,
                          .wake_descriptor = mailbox_descriptor(stage->mailbox),
                      });
    return stage;
}

struct stage *stage_free(struct stage *stage)
{
    struct kept_scene *kept;

    agent_stop(stage->agent, LINGER_US);
    agent_free(stage->agent);
    mailbox_free(stage->mailbox);
    while ((kept = STAILQ_FIRST(&stage->scenes))) {
        STAILQ_REMOVE_HEAD(&stage->scenes, link);
        free(kept);
    }
    (void)pthread_cond_destroy(&stage->changed);
    (void)pthread_mutex_destroy(&stage->mutex);
    free(stage);
    return NULL;
}

struct agent *stage_agent(struct stage *stage)
{
    return stage->agent;
}

int stage_port(const struct stage *stage)
{
    return agent_port(stage->agent);
}

static struct kept_scene *next_scene(struct stage *stage, int timeout_ms)
{
    struct timespec deadline;
    struct kept_scene *kept;

    (void)clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += timeout_ms / 1000;
    (void)pthread_mutex_lock(&stage->mutex);
    while (!(kept = STAILQ_FIRST(&stage->scenes)) && timeout_ms > 0 &&
           pthread_cond_timedwait(&stage->changed, &stage->mutex, &deadline) != ETIMEDOUT) {
    }
    if (kept) {
        STAILQ_REMOVE_HEAD(&stage->scenes, link);
    }
    (void)pthread_mutex_unlock(&stage->mutex);
    return kept;
}

struct scene stage_expect(struct stage *stage, enum signalling_event_kind kind)
{
    struct kept_scene *kept = next_scene(stage, PATIENCE_MS);

    cr_assert_not_null(kept, "no event came; expected kind %d", kind);

    struct scene scene = kept->scene;

    free(kept);
    cr_assert_eq(
        scene.kind, kind, "event %d (%d %s) came; expected kind %d", scene.kind, scene.status,
        scene.phrase, kind);
    return scene;
}

bool stage_next(struct stage *stage, struct scene *ret_scene)
{
    struct kept_scene *kept = next_scene(stage, 0);

    if (kept) {
        *ret_scene = kept->scene;
        free(kept);
    }
    return kept != NULL;
}

static void do_nothing(struct stage *stage, void *argument)
{
    (void)stage;
    (void)argument;
}

void stage_expect_nothing(struct stage *stage)
{
    send_errand(stage, do_nothing, NULL);
    send_errand(stage, do_nothing, NULL);

    struct kept_scene *kept = next_scene(stage, 0);

    cr_assert_null(kept, "an event of kind %d came", kept ? (int)kept->scene.kind : 0);
}

/* What any command needs. */
struct order {
    int64_t leg;
    int status;
    bool described;
    const struct signalling_reason *reason;
    const char *to_uri;
    int64_t ring_timeout_us;
};

static struct session_description our_description(void)
{
    return (struct session_description){
        .session_id = 77,
        .version = 1,
        .address = "127.0.0.1",
        .port = 30000,
        .formats = {{CODEC_PCMU, 0}, {CODEC_PCMA, 8}},
        .format_count = 2,
        .telephone_event_payload_type = 101,
        .ptime_ms = 20,
        .media_count = 1,
    };
}

static void do_progress(struct stage *stage, void *argument)
{
    const struct order *order = argument;
    struct session_description description = our_description();

    agent_commands.progress(
        stage->agent, order->leg, order->status, order->described ? &description : NULL);
}

static void do_answer(struct stage *stage, void *argument)
{
    const struct order *order = argument;
    struct session_description description = our_description();

    agent_commands.answer(stage->agent, order->leg, &description);
}

static void do_refuse(struct stage *stage, void *argument)
{
    const struct order *order = argument;

    agent_commands.refuse(stage->agent, order->leg, order->reason);
}

static void do_dial(struct stage *stage, void *argument)
{
    const struct order *order = argument;
    struct session_description offer = our_description();

    agent_commands.dial(
        stage->agent, &(struct signalling_dial){
                          .leg = order->leg,
                          .to_uri = order->to_uri,
                          .from_user = "+4930123",
                          .from_display_name = "Ada \"L\"",
                          .offer = &offer,
                          .ring_timeout_us = order->ring_timeout_us,
                      });
}

static const struct signalling_reason done_elsewhere = {
    .status = 200,
    .text = "Call completed elsewhere",
    .q850_cause = 26,
};

static void do_cancel(struct stage *stage, void *argument)
{
    const struct order *order = argument;

    agent_commands.cancel(stage->agent, order->leg, &done_elsewhere);
}

static void do_hang_up(struct stage *stage, void *argument)
{
    const struct order *order = argument;

    agent_commands.hang_up(stage->agent, order->leg, &done_elsewhere);
}

static void do_answer_reoffer(struct stage *stage, void *argument)
{
    const struct order *order = argument;
    struct session_description description = our_description();

    agent_commands.answer_reoffer(
        stage->agent, order->leg, order->status, order->status < 300 ? &description : NULL);
}

static void do_refuse_all(struct stage *stage, void *argument)
{
    (void)argument;
    stage->refuses_all = true;
}

void stage_refuse_all(struct stage *stage)
{
    send_errand(stage, do_refuse_all, NULL);
}

static void do_read_statistics(struct stage *stage, void *argument)
{
    agent_read_statistics(stage->agent, argument);
}

void stage_progress(struct stage *stage, int64_t leg, int status, bool described)
{
    send_errand(
        stage, do_progress, &(struct order){.leg = leg, .status = status, .described = described});
}

void stage_answer(struct stage *stage, int64_t leg)
{
    send_errand(stage, do_answer, &(struct order){.leg = leg});
}

void stage_refuse(struct stage *stage, int64_t leg, const struct signalling_reason *reason)
{
    send_errand(stage, do_refuse, &(struct order){.leg = leg, .reason = reason});
}

void stage_dial(struct stage *stage, int64_t leg, const char *to_uri, int64_t ring_timeout_us)
{
    send_errand(
        stage, do_dial,
        &(struct order){.leg = leg, .to_uri = to_uri, .ring_timeout_us = ring_timeout_us});
}

void stage_cancel(struct stage *stage, int64_t leg)
{
    send_errand(stage, do_cancel, &(struct order){.leg = leg});
}

void stage_hang_up(struct stage *stage, int64_t leg)
{
    send_errand(stage, do_hang_up, &(struct order){.leg = leg});
}

void stage_answer_reoffer(struct stage *stage, int64_t leg, int status)
{
    send_errand(stage, do_answer_reoffer, &(struct order){.leg = leg, .status = status});
}

struct agent_statistics stage_statistics(struct stage *stage)
{
    struct agent_statistics statistics;

    send_errand(stage, do_read_statistics, &statistics);
    return statistics;
}

static bool holds_legs(const struct agent_statistics *now)
{
    return now->legs || now->legs_finishing || now->dialogs || now->server_transactions;
}

static struct agent_statistics wait_for_calm(struct stage *stage, int patience_ms, bool clients)
{
    const struct clock *clock = clock_system();
    int64_t deadline_us = clock_mono_us(clock) + patience_ms * INT64_C(1000);
    struct agent_statistics now = stage_statistics(stage);

    while ((holds_legs(&now) || (clients && now.client_transactions)) &&
           clock_mono_us(clock) < deadline_us) {
        (void)poll(NULL, 0, 5);
        now = stage_statistics(stage);
    }
    return now;
}

void stage_expect_idle(struct stage *stage)
{
    struct agent_statistics now = wait_for_calm(stage, PATIENCE_MS, false);

    cr_assert_eq(now.legs, 0);
    cr_assert_eq(now.legs_finishing, 0);
    cr_assert_eq(now.dialogs, 0);
    cr_assert_eq(now.server_transactions, 0);
}

void stage_expect_no_transactions(struct stage *stage)
{
    struct agent_statistics now = wait_for_calm(stage, TIMER_D_MS + PATIENCE_MS, true);

    cr_assert_eq(now.client_transactions, 0);
    cr_assert_eq(now.server_transactions, 0);
}

static void bind_peer(struct peer *peer, int type)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof(address);

    peer->tcp = type == SOCK_STREAM;
    peer->text[0] = '\0';
    peer->socket = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    cr_assert_geq(peer->socket, 0);
    cr_assert_eq(bind(peer->socket, (struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(getsockname(peer->socket, (struct sockaddr *)&address, &length), 0);
    peer->port = ntohs(address.sin_port);
}

void peer_listen(struct peer *peer)
{
    bind_peer(peer, SOCK_STREAM);
    cr_assert_eq(listen(peer->socket, 1), 0);
}

void peer_accept(struct peer *peer)
{
    struct pollfd ready = {.fd = peer->socket, .events = POLLIN};

    cr_assert_eq(poll(&ready, 1, PATIENCE_MS), 1, "nobody called");

    int connection = accept4(peer->socket, NULL, NULL, SOCK_CLOEXEC);

    cr_assert_geq(connection, 0);
    (void)close(peer->socket);
    peer->socket = connection;
}

static void connect_peer(struct peer *peer, const struct stage *stage, int type)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };

    bind_peer(peer, type);
    peer->target_port = stage_port(stage);
    address.sin_port = htons((uint16_t)peer->target_port);
    cr_assert_eq(connect(peer->socket, (struct sockaddr *)&address, sizeof(address)), 0);
}

void peer_open(struct peer *peer, const struct stage *stage)
{
    connect_peer(peer, stage, SOCK_DGRAM);
}

void peer_connect(struct peer *peer, const struct stage *stage)
{
    connect_peer(peer, stage, SOCK_STREAM);
}

void peer_close(struct peer *peer)
{
    (void)close(peer->socket);
}

void peer_say_bytes(struct peer *peer, const void *bytes, size_t size)
{
    (void)send(peer->socket, bytes, size, MSG_NOSIGNAL);
}

void peer_say(struct peer *peer, const char *format, ...)
{
    CLEANUP(mem_free_at_exit) char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);

    cr_assert_gt(length, 0);
    peer_say_bytes(peer, text, (size_t)length);
}

bool peer_hears(struct peer *peer, const char *beginning, int timeout_ms)
{
    int64_t deadline_us = clock_mono_us(clock_system()) + timeout_ms * INT64_C(1000);

    for (;;) {
        struct pollfd ready = {.fd = peer->socket, .events = POLLIN};
        int64_t left_us = deadline_us - clock_mono_us(clock_system());

        if (left_us <= 0 || poll(&ready, 1, (int)(left_us / 1000) + 1) <= 0) {
            return false;
        }

        ssize_t size = recv(peer->socket, peer->text, sizeof(peer->text) - 1, 0);

        peer->text[size > 0 ? size : 0] = '\0';
        if (size == 0 && peer->tcp) {
            return false; /* the agent has closed the connection */
        }
        if (size > 0 && strncmp(peer->text, beginning, strlen(beginning)) == 0) {
            return true;
        }
    }
}

void peer_expect(struct peer *peer, const char *beginning)
{
    cr_assert(
        peer_hears(peer, beginning, PATIENCE_MS), "nobody said %s; last heard:\n%s", beginning,
        peer->text);
}

/* The first line from `message` on that begins so. */
static const char *find_line(const char *message, const char *beginning)
{
    const char *line = message;

    while (strncmp(line, beginning, strlen(beginning)) != 0) {
        const char *end = strchr(line, '\n');

        if (!end) {
            return NULL;
        }
        line = end + 1;
    }
    return line;
}

void peer_header(const struct peer *peer, const char *name, char value[STAGE_WORD_SIZE])
{
    const char *line = find_line(peer->text, name);

    value[0] = '\0';
    if (line) {
        line += strlen(name);
        line += strspn(line, " ");
        (void)snprintf(value, STAGE_WORD_SIZE, "%.*s", (int)strcspn(line, "\r\n"), line);
    }
}

bool peer_text_has(const struct peer *peer, const char *text)
{
    return strstr(peer->text, text) != NULL;
}

void peer_request(struct peer *peer, const struct peer_request *request)
{
    char contact[STAGE_WORD_SIZE];
    char uri[STAGE_WORD_SIZE];
    char via[STAGE_WORD_SIZE];
    const char *body = request->body ? request->body : "";

    (void)snprintf(
        contact, sizeof(contact), "Contact: <sip:alice@127.0.0.1:%d%s>\r\n", peer->port,
        peer->tcp ? ";transport=tcp" : "");
    (void)snprintf(uri, sizeof(uri), "sip:+4930555@127.0.0.1:%d", peer->target_port);
    (void)snprintf(
        via, sizeof(via), "SIP/2.0/%s 127.0.0.1:%d;branch=z9hG4bK%s", peer->tcp ? "TCP" : "UDP",
        peer->port, request->branch ? request->branch : "");
    peer_say(
        peer,
        "%s %s SIP/2.0\r\nVia: %s\r\n"
        "From: \"Alice\" <sip:+49301234@example.com>;tag=peer\r\n"
        "To: <sip:+4930555@127.0.0.1>%s%s\r\n"
        "Call-ID: call-%d\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\n%s%s"
        "Content-Length: %zu\r\n\r\n%s",
        request->method, request->uri ? request->uri : uri, request->via ? request->via : via,
        request->to_tag ? ";tag=" : "", request->to_tag ? request->to_tag : "", peer->port,
        request->cseq, request->method, request->headers ? request->headers : contact,
        *body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
}

/* Copies the lines of a header, however often it comes. */
static void copy_header(const char *message, const char *name, char *target, size_t size)
{
    size_t length = 0;

    target[0] = '\0';
    for (const char *line = find_line(message, name); line; line = find_line(line + 1, name)) {
        length += (size_t)snprintf(
            target + length, size - length, "%.*s\r\n", (int)strcspn(line, "\r\n"), line);
    }
    cr_assert_lt(length, size);
}

void peer_reply(
    struct peer *peer,
    const char *status,
    const char *tag,
    const char *headers,
    const char *body)
{
    char via[STAGE_WORD_SIZE * 4];
    char from[STAGE_WORD_SIZE];
    char call_id[STAGE_WORD_SIZE];
    char cseq[STAGE_WORD_SIZE];
    char to[STAGE_WORD_SIZE];
    const char *text = body ? body : "";

    copy_header(peer->text, "Via:", via, sizeof(via));
    copy_header(peer->text, "From:", from, sizeof(from));
    copy_header(peer->text, "Call-ID:", call_id, sizeof(call_id));
    copy_header(peer->text, "CSeq:", cseq, sizeof(cseq));
    peer_header(peer, "To:", to);
    peer_say(
        peer, "SIP/2.0 %s\r\n%s%s%s%sTo: %s%s%s\r\n%s%sContent-Length: %zu\r\n\r\n%s", status, via,
        from, call_id, cseq, to, tag ? ";tag=" : "", tag ? tag : "", headers ? headers : "",
        *text ? "Content-Type: application/sdp\r\n" : "", strlen(text), text);
}
