/* VECTORIZED marks a function that loops over samples: on x86 a release build makes a second
 * version of it for AVX2 and chooses when the program starts. Not under sanitizers, which cannot
 * run the code that chooses so early.
 */
#ifndef BRIDGE_MEDIA_VECTORIZED_H
#define BRIDGE_MEDIA_VECTORIZED_H

#if defined(__x86_64__) && defined(__OPTIMIZE__) && !defined(__clang__) &&                         \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTORIZED __attribute__((target_clones("avx2", "default")))
#else
#define VECTORIZED
#endif

#endif
