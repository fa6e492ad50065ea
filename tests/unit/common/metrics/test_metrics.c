#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/metrics/metrics.h"

METRIC_DEFINE_COUNTER(calls_total, "direction,fault", "Calls that ended.")
METRIC_DEFINE_COUNTER(steps_total, "", "Steps of the engine.")
METRIC_DEFINE_GAUGE(calls_active, "", "Calls not yet ended.")
METRIC_DEFINE_HISTOGRAM(wait_seconds, "queue", "Time until the first reservation.")

static struct metric *const table[] = {
    &metric_calls_total, &metric_steps_total, &metric_calls_active, &metric_wait_seconds, NULL};
static struct metric *const *const tables[] = {table, NULL};

static void assert_printed(const char *line)
{
    CLEANUP(mem_free_at_exit) char *text = metrics_print(tables);
    CLEANUP(mem_free_at_exit) char *whole = mem_printf("\n%s\n", line);

    cr_assert(strstr(text, whole), "no line '%s' in:\n%s", line, text);
}

Test(metrics, keep_one_series_per_combination_of_label_values)
{
    metric_add(metric_series(&metric_calls_total, "inbound", "none"), 2);
    metric_add(metric_series(&metric_calls_total, "inbound", "us"), 1);
    metric_add(metric_series(&metric_calls_total, "inbound", "none"), 3);

    assert_printed("# TYPE cordboard_calls_total counter");
    assert_printed("cordboard_calls_total{direction=\"inbound\",fault=\"none\"} 5");
    assert_printed("cordboard_calls_total{direction=\"inbound\",fault=\"us\"} 1");
}

Test(metrics, without_labels_are_shown_at_zero_before_anything_happened)
{
    assert_printed("cordboard_steps_total 0");
}

Test(metrics, of_a_gauge_go_up_and_down)
{
    metric_add(METRIC(calls_active), 5);
    metric_add(METRIC(calls_active), -2);
    assert_printed("cordboard_calls_active 3");
    metric_set(METRIC(calls_active), 7);
    cr_assert_eq(metric_value(METRIC(calls_active)), 7);
}

Test(metrics, of_a_histogram_are_cumulative_and_in_seconds)
{
    struct metric_series *series = metric_series(&metric_wait_seconds, "de");

    metric_observe_us(series, 1000);        /* on the first limit: inside it */
    metric_observe_us(series, 1001);        /* just above */
    metric_observe_us(series, 3600000000L); /* beyond every limit */
    assert_printed("cordboard_wait_seconds_bucket{queue=\"de\",le=\"0.001\"} 1");
    assert_printed("cordboard_wait_seconds_bucket{queue=\"de\",le=\"0.0025\"} 2");
    assert_printed("cordboard_wait_seconds_bucket{queue=\"de\",le=\"600\"} 2");
    assert_printed("cordboard_wait_seconds_bucket{queue=\"de\",le=\"+Inf\"} 3");
    assert_printed("cordboard_wait_seconds_sum{queue=\"de\"} 3600.002001");
    assert_printed("cordboard_wait_seconds_count{queue=\"de\"} 3");
}

Test(metrics, escape_label_values)
{
    metric_add(metric_series(&metric_calls_total, "a\"b\\c\nd", "none"), 1);
    assert_printed("cordboard_calls_total{direction=\"a\\\"b\\\\c\\nd\",fault=\"none\"} 1");
}

Test(metrics, beyond_the_limit_of_series_are_counted_as_other)
{
    char value[16];

    for (int i = 0; i < METRIC_SERIES_MAX + 10; i++) {
        (void)snprintf(value, sizeof(value), "v%d", i);
        metric_add(metric_series(&metric_calls_total, value, "none"), 1);
    }
    assert_printed("cordboard_calls_total{direction=\"other\",fault=\"other\"} 10");
}

Test(metrics, tables_that_keep_the_rules_pass_the_check)
{
    struct error err;

    cr_assert(metrics_check(tables, &err), "%s", err.message);
}

static bool refused(enum metric_kind kind, const char *name, const char *sentence)
{
    struct metric metric = {.kind = kind, .name = name, .labels = "", .sentence = sentence};
    struct metric *const wrong[] = {&metric, NULL};
    struct metric *const *const wrong_tables[] = {table, wrong, NULL};
    struct error err;

    return !metrics_check(wrong_tables, &err);
}

Test(metrics, that_break_a_rule_fail_the_check)
{
    cr_assert(refused(METRIC_COUNTER, "steps_total", "Named twice, in two tables."));
    cr_assert(refused(METRIC_COUNTER, "steps", "A counter without its end."));
    cr_assert(refused(METRIC_GAUGE, "things_total", "A gauge with a counter's end."));
    cr_assert(refused(METRIC_HISTOGRAM, "wait_ms", "A histogram in another unit."));
    cr_assert(refused(METRIC_GAUGE, "Things", "Not in snake case."));
    cr_assert(refused(METRIC_GAUGE, "things", ""));
    cr_assert_not(refused(METRIC_GAUGE, "things", "Things that are there."));
}
