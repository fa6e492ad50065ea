#include "services/bridge/wait_audio.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "services/bridge/media/prompt.h"

enum {
    RATE_HZ = 8000,
    CHORD_SECONDS = 2,
    CHORD_COUNT = 4,
    NOTE_COUNT = 3,
    CHORD_SAMPLES = RATE_HZ * CHORD_SECONDS
};

/* Hz: C, A minor, F, G. */
static const double chords[CHORD_COUNT][NOTE_COUNT] = {
    {261.63, 329.63, 392.00},
    {220.00, 261.63, 329.63},
    {174.61, 220.00, 261.63},
    {196.00, 246.94, 293.66},
};

struct media_prompt *wait_audio_make(void)
{
    static const double pi = 3.14159265358979323846;
    int16_t *samples = mem_new_array(int16_t, (size_t)CHORD_COUNT * CHORD_SAMPLES);
    struct media_prompt *prompt = NULL;

    for (int i = 0; i < CHORD_COUNT * CHORD_SAMPLES; i++) {
        const double *notes = chords[i / CHORD_SAMPLES];
        int at = i % CHORD_SAMPLES;
        /* Each chord rises from silence and falls back to it. */
        double swell = sin(pi * at / CHORD_SAMPLES);
        double sum = 0;

        for (int note = 0; note < NOTE_COUNT; note++) {
            sum += sin(2 * pi * notes[note] * at / RATE_HZ);
        }
        samples[i] = (int16_t)(sum / NOTE_COUNT * swell * 6000);
    }
    prompt = media_prompt_new(samples, (size_t)CHORD_COUNT * CHORD_SAMPLES);
    free(samples);
    return prompt;
}
