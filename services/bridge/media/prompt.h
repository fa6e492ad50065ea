/* A prompt: audio we play, kept encoded in both laws, so that playing it costs a copy.
 *
 * Shared and unchanging: reference counted, any thread may hold one.
 */
#ifndef BRIDGE_MEDIA_PROMPT_H
#define BRIDGE_MEDIA_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct error;
struct media_prompt;

/* Reads a sound file (WAV or what else libsndfile reads; 8, 16, 24, 32 or 48 kHz, any channels),
 * mixes it down and resamples it to 8 kHz. Touches the disk: not for a loop thread.
 * PROMPT_INVALID says what is wrong with the file. */
MUST_USE bool media_prompt_load(
    const char *path,
    struct media_prompt **ret_prompt,
    struct error *err);
/* The same from samples at 8 kHz. */
struct media_prompt *media_prompt_new(const int16_t *samples, size_t count);
struct media_prompt *media_prompt_ref(struct media_prompt *prompt);
struct media_prompt *media_prompt_unref(struct media_prompt *prompt);
int64_t media_prompt_duration_ms(const struct media_prompt *prompt);

DEFINE_CLEANUP(struct media_prompt *, media_prompt_unref)

#endif
