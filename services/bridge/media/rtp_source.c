#include "services/bridge/media/rtp_source.h"

#include "services/bridge/media/rtp.h"

enum {
    MAX_DROPOUT = 3000, /* RFC 3550, A.1: a gap is at most this long, */
    MAX_MISORDER = 100, /* and a late packet at most this late */
    SEEN_BITS = 64,
    NO_STRAY = 0x10000,
};

static void restart(struct rtp_source *source, const struct rtp_packet *packet)
{
    source->lost_before = rtp_source_lost(source);
    source->restarts += source->started ? 1 : 0;
    source->started = true;
    source->ssrc = packet->ssrc;
    source->highest = packet->sequence;
    source->cycles = 0;
    source->first = packet->sequence;
    source->follows_stray = NO_STRAY;
    source->seen = 1;
    source->received = 1;
    source->has_transit = false;
}

static enum rtp_arrival advance(struct rtp_source *source, uint16_t sequence, uint16_t gap)
{
    if (sequence < source->highest) {
        source->cycles += 1U << 16;
    }
    source->highest = sequence;
    source->seen = gap < SEEN_BITS ? (source->seen << gap) | 1 : 1;
    source->received++;
    return RTP_ARRIVED_NEW;
}

/* `behind` is how far before the highest number, at most MAX_MISORDER. What is too old for the
 * window cannot be told from a duplicate; it is too late to be heard in either case. */
static enum rtp_arrival fill_in(struct rtp_source *source, uint16_t behind)
{
    uint64_t bit = behind < SEEN_BITS ? UINT64_C(1) << behind : 0;

    if (bit == 0 || (source->seen & bit) != 0) {
        source->duplicates++;
        return RTP_ARRIVED_DUPLICATE;
    }
    source->seen |= bit;
    source->received++;
    return RTP_ARRIVED_NEW;
}

enum rtp_arrival rtp_source_receive(struct rtp_source *source, const struct rtp_packet *packet)
{
    enum rtp_arrival arrival = RTP_ARRIVED_RESTARTED;
    uint16_t ahead = (uint16_t)(packet->sequence - source->highest);
    uint16_t behind = (uint16_t)(source->highest - packet->sequence);
    bool confirmed = source->follows_stray == packet->sequence;

    if (!source->started || packet->ssrc != source->ssrc || (confirmed && behind > MAX_MISORDER)) {
        restart(source, packet);
    } else if (ahead > 0 && ahead < MAX_DROPOUT) {
        source->follows_stray = NO_STRAY;
        arrival = advance(source, packet->sequence, ahead);
    } else if (behind <= MAX_MISORDER) {
        arrival = fill_in(source, behind);
    } else {
        source->follows_stray = (uint16_t)(packet->sequence + 1);
        arrival = RTP_ARRIVED_STRAY;
    }
    return arrival;
}

/* RFC 3550, A.8, with the clock of the arrival brought to the timestamp's rate. */
void rtp_source_measure_jitter(
    struct rtp_source *source,
    uint32_t timestamp,
    int64_t arrival_us,
    uint32_t rate_hz)
{
    uint32_t arrival = (uint32_t)(arrival_us * (int64_t)rate_hz / 1000000);
    uint32_t transit = arrival - timestamp;
    int32_t difference = (int32_t)(transit - source->transit);
    uint32_t deviation = difference < 0 ? 0U - (uint32_t)difference : (uint32_t)difference;

    /* A jump of the timestamp by more than a minute is a new beginning, not jitter. */
    if (source->has_transit && deviation < rate_hz * 60) {
        source->jitter_16 += deviation - ((source->jitter_16 + 8) >> 4);
    }
    source->transit = transit;
    source->has_transit = true;
}

uint64_t rtp_source_lost(const struct rtp_source *source)
{
    if (!source->started) {
        return source->lost_before;
    }

    uint64_t expected = (uint64_t)(source->cycles + source->highest) - source->first + 1;
    uint64_t lost = expected > source->received ? expected - source->received : 0;

    return source->lost_before + lost;
}

int64_t rtp_source_jitter_us(const struct rtp_source *source, uint32_t rate_hz)
{
    return (int64_t)(source->jitter_16 >> 4) * 1000000 / (int64_t)rate_hz;
}
