#include <criterion/criterion.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/error/error.h"
#include "services/bridge/media/prompt.h"

static char path[] = "/tmp/cordboard-prompt-XXXXXX";
static struct error err;

static void make_path(void)
{
    int file = mkstemp(path);

    cr_assert_geq(file, 0);
    (void)close(file);
}

static void remove_path(void)
{
    (void)unlink(path);
}

TestSuite(prompt, .init = make_path, .fini = remove_path);

/* One second of a sine at `frequency`, peak 0.5, on every channel but the last, which is silent
 * when there are several. */
static void write_tone(int rate, int channels, double frequency)
{
    SF_INFO info = {
        .samplerate = rate, .channels = channels, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);

    cr_assert(file);
    for (int i = 0; i < rate; i++) {
        short frame[8] = {0};

        for (int channel = 0; channel < (channels > 1 ? channels - 1 : 1); channel++) {
            frame[channel] = (short)(16384 * sin(2 * M_PI * frequency * i / rate));
        }
        cr_assert_eq(sf_writef_short(file, frame, 1), 1);
    }
    (void)sf_close(file);
}

/* RMS of the middle of a prompt, relative to full scale. */
static double middle_rms(const struct media_prompt *prompt)
{
    const int16_t *samples = media_prompt_samples(prompt);
    double sum = 0.0;

    for (int i = 2000; i < 6000; i++) {
        sum += (double)samples[i] * samples[i];
    }
    return sqrt(sum / 4000) / 32768;
}

Test(prompt, a_tone_of_any_rate_keeps_its_length_and_level)
{
    const int rates[] = {8000, 16000, 24000, 32000, 48000};

    for (size_t i = 0; i < 5; i++) {
        CLEANUP(media_prompt_unref_at_exit) struct media_prompt *prompt = NULL;

        write_tone(rates[i], 1, 1000);
        cr_assert(media_prompt_load(path, &prompt, &err), "%s", err.message);
        cr_assert_eq(media_prompt_count(prompt), 8000);
        cr_assert_float_eq(middle_rms(prompt), 0.5 / sqrt(2), 0.005, "%d Hz", rates[i]);
    }
}

Test(prompt, what_8_khz_cannot_hold_is_filtered_out_and_does_not_fold_back)
{
    CLEANUP(media_prompt_unref_at_exit) struct media_prompt *prompt = NULL;

    write_tone(16000, 1, 5000);
    cr_assert(media_prompt_load(path, &prompt, &err));
    cr_assert_lt(middle_rms(prompt), 0.003);
}

Test(prompt, channels_are_mixed_to_their_mean)
{
    CLEANUP(media_prompt_unref_at_exit) struct media_prompt *prompt = NULL;

    write_tone(8000, 2, 1000);
    cr_assert(media_prompt_load(path, &prompt, &err));
    cr_assert_float_eq(middle_rms(prompt), 0.25 / sqrt(2), 0.005);
}

Test(prompt, samples_at_8_khz_stay_exactly_as_they_are)
{
    CLEANUP(media_prompt_unref_at_exit) struct media_prompt *prompt = NULL;

    write_tone(8000, 1, 2000);
    cr_assert(media_prompt_load(path, &prompt, &err));
    cr_assert_eq(media_prompt_samples(prompt)[1], 16384);
    cr_assert_eq(media_prompt_samples(prompt)[3], -16384);
}

Test(prompt, a_missing_file_an_empty_one_and_one_of_another_rate_are_refused_by_name)
{
    struct media_prompt *prompt = NULL;

    cr_assert_not(media_prompt_load("/nowhere/wait.wav", &prompt, &err));
    cr_assert_eq(err.reason, REASON_PROMPT_INVALID);
    cr_assert(strstr(err.message, "/nowhere/wait.wav"));
    cr_assert_not(media_prompt_load(path, &prompt, &err));
    cr_assert(strstr(err.message, path));
    write_tone(44100, 1, 1000);
    cr_assert_not(media_prompt_load(path, &prompt, &err));
    cr_assert(strstr(err.message, "44100"));
    write_tone(40000, 1, 1000);
    cr_assert_not(media_prompt_load(path, &prompt, &err));
    cr_assert_null(prompt);
}

Test(prompt, a_file_cut_short_is_refused_or_played_as_far_as_it_goes)
{
    CLEANUP(media_prompt_unref_at_exit) struct media_prompt *prompt = NULL;

    write_tone(8000, 1, 1000);
    cr_assert_eq(truncate(path, 44 + 2000), 0);
    if (media_prompt_load(path, &prompt, &err)) {
        cr_assert_eq(media_prompt_count(prompt), 1000);
    } else {
        cr_assert_eq(err.reason, REASON_PROMPT_INVALID);
    }
}
