#include "services/routing/wire/time.h"

#include "common/base/arena.h"
#include "common/error/error.h"

/* As timestamp.proto and duration.proto say: years 1 to 9999, and 10,000 years either way. */
#define FIRST_SECOND (-INT64_C(62135596800))
#define LAST_SECOND INT64_C(253402300799)
#define LONGEST_SECONDS INT64_C(315576000000)
enum {
    US_PER_SECOND = 1000000,
    NS_PER_US = 1000,
    NS_PER_SECOND = 1000000000
};

Google__Protobuf__Timestamp *time_print(struct arena *arena, int64_t time_us)
{
    if (time_us == 0) {
        return NULL;
    }

    Google__Protobuf__Timestamp *time = arena_new_object(arena, Google__Protobuf__Timestamp);
    int64_t part_us = time_us % US_PER_SECOND;

    google__protobuf__timestamp__init(time);
    part_us += part_us < 0 ? US_PER_SECOND : 0;
    time->seconds = (time_us - part_us) / US_PER_SECOND;
    time->nanos = (int32_t)(part_us * NS_PER_US);
    return time;
}

Google__Protobuf__Duration *duration_print(struct arena *arena, int64_t duration_us)
{
    if (duration_us == 0) {
        return NULL;
    }

    Google__Protobuf__Duration *duration = arena_new_object(arena, Google__Protobuf__Duration);

    google__protobuf__duration__init(duration);
    duration->seconds = duration_us / US_PER_SECOND;
    duration->nanos = (int32_t)(duration_us % US_PER_SECOND * NS_PER_US);
    return duration;
}

bool time_read(
    const Google__Protobuf__Timestamp *time,
    const char *field,
    int64_t *ret_time_us,
    struct error *err)
{
    if (!time) {
        *ret_time_us = 0;
        return true;
    }
    if (time->seconds < FIRST_SECOND || time->seconds > LAST_SECOND || time->nanos < 0 ||
        time->nanos >= NS_PER_SECOND) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, field, "%s: not a time between the years 1 and 9999", field);
    }
    *ret_time_us = time->seconds * US_PER_SECOND + time->nanos / NS_PER_US;
    return true;
}

bool duration_read(
    const Google__Protobuf__Duration *duration,
    const char *field,
    int64_t *ret_duration_us,
    struct error *err)
{
    if (!duration) {
        *ret_duration_us = 0;
        return true;
    }

    int64_t seconds = duration->seconds;
    int32_t nanos = duration->nanos;

    if (seconds < -LONGEST_SECONDS || seconds > LONGEST_SECONDS || nanos <= -NS_PER_SECOND ||
        nanos >= NS_PER_SECOND || (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0)) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, field, "%s: not a duration of at most 10,000 years", field);
    }
    *ret_duration_us = seconds * US_PER_SECOND + nanos / NS_PER_US;
    return true;
}
