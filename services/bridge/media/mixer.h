/* The mixer: one frame of each member in, for each member the sum of those it hears out. Pure.
 *
 *     mixer_begin(&mixer);
 *     mixer_add(&mixer, index, frame);            for each member that speaks
 *     heard = mixer_hear(&mixer, hears, frame);   for each member that listens
 *
 * The sum of all is kept, so that a member who hears everybody costs one subtraction, however many
 * there are. Sums saturate once, at the end.
 */
#ifndef BRIDGE_MEDIA_MIXER_H
#define BRIDGE_MEDIA_MIXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/bridge/media/frame.h"

enum {
    MIXER_MEMBERS = 64
};

struct mixer {
    int32_t total[FRAME_SAMPLES];
    const int16_t *frames[MIXER_MEMBERS]; /* borrowed until the next begin */
    uint64_t speaking;                    /* bit i: frames[i] is set */
};

void mixer_begin(struct mixer *mixer);
void mixer_add(struct mixer *mixer, size_t index, const int16_t frame[FRAME_SAMPLES]);
/* False, and `ret_frame` untouched, when nobody of `hears` speaks. */
bool mixer_hear(const struct mixer *mixer, uint64_t hears, int16_t ret_frame[FRAME_SAMPLES]);

#endif
