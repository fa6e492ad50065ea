/* The media engine: RTP with parties, prompts played to them, conferences that mix them.
 *
 * It runs on threads of its own and executes the plan it is given; it knows nothing of SIP, gRPC or
 * tasks. A stream is one RTP flow with one party. A stream that has a remote address sends a frame
 * every 20 ms for as long as it may send: the prompt it plays, else what its conference lets it
 * hear, else silence.
 *
 * Threads: every function here may be called from any thread. None waits for a media thread: they
 * check, post a command and return; commands take effect in the order they were posted. The two
 * that reach further say so (media_stop, media_prompt_load). Streams and conferences are named by
 * ids, which are never used twice; a command for an id that is gone is refused or does nothing.
 *
 * Events come on a media thread: the handler may only copy and post them. One may still arrive
 * after its stream was closed; none after media_stop.
 */
#ifndef BRIDGE_MEDIA_MEDIA_H
#define BRIDGE_MEDIA_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "services/bridge/media/codec.h"
#include "services/bridge/media/prompt.h"

struct error;
struct media;

enum {
    MEDIA_MEMBERS_MAX = 64, /* members of one conference: a bit each in media_member.hears */
};

enum media_event_type {
    MEDIA_EVENT_FIRST_PACKET,   /* the first valid packet since the stream was opened */
    MEDIA_EVENT_SOURCE_CHANGED, /* the source is learned, or another one after a silence: `source`
                                 */
    MEDIA_EVENT_FLOW_CHANGED,   /* `in_missing`, `out_missing`; both false: all is well again */
    MEDIA_EVENT_DIGIT_STARTED,  /* RFC 4733: `digit` */
    MEDIA_EVENT_DIGIT_ENDED,    /* `digit`, `duration_ms` */
    MEDIA_EVENT_PROMPT_ENDED,   /* a prompt without loop was played to its end */
    MEDIA_EVENT_SOCKET_ERROR,   /* `error_number`; at most one a second and stream */
};

struct media_event {
    enum media_event_type type;
    uint64_t stream_id;
    int64_t mono_us; /* monotonic clock */
    /* Where packets come from, "192.0.2.7:4000" or "[2001:db8::7]:4000". */
    char source[56];
    bool in_missing;  /* we should receive and have not for options.watchdog_us */
    bool out_missing; /* we should send and could not for options.watchdog_us */
    char digit;       /* 0-9 * # A-D, or '!' for a hook flash */
    uint32_t duration_ms;
    int error_number;
};

typedef void(media_event_handler)(void *context, const struct media_event *event);

struct media_options {
    const char *bind_address;       /* numeric IPv4 or IPv6; "0.0.0.0" binds all */
    const char *advertised_address; /* what SDP says; NULL: bind_address */
    uint16_t first_port;            /* of the pool: RTP takes the even ports, the next odd one is */
    uint16_t last_port;             /* left free for RTCP; both ends included */
    int64_t port_cooldown_us;       /* how long a closed port rests: the old peer may still send */
    size_t thread_count;            /* media threads; one per core is right */
    bool realtime;       /* ask for real-time scheduling; where it is not allowed, go without */
    int64_t watchdog_us; /* silence before MEDIA_EVENT_FLOW_CHANGED */
    int64_t relatch_us;  /* silence of the source before another one may take its place */
    media_event_handler *on_event;
    void *event_context;
};

/* Where a party is and how it talks, from its SDP. */
struct media_remote {
    const char *address; /* numeric */
    enum media_codec codec;
    int event_payload_type; /* telephone-event, the same in both directions; -1: none */
    uint16_t port;
    uint16_t ptime_ms; /* of what we send: 10, 20, 30, 40 or 60, else 20; what comes may differ */
    uint8_t payload_type; /* of the codec; 0 and 8 are understood besides, as G.711 */
    bool send;            /* we may send */
    bool receive;         /* the party may send; false also rests the watchdog (hold) */
    bool signalled_only;  /* take packets from address:port alone. Else (the default, for peers
                           * behind NAT) the first valid source is learned and locked, and we
                           * send there; a stranger who comes later is not heard. */
};

