/* The wait audio we bring along: two soft chords in turn, eight seconds, without a seam. */
#ifndef BRIDGE_MEDIA_WAIT_AUDIO_H
#define BRIDGE_MEDIA_WAIT_AUDIO_H

struct media_prompt;

/* Computed, in some milliseconds; the caller owns the reference. */
struct media_prompt *wait_audio_new(void);

#endif
