#include "services/bridge/media/mixer.h"

#include <assert.h>
#include <string.h>

#include "services/bridge/media/vectorized.h"

VECTORIZED static void add(int32_t sum[FRAME_SAMPLES], const int16_t frame[FRAME_SAMPLES])
{
    for (size_t i = 0; i < FRAME_SAMPLES; i++) {
        sum[i] += frame[i];
    }
}

void mixer_begin(struct mixer *mixer)
{
    memset(mixer->total, 0, sizeof(mixer->total));
    mixer->speaking = 0;
}

void mixer_add(struct mixer *mixer, size_t index, const int16_t frame[FRAME_SAMPLES])
{
    assert(index < MIXER_MEMBERS);
    mixer->frames[index] = frame;
    mixer->speaking |= UINT64_C(1) << index;
    add(mixer->total, frame);
}

VECTORIZED static void saturate(const int32_t sum[FRAME_SAMPLES], int16_t ret_frame[FRAME_SAMPLES])
{
    for (size_t i = 0; i < FRAME_SAMPLES; i++) {
        int32_t sample = sum[i];

        sample = sample > INT16_MAX ? INT16_MAX : sample;
        sample = sample < INT16_MIN ? INT16_MIN : sample;
        ret_frame[i] = (int16_t)sample;
    }
}

VECTORIZED static void subtract(int32_t sum[FRAME_SAMPLES], const int16_t frame[FRAME_SAMPLES])
{
    for (size_t i = 0; i < FRAME_SAMPLES; i++) {
        sum[i] -= frame[i];
    }
}

bool mixer_hear(const struct mixer *mixer, uint64_t hears, int16_t ret_frame[FRAME_SAMPLES])
{
    uint64_t heard = mixer->speaking & hears;
    uint64_t unheard = mixer->speaking & ~hears;
    int32_t sum[FRAME_SAMPLES];

    if (heard == 0) {
        return false;
    }
    if ((heard & (heard - 1)) == 0) {
        memcpy(ret_frame, mixer->frames[__builtin_ctzll(heard)], sizeof(int16_t[FRAME_SAMPLES]));
        return true;
    }

    if (__builtin_popcountll(unheard) < __builtin_popcountll(heard)) {
        memcpy(sum, mixer->total, sizeof(sum));
        for (; unheard != 0; unheard &= unheard - 1) {
            subtract(sum, mixer->frames[__builtin_ctzll(unheard)]);
        }
    } else {
        memset(sum, 0, sizeof(sum));
        for (; heard != 0; heard &= heard - 1) {
            add(sum, mixer->frames[__builtin_ctzll(heard)]);
        }
    }
    saturate(sum, ret_frame);
    return true;
}
