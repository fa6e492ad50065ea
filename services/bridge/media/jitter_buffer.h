/* A jitter buffer: samples go in by RTP timestamp, whenever they come; frames of 20 ms come out,
 * one per tick. Pure; belongs to its stream.
 *
 * A ring of samples addressed by timestamp, all zero outside [play, end): a lost packet plays as
 * silence, any packet length fits, and order does not matter. It starts `target` behind the first
 * packet. When it runs dry and the packet that was missed then comes after all, the target grows by
 * a frame; when the delay was not needed for some seconds, a quiet frame is left out.
 */
#ifndef BRIDGE_MEDIA_JITTER_BUFFER_H
#define BRIDGE_MEDIA_JITTER_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/bridge/media/frame.h"

enum {
    JITTER_RING = 2048,      /* samples, a power of two */
    JITTER_TARGET_MIN = 160, /* of the delay, in samples */
    JITTER_TARGET_START = 320,
    JITTER_TARGET_MAX = 960,
    JITTER_DEPTH_MAX = 1760, /* more than this is thrown away, the oldest first */
    JITTER_PACKET_MAX = 800, /* 100 ms in one packet */
    JITTER_WINDOW = 200,     /* frames over which the least depth is watched: 4 s */
};

enum jitter_verdict {
    JITTER_KEPT,
    JITTER_LATE,    /* its time has passed */
    JITTER_TOO_LONG /* no packet of a phone call */
};

struct jitter_buffer {
    bool primed;
    uint32_t play;   /* timestamp of the next sample to play */
    uint32_t end;    /* timestamp after the newest sample */
    uint32_t target; /* delay aimed at, in samples */
    /* The current window. */
    unsigned window_frames;
    uint32_t window_least; /* least depth seen, in samples */
    unsigned calm_windows; /* in a row, in which the target was never touched */
    unsigned
        skip_patience; /* frames for which a quiet one is waited for; 0: nothing to leave out */
    int16_t ring[JITTER_RING]; /* last: what is looked at for every frame lies together before it */
};

void jitter_buffer_init(struct jitter_buffer *buffer);
/* Another source, or another numbering: forgets the samples, keeps the target. */
void jitter_buffer_restart(struct jitter_buffer *buffer);
enum jitter_verdict jitter_buffer_put(
    struct jitter_buffer *buffer,
    uint32_t timestamp,
    const int16_t *samples,
    size_t count);
/* False, and `ret_frame` untouched, when there is nothing to play. */
bool jitter_buffer_take(struct jitter_buffer *buffer, int16_t ret_frame[FRAME_SAMPLES]);
/* Samples waiting to be played. */
uint32_t jitter_buffer_depth(const struct jitter_buffer *buffer);

#endif
