/* Requests outside dialogs. Most of them end here, without a transaction and without the owner
 * hearing of them; a good INVITE becomes a leg. Its transaction is made only when the owner has
 * seen it: one that is refused at once, as strangers' are, leaves nothing behind.
 */
#include <arpa/inet.h>
#include <sofia-sip/msg_addr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "services/bridge/sip/door.h"
#include "services/bridge/sip/reply.h"
#include "services/bridge/sip/stack.h"
#include "services/bridge/telemetry/metrics.h"

enum {
    RETRY_AFTER_S = 10,
};

static struct reply refusal(int status, const char *warning)
{
    return (struct reply){.status = status, .warning = warning};
}

/* What any request outside a dialog must be, in the order of RFC 3261, 8.2. Status 0: it is. */
static struct reply judge_request(const sip_t *sip)
{
    const sip_request_t *request = sip->sip_request;

    if (!sip->sip_separator || !door_allows_via(sip)) {
        return refusal(400, "no RFC 3261 branch in the top Via");
    }
    if (request->rq_method == sip_method_unknown) {
        return refusal(501, NULL);
    }
    if (sip->sip_to->a_tag || request->rq_method == sip_method_cancel) {
        return refusal(481, NULL);
    }
    if (request->rq_method != sip_method_invite && request->rq_method != sip_method_options) {
        return refusal(405, NULL);
    }
    if (!door_allows_uri(request->rq_url)) {
        return refusal(416, NULL);
    }
    if (requires_something(sip)) {
        return (struct reply){.status = 420, .unsupported = sip->sip_require};
    }
    return refusal(0, NULL);
}

