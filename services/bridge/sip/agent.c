/* The agent's life, its transports and its loop. */
#include "services/bridge/sip/agent.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport_tag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "services/bridge/sip/door.h"
#include "services/bridge/sip/stack.h"
#include "services/bridge/telemetry/metrics.h"

enum {
    T1_DEFAULT_MS = 500,
    LEGS_MAX_DEFAULT = 10000,
    STEP_MAX_MS = 1000, /* the gauges are not older than that */
    QUIET_STEP_MS = 20,
    SOCKET_BUFFER_BYTES = 4 * 1024 * 1024,
    TCP_BACKLOG = 1024,
    TCP_MESSAGE_TIMEOUT_MS = 32000, /* from the first byte of a message to its last */
    TCP_IDLE_MS = 600000,
    /* After this an INVITE that was given up and never answered is forgotten by the library too. */
    TIMER_C_IN_T1 = 400,
    HOST_SIZE = 256,
    ROOT_IS_OURS = 2, /* su_root_has_thread */
};

const struct signalling_commands agent_commands = {
    .progress = agent_progress,
    .answer = agent_answer,
    .refuse = agent_refuse,
    .dial = agent_dial,
    .cancel = agent_cancel,
    .hang_up = agent_hang_up,
    .answer_reoffer = agent_answer_reoffer,
};

struct address {
    char host[HOST_SIZE]; /* an IPv6 address keeps its brackets */
    char port[8];         /* "" when none is named */
};

/* "host", "host:port", "[v6]", "[v6]:port". */
static bool parse_address(const char *text, struct address *ret_address)
{
    const char *end = *text == '[' ? strchr(text, ']') : NULL;
    const char *colon = strchr(end ? end : text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);

    if (length == 0 || length >= HOST_SIZE || (*text == '[' && !end) ||
        strcspn(text, "<>;?@\" \t\r\n") != strlen(text)) {
        return false;
    }
    memcpy(ret_address->host, text, length);
    ret_address->host[length] = '\0';
    ret_address->port[0] = '\0';
    if (!colon) {
        return true;
    }

    size_t digits = strlen(colon + 1);

    if (digits == 0 || digits > 5 || strspn(colon + 1, "0123456789") != digits ||
        strtol(colon + 1, NULL, 10) > 65535) {
        return false;
    }
    (void)snprintf(ret_address->port, sizeof(ret_address->port), "%s", colon + 1);
    return true;
}

static bool is_wildcard(const struct address *address)
{
    return strcmp(address->host, "0.0.0.0") == 0 || strcmp(address->host, "[::]") == 0;
}

static bool parse_addresses(
    const struct agent_options *options,
    struct address *ret_listen,
    struct address *ret_advertised,
    struct error *err)
{
    const char *advertised = options->advertised_address;

    if (!options->listen_address || !parse_address(options->listen_address, ret_listen) ||
        !*ret_listen->port) {
        return FAIL(
            err, REASON_CONFIG_INVALID, "'%s' is not an address and port to listen on for SIP",
            options->listen_address ? options->listen_address : "");
    }
    if (advertised && *advertised) {
        if (!parse_address(advertised, ret_advertised)) {
            return FAIL(
                err, REASON_CONFIG_INVALID, "'%s' is not a host to advertise for SIP", advertised);
        }
        return true;
    }
    if (is_wildcard(ret_listen)) {
        return FAIL(
            err, REASON_CONFIG_INVALID,
            "SIP listens on every address of the host: say which one to advertise");
    }
    *ret_advertised = *ret_listen;
    ret_advertised->port[0] = '\0';
    return true;
}

/* The library says what it does on the standard error, also about every odd packet. It is not
 * asked: what matters is counted, and told to the owner. */
static void discard_log(void *stream, const char *format, va_list arguments)
{
    (void)stream;
    (void)format;
    (void)arguments;
}

static bool bind_transports(
    struct agent *agent,
    const struct address *listen,
    const struct address *advertised,
    struct error *err)
{
    char url[HOST_SIZE * 2 + 64];
    size_t bracketed = *listen->host == '[';
    int length = (int)strlen(listen->host) - 2 * (int)bracketed;

    /* No transport parameter: that is UDP and TCP on one port. A list of them makes the library
     * read a stack frame that is gone. */
    (void)snprintf(
        url, sizeof(url), "sip:%s:%s;maddr=%.*s", advertised->host, listen->port, length,
        listen->host + bracketed);
    if (nta_agent_add_tport(
            agent->nta, (const url_string_t *)url, TPTAG_QUEUESIZE(TCP_BACKLOG),
            TPTAG_UDP_RMEM(SOCKET_BUFFER_BYTES), TPTAG_UDP_WMEM(SOCKET_BUFFER_BYTES),
            TAG_END()) < 0) {
        return FAIL(
            err, REASON_SIP_UNAVAILABLE, "cannot listen for SIP on %s:%s: %s", listen->host,
            listen->port, strerrordesc_np(errno));
    }
    return true;
}

