/* The RTP ports we may use: even ones, each handed out again only after it has rested, because the
 * old peer may still send to it. The longest rested goes first; the first round is in an order
 * that a stranger cannot guess. Pure: time and randomness come in. No locks; the caller has one.
 */
#ifndef BRIDGE_MEDIA_PORT_POOL_H
#define BRIDGE_MEDIA_PORT_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct port_pool;

struct port_pool_options {
    uint16_t
        first; /* both ends included; an RTP port needs the odd one after it in the range too */
    uint16_t last;
    int64_t cooldown_us;
    uint64_t seed;
};

/* May come out empty, when the range holds no pair. */
struct port_pool *port_pool_new(const struct port_pool_options *options);
struct port_pool *port_pool_free(struct port_pool *pool);

/* False when all ports are in use or resting. */
MUST_USE bool port_pool_take(struct port_pool *pool, int64_t now_us, uint16_t *ret_port);
/* Its rest begins at now_us, which never goes back from call to call. */
void port_pool_return(struct port_pool *pool, uint16_t port, int64_t now_us);

size_t port_pool_size(const struct port_pool *pool);
size_t port_pool_ready(const struct port_pool *pool, int64_t now_us);
size_t port_pool_resting(const struct port_pool *pool, int64_t now_us);
/* When the next resting port may be taken; INT64_MAX when none rests. */
int64_t port_pool_next_ready_us(const struct port_pool *pool);

DEFINE_CLEANUP(struct port_pool *, port_pool_free)

#endif
