#include "services/bridge/media/level.h"

#include <math.h>

uint64_t level_squares(const int16_t *samples, size_t count)
{
    uint64_t squares = 0;

    for (size_t i = 0; i < count; i++) {
        squares += (uint32_t)(samples[i] * samples[i]);
    }
    return squares;
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