/* Who hears whom: bit i of `hears` set means that this member hears members[i]. Its own bit is
 * ignored. A muted member is one whose bit nobody sets; a monitor is muted and hears all. */
struct media_member {
    uint64_t stream_id;
    uint64_t hears;
};

/* Since media_stream_open. Each number is exact, but they are not all of the same instant. */
struct media_statistics {
    uint64_t packets_in; /* valid and ours, late and duplicate ones too */
    uint64_t bytes_in;   /* RTP payload */
    uint64_t packets_out;
    uint64_t bytes_out;
    uint64_t lost;       /* by sequence number, RFC 3550 A.3 */
    uint64_t duplicates; /* the same sequence number again */
    uint64_t late;       /* came after their time to be heard */
    uint64_t invalid;    /* not RTP, or of a payload type nobody agreed on */
    uint64_t foreign;    /* from a source that is not ours, as far as the kernel let us see them */
    uint64_t rtcp;       /* multiplexed RTCP (RFC 5761), ignored */
    uint64_t source_changes; /* SSRC changes and sequence restarts */
    uint64_t send_errors;
    int64_t jitter_us;        /* RFC 3550, 6.4.1 */
    int64_t playout_delay_us; /* what the jitter buffer adds now */
    int64_t last_in_mono_us;  /* 0: nothing yet */
    int64_t last_out_mono_us;
    double level_in_dbfs; /* RMS of the last second; -96 is silence */
    double level_out_dbfs;
};

struct media_load {
    size_t streams;
    size_t conferences;
    size_t ports_free; /* may be taken now */
    size_t ports_cooling;
    uint64_t ticks;          /* 5 ms steps of all threads */
    uint64_t late_ticks;     /* steps that ran at least one step late */
    uint64_t skipped_frames; /* frames left out, so as not to send a burst */
    int64_t cpu_us;          /* CPU time of all media threads */
};

/* 127.0.0.1, ports 20000 to 29999, cool-down 30 s, one real-time thread, watchdog 5 s, re-latch 3
 * s. */
struct media_options media_default_options(void);

MUST_USE bool media_start(
    const struct media_options *options,
    struct media **ret_media,
    struct error *err);
/* Closes everything and waits for the threads. */
struct media *media_stop(struct media *media);
/* The address to write into SDP. */
const char *media_address(const struct media *media);
void media_get_load(struct media *media, struct media_load *ret_load);

/* Takes a port from the pool and binds it. MEDIA_PORTS_EXHAUSTED when none is left or all rest. */
MUST_USE bool media_stream_open(
    struct media *media,
    uint64_t *ret_stream_id,
    uint16_t *ret_port,
    struct error *err);
/* Also for every later change (re-INVITE): the source is learned anew if address or port differ. */
MUST_USE bool media_stream_set_remote(
    struct media *media,
    uint64_t stream_id,
    const struct media_remote *remote,
    struct error *err);
/* The party hears the prompt instead of its conference; nobody else does. Replaces what was played
 * before. The stream keeps a reference to the prompt. */
MUST_USE bool media_stream_play(
    struct media *media,
    uint64_t stream_id,
    struct media_prompt *prompt,
    bool loop,
    struct error *err);
void media_stream_stop_playing(struct media *media, uint64_t stream_id);
MUST_USE bool media_stream_get_statistics(
    struct media *media,
    uint64_t stream_id,
    struct media_statistics *ret_statistics);
/* Leaves its conference too. The port rests before it is used again. */
void media_stream_close(struct media *media, uint64_t stream_id);

uint64_t media_conference_open(struct media *media);
/* The whole plan each time: a stream no longer in it has left and hears silence again. Refused, and
 * the old plan stays, when a stream is unknown, named twice, or in another conference. */
MUST_USE bool media_conference_set_plan(
    struct media *media,
    uint64_t conference_id,
    const struct media_member *members,
    size_t count,
    struct error *err);
/* Its members go on alone. */
void media_conference_close(struct media *media, uint64_t conference_id);

/* Everybody but itself: the plan of an ordinary conference of `count` members. */
uint64_t media_hears_others(size_t index, size_t count);

#endif
