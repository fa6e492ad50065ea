/* Legs that go out: our INVITE, its answers, and giving it up. */
#include <ctype.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/url.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "services/bridge/sip/door.h"
#include "services/bridge/sip/reply.h"
#include "services/bridge/sip/sdp.h"
#include "services/bridge/sip/stack.h"

enum {
    STATUS_BAD_TARGET = 400,
    STATUS_NO_ANSWER = 408,
    STATUS_CANCELED = 487,
    STATUS_UNREACHABLE = 503,
    FROM_SIZE = 1024,
    RING_GRACE_US = 2000000, /* calls/ watches the time-out itself and comes first */
    PATIENCE_IN_T1 = 64,     /* RFC 3261, 9.1: for the final answer to a canceled INVITE */
};

static const char allowed_methods[] = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE";

static void home_unref_at_exit(su_home_t **home)
{
    (void)su_home_unref(*home);
}

static void print_user(const char *user, char text[DOOR_NUMBER_SIZE * 3])
{
    size_t length = 0;

    for (size_t i = 0; user[i] && i < DOOR_NUMBER_SIZE; i++) {
        unsigned char byte = (unsigned char)user[i];

        if (byte < 0x80 && (isalnum(byte) || strchr("-_.!~*'()+#", byte))) {
            text[length++] = (char)byte;
        } else {
            length += (size_t)sprintf(text + length, "%%%02X", byte);
        }
    }
    text[length] = '\0';
}

static void print_display_name(const char *name, char text[DOOR_NAME_SIZE * 2])
{
    size_t length = 0;

    for (size_t i = 0; name[i] && i < DOOR_NAME_SIZE; i++) {
        unsigned char byte = (unsigned char)name[i];

        if (byte < ' ' || byte == 0x7f) {
            continue;
        }
        if (byte == '"' || byte == '\\') {
            text[length++] = '\\';
        }
        text[length++] = (char)byte;
    }
    text[length] = '\0';
}

