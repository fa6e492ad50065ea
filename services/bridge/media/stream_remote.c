#include "services/bridge/media/stream_remote.h"

#include "common/error/error.h"
#include "services/bridge/media/frame.h"
#include "services/bridge/media/media.h"
#include "services/bridge/media/rtp.h"

/* ptime is a wish (RFC 4566, 6): what we cannot do becomes what everybody can. */
static size_t packet_samples(uint16_t ptime_ms)
{
    switch (ptime_ms) {
    case 10:
    case 20:
    case 30:
    case 40:
    case 60:
        return (size_t)ptime_ms * SAMPLE_RATE_HZ / 1000;
    default:
        return FRAME_SAMPLES;
    }
}

bool stream_remote_check(
    const struct media_remote *remote,
    const union address *ours,
    struct stream_remote *ret_remote,
    struct error *err)
{
    struct stream_remote checked = {
        .codec = remote->codec,
        .payload_type = remote->payload_type,
        .event_payload_type = remote->event_payload_type,
        .packet_samples = packet_samples(remote->ptime_ms),
        .send = remote->send,
        .receive = remote->receive,
        .signalled_only = remote->signalled_only,
    };

    if (!address_parse(remote->address, remote->port, &checked.address) || remote->port == 0) {
        return FAIL(
            err, REASON_FIELD_INVALID, "media address %s port %u", remote->address, remote->port);
    }
    if (checked.address.any.sa_family != ours->any.sa_family) {
        return FAIL(
            err, REASON_FIELD_INVALID,
            "media address %s is of another family than the one we are bound to", remote->address);
    }
    if (remote->payload_type > RTP_PAYLOAD_TYPE_MAX || remote->event_payload_type < -1 ||
        remote->event_payload_type > RTP_PAYLOAD_TYPE_MAX ||
        remote->event_payload_type == remote->payload_type) {
        return FAIL(
            err, REASON_FIELD_INVALID, "payload types %u and %d", remote->payload_type,
            remote->event_payload_type);
    }
    *ret_remote = checked;
    return true;
}
