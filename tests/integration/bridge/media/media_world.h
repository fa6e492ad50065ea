/* The smallest world for media tests: an engine, a stage of parties, and the events that came. */
#ifndef INTEGRATION_BRIDGE_MEDIA_MEDIA_WORLD_H
#define INTEGRATION_BRIDGE_MEDIA_MEDIA_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/bridge/media/media.h"
#include "tests/support/rtp_party.h"

#define HEARD_DBFS (-25.0)   /* a party's tone arrives at about -15 */
#define UNHEARD_DBFS (-55.0) /* and the noise of G.711 lies below this */

enum {
    SOON_MS = 3000, /* for what must happen */
};

struct caller {
    struct rtp_party *party;
    uint64_t stream_id;
    uint16_t port; /* ours */
    double tone_hz;
};

struct world {
    struct media *media;
    struct rtp_stage *stage;
};

/* Options for this process alone: a port range by process id, one thread. */
struct media_options world_options(void);
void world_start(struct world *world, const struct media_options *options);
void world_stop(struct world *world);

/* A party and a stream for it, both knowing the other's address. */
void world_add_caller(
    struct world *world,
    struct caller *caller,
    const struct rtp_party_options *options);
/* What its SDP would say: send and receive, 20 ms. */
struct media_remote world_remote(const struct rtp_party *party, enum media_codec codec);
void world_set_remote(struct world *world, uint64_t stream_id, const struct media_remote *remote);
/* All in one conference, everybody hearing everybody else. */
uint64_t world_confer(struct world *world, const struct caller *callers, size_t count);
struct media_statistics world_statistics(struct world *world, uint64_t stream_id);

/* True when `listener` comes to hear the tone of `speaker`. */
bool hears(const struct caller *listener, const struct caller *speaker);
/* True when it does not hear it now, though it hears packets. */
bool does_not_hear(const struct caller *listener, const struct caller *speaker);

/* Waits for an event of this type for this stream; it is then taken from the record. */
bool world_wait_for_event(
    uint64_t stream_id,
    enum media_event_type type,
    struct media_event *ret_event);
/* Has one come so far? */
bool world_has_event(uint64_t stream_id, enum media_event_type type);

#endif
