/* What comes in to a stream: one datagram at a time, from the right source, into the right place.
 */
#include <errno.h>
#include <string.h>

#include "services/bridge/media/rtp.h"
#include "services/bridge/media/stream.h"

enum {
    DATAGRAM_MAX = 2048
};

static void report_first_packet(struct stream *stream, int64_t now_us)
{
    struct media_event event = {.type = MEDIA_EVENT_FIRST_PACKET};

    stream->heard = true;
    stream_emit(stream, &event, now_us);
}

/* The first valid source is taken at its word: peers behind NAT do not know their own address.
 * After that nobody else is heard, until the source has been silent for relatch_us. */
static void learn_source(struct stream *stream, const union address *source, int64_t now_us)
{
    bool changed = !stream->heard || !address_equal(source, &stream->target);

    stream_lock(stream, source, now_us);
    if (changed) {
        struct media_event event = {.type = MEDIA_EVENT_SOURCE_CHANGED};

        address_print(source, event.source);
        stream_emit(stream, &event, now_us);
    }
    if (!stream->heard) {
        report_first_packet(stream, now_us);
    }
}

void stream_report_digits(
    struct stream *stream,
    const struct digit_reports *reports,
    int64_t now_us)
{
    for (size_t i = 0; i < reports->count; i++) {
        const struct digit_report *report = &reports->list[i];
        struct media_event event = {
            .type = report->started ? MEDIA_EVENT_DIGIT_STARTED : MEDIA_EVENT_DIGIT_ENDED,
            .digit = rtp_event_digit(report->code),
            .duration_ms = report->duration / (SAMPLE_RATE_HZ / 1000),
        };

        if (event.digit != '\0') {
            stream_emit(stream, &event, now_us);
        }
    }
}

static bool receive_event(
    struct stream *stream,
    const struct rtp_packet *packet,
    int64_t now_us,
    struct stream_event *ret_event)
{
    struct digit_reports reports;

    if (!rtp_event_parse(packet->payload, packet->payload_size, &ret_event->event)) {
        stream_count(&stream->counters.invalid, 1);
        return false;
    }
    bool current =
        digits_receive(&stream->digits, packet->timestamp, &ret_event->event, now_us, &reports);

    stream_report_digits(stream, &reports, now_us);
    ret_event->from_id = stream->id;
    ret_event->before = stream->digits.before;
    ret_event->start = packet->timestamp - stream->digits.before;
    return current;
}

/* Some peers send the other law than the one their answer put first; both numbers are fixed
 * (RFC 3551), so there is no doubt what is meant. False: this is no audio that we know. */
static bool codec_of(const struct stream *stream, uint8_t payload_type, enum media_codec *ret_codec)
{
    enum {
        STATIC_PCMU = 0,
        STATIC_PCMA = 8,
    };

    if (payload_type == stream->remote.payload_type) {
        *ret_codec = stream->remote.codec;
    } else if (payload_type == STATIC_PCMU) {
        *ret_codec = MEDIA_PCMU;
    } else if (payload_type == STATIC_PCMA) {
        *ret_codec = MEDIA_PCMA;
    } else {
        return false;
    }
    return true;
}

static void receive_audio(struct stream *stream, const struct rtp_packet *packet, int64_t now_us)
{
    int16_t samples[JITTER_PACKET_MAX];
    enum media_codec codec;

    if (packet->payload_size > JITTER_PACKET_MAX ||
        !codec_of(stream, packet->payload_type, &codec)) {
        stream_count(&stream->counters.invalid, 1);
        return;
    }
    rtp_source_measure_jitter(&stream->source, packet->timestamp, now_us, SAMPLE_RATE_HZ);
    codec_decode(codec, packet->payload, packet->payload_size, samples);
    if (jitter_buffer_put(&stream->buffer, packet->timestamp, samples, packet->payload_size) !=
        JITTER_KEPT) {
        stream_count(&stream->counters.late, 1);
    }
}

