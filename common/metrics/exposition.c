/* Prometheus' text exposition format, version 0.0.4, and the rules our tables keep. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error/error.h"
#include "common/metrics/series.h"

static const char *const kind_names[] =
    {[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};

static void print_value(FILE *out, const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\n') {
            (void)fputs("\\n", out);
        } else if (*c == '"' || *c == '\\') {
            (void)fprintf(out, "\\%c", *c);
        } else {
            (void)fputc(*c, out);
        }
    }
}

/* {direction="inbound",le="0.5"}, or nothing when there is nothing to say. */
static void print_labels(
    FILE *out,
    const struct metric *metric,
    const struct metric_series *series,
    const char *limit)
{
    const char *label = metric->labels;
    int count = metric_label_count(metric);

    if (count == 0 && !limit) {
        return;
    }
    (void)fputc('{', out);
    for (int i = 0; i < count; i++) {
        size_t length = strcspn(label, ",");

        (void)fprintf(out, "%s%.*s=\"", i > 0 ? "," : "", (int)length, label);
        print_value(out, series->values[i]);
        (void)fputc('"', out);
        label += length + 1;
    }
    if (limit) {
        (void)fprintf(out, "%sle=\"%s\"", count > 0 ? "," : "", limit);
    }
    (void)fputc('}', out);
}

static void print_histogram(
    FILE *out,
    const struct metric *metric,
    const struct metric_series *series)
{
    int64_t sum_us = atomic_load_explicit(&series->value, memory_order_relaxed);
    int64_t observed = 0;

    for (int i = 0; i < METRIC_BUCKETS; i++) {
        char limit[32] = "+Inf";

        if (i < METRIC_BUCKETS - 1) {
            (void)snprintf(limit, sizeof(limit), "%g", (double)metric_bucket_limits_us[i] / 1e6);
        }
        observed += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        (void)fprintf(out, "cordboard_%s_bucket", metric->name);
        print_labels(out, metric, series, limit);
        (void)fprintf(out, " %" PRId64 "\n", observed);
    }
    (void)fprintf(out, "cordboard_%s_sum", metric->name);
    print_labels(out, metric, series, NULL);
    (void)fprintf(out, " %" PRId64 ".%06d\n", sum_us / 1000000, (int)(sum_us % 1000000));
    (void)fprintf(out, "cordboard_%s_count", metric->name);
    print_labels(out, metric, series, NULL);
    (void)fprintf(out, " %" PRId64 "\n", observed);
}

static void print_metric(FILE *out, struct metric *metric)
{
    const struct metric_series *series;

    /* One without labels is there from the start, at zero, so that rates can be taken. */
    if (metric_label_count(metric) == 0) {
        (void)metric_series(metric);
    }

    (void)fprintf(out, "# HELP cordboard_%s ", metric->name);
    (void)fputs(metric->sentence, out);
    (void)fprintf(out, "\n# TYPE cordboard_%s %s\n", metric->name, kind_names[metric->kind]);

    series = atomic_load_explicit(&metric->first, memory_order_acquire);
    for (; series; series = series->next) {
        if (metric->kind == METRIC_HISTOGRAM) {
            print_histogram(out, metric, series);
        } else {
            (void)fprintf(out, "cordboard_%s", metric->name);
            print_labels(out, metric, series, NULL);
            (void)fprintf(
                out, " %" PRId64 "\n", atomic_load_explicit(&series->value, memory_order_relaxed));
        }
    }
}

char *metrics_print(struct metric *const *const *tables)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out) {
        abort(); /* no memory */
    }
    for (; *tables; tables++) {
        for (struct metric *const *metric = *tables; *metric; metric++) {
            print_metric(out, *metric);
        }
    }
    if (fclose(out) != 0) {
        abort();
    }
    return text;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length > strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static bool check_metric(const struct metric *metric, struct error *err)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    static const char list[] = "abcdefghijklmnopqrstuvwxyz0123456789_,";
    const char *name = metric->name;
    size_t sentence = strlen(metric->sentence);

    if (name[strspn(name, small)] != '\0' || metric->labels[strspn(metric->labels, list)] != '\0') {
        return FAIL(err, REASON_INTERNAL, "%s: names and labels are snake_case", name);
    }
    if ((metric->kind == METRIC_COUNTER) != ends_with(name, "_total")) {
        return FAIL(err, REASON_INTERNAL, "%s: counters, and only they, end in _total", name);
    }
    if (metric->kind == METRIC_HISTOGRAM && !ends_with(name, "_seconds")) {
        return FAIL(err, REASON_INTERNAL, "%s: a histogram ends in _seconds", name);
    }
    if (metric_label_count(metric) > METRIC_LABELS_MAX) {
        return FAIL(err, REASON_INTERNAL, "%s: too many labels", name);
    }
    if (sentence < 10 || metric->sentence[sentence - 1] != '.' || strchr(metric->sentence, '\n')) {
        return FAIL(err, REASON_INTERNAL, "%s: needs one sentence, with its full stop", name);
    }
    return true;
}

static int count_named(struct metric *const *const *tables, const char *name)
{
    int count = 0;

    for (; *tables; tables++) {
        for (struct metric *const *metric = *tables; *metric; metric++) {
            count += strcmp((*metric)->name, name) == 0;
        }
    }
    return count;
}

static bool check_table(
    struct metric *const *const *tables,
    struct metric *const *table,
    struct error *err)
{
    for (; *table; table++) {
        if (!check_metric(*table, err)) {
            return false;
        }
        if (count_named(tables, (*table)->name) > 1) {
            return FAIL(err, REASON_INTERNAL, "%s: is in the tables twice", (*table)->name);
        }
    }
    return true;
}

bool metrics_check(struct metric *const *const *tables, struct error *err)
{
    for (struct metric *const *const *table = tables; *table; table++) {
        if (!check_table(tables, *table, err)) {
            return false;
        }
    }
    return true;
}
