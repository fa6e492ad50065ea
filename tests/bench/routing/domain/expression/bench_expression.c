/* Evaluations per second of a target's usual expression, two comparisons on attributes of task and
 * worker, over a thousand workers. The bound: the same two comparisons written in C, on the same
 * values found beforehand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "common/json/json.h"
#include "common/value/value.h"
#include "services/routing/domain/expression/expression.h"

enum {
    WORKERS = 1000,
    ROUNDS = 5000
};

static struct value parsed(const struct json_reader *reader, const char *text)
{
    struct value value = value_null;
    struct error err;

    if (!json_parse(reader, text, strlen(text), &value, &err)) {
        (void)fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    return value;
}

static void make_workers(const struct json_reader *reader, struct value *workers)
{
    static const char *const languages[] = {"de", "en", "fr", "it", "es", "nl", "pl"};

    for (int i = 0; i < WORKERS; i++) {
        workers[i] = parsed(
            reader,
            arena_printf(
                reader->arena,
                "{\"team\": \"t%d\", \"contact_uri\": \"sip:w%d@example.com\", \"languages\":"
                " [\"%s\", \"%s\"], \"level\": %d}",
                i % 20, i, languages[i % 7], languages[(i / 7) % 7], i % 11));
    }
}

static double per_second(int64_t start_us)
{
    return (double)WORKERS * ROUNDS * 1e6 / (double)(clock_mono_us(clock_system()) - start_us);
}

static double measure(
    const struct expression *expression,
    const struct value *task,
    const struct value *workers,
    long *ret_matches)
{
    int64_t start_us = clock_mono_us(clock_system());
    long matches = 0;

    for (int i = 0; i < ROUNDS; i++) {
        for (int j = 0; j < WORKERS; j++) {
            struct expression_subject subject = {.task = task, .worker = &workers[j]};

            matches += expression_matches(expression, &subject);
        }
    }
    *ret_matches = matches;
    return per_second(start_us);
}

struct plain {
    const struct value *languages;
    int64_t level;
};

static bool speaks(const struct plain *worker, const char *language, size_t length)
{
    for (uint32_t i = 0; i < worker->languages->count; i++) {
        const struct value *item = &worker->languages->items[i];

        if (item->count == length && memcmp(item->text, language, length) == 0) {
            return true;
        }
    }
    return false;
}

static double measure_bound(const struct value *workers, long *ret_matches)
{
    static struct plain plain[WORKERS];
    const char *volatile language = "de";
    volatile int64_t level = 5;
    long matches = 0;

    for (int i = 0; i < WORKERS; i++) {
        plain[i].languages = value_get_named(&workers[i], "languages");
        plain[i].level = value_get_named(&workers[i], "level")->integer;
    }

    int64_t start_us = clock_mono_us(clock_system());

    for (int i = 0; i < ROUNDS; i++) {
        for (int j = 0; j < WORKERS; j++) {
            matches += speaks(&plain[j], language, strlen(language)) && plain[j].level >= level;
        }
    }
    *ret_matches = matches;
    return per_second(start_us);
}

int main(void)
{
    CLEANUP(value_keys_free_at_exit) struct value_keys *keys = value_keys_new(1024);
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    static struct value workers[WORKERS];
    struct json_reader reader = {.keys = keys, .arena = arena, .max_bytes = 4096};
    struct value task = parsed(
        &reader, "{\"from\": \"+4930123\", \"queue\": 7, \"language\": \"de\", \"level\": 5}");
    const struct expression *expression = NULL;
    struct error err;
    long matches = 0;
    long bound_matches = 0;

    make_workers(&reader, workers);
    if (!expression_parse(
            "task.language IN worker.languages AND worker.level >= task.level",
            EXPRESSION_OF_TARGET, keys, arena, &expression, &err)) {
        return 1;
    }

    double rate = measure(expression, &task, workers, &matches);
    double bound = measure_bound(workers, &bound_matches);

    if (matches != bound_matches || matches == 0) {
        (void)fprintf(stderr, "%ld matches, %ld expected\n", matches, bound_matches);
        return 1;
    }
    printf("RESULT expression %.0f evaluations/s\n", rate);
    printf("RESULT expression.bound %.0f evaluations/s\n", bound);
    printf("RESULT expression.ratio %.3f share\n", rate / bound);
    return 0;
}
