/* Events as they are kept, and what readers ask of them. */
#ifndef ROUTING_DOMAIN_STORED_EVENT_H
#define ROUTING_DOMAIN_STORED_EVENT_H

#include <stddef.h>
#include <stdint.h>

/* One event as it is kept. The payload is the packed public message. */
struct store_event {
    const char *workspace_id;
    int64_t sequence;
    int64_t time_us;
    const char *type;
    const char *task_id; /* "" when it concerns none; likewise the next ones */
    const char *worker_id;
    const char *reservation_id;
    const uint8_t *payload;
    size_t payload_size;
};

/* What read_events looks for. */
struct store_event_query {
    const char *workspace_id;
    int64_t after_sequence;
    int64_t limit;
    const char *task_id; /* "" for any; at most one of the three is set */
    const char *worker_id;
    const char *reservation_id;
};

#endif