static void print_contacts(struct agent *agent, const struct address *advertised)
{
    const sip_via_t *via = nta_agent_via(agent->nta);

    agent->port = via && via->v_port ? (int)strtol(via->v_port, NULL, 10) : 5060;
    if (*advertised->port) {
        (void)snprintf(
            agent->host, sizeof(agent->host), "%s:%s", advertised->host, advertised->port);
    } else {
        (void)snprintf(agent->host, sizeof(agent->host), "%s:%d", advertised->host, agent->port);
    }
    (void)snprintf(agent->contact, sizeof(agent->contact), "sip:%.*s", HOST_SIZE, agent->host);
    (void)snprintf(
        agent->contact_tcp, sizeof(agent->contact_tcp), "<sip:%.*s;transport=tcp>", HOST_SIZE,
        agent->host);
}

static nta_agent_t *make_nta(struct agent *agent, int t1_ms)
{
    unsigned t1 = (unsigned)t1_ms;
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): the library's word for "no transport yet" */
    const url_string_t *none = (const url_string_t *)-1;

    return nta_agent_create(
        agent->root, none, agent_handle_outside, agent, NTATAG_MCLASS(agent->message_class),
        NTATAG_UA(1), NTATAG_CANCEL_487(0), NTATAG_MERGE_482(0), NTATAG_EXTRA_100(1),
        NTATAG_SERVER_RPORT(2), NTATAG_CLIENT_RPORT(1), NTATAG_MAXSIZE(DOOR_MESSAGE_MAX),
        NTATAG_UDP_MTU(65535), NTATAG_SIP_T1(t1), NTATAG_SIP_T1X64(64 * t1), NTATAG_SIP_T2(8 * t1),
        NTATAG_SIP_T4(10 * t1), TPTAG_TIMEOUT(TCP_MESSAGE_TIMEOUT_MS), TPTAG_IDLE(TCP_IDLE_MS),
        NTATAG_TIMER_C(TIMER_C_IN_T1 * t1), TAG_END());
}

static struct agent *agent_new(const struct agent_options *options)
{
    struct agent *agent = mem_new(struct agent);
    const char *user_agent = options->user_agent;
    int t1_ms = options->t1_ms > 0 ? options->t1_ms : T1_DEFAULT_MS;

    (void)su_init();
    su_log_redirect(NULL, discard_log, NULL);
    TAILQ_INIT(&agent->legs);
    TAILQ_INIT(&agent->dead);
    STAILQ_INIT(&agent->news);
    agent->next_inbound_leg = SIGNALLING_FIRST_INBOUND_LEG;
    agent->t1_us = INT64_C(1000) * t1_ms;
    agent->legs_max = options->legs_max > 0 ? options->legs_max : LEGS_MAX_DEFAULT;
    agent->user_agent = mem_strdup(user_agent && *user_agent ? user_agent : "Cordboard");
    agent->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    agent->message_class = door_message_class();
    agent->root = su_root_create(agent);
    if (agent->stop_event < 0 || !agent->root || !(agent->nta = make_nta(agent, t1_ms))) {
        abort(); /* no descriptors or memory at start: as with memory, there is no way on */
    }
    return agent;
}

bool agent_open(const struct agent_options *options, struct agent **ret_agent, struct error *err)
{
    struct address listen = {0};
    struct address advertised = {0};

    if (!parse_addresses(options, &listen, &advertised, err)) {
        return false;
    }

    CLEANUP(agent_free_at_exit) struct agent *agent = agent_new(options);

    if (!bind_transports(agent, &listen, &advertised, err)) {
        return false;
    }
    print_contacts(agent, &advertised);
    (void)su_root_release(agent->root);
    *ret_agent = STEAL(agent);
    return true;
}

/* Wakes the loop; what woke it looks for itself. */
static int handle_wake(struct agent *agent, su_wait_t *wait, struct agent *same)
{
    (void)agent;
    (void)wait;
    (void)same;
    return 0;
}

static int watch(struct agent *agent, int descriptor)
{
    su_wait_t wait = SU_WAIT_INIT;

    if (descriptor < 0 || su_wait_create(&wait, descriptor, SU_WAIT_IN) < 0) {
        return -1;
    }
    return su_root_register(agent->root, &wait, handle_wake, agent, 0);
}

static su_duration_t step_length(int64_t now_us, int64_t deadline_us)
{
    int64_t left_us = deadline_us - now_us;

    if (left_us <= 0) {
        return 0;
    }
    return left_us >= STEP_MAX_MS * INT64_C(1000) ? STEP_MAX_MS
                                                  : (su_duration_t)((left_us + 999) / 1000);
}

static void set_gauges(struct agent *agent)
{
    struct agent_statistics now;

    agent_read_statistics(agent, &now);
    metric_set(metric_series(&metric_bridge_sip_legs, "in_call"), now.legs);
    metric_set(metric_series(&metric_bridge_sip_legs, "finishing"), now.legs_finishing);
    metric_set(metric_series(&metric_bridge_sip_legs, "remembered"), now.legs_remembered);
    metric_set(metric_series(&metric_bridge_sip_transactions, "client"), now.client_transactions);
    metric_set(metric_series(&metric_bridge_sip_transactions, "server"), now.server_transactions);
}

