/* One RTP source as the receiver sees it: sequence numbers, loss, jitter (RFC 3550, 6.4.1, A.1,
 * A.3, A.8). Pure; belongs to its stream.
 *
 * No probation: the stream has a locked source address and a payload type filter before this.
 */
#ifndef BRIDGE_MEDIA_RTP_SOURCE_H
#define BRIDGE_MEDIA_RTP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct rtp_packet;

enum rtp_arrival {
    RTP_ARRIVED_NEW,       /* in order, after a small gap, or late but not seen before */
    RTP_ARRIVED_RESTARTED, /* as NEW, but nothing before it counts: another SSRC or sequence */
    RTP_ARRIVED_DUPLICATE,
    RTP_ARRIVED_STRAY, /* far from the sequence; if the next one follows it, the source restarted */
};

struct rtp_source {
    bool started;
    uint32_t ssrc;
    uint16_t highest;       /* sequence number */
    uint32_t cycles;        /* times the sequence number has wrapped, in the upper 16 bits */
    uint32_t first;         /* extended sequence number */
    uint32_t follows_stray; /* the number that would confirm a restart; NO_STRAY: none */
    uint64_t seen;          /* bit i: highest - i has arrived */
    uint64_t received;      /* since `first`, without duplicates */
    uint64_t lost_before;   /* of the sequences before the last restart */
    uint64_t duplicates;
    uint64_t restarts;
    bool has_transit;
    uint32_t transit;   /* of the packet before, in timestamp units */
    uint32_t jitter_16; /* 16 times the jitter, as in A.8 */
};

enum rtp_arrival rtp_source_receive(struct rtp_source *source, const struct rtp_packet *packet);
/* For NEW and RESTARTED packets whose timestamp moves with time: not for telephone-event.
 * arrival_us: monotonic. rate_hz: of the RTP clock. */
void rtp_source_measure_jitter(
    struct rtp_source *source,
    uint32_t timestamp,
    int64_t arrival_us,
    uint32_t rate_hz);
/* Expected minus received, never below 0. */
uint64_t rtp_source_lost(const struct rtp_source *source);
int64_t rtp_source_jitter_us(const struct rtp_source *source, uint32_t rate_hz);

#endif
