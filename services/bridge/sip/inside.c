/* Requests inside dialogs: BYE, re-INVITE, UPDATE; and our own BYE. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "services/bridge/sip/door.h"
#include "services/bridge/sip/reply.h"
#include "services/bridge/sip/stack.h"

enum {
    RETRY_AFTER_S = 3, /* RFC 3261, 14.2: 0 to 10 seconds */
};

static int refuse(
    const struct agent_leg *leg,
    nta_incoming_t *request,
    int status,
    const char *warning)
{
    (void)reply_send(
        leg->agent, request,
        &(struct reply){
            .status = status,
            .warning = warning,
            .retry_after_s = status == 500 ? RETRY_AFTER_S : 0,
        });
    return status;
}

static int handle_bye_response(struct agent_leg *leg, nta_outgoing_t *request, const sip_t *sip)
{
    (void)sip;
    if (request == leg->bye && nta_outgoing_status(request) >= 200) {
        agent_leg_end(leg);
    }
    return 0;
}

void agent_send_bye(struct agent_leg *leg)
{
    if (leg->bye || leg->phase == LEG_ENDED) {
        return;
    }
    leg->bye_wanted = true;
    leg->bye = nta_outgoing_tcreate(
        leg->dialog, handle_bye_response, leg, NULL, SIP_METHOD_BYE, NULL,
        SIPTAG_REASON_STR(leg->bye_reason), SIPTAG_USER_AGENT_STR(leg->agent->user_agent),
        TAG_END());
    if (!leg->bye) {
        agent_leg_end(leg);
    }
}

static void drop_change(struct agent_leg *leg, int status)
{
    if (leg->change && nta_incoming_status(leg->change) < 200) {
        (void)reply_send(leg->agent, leg->change, &(struct reply){.status = status});
    }
    nta_incoming_destroy(leg->change);
    leg->change = NULL;
}

void agent_hang_up(void *context, int64_t id, const struct signalling_reason *reason)
{
    struct agent *agent = context;
    struct agent_leg *leg = agent_leg_find(agent, id);
    char text[REASON_TEXT_SIZE];

    if (!leg) {
        return;
    }
    agent->commands_running++;
    if (leg->phase == LEG_INVITED) {
        agent_refuse_leg(leg, &(struct signalling_reason){.status = 480});
    } else if (leg->phase == LEG_DIALLED) {
        agent_cancel_leg(leg, reason);
    } else {
        reason_print(reason, text);
        leg->bye_reason = *text ? mem_strdup(text) : NULL;
        agent_leg_forget(leg);
        drop_change(leg, 487);
        leg->bye_wanted = true;
        /* RFC 3261, 15: the BYE waits for the ACK of our 2xx, or for its time-out. */
        if (leg->phase == LEG_TALKING) {
            agent_send_bye(leg);
        }
    }
    agent->commands_running--;
}

static int handle_bye(struct agent_leg *leg, nta_incoming_t *request)
{
    enum leg_phase phase = leg->phase;

    if (phase == LEG_DIALLED) {
        return refuse(leg, request, 481, NULL); /* RFC 3261, 15: not before it has answered */
    }
    (void)reply_send(leg->agent, request, &(struct reply){.status = 200});
    drop_change(leg, 487);
    if (phase == LEG_INVITED) {
        (void)reply_send(leg->agent, leg->invite, &(struct reply){.status = 487});
    }
    agent_emit_end(leg, phase == LEG_INVITED ? SIGNALLING_CANCELED : SIGNALLING_HUNG_UP, 0, NULL);
    agent_leg_end(leg);
    return 200;
}

/* Why the session cannot be changed now; 0: it can. RFC 3261, 14.2 and RFC 3311, 5.2. */
static int judge_change(const struct agent_leg *leg)
{
    switch (leg->phase) {
    case LEG_INVITED:
    case LEG_ANSWERED:
        return 500;
    case LEG_DIALLED:
        return 491;
    case LEG_TALKING:
        return leg->over ? 481 : leg->change ? 500 : 0;
    case LEG_ENDED:
    default:
        return 481;
    }
}

