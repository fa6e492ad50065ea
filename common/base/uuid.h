/* UUID version 7 (RFC 9562, 5.7): 48 bits of milliseconds, then random bits. Time and randomness
 * come in as arguments, so that a step repeated gives the same id.
 */
#ifndef COMMON_BASE_UUID_H
#define COMMON_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

enum {
    UUID_TEXT_SIZE = 37,
    UUID_RANDOM_BYTES = 10
};

/* Prints the canonical lower-case text form with its NUL. now_us: microseconds since the epoch. */
void uuid7_print(
    int64_t now_us,
    const uint8_t random[UUID_RANDOM_BYTES],
    char text[UUID_TEXT_SIZE]);

/* Whether the text has the form of a UUID of any version; capitals are fine. */
bool uuid_valid(const char *text);

#endif
