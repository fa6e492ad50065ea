/* What the bridge service counts; the table is metrics.def. */
#ifndef SERVICES_BRIDGE_TELEMETRY_METRICS_H
#define SERVICES_BRIDGE_TELEMETRY_METRICS_H

#include "common/metrics/metrics.h" /* IWYU pragma: export */

#define COUNTER METRIC_DECLARE
#define GAUGE METRIC_DECLARE
#define HISTOGRAM METRIC_DECLARE
#include "services/bridge/telemetry/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM

/* All of them, then NULL. */
extern struct metric *const bridge_metrics[];

#endif
