/* The expected values come from the standard's own words, segment by segment, and not from the
 * arithmetic under test. */
#include <criterion/criterion.h>

#include "services/bridge/media/g711.h"

/* G.711, table 2a: eight segments, the first 31 wide in steps of 2 (14-bit), each next twice as
 * wide, 16 intervals in each. Bits are inverted on the line. */
static uint8_t ulaw_by_table(int16_t sample)
{
    int negative = sample < 0;
    int magnitude = (negative ? -1 - sample : sample) / 4;
    int lowest = 0;
    int code = 127;

    for (int segment = 0; segment < 8 && code == 127; segment++) {
        int step = 2 << segment;
        /* The first segment's first interval is half as wide: it is shared with the other sign. */
        int width = segment == 0 ? 31 : 16 * step;

        if (magnitude < lowest + width) {
            int within = magnitude - lowest + (segment == 0 ? 1 : 0);

            code = segment * 16 + within / step;
        }
        lowest += width;
    }
    return (uint8_t)(~(code | (negative ? 0x80 : 0)));
}

/* G.711, table 1a: the first two segments have 32 intervals of 2 (13-bit: 1 of 12), each next one
 * 16 of twice the size. Even bits are inverted on the line. */
static uint8_t alaw_by_table(int16_t sample)
{
    int negative = sample < 0;
    int magnitude = (negative ? -1 - sample : sample) / 16;
    int code = magnitude;

    if (magnitude >= 32) {
        int segment = 2;
        int lowest = 32;

        while (magnitude >= 2 * lowest) {
            lowest *= 2;
            segment++;
        }
        code = segment * 16 + (magnitude - lowest) / (lowest / 16);
    }
    return (uint8_t)((code | (negative ? 0 : 0x80)) ^ 0x55);
}

Test(g711, mu_law_encodes_every_sample_as_the_table_does)
{
    for (int sample = INT16_MIN; sample <= INT16_MAX; sample++) {
        int16_t one = (int16_t)sample;
        uint8_t byte = 0;

        g711_ulaw_encode(&one, 1, &byte);
        cr_assert_eq(byte, ulaw_by_table(one), "%d: %d, not %d", sample, byte, ulaw_by_table(one));
    }
}

Test(g711, a_law_encodes_every_sample_as_the_table_does)
{
    for (int sample = INT16_MIN; sample <= INT16_MAX; sample++) {
        int16_t one = (int16_t)sample;
        uint8_t byte = 0;

        g711_alaw_encode(&one, 1, &byte);
        cr_assert_eq(byte, alaw_by_table(one), "%d: %d, not %d", sample, byte, alaw_by_table(one));
    }
}

Test(g711, encoding_a_block_is_encoding_each_of_its_samples)
{
    int16_t samples[163];
    uint8_t ulaw[163];
    uint8_t alaw[163];

    for (int i = 0; i < 163; i++) {
        samples[i] = (int16_t)(i * 397 - 32000);
    }
    g711_ulaw_encode(samples, 163, ulaw);
    g711_alaw_encode(samples, 163, alaw);
    for (int i = 0; i < 163; i++) {
        cr_assert_eq(ulaw[i], ulaw_by_table(samples[i]));
        cr_assert_eq(alaw[i], alaw_by_table(samples[i]));
    }
}

Test(g711, the_decoders_give_the_values_of_the_standard)
{
    const uint8_t bytes[] = {0x00, 0x80, 0xff, 0x7f, 0xd5, 0x55, 0x2a, 0xaa};
    int16_t ulaw[8];
    int16_t alaw[8];

    g711_ulaw_decode(bytes, 8, ulaw);
    g711_alaw_decode(bytes, 8, alaw);
    /* 8031, the largest of table 2a, in 14 bits; 4032 of table 1a, in 13 bits. */
    cr_assert_eq(ulaw[0], -8031 * 4);
    cr_assert_eq(ulaw[1], 8031 * 4);
    cr_assert_eq(ulaw[2], 0);
    cr_assert_eq(ulaw[3], 0);
    cr_assert_eq(alaw[4], 8);
    cr_assert_eq(alaw[5], -8);
    cr_assert_eq(alaw[6], -4032 * 8);
    cr_assert_eq(alaw[7], 4032 * 8);
}

Test(g711, a_decoded_byte_encodes_to_itself)
{
    for (int value = 0; value < 256; value++) {
        uint8_t byte = (uint8_t)value;
        uint8_t back = 0;
        int16_t sample = 0;

        g711_alaw_decode(&byte, 1, &sample);
        g711_alaw_encode(&sample, 1, &back);
        cr_assert_eq(back, byte);

        g711_ulaw_decode(&byte, 1, &sample);
        g711_ulaw_encode(&sample, 1, &back);
        /* Mu-law has two zeros; we send the positive one. */
        cr_assert_eq(back, byte == 0x7f ? 0xff : byte);
    }
}

Test(g711, a_decoded_value_lies_in_the_middle_of_its_interval)
{
    for (int value = 0; value < 256; value++) {
        uint8_t byte = (uint8_t)value;
        int lowest = INT16_MAX;
        int highest = INT16_MIN;

        for (int sample = INT16_MIN; sample <= INT16_MAX; sample++) {
            if (alaw_by_table((int16_t)sample) == byte) {
                lowest = sample < lowest ? sample : lowest;
                highest = sample > highest ? sample : highest;
            }
        }
        int16_t decoded = 0;

        g711_alaw_decode(&byte, 1, &decoded);
        cr_assert_eq(decoded, (lowest + highest + 1) / 2);
    }
}
