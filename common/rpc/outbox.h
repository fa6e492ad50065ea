/* Payloads that wait to be sent, up to a bound. Internal. The owner locks. */
#ifndef COMMON_RPC_OUTBOX_H
#define COMMON_RPC_OUTBOX_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>

struct rpc_payload;
struct rpc_outbox_entry;

struct rpc_outbox {
    STAILQ_HEAD(, rpc_outbox_entry) entries;
    size_t count;
    size_t bytes;
    size_t max_count;
    size_t max_bytes;
};

/* 0 for a bound means its default. */
void rpc_outbox_init(struct rpc_outbox *outbox, size_t max_count, size_t max_bytes);
/* Drops what is inside. */
void rpc_outbox_clear(struct rpc_outbox *outbox);

/* Takes a reference and returns true, or false when the outbox is full. One message is always
 * taken, however large. */
bool rpc_outbox_push(struct rpc_outbox *outbox, struct rpc_payload *payload);
/* The oldest, with its reference; NULL when there is none. */
struct rpc_payload *rpc_outbox_take(struct rpc_outbox *outbox);

#endif
