#include "common/rpc/outbox.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/rpc/payload.h"
#include "common/rpc/stream.h"

struct rpc_outbox_entry {
    struct rpc_payload *payload;
    STAILQ_ENTRY(rpc_outbox_entry) link;
};

void rpc_outbox_init(struct rpc_outbox *outbox, size_t max_count, size_t max_bytes)
{
    STAILQ_INIT(&outbox->entries);
    outbox->count = 0;
    outbox->bytes = 0;
    outbox->max_count = max_count ? max_count : RPC_STREAM_QUEUE_MESSAGES;
    outbox->max_bytes = max_bytes ? max_bytes : RPC_STREAM_QUEUE_BYTES;
}

void rpc_outbox_clear(struct rpc_outbox *outbox)
{
    struct rpc_payload *payload = NULL;

    while ((payload = rpc_outbox_take(outbox)) != NULL) {
        rpc_payload_unref(payload);
    }
}

bool rpc_outbox_push(struct rpc_outbox *outbox, struct rpc_payload *payload)
{
    size_t size = rpc_payload_size(payload);

    if (outbox->count > 0 &&
        (outbox->count >= outbox->max_count || outbox->bytes + size > outbox->max_bytes)) {
        return false;
    }

    struct rpc_outbox_entry *entry = mem_new(struct rpc_outbox_entry);

    entry->payload = rpc_payload_ref(payload);
    STAILQ_INSERT_TAIL(&outbox->entries, entry, link);
    outbox->count++;
    outbox->bytes += size;
    return true;
}

struct rpc_payload *rpc_outbox_take(struct rpc_outbox *outbox)
{
    struct rpc_outbox_entry *entry = STAILQ_FIRST(&outbox->entries);

    if (!entry) {
        return NULL;
    }

    struct rpc_payload *payload = entry->payload;

    STAILQ_REMOVE_HEAD(&outbox->entries, link);
    outbox->count--;
    outbox->bytes -= rpc_payload_size(payload);
    free(entry);
    return payload;
}