static void refresh_target(const struct agent_leg *leg, const sip_t *sip)
{
    if (sip->sip_contact) {
        (void)nta_leg_server_route(leg->dialog, NULL, sip->sip_contact);
    }
}

/* An UPDATE without an offer is a sign of life (RFC 4028); nobody needs to hear of it. */
static int handle_refresh(const struct agent_leg *leg, nta_incoming_t *request, const sip_t *sip)
{
    refresh_target(leg, sip);
    (void)reply_send(leg->agent, request, &(struct reply){.status = 200, .contact = leg->contact});
    return 200;
}

static int handle_change(struct agent_leg *leg, nta_incoming_t *request, const sip_t *sip)
{
    struct session_description offer;
    struct signalling_event event = {
        .kind = SIGNALLING_REOFFERED,
        .leg = leg->id,
        .phrase = "",
    };
    const char *why = NULL;
    bool is_update = sip->sip_request->rq_method == sip_method_update;
    int body = body_read(sip, &offer, &why);
    int status = judge_change(leg);

    if (!door_allows_routes(sip)) {
        return refuse(leg, request, 400, "bad Contact or Record-Route");
    }
    if (body != 0 && body != 200) {
        return refuse(leg, request, body, why);
    }
    if (is_update && body == 0 && leg->phase != LEG_ENDED) {
        return handle_refresh(leg, request, sip);
    }
    if (status != 0) {
        return refuse(leg, request, status, NULL);
    }
    refresh_target(leg, sip);
    leg->change = request;
    leg->change_our_offer = body == 0;
    event.description = body == 200 ? &offer : NULL;
    nta_incoming_bind(request, agent_handle_ack_or_cancel, leg);
    if (!is_update) {
        (void)reply_send(leg->agent, request, &(struct reply){.status = 100});
    }
    agent_emit(leg->agent, &event);
    return 0;
}

void agent_answer_reoffer(
    void *context,
    int64_t id,
    int status,
    const struct session_description *description)
{
    struct agent *agent = context;
    struct agent_leg *leg = agent_leg_find(agent, id);

    if (!leg || !leg->change || nta_incoming_status(leg->change) >= 200) {
        return;
    }
    agent->commands_running++;

    bool accepted = status < 300;
    bool sent = reply_send(
        agent, leg->change,
        &(struct reply){
            .status = status,
            .contact = accepted ? leg->contact : NULL,
            .description = accepted ? description : NULL,
        });

    /* Only the 2xx of an INVITE waits for something: its ACK. */
    if (!accepted || !sent || nta_incoming_method(leg->change) != sip_method_invite) {
        nta_incoming_destroy(leg->change);
        leg->change = NULL;
    }
    agent->commands_running--;
}

static int handle_other(const struct agent_leg *leg, nta_incoming_t *request, const sip_t *sip)
{
    sip_method_t method = sip->sip_request->rq_method;

    if (method == sip_method_ack) {
        return 200; /* of nothing we wait for; the library answers no ACK, it only forgets it */
    }
    if (method == sip_method_options) {
        (void)reply_send(
            leg->agent, request, &(struct reply){.status = 200, .contact = leg->contact});
        return 200;
    }
    if (method == sip_method_cancel || method == sip_method_prack) {
        return refuse(leg, request, 481, NULL);
    }
    return refuse(leg, request, method == sip_method_unknown ? 501 : 405, NULL);
}

/* A status tells the library that the request was answered and may be forgotten. */
int agent_handle_inside(
    struct agent_leg *leg,
    nta_leg_t *dialog,
    nta_incoming_t *request,
    const sip_t *sip)
{
    sip_method_t method = sip->sip_request->rq_method;

    (void)dialog;
    if (method != sip_method_ack && method != sip_method_cancel && requires_something(sip)) {
        (void)reply_send(
            leg->agent, request, &(struct reply){.status = 420, .unsupported = sip->sip_require});
        return 420;
    }
    if (method == sip_method_bye) {
        return handle_bye(leg, request);
    }
    if (method == sip_method_invite || method == sip_method_update) {
        return handle_change(leg, request, sip);
    }
    return handle_other(leg, request, sip);
}
