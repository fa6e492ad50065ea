/* One payload, referred to by many threads: its last reference frees it, whoever drops it. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/rpc/payload.h"

enum {
    THREADS = 4,
    ROUNDS = 20000
};

static void *share(void *argument)
{
    struct rpc_payload *payload = argument;

    for (int i = 0; i < ROUNDS; i++) {
        struct rpc_payload *mine = rpc_payload_ref(payload);

        assert(rpc_payload_size(mine) == 5);
        rpc_payload_unref(mine);
    }
    rpc_payload_unref(payload); /* the reference that came with the thread */
    return NULL;
}

int main(void)
{
    struct rpc_payload *payload = rpc_payload_copy("hello", 5);
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, share, rpc_payload_ref(payload)) != 0) {
            abort();
        }
    }
    rpc_payload_unref(payload);
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return 0;
}
