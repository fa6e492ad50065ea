/* The door: what is checked before the library, or anybody else, may act on a message. */
#ifndef BRIDGE_SIP_DOOR_H
#define BRIDGE_SIP_DOOR_H

#include <stdbool.h>
#include <stddef.h>

#include "services/bridge/sip/stack.h"

enum {
    DOOR_NUMBER_SIZE = 129, /* user part of a URI, unescaped */
    DOOR_NAME_SIZE = 129,   /* display name */
    DOOR_MESSAGE_MAX = 65535,
};

/* The library's class of SIP messages, with our judgement after the headers have been read:
 * what would hurt the library is gone before it looks. free() it. */
msg_mclass_t *door_message_class(void);
/* Called on the signalling thread before messages come: whose transactions ACKs are held against.
 */
void door_open_for(nta_agent_t *nta);

/* sip or sips, with a host. */
bool door_allows_uri(const url_t *url);
/* Every Record-Route, and the Contact if there is one. */
bool door_allows_routes(const sip_t *sip);
/* The top Via has a branch of RFC 3261. */
bool door_allows_via(const sip_t *sip);

/* The user part of a URI as text: unescaped, printable, valid UTF-8. False when it is not, or does
 * not fit. */
MUST_USE bool door_read_user(const url_t *url, char text[DOOR_NUMBER_SIZE]);
/* A display name without its quotes and escapes; "" when it is not printable. */
void door_read_display_name(const char *display, char text[DOOR_NAME_SIZE]);
/* Printable ASCII: Call-IDs and tags. */
bool door_allows_token(const char *text);

#endif
