/* What the routing service logs; the table is log_events.def. `LOG(context, name, fields...)` */
#ifndef SERVICES_ROUTING_TELEMETRY_LOG_EVENTS_H
#define SERVICES_ROUTING_TELEMETRY_LOG_EVENTS_H

#include "common/log/log.h" /* IWYU pragma: export */

#define LOG_EVENT LOG_EVENT_DECLARE
#include "services/routing/telemetry/log_events.def"
#undef LOG_EVENT

/* All of them, then NULL. */
extern const struct log_event *const routing_log_events[];

#endif
