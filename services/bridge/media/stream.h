/* A stream: the RTP flow with one party. Private to this folder.
 *
 * It is opened on the caller's thread and from then on lives on one media thread, which alone
 * touches it, but for three things: `loop`, `counters` (one writer, any reader) and what is fixed.
 *
 *     socket -> rtp_parse -> rtp_source -> jitter buffer -> stream_take        (the party speaks)
 *     stream_send <- prompt, or what the conference mixed, or silence          (the party hears)
 *
 * The socket is connected once the source is learned: the kernel then finds the route once, not for
 * each packet, and keeps strangers out.
 */
#ifndef BRIDGE_MEDIA_STREAM_H
#define BRIDGE_MEDIA_STREAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/mailbox/mailbox.h"
#include "services/bridge/media/address.h"
#include "services/bridge/media/digits.h"
#include "services/bridge/media/frame.h"
#include "services/bridge/media/jitter_buffer.h"
#include "services/bridge/media/level.h"
#include "services/bridge/media/media.h"
#include "services/bridge/media/rtp.h"
#include "services/bridge/media/rtp_source.h"
#include "services/bridge/media/stream_remote.h"

struct conference;
struct media_loop;

enum {
    STREAM_PHASES = 4, /* a frame's 20 ms are four steps of 5 ms */
};

/* What all streams of one engine share; it outlives them. */
struct stream_settings {
    union address bind_address; /* port 0 */
    int64_t watchdog_us;
    int64_t relatch_us;
    media_event_handler *on_event; /* may be NULL */
    void *event_context;
};

/* Written by the stream's thread alone; see media_statistics. */
struct stream_counters {
    _Atomic uint64_t packets_in;
    _Atomic uint64_t bytes_in;
    _Atomic uint64_t packets_out;
    _Atomic uint64_t bytes_out;
    _Atomic uint64_t lost;
    _Atomic uint64_t duplicates;
    _Atomic uint64_t late;
    _Atomic uint64_t invalid;
    _Atomic uint64_t foreign;
    _Atomic uint64_t rtcp;
    _Atomic uint64_t source_changes;
    _Atomic uint64_t send_errors;
    _Atomic int64_t jitter_us;
    _Atomic int64_t playout_delay_us;
    _Atomic int64_t last_in_us;
    _Atomic int64_t last_out_us;
    _Atomic int level_in_cdb; /* hundredths of a dB */
    _Atomic int level_out_cdb;
};

/* The one event that is being passed on to a party: RTP has one timeline, so one at a time. */
struct event_lane {
    uint64_t from_id;   /* 0: none yet */
    uint32_t start;     /* timestamp of its first packet, in the sender's timeline */
    uint32_t timestamp; /* and in ours */
    bool ended;
    int64_t heard_us;
};

struct stream {
    uint64_t id;
    uint16_t port;
    int socket;
    const struct stream_settings *settings;
    _Atomic(struct media_loop *) loop; /* who owns it now; NULL on the way to another */
    struct stream_counters counters;

    bool has_remote;
    struct stream_remote remote;
    /* Where we send: first as signalled, then where packets come from. */
    union address target;
    bool locked;    /* `target` is the source, and only it is heard */
    bool connected; /* the kernel knows it too */
    bool heard;     /* a first packet was reported */
    bool refused;   /* since the last packet we learned that one before it found nobody there */

    struct rtp_source source;
    struct digits digits;

    uint32_t ssrc;
    uint16_t sequence;
    uint32_t timestamp; /* of the first byte in `pending` */
    bool marker;        /* the next packet begins a talkspurt */
    size_t pending_count;
    struct event_lane lane;

    struct media_prompt *prompt; /* NULL: none plays */
    size_t prompt_at;
    bool prompt_loops;

    /* The watch. */
    uint32_t ticks;
    struct level level_in;
    struct level level_out;
    int64_t in_since_us;  /* packets are expected since */
    int64_t out_since_us; /* we are expected to send since */
    bool in_missing;
    bool out_missing;
    int64_t error_us; /* last reported socket error */

    /* Its place on the loop. */
    struct conference *conference; /* NULL: alone */
    size_t member;                 /* its index there */
    unsigned phase;                /* when alone */
    TAILQ_ENTRY(stream) link;      /* when alone */

    int64_t closed_us;
    struct mailbox_node node; /* the way back to the directory, once closed */
    /* Audio encoded and not sent, shorter than a packet; when those are not as long as a frame. */
    uint8_t pending[PTIME_SAMPLES_MAX + FRAME_SAMPLES];
    struct jitter_buffer buffer;
};

/* A telephone event that a stream received and the conference is to pass on. */
struct stream_event {
    uint64_t from_id;
    uint32_t start;  /* timestamp of the event's first packet */
    uint32_t before; /* duration of its earlier segments */
    struct rtp_event event;
};

/* Any thread. Opens and binds the socket; NULL and errno when that fails. */
struct stream *stream_open(uint64_t id, uint16_t port, const struct stream_settings *settings);
/* Closes the socket and frees the rest. */
struct stream *stream_free(struct stream *stream);
void stream_read_counters(const struct stream *stream, struct media_statistics *ret_statistics);

/* The rest: the stream's media thread. */

/* Closes the socket at once; the struct lives on until its owner has seen it. */
void stream_close(struct stream *stream, int64_t now_us);
void stream_set_remote(struct stream *stream, const struct stream_remote *remote, int64_t now_us);
/* Consumes the reference; NULL stops what plays. */
void stream_set_prompt(struct stream *stream, struct media_prompt *prompt, bool loop);

/* Reads one datagram, if there is one. True when it holds an event to pass on. */
bool stream_receive(struct stream *stream, int64_t now_us, struct stream_event *ret_event);
/* The party's next frame; false when it says nothing. */
bool stream_take(struct stream *stream, int16_t ret_frame[FRAME_SAMPLES]);

/* Soon to be taken from and sent to: with hundreds of streams on a thread, each has gone from the
 * cache by its next frame. */
void stream_prefetch(const struct stream *stream);

/* One frame's worth of time: sends the prompt, else `frame`, else (NULL) silence. */
void stream_send(struct stream *stream, const int16_t *frame, int64_t now_us);
/* One frame's worth of time passes in which nothing is said or heard, because we are late. */
void stream_skip(struct stream *stream);
void stream_send_event(struct stream *stream, const struct stream_event *event, int64_t now_us);
/* Once per frame: ends a digit whose end was lost; now and then looks at flow and levels. */
void stream_watch(struct stream *stream, int64_t now_us);

/* shared by stream*.c */
void stream_emit(struct stream *stream, struct media_event *event, int64_t now_us);
void stream_report_error(struct stream *stream, int error_number, int64_t now_us);
/* The peer's host says that nobody listens there (ICMP). */
void stream_refused(struct stream *stream, int64_t now_us);
void stream_report_digits(
    struct stream *stream,
    const struct digit_reports *reports,
    int64_t now_us);
/* Hears and sends to `source` alone from now on. */
void stream_lock(struct stream *stream, const union address *source, int64_t now_us);
void stream_unlock(struct stream *stream);

static inline void stream_count(_Atomic uint64_t *counter, uint64_t by)
{
    /* One writer: no read-modify-write is needed, and so no locked instruction. */
    atomic_store_explicit(
        counter, atomic_load_explicit(counter, memory_order_relaxed) + by, memory_order_relaxed);
}

#endif
