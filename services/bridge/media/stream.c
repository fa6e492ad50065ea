/* A stream's life, and what goes out. What comes in: stream_receive.c; the watch: stream_watch.c.
 */
#include "services/bridge/media/stream.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "services/bridge/media/rtp.h"

enum {
    EXPEDITED_FORWARDING = 46 << 2, /* DSCP for voice, RFC 4594 */
    LANE_SILENCE_US = 500 * 1000,   /* after this another sender's digits may have the lane */
};

static int open_socket(const union address *address)
{
    int opened = socket(address->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int service = EXPEDITED_FORWARDING;

    if (opened < 0) {
        return -1;
    }
    if (bind(opened, &address->any, address_size(address)) != 0) {
        int reason = errno;

        (void)close(opened);
        errno = reason;
        return -1;
    }
    /* Without the mark calls work just as well on an idle network. */
    if (address->any.sa_family == AF_INET6) {
        (void)setsockopt(opened, IPPROTO_IPV6, IPV6_TCLASS, &service, sizeof(service));
    } else {
        (void)setsockopt(opened, IPPROTO_IP, IP_TOS, &service, sizeof(service));
    }
    return opened;
}

struct stream *stream_open(uint64_t id, uint16_t port, const struct stream_settings *settings)
{
    union address address = settings->bind_address;
    struct stream *stream = NULL;

    address_set_port(&address, port);
    int opened = open_socket(&address);

    if (opened < 0) {
        return NULL;
    }

    stream = mem_new(struct stream);
    stream->id = id;
    stream->port = port;
    stream->socket = opened;
    stream->settings = settings;
    atomic_init(&stream->loop, NULL);
    atomic_init(&stream->counters.level_in_cdb, (int)(LEVEL_SILENCE_DBFS * 100));
    atomic_init(&stream->counters.level_out_cdb, (int)(LEVEL_SILENCE_DBFS * 100));
    jitter_buffer_init(&stream->buffer);
    /* RFC 3550, 5.1: all three begin at random. */
    stream->ssrc = arc4random();
    stream->sequence = (uint16_t)arc4random();
    stream->timestamp = arc4random();
    stream->marker = true;
    return stream;
}

void stream_close(struct stream *stream, int64_t now_us)
{
    (void)close(stream->socket);
    stream->socket = -1;
    stream->prompt = media_prompt_unref(stream->prompt);
    stream->closed_us = now_us;
}

struct stream *stream_free(struct stream *stream)
{
    if (!stream) {
        return NULL;
    }
    if (stream->socket >= 0) {
        (void)close(stream->socket);
    }
    media_prompt_unref(stream->prompt);
    free(stream);
    return NULL;
}

void stream_emit(struct stream *stream, struct media_event *event, int64_t now_us)
{
    event->stream_id = stream->id;
    event->mono_us = now_us;
    if (stream->settings->on_event) {
        stream->settings->on_event(stream->settings->event_context, event);
    }
}

void stream_report_error(struct stream *stream, int error_number, int64_t now_us)
{
    enum {
        REST_US = 1000 * 1000
    };

    if (stream->error_us == 0 || now_us - stream->error_us >= REST_US) {
        struct media_event event = {.type = MEDIA_EVENT_SOCKET_ERROR, .error_number = error_number};

        stream->error_us = now_us;
        stream_emit(stream, &event, now_us);
    }
}

void stream_refused(struct stream *stream, int64_t now_us)
{
    stream->refused = true;
    stream_count(&stream->counters.send_errors, 1);
    stream_report_error(stream, ECONNREFUSED, now_us);
}

void stream_unlock(struct stream *stream)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    if (stream->connected) {
        /* The port stays: it was bound by number. */
        (void)connect(stream->socket, &nobody, sizeof(nobody));
        stream->connected = false;
    }
    stream->locked = false;
}

void stream_lock(struct stream *stream, const union address *source, int64_t now_us)
{
    stream->target = *source;
    stream->locked = true;
    stream->connected = connect(stream->socket, &source->any, address_size(source)) == 0;
    if (!stream->connected) {
        /* It still works, by comparing addresses ourselves. */
        stream_report_error(stream, errno, now_us);
    }
}

