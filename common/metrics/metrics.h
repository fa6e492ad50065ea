/* Metrics: counters, gauges and histograms, printed in Prometheus' text form.
 *
 * What is measured is a table per service (or common module), metrics.def:
 *
 *     COUNTER(routing_reservations_total, "state", "Reservations that reached a state.")
 *     GAUGE(bridge_calls_active, "direction", "Calls not yet ended.")
 *     HISTOGRAM(routing_task_wait_seconds, "", "Time from creation to first reservation.")
 *
 * Every name gets the prefix cordboard_. A metrics.h declares the table's metrics and a metrics.c
 * defines them (METRIC_DECLARE and the others below), each as `metric_<name>`:
 *
 *     metric_add(metric_series(&metric_routing_reservations_total, "ACCEPTED"), 1);
 *     metric_add(METRIC(bridge_link_resumes_total), 1);            -- one without labels
 *
 * Any thread, media threads too: updates are one atomic addition, and finding a series that exists
 * takes no lock. Labels have few values by rule (states, codes, directions; never an id, a number
 * or a text from outside); METRIC_SERIES_MAX stands behind the rule: what comes later is counted
 * together under "other".
 */
#ifndef COMMON_METRICS_METRICS_H
#define COMMON_METRICS_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct error;
struct metric_series;

enum {
    METRIC_LABELS_MAX = 3,
    METRIC_SERIES_MAX = 200
};

enum metric_kind {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_HISTOGRAM
};

/* Only the functions below touch `first` and `count`. */
struct metric {
    enum metric_kind kind;
    const char *name;     /* without cordboard_ */
    const char *labels;   /* "direction,fault", or "" */
    const char *sentence; /* HELP, and docs/reference/metrics.md */
    _Atomic(struct metric_series *) first;
    int count;
};

/* The series of a metric that has no labels. */
#define METRIC(name) metric_series(&metric_##name)

/* The series with these label values, in the order of the metric's labels; made at first use, lives
 * until the process ends. */
#define metric_series(metric, ...)                                                                 \
    metric_find_series((metric), (const char *const[METRIC_LABELS_MAX + 1]){__VA_ARGS__})

/* Through metric_series: NULL ends the values. */
struct metric_series *metric_find_series(struct metric *metric, const char *const *values);

/* Counters: `by` is not negative. Gauges: any. */
void metric_add(struct metric_series *series, int64_t by);
/* Gauges. */
void metric_set(struct metric_series *series, int64_t value);
/* Histograms, whose unit is seconds: a time that something took. */
void metric_observe_us(struct metric_series *series, int64_t took_us);
/* The present value; of a histogram, how many were observed. For tests and for programs that report
 * on themselves. */
int64_t metric_value(const struct metric_series *series);

/* NULL ends each table and the list of tables. Returns the text; free() it. */
char *metrics_print(struct metric *const *const *tables);
/* Names are unique and well formed, counters end in _total, histograms in _seconds, every metric
 * has a sentence and few labels. Each service's unit tests call it. */
MUST_USE bool metrics_check(struct metric *const *const *tables, struct error *err);

/* For a metrics.h: `#define COUNTER METRIC_DECLARE`, likewise GAUGE and HISTOGRAM, include the
 * table, and #undef all three. For its metrics.c: first with METRIC_DEFINE_COUNTER and so on, then
 * with METRIC_LISTED inside `struct metric *const x_metrics[] = { ... NULL};`. */
/* NOLINTBEGIN(bugprone-macro-parentheses): names take no parentheses. */
#define METRIC_DECLARE(name, labels, sentence) extern struct metric metric_##name;
#define METRIC_DEFINE(kind_, name_, labels_, sentence_)                                            \
    struct metric metric_##name_ = {                                                               \
        .kind = (kind_), .name = #name_, .labels = (labels_), .sentence = (sentence_)};
#define METRIC_DEFINE_COUNTER(name, labels, sentence)                                              \
    METRIC_DEFINE(METRIC_COUNTER, name, labels, sentence)
#define METRIC_DEFINE_GAUGE(name, labels, sentence)                                                \
    METRIC_DEFINE(METRIC_GAUGE, name, labels, sentence)
#define METRIC_DEFINE_HISTOGRAM(name, labels, sentence)                                            \
    METRIC_DEFINE(METRIC_HISTOGRAM, name, labels, sentence)
#define METRIC_LISTED(name, labels, sentence) &metric_##name,
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
