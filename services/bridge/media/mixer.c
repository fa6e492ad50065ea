#include "services/bridge/media/mixer.h"

#include <assert.h>
#include <string.h>

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
    for (size_t i = 0; i < FRAME_SAMPLES; i++) {
        mixer->total[i] += frame[i];
    }
}

static void saturate(const int32_t sum[FRAME_SAMPLES], int16_t ret_frame[FRAME_SAMPLES])
{
    for (size_t i = 0; i < FRAME_SAMPLES; i++) {
        int32_t sample = sum[i];

        sample = sample > INT16_MAX ? INT16_MAX : sample;
        sample = sample < INT16_MIN ? INT16_MIN : sample;
        ret_frame[i] = (int16_t)sample;
    }
}

/* Adds (sign 1) or takes away (sign -1) every member of `members`. */
static void add_members(
    const struct mixer *mixer,
    uint64_t members,
    int32_t sign,
    int32_t sum[FRAME_SAMPLES])
{
    for (; members != 0; members &= members - 1) {
        const int16_t *frame = mixer->frames[__builtin_ctzll(members)];

        for (size_t i = 0; i < FRAME_SAMPLES; i++) {
            sum[i] += sign * frame[i];
        }
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
        add_members(mixer, unheard, -1, sum);
    } else {
        memset(sum, 0, sizeof(sum));
        add_members(mixer, heard, 1, sum);
    }
    saturate(sum, ret_frame);
    return true;
}
