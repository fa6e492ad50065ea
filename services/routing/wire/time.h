/* Timestamps and durations between the wire and microseconds. */
#ifndef ROUTING_WIRE_TIME_H
#define ROUTING_WIRE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

struct arena;
struct error;

/* NULL for 0, "not set". */
Google__Protobuf__Timestamp *time_print(struct arena *arena, int64_t time_us);
Google__Protobuf__Duration *duration_print(struct arena *arena, int64_t duration_us);

/* 0 for NULL. FIELD_INVALID, naming the field, outside of what the wire types allow. */
bool time_read(
    const Google__Protobuf__Timestamp *time,
    const char *field,
    int64_t *ret_time_us,
    struct error *err);
bool duration_read(
    const Google__Protobuf__Duration *duration,
    const char *field,
    int64_t *ret_duration_us,
    struct error *err);

#endif