static char *merge_key_of(const sip_t *sip)
{
    return mem_printf(
        "%s\n%s\n%lu", sip->sip_call_id->i_id, sip->sip_from->a_tag,
        (unsigned long)sip->sip_cseq->cs_seq);
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macros are long */
static bool is_merged(const struct agent *agent, const sip_t *sip)
{
    CLEANUP(mem_free_at_exit) char *key = merge_key_of(sip);
    struct agent_leg *leg;

    HASH_FIND(by_merge_key, agent->legs_by_merge_key, key, strlen(key), leg);
    return leg != NULL;
}

/* What is over still costs memory for half a minute, and a stranger's call is over at once. */
static bool is_full(const struct agent *agent)
{
    return agent->live_count >= agent->legs_max || agent->leg_count >= 2 * agent->legs_max;
}

static struct reply judge_invite(const struct agent *agent, const sip_t *sip)
{
    if (sip->sip_max_forwards && sip->sip_max_forwards->mf_count == 0) {
        return refusal(483, NULL);
    }
    if (!door_allows_token(sip->sip_from->a_tag) || !door_allows_token(sip->sip_call_id->i_id)) {
        return refusal(400, "bad From tag or Call-ID");
    }
    if (!sip->sip_contact || !door_allows_routes(sip)) {
        return refusal(400, "bad Contact or Record-Route");
    }
    if (is_merged(agent, sip)) {
        return (struct reply){.status = 482, .phrase = "Request Merged"};
    }
    if (atomic_load(&agent->draining) || is_full(agent)) {
        return (struct reply){.status = 503, .retry_after_s = RETRY_AFTER_S};
    }
    return refusal(0, NULL);
}

static struct reply options_reply(const struct agent *agent)
{
    if (atomic_load(&agent->draining)) {
        return (struct reply){.status = 503, .retry_after_s = RETRY_AFTER_S};
    }
    return (struct reply){.status = 200, .contact = agent->contact};
}

/* What an INVITE says, in the owner's words. Its texts live as long as its message. */
struct invitation {
    struct signalling_event event;
    struct session_description description;
    char source[INET6_ADDRSTRLEN];
    char called[DOOR_NUMBER_SIZE];
    char caller[DOOR_NUMBER_SIZE];
    char name[DOOR_NAME_SIZE];
    char contact[AGENT_CONTACT_SIZE];
};

static void read_source(msg_t *msg, struct invitation *invitation)
{
    const su_sockaddr_t *address = msg_addr(msg);

    (void)inet_ntop(
        address->su_family, SU_ADDR(address), invitation->source, sizeof(invitation->source));
    invitation->event.source_address = invitation->source;
    invitation->event.source_port = ntohs(address->su_port);
}

/* Status 0: it can be handed to the owner. */
static struct reply read_invitation(const sip_t *sip, struct invitation *invitation)
{
    struct signalling_event *event = &invitation->event;
    const char *why = NULL;
    int body = body_read(sip, &invitation->description, &why);
    int length = url_e(invitation->contact, sizeof(invitation->contact), sip->sip_contact->m_url);

    if (body != 0 && body != 200) {
        return refusal(body, why);
    }
    if (length < 0 || length >= AGENT_CONTACT_SIZE) {
        return refusal(400, "the Contact is too long");
    }
    if (!door_read_user(sip->sip_request->rq_url, invitation->called)) {
        return refusal(484, "the called number is not text");
    }
    /* Who calls is the peer's word only; one that cannot be shown is none. */
    if (!door_read_user(sip->sip_from->a_url, invitation->caller) ||
        strcasecmp(invitation->caller, "anonymous") == 0) {
        invitation->caller[0] = '\0';
    }
    door_read_display_name(sip->sip_from->a_display, invitation->name);
    event->kind = SIGNALLING_INVITED;
    event->phrase = "";
    event->description = body == 200 ? &invitation->description : NULL;
    event->called_number = invitation->called;
    event->caller_number = invitation->caller;
    event->caller_display_name = invitation->name;
    event->sip_call_id = sip->sip_call_id->i_id;
    event->from_tag = sip->sip_from->a_tag;
    event->contact_uri = invitation->contact;
    return refusal(0, NULL);
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macros are long */
static void remember(struct agent_leg *leg, const sip_t *sip)
{
    leg->merge_key = merge_key_of(sip);
    HASH_ADD_KEYPTR(
        by_merge_key, leg->agent->legs_by_merge_key, leg->merge_key, strlen(leg->merge_key), leg);
}

/* The dialog has its tag from the start, so that only requests with that tag find it. */
static nta_leg_t *make_dialog(struct agent_leg *leg, msg_t *msg, const sip_t *sip)
{
    nta_agent_t *nta = leg->agent->nta;
    sip_to_t *local = sip_to_dup(msg_home(msg), sip->sip_to);

    if (sip_to_tag(msg_home(msg), local, nta_agent_newtag(msg_home(msg), "tag=%s", nta)) < 0) {
        return NULL;
    }

    nta_leg_t *dialog = nta_leg_tcreate(
        nta, agent_handle_inside, leg, SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(local),
        SIPTAG_TO(sip->sip_from), NTATAG_REMOTE_CSEQ(sip->sip_cseq->cs_seq), TAG_END());

    if (dialog) {
        (void)nta_leg_server_route(dialog, sip->sip_record_route, sip->sip_contact);
    }
    return dialog;
}

bool agent_admit(struct agent_leg *leg)
{
    struct agent *agent = leg->agent;
    msg_t *msg = STEAL(leg->waiting);

    if (!msg) {
        return true;
    }

    sip_t *sip = sip_object(msg);

    leg->dialog = make_dialog(leg, msg, sip);
    leg->invite = nta_incoming_create(agent->nta, NULL, msg, sip, TAG_END());
    if (!leg->dialog || !leg->invite) {
        agent_emit_end(leg, SIGNALLING_CANCELED, 0, NULL);
        agent_leg_end(leg);
        return false;
    }
    remember(leg, sip);
    (void)nta_incoming_tag(leg->invite, nta_leg_get_tag(leg->dialog));
    nta_incoming_bind(leg->invite, agent_handle_ack_or_cancel, leg);
    (void)reply_send(agent, leg->invite, &(struct reply){.status = 100});
    return true;
}

static struct agent_leg *make_leg(struct agent *agent, msg_t *msg, const sip_t *sip)
{
    struct agent_leg *leg = agent_leg_new(agent, agent->next_inbound_leg++, LEG_INVITED);

    if (sip->sip_via->v_protocol && strcasecmp(sip->sip_via->v_protocol, "SIP/2.0/TCP") == 0) {
        leg->contact = agent->contact_tcp;
    }
    leg->our_offer = !sip->sip_payload;
    leg->waiting = msg;
    return leg;
}

/* Consumes the message. */
static void refuse(struct agent *agent, msg_t *msg, const struct reply *reply)
{
    char status[16];

    (void)snprintf(status, sizeof(status), "%d", reply->status);
    metric_add(metric_series(&metric_bridge_sip_requests_refused_total, status), 1);
    agent->refused_at_door++;
    reply_send_stateless(agent, msg, reply);
}

static void handle_invite(struct agent *agent, msg_t *msg, sip_t *sip)
{
    struct invitation invitation = {0};
    struct reply reply = judge_invite(agent, sip);

    if (reply.status == 0) {
        reply = read_invitation(sip, &invitation);
    }
    if (reply.status != 0) {
        refuse(agent, msg, &reply);
        return;
    }
    read_source(msg, &invitation);

    struct agent_leg *leg = make_leg(agent, msg, sip);
    msg_t *kept = msg_ref_create(msg); /* the event's texts are in it, whatever the owner does */

    agent->invites++;
    invitation.event.leg = leg->id;
    agent_emit(agent, &invitation.event);
    (void)agent_admit(leg);
    nta_msg_discard(agent->nta, kept);
}

int agent_handle_outside(struct agent *agent, nta_agent_t *nta, msg_t *msg, sip_t *sip)
{
    /* Late answers, and ACKs of answers given without a transaction. */
    if (!sip->sip_request || sip->sip_request->rq_method == sip_method_ack) {
        nta_msg_discard(nta, msg);
        return 0;
    }

    struct reply reply = judge_request(sip);

    if (reply.status != 0) {
        refuse(agent, msg, &reply);
    } else if (sip->sip_request->rq_method == sip_method_options) {
        reply = options_reply(agent);
        reply_send_stateless(agent, msg, &reply);
    } else {
        handle_invite(agent, msg, sip);
    }
    return 0;
}
