/* The inside of a series: shared by what counts and what prints. */
#ifndef COMMON_METRICS_SERIES_H
#define COMMON_METRICS_SERIES_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/metrics/metrics.h"

enum {
    METRIC_BUCKETS = 19 /* with the last one, which has no upper bound */
};

struct metric_series {
    struct metric_series *next; /* older; never changes once the series is in the list */
    char *values[METRIC_LABELS_MAX];
    _Atomic(int64_t) value; /* of a histogram: the sum, in microseconds */
    _Atomic(int64_t) buckets[METRIC_BUCKETS];
};

/* Upper bounds of the buckets, in microseconds; the last is INT64_MAX. */
extern const int64_t metric_bucket_limits_us[METRIC_BUCKETS];

int metric_label_count(const struct metric *metric);

#endif
