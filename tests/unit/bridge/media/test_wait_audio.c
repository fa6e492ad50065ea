#include <criterion/criterion.h>
#include <stdlib.h>

#include "services/bridge/media/level.h"
#include "services/bridge/media/prompt.h"
#include "services/bridge/media/wait_audio.h"

Test(wait_audio, is_eight_seconds_soft_and_never_clipped)
{
    CLEANUP(media_prompt_unref_at_exit) struct media_prompt *prompt = wait_audio_new();
    const int16_t *samples = media_prompt_samples(prompt);
    struct level level = {.count = 0};

    cr_assert_eq(media_prompt_count(prompt), 64000);
    level_add(&level, samples, 64000);
    cr_assert_float_eq(level_dbfs(&level), -25.0, 3.0);
    for (size_t i = 0; i < 64000; i++) {
        cr_assert_lt(abs(samples[i]), 16000);
    }
}

Test(wait_audio, is_heard_in_every_second)
{
    CLEANUP(media_prompt_unref_at_exit) struct media_prompt *prompt = wait_audio_new();

    for (size_t second = 0; second < 8; second++) {
        struct level level = {.count = 0};

        level_add(&level, media_prompt_samples(prompt) + second * 8000, 8000);
        cr_assert_gt(level_dbfs(&level), -45.0, "second %zu", second);
    }
}

Test(wait_audio, begins_again_without_a_click)
{
    CLEANUP(media_prompt_unref_at_exit) struct media_prompt *prompt = wait_audio_new();
    const int16_t *samples = media_prompt_samples(prompt);

    cr_assert_lt(abs(samples[0] - samples[63999]), 600);
}
