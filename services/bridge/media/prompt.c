#include "services/bridge/media/prompt.h"

#include <assert.h>
#include <math.h>
#include <sndfile.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/bridge/media/frame.h"

enum {
    LONGEST_S = 15 * 60,
    CHANNELS_MAX = 8,
    FACTOR_MAX = 6,    /* 48 kHz */
    FILTER_REACH = 16, /* zero crossings of the resampler's filter on each side */
};

struct media_prompt {
    atomic_int references;
    size_t count;
    int16_t *samples;
};

static struct media_prompt *prompt_of(int16_t *samples, size_t count)
{
    struct media_prompt *prompt = mem_new(struct media_prompt);

    atomic_init(&prompt->references, 1);
    prompt->samples = samples;
    prompt->count = count;
    return prompt;
}

struct media_prompt *media_prompt_new(const int16_t *samples, size_t count)
{
    assert(count > 0);
    return prompt_of(mem_dup(samples, count * sizeof(*samples)), count);
}

struct media_prompt *media_prompt_ref(struct media_prompt *prompt)
{
    atomic_fetch_add_explicit(&prompt->references, 1, memory_order_relaxed);
    return prompt;
}

struct media_prompt *media_prompt_unref(struct media_prompt *prompt)
{
    /* Acquire and release: what others did with it is over before it is freed. */
    if (prompt && atomic_fetch_sub_explicit(&prompt->references, 1, memory_order_acq_rel) == 1) {
        free(prompt->samples);
        free(prompt);
    }
    return NULL;
}

const int16_t *media_prompt_samples(const struct media_prompt *prompt)
{
    return prompt->samples;
}

size_t media_prompt_count(const struct media_prompt *prompt)
{
    return prompt->count;
}

/* A low-pass for taking every `factor`-th sample: a sinc that ends at 3600 Hz, under a raised
 * cosine. Fills 2 * FILTER_REACH * factor + 1 taps whose sum is 1. */
static void make_filter(int factor, double *ret_taps)
{
    const double cutoff = 0.9;
    int reach = FILTER_REACH * factor;
    double sum = 0.0;

    for (int i = -reach; i <= reach; i++) {
        double x = cutoff * i / factor;
        double sinc = i == 0 ? 1.0 : sin(M_PI * x) / (M_PI * x);

        ret_taps[i + reach] = sinc * (0.5 + 0.5 * cos(M_PI * i / reach));
        sum += ret_taps[i + reach];
    }
    for (int i = 0; i <= 2 * reach; i++) {
        ret_taps[i] /= sum;
    }
}

/* The filter's answer at one place of the input; beyond its ends there is silence. */
static double filter_at(
    const float *input,
    int64_t count,
    int64_t at,
    const double *taps,
    int reach)
{
    int64_t first = at - reach < 0 ? reach - at : 0;
    int64_t last = at + reach >= count ? count - 1 - at + reach : 2L * reach;
    double sum = 0.0;

    for (int64_t tap = first; tap <= last; tap++) {
        sum += (double)input[at - reach + tap] * taps[tap];
    }
    return sum;
}

static int16_t to_sample(double value)
{
    return (int16_t)lround(fmax(-32768.0, fmin(32767.0, value * 32768.0)));
}

static int16_t *resample(const float *input, int64_t count, int factor)
{
    double taps[2 * FILTER_REACH * FACTOR_MAX + 1];
    int16_t *result = mem_new_array(int16_t, (size_t)(count / factor));

    make_filter(factor, taps);
    for (int64_t i = 0; i < count / factor; i++) {
        double value = factor == 1
                           ? (double)input[i]
                           : filter_at(input, count, i * factor, taps, FILTER_REACH * factor);

        result[i] = to_sample(value);
    }
    return result;
}

static bool check(const SF_INFO *info, const char *path, struct error *err)
{
    int factor = info->samplerate / SAMPLE_RATE_HZ;

    if (info->samplerate % SAMPLE_RATE_HZ != 0 || factor < 1 || factor > FACTOR_MAX ||
        factor == 5) {
        return FAIL(
            err, REASON_PROMPT_INVALID,
            "%s: %d Hz; a prompt has 8000, 16000, 24000, 32000 or 48000", path, info->samplerate);
    }
    if (info->channels < 1 || info->channels > CHANNELS_MAX) {
        return FAIL(err, REASON_PROMPT_INVALID, "%s: %d channels", path, info->channels);
    }
    if (info->frames < factor) {
        return FAIL(err, REASON_PROMPT_INVALID, "%s: there is no sound in it", path);
    }
    if (info->frames / info->samplerate >= LONGEST_S) {
        return FAIL(err, REASON_PROMPT_INVALID, "%s: longer than %d minutes", path, LONGEST_S / 60);
    }
    return true;
}

/* All channels into one, their mean. Returns how many were read. */
static int64_t read_mono(SNDFILE *file, const SF_INFO *info, float *ret_mono)
{
    float frame[CHANNELS_MAX];
    int64_t count = 0;

    while (count < info->frames && sf_readf_float(file, frame, 1) == 1) {
        float sum = 0.0F;

        for (int channel = 0; channel < info->channels; channel++) {
            sum += frame[channel];
        }
        ret_mono[count++] = sum / (float)info->channels;
    }
    return count;
}

static void sound_file_close_at_exit(SNDFILE **file)
{
    if (*file) {
        (void)sf_close(*file);
    }
}

bool media_prompt_load(const char *path, struct media_prompt **ret_prompt, struct error *err)
{
    SF_INFO info = {.format = 0};
    CLEANUP(sound_file_close_at_exit) SNDFILE *file = sf_open(path, SFM_READ, &info);

    if (!file) {
        return FAIL(err, REASON_PROMPT_INVALID, "%s: %s", path, sf_strerror(NULL));
    }
    if (!check(&info, path, err)) {
        return false;
    }

    int factor = info.samplerate / SAMPLE_RATE_HZ;
    CLEANUP(mem_free_at_exit) float *mono = mem_new_array(float, (size_t)info.frames);

    if (read_mono(file, &info, mono) != info.frames) {
        return FAIL(err, REASON_PROMPT_INVALID, "%s: the file ends too early", path);
    }
    *ret_prompt = prompt_of(resample(mono, info.frames, factor), (size_t)(info.frames / factor));
    return true;
}
