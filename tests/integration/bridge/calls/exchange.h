/* A telephone exchange for tests: the real SIP agent, the real media engine and the calls between
 * them. The routing service is the test itself; caller and worker are phones made of two sockets,
 * one for SIP and one for RTP. Ports are the system's choice on 127.0.0.1.
 */
#ifndef TESTS_INTEGRATION_BRIDGE_CALLS_EXCHANGE_H
#define TESTS_INTEGRATION_BRIDGE_CALLS_EXCHANGE_H

#include "services/bridge/calls/calls.h"
#include "tests/integration/bridge/sip/stage.h"
#include "tests/support/rtp_party.h"

enum {
    EXCHANGE_REPORTS_MAX = 64,
    CALLER_HZ = 440,
    WORKER_HZ = 620,
    WAIT_HZ = 1000,
};

struct exchange;

/* A phone: its SIP side is what stage.h calls a peer. */
struct phone {
    struct peer peer;
    struct rtp_party *voice;
    char tag[STAGE_WORD_SIZE]; /* the one that the exchange gave us */
};

/* The route for every number is answered so. */
struct exchange *exchange_new(enum route_answer answer);
/* Everything must be gone: calls, legs, streams. */
struct exchange *exchange_free(struct exchange *exchange);

struct calls *exchange_calls(struct exchange *exchange);
void exchange_open_phone(struct exchange *exchange, struct phone *phone, int tone_hz);
void exchange_close_phone(struct phone *phone);

/* The next report is of this kind; its cause. Fails the test when it is not, or none comes. */
const char *exchange_expect_report(struct exchange *exchange, enum report_kind kind);
/* About the call of the last ENQUEUE_CALL. */
void exchange_instruct(struct exchange *exchange, enum instruction_kind kind);
void exchange_dial(struct exchange *exchange, const struct phone *worker, const char *reservation);

/* The caller's part; `direction` is an SDP attribute such as "sendonly". */
void phone_invite(struct phone *phone, int cseq, const char *direction);
/* 200 came: sends ACK, and voice to where the answer says. */
void phone_is_answered(struct phone *phone, int cseq);
void phone_hang_up(struct phone *phone, int cseq);
/* The worker's part: an INVITE came, and is answered so. */
void phone_rings(struct phone *phone);
void phone_answers(struct phone *phone);
void phone_refuses(struct phone *phone, const char *status);
/* A request came that needs nothing but 200. */
void phone_takes(struct phone *phone, const char *method);

#endif
