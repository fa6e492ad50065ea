/* Where a party is and how it talks, checked and in the form the media thread uses. Pure. Private
 * to this folder.
 */
#ifndef BRIDGE_MEDIA_STREAM_REMOTE_H
#define BRIDGE_MEDIA_STREAM_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "services/bridge/media/address.h"
#include "services/bridge/media/codec.h"

struct error;
struct media_remote;

enum {
    PTIME_SAMPLES_MAX = 480, /* 60 ms */
};

struct stream_remote {
    union address address;
    enum media_codec codec;
    uint8_t payload_type;
    int event_payload_type;
    size_t packet_samples;
    bool send;
    bool receive;
    bool signalled_only;
};

/* FIELD_INVALID when it cannot be, or is of another address family than `ours`. */
MUST_USE bool stream_remote_check(
    const struct media_remote *remote,
    const union address *ours,
    struct stream_remote *ret_remote,
    struct error *err);

#endif
