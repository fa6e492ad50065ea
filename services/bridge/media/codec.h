/* The codecs a stream can speak, behind one door. All run at 8 kHz, one byte a sample. Pure. */
#ifndef BRIDGE_MEDIA_CODEC_H
#define BRIDGE_MEDIA_CODEC_H

#include <stddef.h>
#include <stdint.h>

enum media_codec {
    MEDIA_PCMU, /* G.711 mu-law, usually payload type 0 */
    MEDIA_PCMA, /* G.711 A-law, usually payload type 8 */
};

void codec_decode(enum media_codec codec, const uint8_t *bytes, size_t count, int16_t *ret_samples);
void codec_encode(enum media_codec codec, const int16_t *samples, size_t count, uint8_t *ret_bytes);

#endif
