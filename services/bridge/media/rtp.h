/* RTP packets (RFC 3550, 5.1) and telephone-event payloads (RFC 4733, 2.3). Pure: bytes to struct
 * and back. Strict: whatever does not hold together is refused with the rule it breaks.
 */
#ifndef BRIDGE_MEDIA_RTP_H
#define BRIDGE_MEDIA_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

enum {
    RTP_HEADER_SIZE = 12,
    RTP_EVENT_SIZE = 4,
    RTP_PAYLOAD_TYPE_MAX = 127,
};

enum rtp_verdict {
    RTP_VALID,
    RTP_IS_RTCP,       /* multiplexed on the same port; RFC 5761, 4 */
    RTP_TOO_SHORT,     /* no room for the fixed header */
    RTP_BAD_VERSION,   /* not 2; STUN and DTLS end here too */
    RTP_BAD_CSRC,      /* the list of contributing sources runs past the end */
    RTP_BAD_EXTENSION, /* the header extension runs past the end */
    RTP_BAD_PADDING,   /* the padding count is 0 or longer than what is there */
};

struct rtp_packet {
    bool marker;
    uint8_t payload_type;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
    const uint8_t *payload; /* into the bytes parsed */
    size_t payload_size;    /* without padding; may be 0 */
};

struct rtp_event {
    uint8_t code; /* 0-15 are DTMF, 16 is a hook flash */
    bool end;
    uint8_t volume;    /* 0 to 63, minus dBm0 */
    uint16_t duration; /* in timestamp units */
};

/* Fills `ret_packet` only when the verdict is RTP_VALID. */
enum rtp_verdict rtp_parse(const uint8_t *bytes, size_t size, struct rtp_packet *ret_packet);
/* The fixed header alone: version 2, no padding, extension or contributing source. */
void rtp_print_header(const struct rtp_packet *packet, uint8_t ret_header[RTP_HEADER_SIZE]);

/* False when the payload is too short; a longer one is read as far as RFC 4733 defines it. */
MUST_USE bool rtp_event_parse(const uint8_t *payload, size_t size, struct rtp_event *ret_event);
void rtp_event_print(const struct rtp_event *event, uint8_t ret_payload[RTP_EVENT_SIZE]);
/* '0'-'9', '*', '#', 'A'-'D', '!' for a hook flash; 0 for events that are not digits. */
char rtp_event_digit(uint8_t code);

#endif
