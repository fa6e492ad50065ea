/* Answers, and what else our messages have in common: bodies, Reason (RFC 3326) and Warning. */
#ifndef BRIDGE_SIP_REPLY_H
#define BRIDGE_SIP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "services/bridge/domain/session_description.h"
#include "services/bridge/sip/stack.h"

enum {
    REASON_TEXT_SIZE = 256,
};

/* An answer. What is NULL or 0 is left out. */
struct reply {
    int status;
    const char *phrase; /* NULL: the usual one */
    const char *contact;
    const struct session_description *description;
    const char *warning; /* Warning: 399 */
    const char *reason;  /* Reason, as printed */
    const sip_require_t *unsupported;
    int retry_after_s;
};

/* Answers a request. False when a final answer could not be sent: the request is then lost, and
 * the caller destroys it. */
bool reply_send(const struct agent *agent, nta_incoming_t *request, const struct reply *reply);
/* Answers a request outside a dialog without a transaction. Consumes the message. */
void reply_send_stateless(const struct agent *agent, msg_t *msg, const struct reply *reply);

/* Prints Reason; "" when there is none to give. */
void reason_print(const struct signalling_reason *reason, char text[REASON_TEXT_SIZE]);

/* The session description of a message. Writes `ret_description` and returns 200; or 0 when there
 * is no body, or the status to refuse it with, and why. */
MUST_USE int body_read(
    const sip_t *sip,
    struct session_description *ret_description,
    const char **ret_why);

/* The 420 that a Require of the message deserves: we support no extension (RFC 3261, 8.2.2.3). */
bool requires_something(const sip_t *sip);

#endif