void stream_set_remote(struct stream *stream, const struct stream_remote *remote, int64_t now_us)
{
    bool moved = !stream->has_remote || !address_equal(&remote->address, &stream->remote.address) ||
                 remote->signalled_only != stream->remote.signalled_only;
    bool began_in = remote->receive && (moved || !stream->remote.receive);
    bool began_out = remote->send && (moved || !stream->remote.send);

    stream->pending_count = 0;
    stream->has_remote = true;
    stream->remote = *remote;
    if (moved) {
        stream_unlock(stream);
        stream->target = remote->address;
        if (remote->signalled_only && !address_unspecified(&remote->address)) {
            stream_lock(stream, &remote->address, now_us);
        }
    }
    stream->in_since_us = began_in ? now_us : stream->in_since_us;
    stream->out_since_us = began_out ? now_us : stream->out_since_us;
    stream->marker = stream->marker || began_out;
    if (!remote->receive) {
        jitter_buffer_restart(&stream->buffer);
    }
}

void stream_set_prompt(struct stream *stream, struct media_prompt *prompt, bool loop)
{
    media_prompt_unref(stream->prompt);
    stream->prompt = prompt;
    stream->prompt_at = 0;
    stream->prompt_loops = loop;
}

static ssize_t send_once(const struct stream *stream, const uint8_t *packet, size_t size)
{
    if (stream->connected) {
        return send(stream->socket, packet, size, 0);
    }
    return sendto(
        stream->socket, packet, size, 0, &stream->target.any, address_size(&stream->target));
}

static void send_datagram(struct stream *stream, const uint8_t *packet, size_t size, int64_t now_us)
{
    ssize_t sent = send_once(stream, packet, size);

    if (sent < 0 && errno == ECONNREFUSED) {
        /* The news of an earlier packet, told in the place of sending this one. */
        stream_refused(stream, now_us);
        sent = send_once(stream, packet, size);
    }
    if (sent < 0) {
        stream_count(&stream->counters.send_errors, 1);
        stream_report_error(stream, errno, now_us);
        return;
    }
    stream_count(&stream->counters.packets_out, 1);
    stream_count(&stream->counters.bytes_out, size - RTP_HEADER_SIZE);
    if (!stream->refused) {
        atomic_store_explicit(&stream->counters.last_out_us, now_us, memory_order_relaxed);
    }
    stream->refused = false;
}

static bool may_send(const struct stream *stream)
{
    /* A hold of the old kind (c=0.0.0.0, RFC 2543) names nobody to send to. */
    return stream->has_remote && stream->remote.send && !address_unspecified(&stream->target);
}

/* Fills `ret_frame` from the prompt; reports the end of one that does not loop. */
static void play(struct stream *stream, int16_t ret_frame[FRAME_SAMPLES], int64_t now_us)
{
    const int16_t *samples = media_prompt_samples(stream->prompt);
    size_t count = media_prompt_count(stream->prompt);
    size_t filled = 0;

    while (filled < FRAME_SAMPLES && stream->prompt_at < count) {
        size_t rest = count - stream->prompt_at;
        size_t part = rest < FRAME_SAMPLES - filled ? rest : FRAME_SAMPLES - filled;

        memcpy(ret_frame + filled, samples + stream->prompt_at, part * sizeof(*samples));
        filled += part;
        stream->prompt_at += part;
        if (stream->prompt_at == count && stream->prompt_loops) {
            stream->prompt_at = 0;
        }
    }
    memset(ret_frame + filled, 0, (FRAME_SAMPLES - filled) * sizeof(*ret_frame));

    if (stream->prompt_at == count) {
        struct media_event event = {.type = MEDIA_EVENT_PROMPT_ENDED};

        stream_set_prompt(stream, NULL, false);
        stream_emit(stream, &event, now_us);
    }
}

void stream_prefetch(const struct stream *stream)
{
    enum {
        CACHE_LINE = 64
    };
    const char *start = (const char *)stream;

    for (size_t at = 0; at < offsetof(struct stream, pending); at += CACHE_LINE) {
        __builtin_prefetch(start + at);
    }
    __builtin_prefetch(&stream->buffer);
}

