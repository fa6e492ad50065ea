#include "common/metrics/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/metrics/series.h"

/* From a store's fast answer to a caller's long wait. */
const int64_t metric_bucket_limits_us[METRIC_BUCKETS] = {
    1000,     2500,      5000,      10000,     25000,     50000,    100000,
    250000,   500000,    1000000,   2500000,   5000000,   10000000, 30000000,
    60000000, 120000000, 300000000, 600000000, INT64_MAX,
};

/* Held only while a series is added. */
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;

int metric_label_count(const struct metric *metric)
{
    int count = metric->labels[0] != '\0';

    for (const char *c = metric->labels; *c != '\0'; c++) {
        count += *c == ',';
    }
    return count;
}

static struct metric_series *find(const struct metric *metric, const char *const *values, int count)
{
    struct metric_series *series = atomic_load_explicit(&metric->first, memory_order_acquire);

    for (; series; series = series->next) {
        int same = 0;

        while (same < count && strcmp(series->values[same], values[same]) == 0) {
            same++;
        }
        if (same == count) {
            return series;
        }
    }
    return NULL;
}

static struct metric_series *add(struct metric *metric, const char *const *values, int count)
{
    struct metric_series *series = mem_new(struct metric_series);

    for (int i = 0; i < count; i++) {
        series->values[i] = mem_strdup(values[i]);
    }
    series->next = atomic_load_explicit(&metric->first, memory_order_relaxed);
    atomic_store_explicit(&metric->first, series, memory_order_release);
    metric->count++;
    return series;
}

struct metric_series *metric_find_series(struct metric *metric, const char *const *values)
{
    static const char *const other[METRIC_LABELS_MAX] = {"other", "other", "other"};
    int count = metric_label_count(metric);
    struct metric_series *series;

    for (int i = 0; i < count; i++) {
        assert(values[i] && "a value for each label");
    }
    assert(!values[count] && "no more values than labels");

    series = find(metric, values, count);
    if (series) {
        return series;
    }

    (void)pthread_mutex_lock(&adding);
    if (metric->count >= METRIC_SERIES_MAX) {
        values = other;
    }
    series = find(metric, values, count); /* another thread may have been first */
    if (!series) {
        series = add(metric, values, count);
    }
    (void)pthread_mutex_unlock(&adding);
    return series;
}

void metric_add(struct metric_series *series, int64_t by)
{
    (void)atomic_fetch_add_explicit(&series->value, by, memory_order_relaxed);
}

void metric_set(struct metric_series *series, int64_t value)
{
    atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

void metric_observe_us(struct metric_series *series, int64_t took_us)
{
    int bucket = 0;

    while (took_us > metric_bucket_limits_us[bucket]) {
        bucket++;
    }
    (void)atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&series->value, took_us, memory_order_relaxed);
}

int64_t metric_value(const struct metric_series *series)
{
    int64_t observed = 0;

    for (int i = 0; i < METRIC_BUCKETS; i++) {
        observed += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
    }
    return observed > 0 ? observed : atomic_load_explicit(&series->value, memory_order_relaxed);
}
