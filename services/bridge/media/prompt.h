/* A prompt: audio we play, kept as samples at 8 kHz.
 *
 * Not kept encoded: a frame costs 30 ns to encode and 2400 to send, and as samples it takes the
 * same way out as a mix. Shared and unchanging: reference counted, any thread may hold one.
 */
#ifndef BRIDGE_MEDIA_PROMPT_H
#define BRIDGE_MEDIA_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct error;
struct media_prompt;

/* Reads a sound file (WAV or what else libsndfile reads; 8, 16, 24, 32 or 48 kHz, up to eight
 * channels, up to 15 minutes), mixes it down and resamples it. Touches the disk: not for a loop
 * thread. PROMPT_INVALID says what is wrong with the file. */
MUST_USE bool media_prompt_load(
    const char *path,
    struct media_prompt **ret_prompt,
    struct error *err);
/* From `count` samples at 8 kHz, at least one, which it copies. */
struct media_prompt *media_prompt_new(const int16_t *samples, size_t count);
struct media_prompt *media_prompt_ref(struct media_prompt *prompt);
struct media_prompt *media_prompt_unref(struct media_prompt *prompt);

const int16_t *media_prompt_samples(const struct media_prompt *prompt);
size_t media_prompt_count(const struct media_prompt *prompt);

DEFINE_CLEANUP(struct media_prompt *, media_prompt_unref)

#endif