static void serve(struct agent *agent)
{
    int64_t gauges_due_us = 0;

    while (!atomic_load(&agent->stopping)) {
        int64_t now_us = clock_mono_us(clock_system());
        int64_t deadline_us = agent->owner.run(agent->owner.context, now_us);

        bool told = !STAILQ_EMPTY(&agent->news);

        if (now_us >= gauges_due_us) {
            set_gauges(agent);
            gauges_due_us = now_us + STEP_MAX_MS * INT64_C(1000);
        }

        agent_tell_news(agent);
        agent_free_dead_legs(agent);
        /* What the owner did on hearing news may have changed its deadline. */
        (void)su_root_step(agent->root, told ? 0 : step_length(now_us, deadline_us));
    }
}

static void end_leg(struct agent_leg *leg)
{
    static const struct signalling_reason unavailable = {
        .status = 503, .text = "Shutting down", .q850_cause = 41, /* temporary failure */
    };

    if (leg->over) {
        return;
    }
    if (leg->phase == LEG_INVITED) {
        agent_refuse_leg(leg, &unavailable);
    } else {
        agent_hang_up(leg->agent, leg->id, &unavailable);
    }
}

static void finish(struct agent *agent)
{
    struct agent_leg *leg;
    struct agent_leg *next;
    int64_t deadline_us = clock_mono_us(clock_system()) + atomic_load(&agent->linger_us);

    agent->deaf = true;
    atomic_store(&agent->draining, true);
    TAILQ_FOREACH_SAFE(leg, &agent->legs, link, next)
    {
        end_leg(leg);
    }
    agent_tell_news(agent);
    while (agent->busy_count > 0 && clock_mono_us(clock_system()) < deadline_us) {
        agent_free_dead_legs(agent);
        (void)su_root_step(agent->root, QUIET_STEP_MS);
    }
}

static void *run(void *context)
{
    struct agent *agent = context;

    (void)su_root_obtain(agent->root);
    door_open_for(agent->nta);

    int stop = watch(agent, agent->stop_event);
    int wake = watch(agent, agent->owner.wake_descriptor);

    serve(agent);
    (void)su_root_deregister(agent->root, wake);
    (void)su_root_deregister(agent->root, stop);
    finish(agent);
    door_open_for(NULL);
    (void)su_root_release(agent->root);
    return NULL;
}

void agent_start(struct agent *agent, const struct agent_owner *owner)
{
    agent->owner = *owner;
    agent->started = true;
    if (pthread_create(&agent->thread, NULL, run, agent) != 0) {
        abort(); /* no thread at start: there is no way on */
    }
}

void agent_stop(struct agent *agent, int64_t linger_us)
{
    uint64_t one = 1;

    if (!agent->started) {
        return;
    }
    atomic_store(&agent->linger_us, linger_us);
    atomic_store(&agent->stopping, true);

    ssize_t written = write(agent->stop_event, &one, sizeof(one));

    (void)written;
    (void)pthread_join(agent->thread, NULL);
    agent->started = false;
}

struct agent *agent_free(struct agent *agent)
{
    if (!agent) {
        return NULL;
    }
    assert(!agent->started);
    /* Half-made, it is still this thread's; to take it twice would wait for ever. */
    if (su_root_has_thread(agent->root) != ROOT_IS_OURS) {
        (void)su_root_obtain(agent->root);
    }
    agent->deaf = true;
    agent_free_all_legs(agent);
    agent_tell_news(agent);
    nta_agent_destroy(agent->nta);
    su_root_destroy(agent->root);
    free(agent->message_class);
    free(agent->user_agent);
    (void)close(agent->stop_event);
    free(agent);
    su_deinit();
    return NULL;
}

void agent_set_draining(struct agent *agent, bool draining)
{
    atomic_store(&agent->draining, draining);
}

const char *agent_contact(const struct agent *agent)
{
    return agent->contact;
}

int agent_port(const struct agent *agent)
{
    return agent->port;
}

void agent_read_statistics(struct agent *agent, struct agent_statistics *ret_statistics)
{
    usize_t clients = 0;
    usize_t servers = 0;
    usize_t dialogs = 0;

    (void)nta_agent_get_stats(
        agent->nta, NTATAG_S_ORQ_HASH_USED_REF(clients), NTATAG_S_IRQ_HASH_USED_REF(servers),
        NTATAG_S_LEG_HASH_USED_REF(dialogs), TAG_END());
    *ret_statistics = (struct agent_statistics){
        .legs = agent->live_count,
        .legs_finishing = agent->busy_count - agent->live_count,
        .legs_remembered = agent->leg_count - agent->busy_count,
        .client_transactions = (int64_t)clients,
        .server_transactions = (int64_t)servers,
        .dialogs = (int64_t)dialogs,
        .invites = agent->invites,
        .refused_at_door = agent->refused_at_door,
    };
}