/* False when the packet is not to be played: a duplicate, or far out of its sequence. */
static bool follow_source(struct stream *stream, const struct rtp_packet *packet)
{
    struct stream_counters *counters = &stream->counters;

    switch (rtp_source_receive(&stream->source, packet)) {
    case RTP_ARRIVED_NEW:
        break;
    case RTP_ARRIVED_RESTARTED:
        jitter_buffer_restart(&stream->buffer);
        stream->digits = (struct digits){.known = false};
        break;
    case RTP_ARRIVED_DUPLICATE:
    case RTP_ARRIVED_STRAY:
        atomic_store_explicit(
            &counters->duplicates, stream->source.duplicates, memory_order_relaxed);
        return false;
    }
    atomic_store_explicit(&counters->lost, rtp_source_lost(&stream->source), memory_order_relaxed);
    atomic_store_explicit(&counters->source_changes, stream->source.restarts, memory_order_relaxed);
    return true;
}

static bool receive_packet(
    struct stream *stream,
    const struct rtp_packet *packet,
    int64_t now_us,
    struct stream_event *ret_event)
{
    stream_count(&stream->counters.packets_in, 1);
    stream_count(&stream->counters.bytes_in, packet->payload_size);
    atomic_store_explicit(&stream->counters.last_in_us, now_us, memory_order_relaxed);

    if (!follow_source(stream, packet)) {
        return false;
    }
    if (packet->payload_type == stream->remote.event_payload_type) {
        return receive_event(stream, packet, now_us, ret_event);
    }
    receive_audio(stream, packet, now_us);
    return false;
}

static bool understood(const struct stream *stream, uint8_t payload_type)
{
    enum media_codec codec;

    return payload_type == stream->remote.event_payload_type ||
           codec_of(stream, payload_type, &codec);
}

static void receive_nothing(struct stream *stream, int reason, int64_t now_us)
{
    if (reason == ECONNREFUSED) {
        stream_refused(stream, now_us);
    } else if (reason != EAGAIN && reason != EINTR) {
        stream_report_error(stream, reason, now_us);
    }
}

static bool stranger(const struct stream *stream, const union address *source)
{
    if (stream->locked) {
        return !address_equal(source, &stream->target);
    }
    return stream->remote.signalled_only;
}

bool stream_receive(struct stream *stream, int64_t now_us, struct stream_event *ret_event)
{
    uint8_t bytes[DATAGRAM_MAX];
    union address source = {.ip6 = {.sin6_family = AF_UNSPEC}};
    socklen_t source_size = sizeof(source);
    struct rtp_packet packet;
    ssize_t size =
        recvfrom(stream->socket, bytes, sizeof(bytes), MSG_TRUNC, &source.any, &source_size);

    if (size < 0) {
        receive_nothing(stream, errno, now_us);
        return false;
    }
    if (!stream->has_remote || !stream->remote.receive) {
        return false;
    }
    if (stranger(stream, &source)) {
        stream_count(&stream->counters.foreign, 1);
        return false;
    }

    size_t whole = (size_t)size <= sizeof(bytes) ? (size_t)size : 0;
    enum rtp_verdict verdict = rtp_parse(bytes, whole, &packet);

    if (verdict == RTP_IS_RTCP) {
        stream_count(&stream->counters.rtcp, 1);
        return false;
    }
    if (verdict != RTP_VALID || !understood(stream, packet.payload_type)) {
        stream_count(&stream->counters.invalid, 1);
        return false;
    }
    if (!stream->locked) {
        learn_source(stream, &source, now_us);
    } else if (!stream->heard) {
        report_first_packet(stream, now_us);
    }
    return receive_packet(stream, &packet, now_us, ret_event);
}

bool stream_take(struct stream *stream, int16_t ret_frame[FRAME_SAMPLES])
{
    if (!jitter_buffer_take(&stream->buffer, ret_frame)) {
        level_add_silence(&stream->level_in, FRAME_SAMPLES);
        return false;
    }
    level_add(&stream->level_in, ret_frame, FRAME_SAMPLES);
    return true;
}
