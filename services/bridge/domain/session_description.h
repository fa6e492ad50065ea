/* One party's side of an offer/answer exchange (RFC 3264), reduced to what a call with one audio
 * stream needs. sip/ turns SDP text into this and back; offer_answer.c computes answers; nothing
 * here is SDP text.
 */
#ifndef BRIDGE_DOMAIN_SESSION_DESCRIPTION_H
#define BRIDGE_DOMAIN_SESSION_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum codec {
    CODEC_PCMU, /* G.711 mu-law, static payload type 0 (RFC 3551) */
    CODEC_PCMA, /* G.711 A-law, static payload type 8 */
    CODEC_COUNT,
};

enum media_direction {
    DIRECTION_SENDRECV,
    DIRECTION_SENDONLY,
    DIRECTION_RECVONLY,
    DIRECTION_INACTIVE,
};

enum {
    SESSION_ADDRESS_SIZE = 46, /* INET6_ADDRSTRLEN */
    SESSION_FORMATS_MAX = 8,
    SESSION_MEDIA_MAX = 8,
    SESSION_TOKEN_SIZE = 32,
};

/* A codec of ours that the description offers, under its payload type. */
struct session_format {
    enum codec codec;
    int payload_type; /* 0 to 127 */
};

/* An m= line that is not ours; an answer repeats it with port 0 (RFC 3264, 6). */
struct session_other_media {
    char media[SESSION_TOKEN_SIZE];
    char protocol[SESSION_TOKEN_SIZE];
    char format[SESSION_TOKEN_SIZE]; /* the first one */
};

struct session_description {
    int64_t session_id;                 /* o= line */
    int64_t version;                    /* o= line; raised with every change */
    char address[SESSION_ADDRESS_SIZE]; /* numeric IPv4 or IPv6 of the audio stream */
    int port;                           /* of the audio stream; 0: none or refused */
    enum media_direction direction;
    struct session_format formats[SESSION_FORMATS_MAX]; /* in the order of preference */
    size_t format_count;
    int telephone_event_payload_type; /* RFC 4733; -1: not offered */
    int ptime_ms;                     /* 0: not said */
    size_t media_count;               /* all m= lines */
    size_t audio_index;               /* which of them is the audio stream; media_count when none */
    struct session_other_media others[SESSION_MEDIA_MAX]; /* by index of the m= line */
};

#endif
