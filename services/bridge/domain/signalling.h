/* Signalling: what SIP tells the calls, and what the calls ask of SIP. Pure types; sip/ implements
 * the commands and makes the events, calls/ consumes them, tests do both with simulated time.
 *
 * A leg is our side of one SIP dialog with one party. Its number is made by calls/ for a leg we
 * dial, and by sip/ for one that comes in; both count from different starts
 * (signalling_leg_is_inbound). All of it happens on the signalling thread. An event's pointers are
 * valid during the call of its handler only.
 */
#ifndef BRIDGE_DOMAIN_SIGNALLING_H
#define BRIDGE_DOMAIN_SIGNALLING_H

#include <stdbool.h>
#include <stdint.h>

struct session_description;
struct signalling_dial;

/* Numbers from this one on are made by sip/. */
#define SIGNALLING_FIRST_INBOUND_LEG (INT64_C(1) << 62)

enum signalling_event_kind {
    /* An INVITE outside a dialog. Must be answered with a final status in the end. Refused inside
     * the handler, it leaves nothing behind; else 100 Trying is sent after it. */
    SIGNALLING_INVITED,
    /* The caller gave up before our final answer (CANCEL); 487 was sent. The leg is over. */
    SIGNALLING_CANCELED,
    /* Our 2xx was acknowledged. description: the answer, when our 2xx carried the offer. */
    SIGNALLING_ACKNOWLEDGED,
    /* A leg we dial: 18x. description: early media, or NULL. */
    SIGNALLING_PROGRESS,
    /* A leg we dial was answered (2xx); ACK was sent. description: the answer, NULL when there was
     * none or it was bad. */
    SIGNALLING_ANSWERED,
    /* A leg we dial failed: final status 3xx to 6xx, 408 on time-out, 503 when unreachable, 487
     * after cancel. Over. */
    SIGNALLING_FAILED,
    /* The peer changes the session (re-INVITE or UPDATE). description: its offer, NULL when it
     * wants ours. Must be answered with answer_reoffer. */
    SIGNALLING_REOFFERED,
    /* The peer ended the dialog (BYE), or it died: no ACK, no answer to a request of ours. The leg
     * is over. */
    SIGNALLING_HUNG_UP,
};

struct signalling_event {
    enum signalling_event_kind kind;
    int64_t leg;
    int status; /* FAILED, PROGRESS: SIP status. HUNG_UP: 0 for BYE, 408 or 481 for a dead dialog */
    const char *phrase; /* the peer's words; may be empty */
    const struct session_description *description;

    /* INVITED only. */
    const char *source_address; /* numeric, where the INVITE came from */
    int source_port;
    const char *called_number; /* user part of the request URI, unescaped */
    const char *caller_number; /* user part of From, unescaped; "" when anonymous or none */
    const char *caller_display_name;
    const char *sip_call_id;
    const char *from_tag;
    const char *contact_uri; /* the peer's */
};

typedef void(signalling_handler)(void *context, const struct signalling_event *event);

/* Why we refuse or end, as SIP says it. */
struct signalling_reason {
    int status; /* SIP status of the answer, or of Reason: SIP;cause= in a BYE or CANCEL (RFC 3326);
                   0: none */
    const char *text;  /* Reason: text=, also the phrase of an answer; from a closed list of ours */
    int q850_cause;    /* Reason: Q.850;cause=; 0: none */
    int retry_after_s; /* Retry-After of an answer; 0: none */
};

/* What calls ask of SIP. None of them blocks; none calls a handler before it returns. */
struct signalling_commands {
    /* Sends a provisional answer to an invited leg: 180 without, 183 with a description. */
    void (*progress)(
        void *sip,
        int64_t leg,
        int status,
        const struct session_description *description);
    /* Answers an invited leg with 200. description: our answer, or our offer when the INVITE had
     * none. */
    void (*answer)(void *sip, int64_t leg, const struct session_description *description);
    /* Refuses an invited leg. The leg is over. */
    void (*refuse)(void *sip, int64_t leg, const struct signalling_reason *reason);
    /* Sends an INVITE. to_uri must be sip: or sips: with a host, else FAILED with 400 follows. */
    void (*dial)(void *sip, const struct signalling_dial *dial);
    /* Gives a dialled leg up: CANCEL, or BYE if a 2xx crosses it. FAILED follows, and nothing after
     * it. */
    void (*cancel)(void *sip, int64_t leg, const struct signalling_reason *reason);
    /* Ends an answered leg: BYE. The leg is over at once for calls/; sip/ finishes the transactions
     * alone. */
    void (*hang_up)(void *sip, int64_t leg, const struct signalling_reason *reason);
    /* Answers REOFFERED: status 200 with our description, or 488, 491 without. */
    void (*answer_reoffer)(
        void *sip,
        int64_t leg,
        int status,
        const struct session_description *description);
};

struct signalling_dial {
    int64_t leg;
    const char *to_uri;
    const char *from_user;         /* the caller's number; "" makes `anonymous` */
    const char *from_display_name; /* may be "" */
    const struct session_description *offer;
    int64_t ring_timeout_us; /* calls/ also watches it; sip/ gives up a little later by itself */
};

#endif
