#include "services/bridge/media/level.h"

#include <math.h>

#include "services/bridge/media/vectorized.h"

/* In lanes, so that the compiler may add eight at once: it must not change the order of a sum of
 * floats by itself. A float's 24 bits are plenty for a level. */
VECTORIZED uint64_t level_squares(const int16_t *samples, size_t count)
{
    enum {
        LANES = 8
    };
    float lanes[LANES] = {0};
    double squares = 0.0;
    size_t whole = count - count % LANES;

    for (size_t i = 0; i < whole; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            float sample = samples[i + lane];

            lanes[lane] += sample * sample;
        }
    }
    for (size_t i = whole; i < count; i++) {
        squares += (double)samples[i] * samples[i];
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        squares += (double)lanes[lane];
    }
    return (uint64_t)squares;
}

void level_add(struct level *level, const int16_t *samples, size_t count)
{
    level->squares += level_squares(samples, count);
    level->count += count;
}

void level_add_silence(struct level *level, size_t count)
{
    level->count += count;
}

double level_dbfs(const struct level *level)
{
    if (level->squares == 0) {
        return LEVEL_SILENCE_DBFS;
    }

    double mean = (double)level->squares / (double)level->count / (32768.0 * 32768.0);
    double dbfs = 10.0 * log10(mean);

    return dbfs > LEVEL_SILENCE_DBFS ? dbfs : LEVEL_SILENCE_DBFS;
}
