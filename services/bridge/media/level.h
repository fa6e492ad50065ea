/* A level meter: root mean square of samples in dBFS, where 0 is a square wave of full scale (a
 * sine of full scale is at -3). Pure.
 */
#ifndef BRIDGE_MEDIA_LEVEL_H
#define BRIDGE_MEDIA_LEVEL_H

#include <stddef.h>
#include <stdint.h>

#define LEVEL_SILENCE_DBFS (-96.0) /* nothing is said to be quieter than 16 bits can be */

struct level {
    uint64_t squares;
    uint64_t count;
};

/* Sum of the squares of the samples. */
uint64_t level_squares(const int16_t *samples, size_t count);
void level_add(struct level *level, const int16_t *samples, size_t count);
void level_add_silence(struct level *level, size_t count);
double level_dbfs(const struct level *level);

#endif