static void print_from(
    const struct agent *agent,
    const struct signalling_dial *dial,
    char text[FROM_SIZE])
{
    char user[DOOR_NUMBER_SIZE * 3];
    char name[DOOR_NAME_SIZE * 2];

    if (!dial->from_user || !*dial->from_user) {
        (void)snprintf(text, FROM_SIZE, "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
        return;
    }
    print_user(dial->from_user, user);
    print_display_name(dial->from_display_name ? dial->from_display_name : "", name);
    if (*name) {
        (void)snprintf(text, FROM_SIZE, "\"%s\" <sip:%s@%s>", name, user, agent->host);
    } else {
        (void)snprintf(text, FROM_SIZE, "<sip:%s@%s>", user, agent->host);
    }
}

static bool uses_tcp(const url_t *target)
{
    char transport[8];

    return target->url_params &&
           url_param(target->url_params, "transport", transport, sizeof(transport)) > 0 &&
           strcasecmp(transport, "tcp") == 0;
}

/* A 2xx must be acknowledged each time it comes; the library repeats the ACK once it has one. */
static bool acknowledge(struct agent_leg *leg, const sip_t *sip)
{
    CLEANUP(home_unref_at_exit) su_home_t *home = su_home_new(sizeof(*home));
    sip_cseq_t *cseq = sip_cseq_create(home, sip->sip_cseq->cs_seq, SIP_METHOD_ACK);
    nta_outgoing_t *ack = nta_outgoing_tcreate(
        leg->dialog, NULL, NULL, NULL, SIP_METHOD_ACK, NULL, SIPTAG_CSEQ(cseq),
        SIPTAG_USER_AGENT_STR(leg->agent->user_agent), TAG_END());

    nta_outgoing_destroy(ack);
    return ack != NULL;
}

static void handle_answered(struct agent_leg *leg, const sip_t *sip)
{
    struct session_description answer;
    const char *why = NULL;

    agent_leg_stop_timer(leg);
    (void)nta_leg_rtag(leg->dialog, sip->sip_to->a_tag);
    (void)nta_leg_client_reroute(leg->dialog, sip->sip_record_route, sip->sip_contact, 1);
    if (!acknowledge(leg, sip)) {
        agent_emit_end(leg, SIGNALLING_FAILED, STATUS_UNREACHABLE, "the ACK could not be sent");
        agent_leg_end(leg);
        return;
    }
    leg->phase = LEG_TALKING;
    nta_outgoing_destroy(leg->dial);
    leg->dial = NULL;
    if (leg->over) {
        agent_send_bye(leg); /* the 2xx crossed our CANCEL */
        return;
    }

    struct signalling_event event = {
        .kind = SIGNALLING_ANSWERED,
        .leg = leg->id,
        .status = sip->sip_status->st_status,
        .phrase = sip->sip_status->st_phrase,
        .description = body_read(sip, &answer, &why) == 200 ? &answer : NULL,
    };

    agent_emit(leg->agent, &event);
}

static void handle_progress(struct agent_leg *leg, const sip_t *sip)
{
    struct session_description early;
    const char *why = NULL;

    if (leg->over || sip->sip_status->st_status <= 100) {
        return;
    }

    struct signalling_event event = {
        .kind = SIGNALLING_PROGRESS,
        .leg = leg->id,
        .status = sip->sip_status->st_status,
        .phrase = sip->sip_status->st_phrase,
        .description = body_read(sip, &early, &why) == 200 ? &early : NULL,
    };

    agent_emit(leg->agent, &event);
}

static int handle_invite_response(struct agent_leg *leg, nta_outgoing_t *request, const sip_t *sip)
{
    int status = nta_outgoing_status(request);

    if (leg->phase != LEG_DIALLED || request != leg->dial) {
        return 0;
    }
    if (sip && status < 200) {
        handle_progress(leg, sip);
    } else if (sip && status < 300) {
        handle_answered(leg, sip);
    } else {
        agent_emit_end(
            leg, SIGNALLING_FAILED, status,
            sip && sip->sip_status ? sip->sip_status->st_phrase : "");
        agent_leg_end(leg);
    }
    return 0;
}

static void handle_patience_over(struct agent *agent, su_timer_t *timer, struct agent_leg *leg)
{
    (void)agent;
    (void)timer;
    agent_leg_end(leg);
}

/* The owner is told by the caller; this gives the INVITE up. */
static void give_up(struct agent_leg *leg, const struct signalling_reason *reason)
{
    char text[REASON_TEXT_SIZE];

    reason_print(reason, text);
    leg->bye_reason = *text ? mem_strdup(text) : NULL;
    /* The library holds the CANCEL back until the first provisional answer (RFC 3261, 9.1). */
    (void)nta_outgoing_tcancel(
        leg->dial, NULL, NULL, SIPTAG_REASON_STR(leg->bye_reason),
        SIPTAG_USER_AGENT_STR(leg->agent->user_agent), TAG_END());
    agent_leg_set_timer(leg, PATIENCE_IN_T1 * leg->agent->t1_us, handle_patience_over);
}

static void handle_ring_timeout(struct agent *agent, su_timer_t *timer, struct agent_leg *leg)
{
    (void)agent;
    (void)timer;
    if (leg->phase == LEG_DIALLED && !leg->over) {
        give_up(leg, &(struct signalling_reason){.status = STATUS_NO_ANSWER, .text = "No answer"});
        agent_emit_end(leg, SIGNALLING_FAILED, STATUS_NO_ANSWER, "No answer");
    }
}

static bool send_invite(
    struct agent_leg *leg,
    const struct signalling_dial *dial,
    const url_t *target)
{
    struct agent *agent = leg->agent;
    char from[FROM_SIZE];
    char body[DESCRIPTION_TEXT_SIZE];
    CLEANUP(home_unref_at_exit) su_home_t *home = su_home_new(sizeof(*home));
    const url_string_t *uri = (const url_string_t *)target;
    const sip_to_t *to = sip_to_create(home, uri);

    print_from(agent, dial, from);
    description_print(dial->offer, body);
    leg->dialog = nta_leg_tcreate(
        agent->nta, agent_handle_inside, leg, SIPTAG_FROM_STR(from), SIPTAG_TO(to), TAG_END());
    if (!leg->dialog || !nta_leg_tag(leg->dialog, NULL)) {
        return false;
    }
    leg->dial = nta_outgoing_tcreate(
        leg->dialog, handle_invite_response, leg, NULL, SIP_METHOD_INVITE, uri,
        SIPTAG_CONTACT_STR(leg->contact), SIPTAG_USER_AGENT_STR(agent->user_agent),
        SIPTAG_ALLOW_STR(allowed_methods), SIPTAG_CONTENT_TYPE_STR("application/sdp"),
        SIPTAG_PAYLOAD_STR(body), TAG_END());
    return leg->dial != NULL;
}

/* NULL when it is no target for a call. Headers in a URI are for web pages, not for us: the
 * library would turn them into headers of the INVITE. */
static url_t *read_target(su_home_t *home, const char *uri)
{
    url_t *url = NULL;

    /* The library takes an empty text for a parsed URI, and reads on behind it. */
    if (uri && *uri && strlen(uri) < AGENT_CONTACT_SIZE) {
        url = url_make(home, uri);
    }
    if (!url || !door_allows_uri(url)) {
        return NULL;
    }
    url->url_headers = NULL;
    return url;
}

void agent_dial(void *context, const struct signalling_dial *dial)
{
    struct agent *agent = context;
    CLEANUP(home_unref_at_exit) su_home_t *home = su_home_new(sizeof(*home));
    const url_t *target = read_target(home, dial->to_uri);

    if (agent_leg_find(agent, dial->leg)) {
        return;
    }
    agent->commands_running++;

    struct agent_leg *leg = agent_leg_new(agent, dial->leg, LEG_DIALLED);

    if (!target) {
        agent_emit_end(leg, SIGNALLING_FAILED, STATUS_BAD_TARGET, "not a SIP address");
        agent_leg_end(leg);
    } else {
        leg->contact = uses_tcp(target) ? agent->contact_tcp : agent->contact;
        if (!send_invite(leg, dial, target)) {
            agent_emit_end(
                leg, SIGNALLING_FAILED, STATUS_UNREACHABLE, "the address is unreachable");
            agent_leg_end(leg);
        } else if (dial->ring_timeout_us > 0) {
            agent_leg_set_timer(leg, dial->ring_timeout_us + RING_GRACE_US, handle_ring_timeout);
        }
    }
    agent->commands_running--;
}

void agent_cancel_leg(struct agent_leg *leg, const struct signalling_reason *reason)
{
    give_up(leg, reason);
    agent_emit_end(leg, SIGNALLING_FAILED, STATUS_CANCELED, "Canceled");
}

void agent_cancel(void *context, int64_t id, const struct signalling_reason *reason)
{
    struct agent *agent = context;
    struct agent_leg *leg = agent_leg_find(agent, id);

    if (leg && leg->phase == LEG_DIALLED) {
        agent->commands_running++;
        agent_cancel_leg(leg, reason);
        agent->commands_running--;
    }
}
