#include <criterion/criterion.h>
#include <string.h>

#include "services/bridge/media/level.h"
#include "services/bridge/media/mixer.h"

static struct mixer mixer;
static int16_t frames[MIXER_MEMBERS][FRAME_SAMPLES];
static int16_t heard[FRAME_SAMPLES];

/* Member i says `value + sample number`. */
static void speak(size_t member, int value)
{
    for (size_t i = 0; i < FRAME_SAMPLES; i++) {
        frames[member][i] = (int16_t)(value + (int)i);
    }
    mixer_add(&mixer, member, frames[member]);
}

static void fresh(void)
{
    mixer_begin(&mixer);
    memset(heard, 0, sizeof(heard));
}

TestSuite(mixer, .init = fresh);

Test(mixer, a_member_hears_the_others_and_not_itself)
{
    speak(0, 100);
    speak(1, 2000);
    speak(2, 5000);
    cr_assert(mixer_hear(&mixer, ~UINT64_C(1), heard));
    cr_assert_eq(heard[0], 7000);
    cr_assert_eq(heard[159], 7000 + 2 * 159);
    cr_assert(mixer_hear(&mixer, ~UINT64_C(4), heard));
    cr_assert_eq(heard[0], 2100);
}

Test(mixer, who_hears_whom_is_as_the_mask_says_for_every_mask)
{
    const int values[4] = {1, 10, 100, 1000};

    for (size_t i = 0; i < 4; i++) {
        speak(i, values[i]);
    }
    for (uint64_t mask = 0; mask < 16; mask++) {
        int expected = 0;

        for (int i = 0; i < 4; i++) {
            expected += (mask >> i) & 1 ? values[i] : 0;
        }
        cr_assert_eq(mixer_hear(&mixer, mask, heard), mask != 0);
        cr_assert(mask == 0 || heard[0] == expected);
    }
}

Test(mixer, those_who_do_not_speak_are_not_heard)
{
    speak(3, 50);
    cr_assert_not(mixer_hear(&mixer, ~UINT64_C(8), heard));
    cr_assert(mixer_hear(&mixer, UINT64_MAX, heard));
    cr_assert_eq(heard[1], 51);
}

Test(mixer, saturates_only_at_the_end)
{
    speak(0, 30000);
    speak(1, 30000);
    speak(2, -30000);
    cr_assert(mixer_hear(&mixer, 7, heard));
    cr_assert_eq(heard[0], 30000);
    cr_assert(mixer_hear(&mixer, 3, heard));
    cr_assert_eq(heard[0], INT16_MAX);
    speak(3, -30000);
    cr_assert(mixer_hear(&mixer, 12, heard));
    cr_assert_eq(heard[0], INT16_MIN);
}

Test(mixer, sixty_four_members_at_full_scale_do_not_overflow)
{
    for (size_t i = 0; i < MIXER_MEMBERS; i++) {
        memset(frames[i], 0x7f, sizeof(frames[i]));
        mixer_add(&mixer, i, frames[i]);
    }
    cr_assert(mixer_hear(&mixer, UINT64_MAX >> 1, heard));
    cr_assert_eq(heard[80], INT16_MAX);
}

Test(level, a_square_wave_of_full_scale_is_0_and_half_of_it_minus_6)
{
    struct level level = {0, 0};
    int16_t samples[2] = {-32768, -32768};

    level_add(&level, samples, 2);
    cr_assert_float_eq(level_dbfs(&level), 0.0, 0.01);
    level = (struct level){0, 0};
    samples[0] = 16384;
    samples[1] = -16384;
    level_add(&level, samples, 2);
    cr_assert_float_eq(level_dbfs(&level), -6.02, 0.01);
    /* As much silence again: half the power. */
    level_add_silence(&level, 2);
    cr_assert_float_eq(level_dbfs(&level), -9.03, 0.01);
}

Test(level, nothing_is_quieter_than_silence)
{
    struct level level = {0, 0};

    cr_assert_float_eq(level_dbfs(&level), LEVEL_SILENCE_DBFS, 0.0);
    level_add_silence(&level, 160);
    cr_assert_float_eq(level_dbfs(&level), LEVEL_SILENCE_DBFS, 0.0);
}
