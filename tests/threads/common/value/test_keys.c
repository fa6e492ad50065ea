/* Four threads intern the same thousand texts into a table too small for them: every thread must
 * get the same key for a text, or a loose one where the others do too.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/value/keys.h"

enum {
    THREADS = 4,
    TEXTS = 1000,
    PLACES = 512
};

struct interner {
    struct value_keys *keys;
    struct arena *arena;
    int offset; /* each begins elsewhere, so that all of them meet first-comers */
    const struct value_key *found[TEXTS];
};

static void require(bool condition, const char *what)
{
    if (!condition) {
        (void)fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static void *intern_all(void *context)
{
    struct interner *interner = context;

    for (int i = 0; i < TEXTS; i++) {
        int number = (i + interner->offset) % TEXTS;
        char text[32];
        int length = snprintf(text, sizeof(text), "attribute_%d", number);

        interner->found[number] =
            value_keys_intern(interner->keys, interner->arena, text, (size_t)length);
    }
    return NULL;
}

int main(void)
{
    static struct interner interners[THREADS];
    struct value_keys *keys = value_keys_new(PLACES);
    pthread_t threads[THREADS];
    int loose = 0;

    for (int i = 0; i < THREADS; i++) {
        interners[i] =
            (struct interner){.keys = keys, .arena = arena_new(), .offset = i * TEXTS / THREADS};
        require(pthread_create(&threads[i], NULL, intern_all, &interners[i]) == 0, "no thread");
    }
    for (int i = 0; i < THREADS; i++) {
        require(pthread_join(threads[i], NULL) == 0, "no join");
    }

    for (int number = 0; number < TEXTS; number++) {
        const struct value_key *first = interners[0].found[number];

        loose += first->loose;
        for (int i = 1; i < THREADS; i++) {
            const struct value_key *other = interners[i].found[number];

            require(value_key_same(first, other), "one text, two keys");
            require(first->loose || first == other, "interned twice");
        }
    }
    require(loose > 0 && loose < TEXTS, "the table was not filled as meant");

    for (int i = 0; i < THREADS; i++) {
        arena_free(interners[i].arena);
    }
    value_keys_free(keys);
    return 0;
}