static void send_audio(
    struct stream *stream,
    uint8_t bytes[RTP_HEADER_SIZE],
    size_t size,
    int64_t now_us)
{
    const struct rtp_packet packet = {
        .marker = stream->marker,
        .payload_type = stream->remote.payload_type,
        .sequence = stream->sequence++,
        .timestamp = stream->timestamp,
        .ssrc = stream->ssrc,
    };

    rtp_print_header(&packet, bytes);
    send_datagram(stream, bytes, RTP_HEADER_SIZE + size, now_us);
    stream->marker = false;
    stream->timestamp += (uint32_t)size;
}

/* Packets of another length than a frame: gathers frames and sends what makes whole packets. */
static void send_in_other_lengths(struct stream *stream, const int16_t *frame, int64_t now_us)
{
    size_t size = stream->remote.packet_samples;
    uint8_t bytes[RTP_HEADER_SIZE + PTIME_SAMPLES_MAX];
    size_t sent = 0;

    codec_encode(
        stream->remote.codec, frame, FRAME_SAMPLES, stream->pending + stream->pending_count);
    stream->pending_count += FRAME_SAMPLES;
    for (; stream->pending_count - sent >= size; sent += size) {
        memcpy(bytes + RTP_HEADER_SIZE, stream->pending + sent, size);
        send_audio(stream, bytes, size, now_us);
    }
    stream->pending_count -= sent;
    memmove(stream->pending, stream->pending + sent, stream->pending_count);
}

void stream_send(struct stream *stream, const int16_t *frame, int64_t now_us)
{
    static const int16_t silence[FRAME_SAMPLES];
    int16_t played[FRAME_SAMPLES];
    uint8_t bytes[RTP_HEADER_SIZE + FRAME_SAMPLES];

    if (!may_send(stream)) {
        stream_skip(stream);
        return;
    }

    if (stream->prompt) {
        play(stream, played, now_us);
        frame = played;
    }
    if (frame) {
        level_add(&stream->level_out, frame, FRAME_SAMPLES);
    } else {
        level_add_silence(&stream->level_out, FRAME_SAMPLES);
        frame = silence;
    }
    if (stream->remote.packet_samples == FRAME_SAMPLES) {
        codec_encode(stream->remote.codec, frame, FRAME_SAMPLES, bytes + RTP_HEADER_SIZE);
        send_audio(stream, bytes, FRAME_SAMPLES, now_us);
    } else {
        send_in_other_lengths(stream, frame, now_us);
    }
}

void stream_skip(struct stream *stream)
{
    stream->timestamp += (uint32_t)stream->pending_count + FRAME_SAMPLES;
    stream->pending_count = 0;
    stream->marker = true;
}

/* Gives the lane to this event, unless another sender's is still on it. */
static bool take_lane(struct stream *stream, const struct stream_event *event, int64_t now_us)
{
    struct event_lane *lane = &stream->lane;

    if (lane->from_id == event->from_id && lane->start == event->start) {
        return true;
    }
    if (lane->from_id != 0 && lane->from_id != event->from_id && !lane->ended &&
        now_us - lane->heard_us < LANE_SILENCE_US) {
        return false;
    }
    *lane = (struct event_lane){
        .from_id = event->from_id,
        .start = event->start,
        .timestamp = stream->timestamp + (uint32_t)stream->pending_count,
    };
    return true;
}

void stream_send_event(struct stream *stream, const struct stream_event *event, int64_t now_us)
{
    uint8_t bytes[RTP_HEADER_SIZE + RTP_EVENT_SIZE];

    if (!may_send(stream) || stream->remote.event_payload_type < 0 || stream->prompt) {
        return;
    }

    bool begins = stream->lane.from_id != event->from_id || stream->lane.start != event->start;

    if (!take_lane(stream, event, now_us)) {
        return;
    }
    stream->lane.heard_us = now_us;
    stream->lane.ended = stream->lane.ended || event->event.end;

    /* RFC 4733, 2.5.1.1: the marker on the first packet, one timestamp for the whole event. */
    const struct rtp_packet packet = {
        .marker = begins,
        .payload_type = (uint8_t)stream->remote.event_payload_type,
        .sequence = stream->sequence++,
        .timestamp = stream->lane.timestamp + event->before,
        .ssrc = stream->ssrc,
    };

    rtp_print_header(&packet, bytes);
    rtp_event_print(&event->event, bytes + RTP_HEADER_SIZE);
    send_datagram(stream, bytes, sizeof(bytes), now_us);
}
