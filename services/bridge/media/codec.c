#include "services/bridge/media/codec.h"

#include "services/bridge/media/g711.h"

void codec_decode(enum media_codec codec, const uint8_t *bytes, size_t count, int16_t *ret_samples)
{
    switch (codec) {
    case MEDIA_PCMU:
        g711_ulaw_decode(bytes, count, ret_samples);
        return;
    case MEDIA_PCMA:
        g711_alaw_decode(bytes, count, ret_samples);
        return;
    }
}

void codec_encode(enum media_codec codec, const int16_t *samples, size_t count, uint8_t *ret_bytes)
{
    switch (codec) {
    case MEDIA_PCMU:
        g711_ulaw_encode(samples, count, ret_bytes);
        return;
    case MEDIA_PCMA:
        g711_alaw_encode(samples, count, ret_bytes);
        return;
    }
}
