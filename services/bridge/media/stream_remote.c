#include "services/bridge/media/stream_remote.h"

#include "common/error/error.h"
#include "services/bridge/media/frame.h"
#include "services/bridge/media/media.h"
#include "services/bridge/media/rtp.h"

bool stream_remote_check(
    const struct media_remote *remote,
    const union address *ours,
    struct stream_remote *ret_remote,
    struct error *err)
{
    const uint16_t ptimes[] = {10, 20, 30, 40, 60};
    bool known = false;
    struct stream_remote checked = {
        .codec = remote->codec,
        .payload_type = remote->payload_type,
        .event_payload_type = remote->event_payload_type,
        .packet_samples = (size_t)remote->ptime_ms * SAMPLE_RATE_HZ / 1000,
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
    for (size_t i = 0; i < sizeof(ptimes) / sizeof(ptimes[0]); i++) {
        known = known || remote->ptime_ms == ptimes[i];
    }
    if (!known) {
        return FAIL(
            err, REASON_FIELD_INVALID, "ptime %u; 10, 20, 30, 40 and 60 ms are possible",
            remote->ptime_ms);
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
