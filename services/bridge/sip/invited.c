/* Legs that come in: provisional and final answers to their INVITE, its CANCEL and its ACK. */
#include "services/bridge/sip/reply.h"
#include "services/bridge/sip/stack.h"

enum {
    STATUS_NO_ACK = 408,
    STATUS_NOT_SENT = 503,
};

void agent_progress(
    void *context,
    int64_t id,
    int status,
    const struct session_description *description)
{
    struct agent_leg *leg = agent_leg_find(context, id);

    if (leg && leg->phase == LEG_INVITED && agent_admit(leg)) {
        (void)reply_send(
            leg->agent, leg->invite,
            &(struct reply){.status = status, .contact = leg->contact, .description = description});
    }
}

void agent_answer(void *context, int64_t id, const struct session_description *description)
{
    struct agent *agent = context;
    struct agent_leg *leg = agent_leg_find(agent, id);

    if (!leg || leg->phase != LEG_INVITED) {
        return;
    }
    agent->commands_running++;
    if (!agent_admit(leg)) {
        agent->commands_running--;
        return;
    }

    bool sent = reply_send(
        agent, leg->invite,
        &(struct reply){.status = 200, .contact = leg->contact, .description = description});

    if (sent) {
        leg->phase = LEG_ANSWERED;
    } else {
        agent_emit_end(leg, SIGNALLING_HUNG_UP, STATUS_NOT_SENT, "the answer could not be sent");
        agent_leg_end(leg);
    }
    agent->commands_running--;
}

void agent_refuse_leg(struct agent_leg *leg, const struct signalling_reason *reason)
{
    char reason_text[REASON_TEXT_SIZE];
    /* RFC 6432: an answer may carry the Q.850 cause; its SIP cause is the status itself. */
    struct signalling_reason q850 = {.q850_cause = reason->q850_cause};

    reason_print(&q850, reason_text);

    struct reply reply = {
        .status = reason->status,
        .phrase = reason->text && *reason->text ? reason->text : NULL,
        .warning = reason->text && *reason->text ? reason->text : NULL,
        .reason = reason_text,
        .retry_after_s = reason->retry_after_s,
    };

    if (leg->waiting) {
        reply_send_stateless(leg->agent, STEAL(leg->waiting), &reply);
    } else {
        (void)reply_send(leg->agent, leg->invite, &reply);
    }
    agent_leg_end(leg);
}

void agent_refuse(void *context, int64_t id, const struct signalling_reason *reason)
{
    struct agent *agent = context;
    struct agent_leg *leg = agent_leg_find(agent, id);

    if (leg && leg->phase == LEG_INVITED) {
        agent->commands_running++;
        agent_refuse_leg(leg, reason);
        agent->commands_running--;
    }
}

static void handle_cancel(struct agent_leg *leg, nta_incoming_t *request)
{
    /* The library has answered the CANCEL; 487 is ours. */
    (void)reply_send(leg->agent, request, &(struct reply){.status = 487});
    if (request == leg->change) {
        /* A re-INVITE taken back: the session stays as it was. The owner's answer to it finds
         * nothing to answer. */
        nta_incoming_destroy(leg->change);
        leg->change = NULL;
        return;
    }
    agent_emit_end(leg, SIGNALLING_CANCELED, 0, NULL);
    agent_leg_end(leg);
}

/* RFC 3261, 13.3.1.4: the session ends with BYE when its 2xx is never acknowledged. */
static void handle_no_ack(struct agent_leg *leg)
{
    agent_emit_end(leg, SIGNALLING_HUNG_UP, STATUS_NO_ACK, "no ACK");
    agent_send_bye(leg);
}

static void emit_acknowledged(struct agent_leg *leg, const sip_t *sip, bool our_offer)
{
    struct session_description answer;
    const char *why = NULL;
    bool described = our_offer && body_read(sip, &answer, &why) == 200;
    struct signalling_event event = {
        .kind = SIGNALLING_ACKNOWLEDGED,
        .leg = leg->id,
        .phrase = why ? why : "",
        .description = described ? &answer : NULL,
    };

    if (!leg->over) {
        agent_emit(leg->agent, &event);
    }
}

static void handle_ack(struct agent_leg *leg, nta_incoming_t *request, const sip_t *sip)
{
    bool our_offer = request == leg->change ? leg->change_our_offer : leg->our_offer;

    if (nta_incoming_status(request) >= 300) {
        return;
    }
    if (request == leg->change) {
        leg->change = NULL;
    } else {
        leg->invite = NULL;
        leg->phase = LEG_TALKING;
    }
    nta_incoming_destroy(request);
    if (leg->bye_wanted) {
        agent_send_bye(leg);
    } else {
        emit_acknowledged(leg, sip, our_offer);
    }
}

int agent_handle_ack_or_cancel(struct agent_leg *leg, nta_incoming_t *request, const sip_t *sip)
{
    if (leg->phase == LEG_ENDED || (request != leg->invite && request != leg->change)) {
        return 0;
    }
    if (!sip) {
        if (nta_incoming_status(request) < 300) {
            handle_no_ack(leg);
        }
    } else if (sip->sip_request->rq_method == sip_method_cancel) {
        handle_cancel(leg, request);
    } else {
        handle_ack(leg, request, sip);
    }
    return 0;
}
