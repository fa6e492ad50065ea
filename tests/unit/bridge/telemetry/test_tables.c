#include <criterion/criterion.h>

#include "common/error/error.h"
#include "services/bridge/telemetry/log_events.h"
#include "services/bridge/telemetry/metrics.h"

Test(bridge_telemetry, metrics_have_unique_names_and_a_sentence_each)
{
    struct metric *const *const tables[] = {bridge_metrics, NULL};
    struct error err;

    cr_assert(metrics_check(tables, &err), "%s", err.message);
}

Test(bridge_telemetry, log_events_are_sorted_and_have_a_sentence_each)
{
    struct error err;

    cr_assert(log_events_check(bridge_log_events, &err), "%s", err.message);
}
