/* Neighbours of the calls that write down what they are told: SIP, the media engine (in place of
 * the real one, by the same names), the link.
 */
#ifndef TESTS_UNIT_BRIDGE_CALLS_FAKES_H
#define TESTS_UNIT_BRIDGE_CALLS_FAKES_H

#include <stdbool.h>
#include <stdint.h>

#include "services/bridge/calls/calls.h"

extern const struct signalling_commands fake_signalling;
extern const struct link_commands fake_link;

/* What was told since the last call of this, one line each. */
const char *fakes_told(void);
void fakes_reset(void);
/* No port is left. */
void fakes_exhaust_ports(void);
/* Streams that were opened and not closed. */
int fakes_open_streams(void);
/* Stands for the media engine. */
struct media *fakes_media(void);
/* Id of the call in the last ENQUEUE_CALL. */
const char *fakes_call_id(void);

#endif
