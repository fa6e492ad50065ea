/* Offer and answer (RFC 3264) for calls with one audio stream: what we offer, what we answer to an
 * offer, and what two descriptions together mean for the media. Every answer is computed from the
 * offer at hand, never replayed. Pure.
 */
#ifndef BRIDGE_DOMAIN_OFFER_ANSWER_H
#define BRIDGE_DOMAIN_OFFER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "services/bridge/domain/session_description.h"

enum {
    OFFER_TELEPHONE_EVENT_PAYLOAD_TYPE = 101,
    OFFER_PTIME_MS = 20,
};

/* Our end of a leg: where we receive, and whether we want media to flow. */
struct local_media {
    int64_t session_id;       /* o= line; the same for all descriptions of a leg, positive */
    const char *address;      /* numeric, as others reach us */
    int port;                 /* 1 to 65535 */
    bool on_hold;             /* we do not want to receive; we still send (music) */
    const enum codec *codecs; /* in our order of preference */
    size_t codec_count;       /* 1 to CODEC_COUNT */
};

enum answer_result {
    ANSWER_MADE,
    ANSWER_NO_AUDIO,        /* no m= line of the offer is RTP audio with a port; 488 */
    ANSWER_NO_COMMON_CODEC, /* 488 */
};

/* What the media engine needs to know once both sides have spoken. */
struct agreed_media {
    const char *address; /* the peer's, where to send; points into its description */
    int port;
    enum codec codec;
    int payload_type;                 /* as the peer wants it, which both sides use here */
    int telephone_event_payload_type; /* -1: not agreed */
    int ptime_ms;                     /* the peer's wish, else 20 */
    bool send;                        /* we may send */
    bool receive;                     /* the peer may send */
};

/* An offer of ours. `previous`: the last description we sent on this leg, NULL for the first; its
 * m= lines stay in their places, and the version is raised if anything differs from it. */
void offer_make(
    const struct local_media *local,
    const struct session_description *previous,
    struct session_description *ret_offer);

/* Our answer to the peer's offer: the first codec of the offer that is ours, telephone-event under
 * the number offered, the direction mirrored, every other m= line refused with port 0. `previous`
 * as above. On failure nothing is written. */
MUST_USE enum answer_result answer_make(
    const struct local_media *local,
    const struct session_description *offer,
    const struct session_description *previous,
    struct session_description *ret_answer);

/* The media after an exchange. `ours` is our half, `theirs` the peer's, one of them the offer and
 * the other its answer (`we_offered`). False when the answer does not fit the offer: no audio, or
 * no codec that was offered. `ret_agreed` borrows from `theirs`. */
MUST_USE bool offer_answer_agree(
    const struct session_description *ours,
    const struct session_description *theirs,
    bool we_offered,
    struct agreed_media *ret_agreed);

#endif
