#include "services/bridge/media/jitter_buffer.h"

#include <string.h>

enum {
    CALM_WINDOWS = 3,    /* this many windows of calm lower the target by a frame */
    SKIP_PATIENCE = 250, /* frames; then a loud frame is left out too */
    JUMP_BACK = 8000, /* a packet older than this second is no late one: the clock was set back */
    QUIET_PEAK = 400, /* about -38 dBFS */
};

void jitter_buffer_init(struct jitter_buffer *buffer)
{
    memset(buffer, 0, sizeof(*buffer));
    buffer->target = JITTER_TARGET_START;
}

static void begin_window(struct jitter_buffer *buffer)
{
    buffer->window_frames = 0;
    buffer->window_least = UINT32_MAX;
}

void jitter_buffer_restart(struct jitter_buffer *buffer)
{
    memset(buffer->ring, 0, sizeof(buffer->ring));
    buffer->primed = false;
    buffer->calm_windows = 0;
    buffer->skip_patience = 0;
    begin_window(buffer);
}

uint32_t jitter_buffer_depth(const struct jitter_buffer *buffer)
{
    int32_t depth = (int32_t)(buffer->end - buffer->play);

    return buffer->primed && depth > 0 ? (uint32_t)depth : 0;
}

/* Calls for the one or two stretches of the ring that hold `count` samples from `timestamp` on. */
static void write_ring(
    struct jitter_buffer *buffer,
    uint32_t timestamp,
    const int16_t *samples,
    size_t count)
{
    size_t at = timestamp % JITTER_RING;
    size_t head = count < JITTER_RING - at ? count : JITTER_RING - at;

    memcpy(buffer->ring + at, samples, head * sizeof(*samples));
    memcpy(buffer->ring, samples + head, (count - head) * sizeof(*samples));
}

static void clear_ring(struct jitter_buffer *buffer, uint32_t timestamp, size_t count)
{
    size_t at = timestamp % JITTER_RING;
    size_t head = count < JITTER_RING - at ? count : JITTER_RING - at;

    memset(buffer->ring + at, 0, head * sizeof(*buffer->ring));
    memset(buffer->ring, 0, (count - head) * sizeof(*buffer->ring));
}

/* Plays on `count` samples further ahead, and what lies between is lost. */
static void skip(struct jitter_buffer *buffer, uint32_t count)
{
    clear_ring(buffer, buffer->play, count);
    buffer->play += count;
}

static void prime(struct jitter_buffer *buffer, uint32_t timestamp, uint32_t count)
{
    /* Dry, and this is just what was waited for: it came late, so wait longer from now on. */
    if (buffer->primed && timestamp == buffer->end && buffer->target < JITTER_TARGET_MAX) {
        buffer->target += FRAME_SAMPLES;
        buffer->calm_windows = 0;
    }
    buffer->primed = true;
    buffer->play = timestamp - buffer->target;
    buffer->end = timestamp + count;
    begin_window(buffer);
}

/* How much earlier than what plays now a packet begins that is not a continuation. */
static uint32_t already_played(const struct jitter_buffer *buffer, uint32_t timestamp)
{
    bool old = buffer->primed && (int32_t)(timestamp - buffer->end) < 0 &&
               (int32_t)(timestamp - buffer->play) < 0;

    return old ? buffer->play - timestamp : 0;
}

enum jitter_verdict jitter_buffer_put(
    struct jitter_buffer *buffer,
    uint32_t timestamp,
    const int16_t *samples,
    size_t count)
{
    if (count > JITTER_PACKET_MAX) {
        return JITTER_TOO_LONG;
    }

    uint32_t size = (uint32_t)count;
    uint32_t gone = already_played(buffer, timestamp);
    bool jumped =
        gone > JUMP_BACK || (int32_t)(timestamp - buffer->play) > JITTER_RING - (int32_t)size;

    if (buffer->primed && jumped) {
        /* Nothing before it will be continued. */
        jitter_buffer_restart(buffer);
        gone = 0;
    } else if (gone > 0 && (gone >= size || jitter_buffer_depth(buffer) == 0)) {
        return JITTER_LATE;
    }

    if (jitter_buffer_depth(buffer) == 0) {
        prime(buffer, timestamp, size);
    }
    /* The part of an old packet that is still to come is worth keeping. */
    timestamp += gone;
    samples += gone;
    size -= gone;
    write_ring(buffer, timestamp, samples, size);
    if ((int32_t)(timestamp + size - buffer->end) > 0) {
        buffer->end = timestamp + size;
    }
    if (jitter_buffer_depth(buffer) > JITTER_DEPTH_MAX) {
        skip(buffer, jitter_buffer_depth(buffer) - buffer->target - size);
    }
    return JITTER_KEPT;
}

/* At the end of each window: was the delay needed? */
static void judge_window(struct jitter_buffer *buffer)
{
    uint32_t spare =
        buffer->window_least > FRAME_SAMPLES ? buffer->window_least - FRAME_SAMPLES : 0;

    buffer->calm_windows = spare >= buffer->target ? buffer->calm_windows + 1 : 0;
    if (buffer->calm_windows >= CALM_WINDOWS && buffer->target > JITTER_TARGET_MIN) {
        buffer->target -= FRAME_SAMPLES;
        buffer->calm_windows = 0;
    }
    if (spare >= buffer->target + FRAME_SAMPLES && buffer->skip_patience == 0) {
        buffer->skip_patience = SKIP_PATIENCE;
    }
    begin_window(buffer);
}

static bool quiet(const int16_t frame[FRAME_SAMPLES])
{
    for (size_t i = 0; i < FRAME_SAMPLES; i++) {
        if (frame[i] > QUIET_PEAK || frame[i] < -QUIET_PEAK) {
            return false;
        }
    }
    return true;
}

static void read_frame(struct jitter_buffer *buffer, int16_t ret_frame[FRAME_SAMPLES])
{
    size_t at = buffer->play % JITTER_RING;
    size_t head = JITTER_RING - at < FRAME_SAMPLES ? JITTER_RING - at : FRAME_SAMPLES;

    memcpy(ret_frame, buffer->ring + at, head * sizeof(*ret_frame));
    memcpy(ret_frame + head, buffer->ring, (FRAME_SAMPLES - head) * sizeof(*ret_frame));
    skip(buffer, FRAME_SAMPLES);
}

bool jitter_buffer_take(struct jitter_buffer *buffer, int16_t ret_frame[FRAME_SAMPLES])
{
    uint32_t depth = jitter_buffer_depth(buffer);

    if (depth == 0) {
        return false;
    }

    if (depth < buffer->window_least) {
        buffer->window_least = depth;
    }
    if (++buffer->window_frames >= JITTER_WINDOW) {
        judge_window(buffer);
    }
    read_frame(buffer, ret_frame);

    if (buffer->skip_patience > 0) {
        buffer->skip_patience--;
        if (depth > 2 * FRAME_SAMPLES && (quiet(ret_frame) || buffer->skip_patience == 0)) {
            buffer->skip_patience = 0;
            read_frame(buffer, ret_frame);
            begin_window(buffer);
        }
    }
    return true;
}
