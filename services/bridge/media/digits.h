/* Telephone events of one source (RFC 4733): which packets are the start of a digit, its
 * continuation, its end, or a repetition. Pure; belongs to its stream.
 */
#ifndef BRIDGE_MEDIA_DIGITS_H
#define BRIDGE_MEDIA_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtp_event;

enum {
    DIGITS_REPORTS_MAX = 3,        /* end of the one before, start, and end in the same packet */
    DIGITS_SILENCE_US = 300 * 1000 /* no packet for so long: the end was lost */
};

struct digits {
    bool known; /* there is an event; `ended` says whether it goes on */
    bool ended;
    uint8_t code;
    uint32_t timestamp; /* of the current segment */
    uint16_t duration;  /* of the current segment */
    uint32_t before;    /* duration of the segments before it (2.5.1.3: long events) */
    int64_t heard_us;   /* last packet */
};

struct digit_report {
    bool started; /* else ended */
    uint8_t code;
    uint32_t duration; /* in timestamp units; when ended */
};

struct digit_reports {
    size_t count;
    struct digit_report list[DIGITS_REPORTS_MAX];
};

/* Reports what this packet tells that is new. Returns false for a packet that is older than the
 * current event, which is not to be passed on either. */
bool digits_receive(
    struct digits *digits,
    uint32_t timestamp,
    const struct rtp_event *event,
    int64_t now_us,
    struct digit_reports *ret_reports);
/* Call now and then: ends an event whose end packets were lost. */
void digits_expire(struct digits *digits, int64_t now_us, struct digit_reports *ret_reports);

#endif
