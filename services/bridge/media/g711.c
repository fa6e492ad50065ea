/* Decoding is a table. Encoding is arithmetic that a compiler turns into vector instructions: the
 * segment and the four bits after it are just the exponent and the top of the mantissa of the
 * magnitude as a binary32 number, so one conversion and one shift replace the search for the
 * segment. Exact, because a magnitude has at most 13 bits. */
#include "services/bridge/media/g711.h"

#include <string.h>

#include "services/bridge/media/vectorized.h"

const int16_t g711_ulaw_samples[256] = {
    -32124, -31100, -30076, -29052, -28028, -27004, -25980, -24956, -23932, -22908, -21884, -20860,
    -19836, -18812, -17788, -16764, -15996, -15484, -14972, -14460, -13948, -13436, -12924, -12412,
    -11900, -11388, -10876, -10364, -9852,  -9340,  -8828,  -8316,  -7932,  -7676,  -7420,  -7164,
    -6908,  -6652,  -6396,  -6140,  -5884,  -5628,  -5372,  -5116,  -4860,  -4604,  -4348,  -4092,
    -3900,  -3772,  -3644,  -3516,  -3388,  -3260,  -3132,  -3004,  -2876,  -2748,  -2620,  -2492,
    -2364,  -2236,  -2108,  -1980,  -1884,  -1820,  -1756,  -1692,  -1628,  -1564,  -1500,  -1436,
    -1372,  -1308,  -1244,  -1180,  -1116,  -1052,  -988,   -924,   -876,   -844,   -812,   -780,
    -748,   -716,   -684,   -652,   -620,   -588,   -556,   -524,   -492,   -460,   -428,   -396,
    -372,   -356,   -340,   -324,   -308,   -292,   -276,   -260,   -244,   -228,   -212,   -196,
    -180,   -164,   -148,   -132,   -120,   -112,   -104,   -96,    -88,    -80,    -72,    -64,
    -56,    -48,    -40,    -32,    -24,    -16,    -8,     0,      32124,  31100,  30076,  29052,
    28028,  27004,  25980,  24956,  23932,  22908,  21884,  20860,  19836,  18812,  17788,  16764,
    15996,  15484,  14972,  14460,  13948,  13436,  12924,  12412,  11900,  11388,  10876,  10364,
    9852,   9340,   8828,   8316,   7932,   7676,   7420,   7164,   6908,   6652,   6396,   6140,
    5884,   5628,   5372,   5116,   4860,   4604,   4348,   4092,   3900,   3772,   3644,   3516,
    3388,   3260,   3132,   3004,   2876,   2748,   2620,   2492,   2364,   2236,   2108,   1980,
    1884,   1820,   1756,   1692,   1628,   1564,   1500,   1436,   1372,   1308,   1244,   1180,
    1116,   1052,   988,    924,    876,    844,    812,    780,    748,    716,    684,    652,
    620,    588,    556,    524,    492,    460,    428,    396,    372,    356,    340,    324,
    308,    292,    276,    260,    244,    228,    212,    196,    180,    164,    148,    132,
    120,    112,    104,    96,     88,     80,     72,     64,     56,     48,     40,     32,
    24,     16,     8,      0,
};

