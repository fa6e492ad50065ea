#include "services/bridge/telemetry/log_events.h"

#include <stddef.h>

#define LOG_EVENT LOG_EVENT_DEFINE
#include "services/bridge/telemetry/log_events.def"
#undef LOG_EVENT

const struct log_event *const bridge_log_events[] = {
#define LOG_EVENT LOG_EVENT_LISTED
#include "services/bridge/telemetry/log_events.def"
#undef LOG_EVENT
    NULL,
};
