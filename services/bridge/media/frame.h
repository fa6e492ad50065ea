/* What a frame is: 20 ms of samples at 8 kHz, the unit in which everything here is mixed. */
#ifndef BRIDGE_MEDIA_FRAME_H
#define BRIDGE_MEDIA_FRAME_H

enum {
    FRAME_SAMPLES = 160,
    FRAME_US = 20 * 1000,
    SAMPLE_RATE_HZ = 8000,
};

#endif