const int16_t g711_alaw_samples[256] = {
    -5504,  -5248,  -6016,  -5760,  -4480,  -4224,  -4992,  -4736,  -7552,  -7296,  -8064,  -7808,
    -6528,  -6272,  -7040,  -6784,  -2752,  -2624,  -3008,  -2880,  -2240,  -2112,  -2496,  -2368,
    -3776,  -3648,  -4032,  -3904,  -3264,  -3136,  -3520,  -3392,  -22016, -20992, -24064, -23040,
    -17920, -16896, -19968, -18944, -30208, -29184, -32256, -31232, -26112, -25088, -28160, -27136,
    -11008, -10496, -12032, -11520, -8960,  -8448,  -9984,  -9472,  -15104, -14592, -16128, -15616,
    -13056, -12544, -14080, -13568, -344,   -328,   -376,   -360,   -280,   -264,   -312,   -296,
    -472,   -456,   -504,   -488,   -408,   -392,   -440,   -424,   -88,    -72,    -120,   -104,
    -24,    -8,     -56,    -40,    -216,   -200,   -248,   -232,   -152,   -136,   -184,   -168,
    -1376,  -1312,  -1504,  -1440,  -1120,  -1056,  -1248,  -1184,  -1888,  -1824,  -2016,  -1952,
    -1632,  -1568,  -1760,  -1696,  -688,   -656,   -752,   -720,   -560,   -528,   -624,   -592,
    -944,   -912,   -1008,  -976,   -816,   -784,   -880,   -848,   5504,   5248,   6016,   5760,
    4480,   4224,   4992,   4736,   7552,   7296,   8064,   7808,   6528,   6272,   7040,   6784,
    2752,   2624,   3008,   2880,   2240,   2112,   2496,   2368,   3776,   3648,   4032,   3904,
    3264,   3136,   3520,   3392,   22016,  20992,  24064,  23040,  17920,  16896,  19968,  18944,
    30208,  29184,  32256,  31232,  26112,  25088,  28160,  27136,  11008,  10496,  12032,  11520,
    8960,   8448,   9984,   9472,   15104,  14592,  16128,  15616,  13056,  12544,  14080,  13568,
    344,    328,    376,    360,    280,    264,    312,    296,    472,    456,    504,    488,
    408,    392,    440,    424,    88,     72,     120,    104,    24,     8,      56,     40,
    216,    200,    248,    232,    152,    136,    184,    168,    1376,   1312,   1504,   1440,
    1120,   1056,   1248,   1184,   1888,   1824,   2016,   1952,   1632,   1568,   1760,   1696,
    688,    656,    752,    720,    560,    528,    624,    592,    944,    912,    1008,   976,
    816,    784,    880,    848,
};

void g711_ulaw_decode(const uint8_t *bytes, size_t count, int16_t *ret_samples)
{
    for (size_t i = 0; i < count; i++) {
        ret_samples[i] = g711_ulaw_samples[bytes[i]];
    }
}

void g711_alaw_decode(const uint8_t *bytes, size_t count, int16_t *ret_samples)
{
    for (size_t i = 0; i < count; i++) {
        ret_samples[i] = g711_alaw_samples[bytes[i]];
    }
}

/* Exponent (biased by 127) and four bits of mantissa of a small positive number. */
static inline int32_t exponent_and_four_bits(int32_t magnitude)
{
    float number = (float)magnitude;
    int32_t bits = 0;

    memcpy(&bits, &number, sizeof(bits));
    return bits >> 19;
}

/* The standard takes the one's complement of a negative number, so that -1 is as small as 0; an
 * arithmetic shift by 31 gives the mask for that and for the sign bit. */
VECTORIZED void g711_ulaw_encode(const int16_t *samples, size_t count, uint8_t *ret_bytes)
{
    enum {
        BIAS = 33,        /* lifts the smallest magnitude into the first segment */
        CLIP = 8191,      /* 13 bits */
        FIRST = 132 << 4, /* exponent 5: magnitudes from 32 on are the first segment */
    };

    for (size_t i = 0; i < count; i++) {
        int32_t sign = (int32_t)samples[i] >> 31;
        int32_t magnitude = ((samples[i] ^ sign) >> 2) + BIAS;

        magnitude = magnitude > CLIP ? CLIP : magnitude;
        int32_t code = 0x7f - (exponent_and_four_bits(magnitude) - FIRST);
        ret_bytes[i] = (uint8_t)(code | (~sign & 0x80));
    }
}

VECTORIZED void g711_alaw_encode(const int16_t *samples, size_t count, uint8_t *ret_bytes)
{
    enum {
        LINEAR = 16,      /* below this the code is the magnitude itself */
        FIRST = 130 << 4, /* exponent 4 (magnitudes from 16 on) has the segment number 1 */
    };

    for (size_t i = 0; i < count; i++) {
        int32_t sign = (int32_t)samples[i] >> 31;
        int32_t magnitude = (samples[i] ^ sign) >> 4;
        int32_t segment = exponent_and_four_bits(magnitude) - FIRST;
        int32_t code = magnitude < LINEAR ? magnitude : segment;

        ret_bytes[i] = (uint8_t)((code | (~sign & 0x80)) ^ 0x55);
    }
}
