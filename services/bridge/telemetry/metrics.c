#include "services/bridge/telemetry/metrics.h"

#include <stddef.h>

#define COUNTER METRIC_DEFINE_COUNTER
#define GAUGE METRIC_DEFINE_GAUGE
#define HISTOGRAM METRIC_DEFINE_HISTOGRAM
#include "services/bridge/telemetry/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM

struct metric *const bridge_metrics[] = {
#define COUNTER METRIC_LISTED
#define GAUGE METRIC_LISTED
#define HISTOGRAM METRIC_LISTED
#include "services/bridge/telemetry/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
    NULL,
};
