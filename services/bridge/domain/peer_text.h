/* Text that a SIP peer chose, made fit to be kept, passed on and shown: valid UTF-8, no control
 * characters, not long. What does not fit becomes a question mark: one odd display name must not
 * make the routing service refuse the link's message.
 */
#ifndef BRIDGE_DOMAIN_PEER_TEXT_H
#define BRIDGE_DOMAIN_PEER_TEXT_H

enum {
    PEER_TEXT_SIZE = 256 /* with the NUL; what is longer is cut between characters */
};

/* NULL is read as "". */
void peer_text_clean(const char *text, char clean[PEER_TEXT_SIZE]);

#endif
