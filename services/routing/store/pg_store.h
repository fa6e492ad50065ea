/* The store on PostgreSQL. */
#ifndef ROUTING_STORE_PG_STORE_H
#define ROUTING_STORE_PG_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

struct error;
struct store;

struct pg_store_options {
    const char *url;
    const char *migrations_directory; /* NULL: migrations_directory() */
    int32_t shard_count;              /* stored at first start; another one is refused later */
    int64_t answer_timeout_ms;        /* 0: 10 s; how long PostgreSQL may be silent */
};

/* Connects, brings the schema up to date and makes the shards at the first start. Blocks; fails
 * with STORE_UNAVAILABLE when it may work later. Close by operations->close.
 */
MUST_USE bool pg_store_open(
    const struct pg_store_options *options,
    struct store **ret_store,
    struct error *err);

#endif
