#include "services/bridge/media/port_pool.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

struct rested_port {
    uint16_t port;
    int64_t ready_us;
};

/* A ring in the order of return, which is also the order of ready_us. */
struct port_pool {
    struct rested_port *ring;
    size_t size;
    size_t head;
    size_t count;
    int64_t cooldown_us;
};

/* splitmix64: enough to shuffle with. */
static uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);

    uint64_t mixed = *state;

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

static void shuffle(struct port_pool *pool, uint64_t seed)
{
    for (size_t i = pool->count; i > 1; i--) {
        size_t other = next_random(&seed) % i;
        struct rested_port swapped = pool->ring[i - 1];

        pool->ring[i - 1] = pool->ring[other];
        pool->ring[other] = swapped;
    }
}

struct port_pool *port_pool_new(const struct port_pool_options *options)
{
    struct port_pool *pool = mem_new(struct port_pool);
    uint32_t first = options->first + (options->first & 1U);

    pool->size = options->last > first ? (options->last - first + 1) / 2 : 0;
    pool->ring = mem_new_array(struct rested_port, pool->size);
    pool->cooldown_us = options->cooldown_us;
    for (size_t i = 0; i < pool->size; i++) {
        pool->ring[i] =
            (struct rested_port){.port = (uint16_t)(first + 2 * i), .ready_us = INT64_MIN};
    }
    pool->count = pool->size;
    shuffle(pool, options->seed);
    return pool;
}

struct port_pool *port_pool_free(struct port_pool *pool)
{
    if (!pool) {
        return NULL;
    }
    free(pool->ring);
    free(pool);
    return NULL;
}

bool port_pool_take(struct port_pool *pool, int64_t now_us, uint16_t *ret_port)
{
    if (pool->count == 0 || pool->ring[pool->head].ready_us > now_us) {
        return false;
    }
    *ret_port = pool->ring[pool->head].port;
    pool->head = (pool->head + 1) % pool->size;
    pool->count--;
    return true;
}

void port_pool_return(struct port_pool *pool, uint16_t port, int64_t now_us)
{
    assert(pool->count < pool->size);
    pool->ring[(pool->head + pool->count) % pool->size] =
        (struct rested_port){.port = port, .ready_us = now_us + pool->cooldown_us};
    pool->count++;
}

size_t port_pool_size(const struct port_pool *pool)
{
    return pool->size;
}

/* Ready ones come first in the ring: a binary search for the first that is not. */
size_t port_pool_ready(const struct port_pool *pool, int64_t now_us)
{
    size_t low = 0;
    size_t high = pool->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (pool->ring[(pool->head + middle) % pool->size].ready_us <= now_us) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t port_pool_resting(const struct port_pool *pool, int64_t now_us)
{
    return pool->count - port_pool_ready(pool, now_us);
}

int64_t port_pool_next_ready_us(const struct port_pool *pool)
{
    return pool->count > 0 ? pool->ring[pool->head].ready_us : INT64_MAX;
}
