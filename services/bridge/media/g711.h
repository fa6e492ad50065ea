/* G.711, both laws: bytes to 16-bit samples and back, bit-exact with the ITU-T's tables. Pure. */
#ifndef BRIDGE_MEDIA_G711_H
#define BRIDGE_MEDIA_G711_H

#include <stddef.h>
#include <stdint.h>

enum {
    G711_ULAW_SILENCE = 0xff, /* decodes to 0 */
    G711_ALAW_SILENCE = 0xd5, /* decodes to 8, the smallest A-law knows */
};

/* What one byte stands for, 14 (mu-law) or 13 (A-law) bits in the upper end of 16. */
extern const int16_t g711_ulaw_samples[256];
extern const int16_t g711_alaw_samples[256];

void g711_ulaw_decode(const uint8_t *bytes, size_t count, int16_t *ret_samples);
void g711_alaw_decode(const uint8_t *bytes, size_t count, int16_t *ret_samples);
void g711_ulaw_encode(const int16_t *samples, size_t count, uint8_t *ret_bytes);
void g711_alaw_encode(const int16_t *samples, size_t count, uint8_t *ret_bytes);

#endif
