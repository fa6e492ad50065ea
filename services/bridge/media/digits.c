#include "services/bridge/media/digits.h"

#include "services/bridge/media/rtp.h"

static void report(struct digit_reports *reports, const struct digits *digits, bool started)
{
    reports->list[reports->count++] = (struct digit_report){
        .started = started,
        .code = digits->code,
        .duration = started ? 0 : digits->before + digits->duration,
    };
}

static void end(struct digits *digits, struct digit_reports *reports)
{
    if (digits->known && !digits->ended) {
        digits->ended = true;
        report(reports, digits, false);
    }
}

/* RFC 4733, 2.5.1.3: an event longer than its duration field can say goes on in a new segment that
 * begins where the last one ended. */
static bool continues(
    const struct digits *digits,
    uint32_t timestamp,
    const struct rtp_event *event)
{
    return !digits->ended && event->code == digits->code &&
           timestamp == digits->timestamp + digits->duration;
}

bool digits_receive(
    struct digits *digits,
    uint32_t timestamp,
    const struct rtp_event *event,
    int64_t now_us,
    struct digit_reports *ret_reports)
{
    ret_reports->count = 0;
    if (digits->known && (int32_t)(timestamp - digits->timestamp) < 0) {
        return false;
    }

    if (!digits->known || timestamp != digits->timestamp) {
        if (digits->known && continues(digits, timestamp, event)) {
            digits->before += digits->duration;
        } else {
            end(digits, ret_reports);
            *digits = (struct digits){.known = true, .code = event->code};
            report(ret_reports, digits, true);
        }
        digits->timestamp = timestamp;
        digits->duration = 0;
    }

    /* Packets of one event may come out of order: the longest duration is the truth. */
    if (event->duration > digits->duration) {
        digits->duration = event->duration;
    }
    digits->heard_us = now_us;
    if (event->end) {
        end(digits, ret_reports);
    }
    return true;
}

void digits_expire(struct digits *digits, int64_t now_us, struct digit_reports *ret_reports)
{
    ret_reports->count = 0;
    if (now_us - digits->heard_us > DIGITS_SILENCE_US) {
        end(digits, ret_reports);
    }
}
