#include <criterion/criterion.h>
#include <stdio.h>

#include "services/routing/store/store.h"

/* Reckoned apart from our code; were one to change, every database would lose its workspaces. */
Test(shard_hash, never_changes)
{
    cr_assert_eq(store_shard_of("", 64), 1);
    cr_assert_eq(store_shard_of("acme", 64), 12);
    cr_assert_eq(store_shard_of("w1", 64), 2);
    cr_assert_eq(store_shard_of("w1", 1), 0);
}

Test(shard_hash, spreads_workspaces_evenly)
{
    int counts[64] = {0};

    for (int i = 0; i < 6400; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "w%d", i);
        counts[store_shard_of(id, 64)]++;
    }
    for (int i = 0; i < 64; i++) {
        cr_assert(counts[i] > 50 && counts[i] < 160, "shard %d has %d", i, counts[i]);
    }
}
