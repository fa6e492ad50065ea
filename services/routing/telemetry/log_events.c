#include "services/routing/telemetry/log_events.h"

#include <stddef.h>

#define LOG_EVENT LOG_EVENT_DEFINE
#include "services/routing/telemetry/log_events.def"
#undef LOG_EVENT

const struct log_event *const routing_log_events[] = {
#define LOG_EVENT LOG_EVENT_LISTED
#include "services/routing/telemetry/log_events.def"
#undef LOG_EVENT
    NULL,
};
