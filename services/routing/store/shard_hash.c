#include "services/routing/store/store.h"

/* FNV-1a, 64 bits. What it gives is in every database: it never changes. */
int32_t store_shard_of(const char *workspace_id, int32_t shard_count)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const char *at = workspace_id; *at; at++) {
        hash ^= (uint8_t)*at;
        hash *= UINT64_C(0x100000001b3);
    }
    /* The low bits alone follow the last letters too closely. */
    hash ^= hash >> 32;
    return (int32_t)(hash % (uint64_t)shard_count);
}
