/* Each chord's notes are struck one after the other and die away like those of a music box. A note
 * is its fundamental and a soft octave, so that it carries over a telephone. */
#include "services/bridge/media/wait_audio.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "services/bridge/media/frame.h"
#include "services/bridge/media/prompt.h"

enum {
    CHORDS = 2,
    NOTES = 4,
    NOTE_S = 4,
    CHORD_SAMPLES = NOTE_S * SAMPLE_RATE_HZ,
    TOTAL = CHORDS * CHORD_SAMPLES,
    STRIKE_SAMPLES = SAMPLE_RATE_HZ * 45 / 100, /* from one note to the next */
};

static const double chords[CHORDS][NOTES] = {
    {261.63, 329.63, 392.00, 523.25}, /* C major */
    {261.63, 349.23, 392.00, 587.33}, /* F with the second and the sixth left to ring: no cadence */
};

/* A struck note `at` seconds after the stroke. The stroke itself takes 10 ms, or it would click. */
static double note(double hz, double at)
{
    double attack = fmin(at / 0.010, 1.0);
    double ring = exp(-at * 0.5) * (1.0 - at / NOTE_S); /* nothing is left at its end */
    double octave = 0.25 * exp(-at) * sin(4.0 * M_PI * hz * at);

    return attack * ring * (sin(2.0 * M_PI * hz * at) + octave);
}

/* Adds a note that rings on over the end of the loop into its beginning: no seam. */
static void strike(double *mix, size_t start, double hz)
{
    for (size_t i = 0; i < CHORD_SAMPLES; i++) {
        mix[(start + i) % TOTAL] += note(hz, (double)i / SAMPLE_RATE_HZ);
    }
}

struct media_prompt *wait_audio_new(void)
{
    const double gain = 3200.0; /* about -25 dBFS in the mean: there, but in nobody's way */
    CLEANUP(mem_free_at_exit) double *mix = mem_new_array(double, TOTAL);
    CLEANUP(mem_free_at_exit) int16_t *samples = mem_new_array(int16_t, TOTAL);

    for (size_t chord = 0; chord < CHORDS; chord++) {
        for (size_t i = 0; i < NOTES; i++) {
            strike(mix, chord * CHORD_SAMPLES + i * STRIKE_SAMPLES, chords[chord][i]);
        }
    }
    for (size_t i = 0; i < TOTAL; i++) {
        samples[i] = (int16_t)lround(gain * mix[i]);
    }
    return media_prompt_new(samples, TOTAL);
}
