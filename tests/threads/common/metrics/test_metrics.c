/* Threads count into the same and into new series while another prints: no count is lost. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/metrics/metrics.h"

METRIC_DEFINE_COUNTER(done_total, "what", "Things done.")
METRIC_DEFINE_HISTOGRAM(took_seconds, "", "Time that a thing took.")

static struct metric *const table[] = {&metric_done_total, &metric_took_seconds, NULL};
static struct metric *const *const tables[] = {table, NULL};

enum {
    THREADS = 4,
    ROUNDS = 5000,
    SERIES = 20
};

static void *count(void *context)
{
    char value[16];

    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        (void)snprintf(value, sizeof(value), "w%d", i % SERIES);
        metric_add(metric_series(&metric_done_total, value), 1);
        metric_observe_us(METRIC(took_seconds), i);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    char value[16];
    const int64_t all = (int64_t)THREADS * ROUNDS;
    int64_t sum = 0;

    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, count, NULL) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < 50; i++) {
        free(metrics_print(tables));
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < SERIES; i++) {
        (void)snprintf(value, sizeof(value), "w%d", i);
        sum += metric_value(metric_series(&metric_done_total, value));
    }
    return sum != all || metric_value(METRIC(took_seconds)) != all;
}
