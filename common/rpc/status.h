/* struct error as the wire knows it: google.rpc.Status with ErrorInfo (reason, domain
 * "cordboard.dev", metadata), BadRequest for a bad field, and RetryInfo for a retry delay.
 */
#ifndef COMMON_RPC_STATUS_H
#define COMMON_RPC_STATUS_H

#include "google/rpc/status.pb-c.h"

struct arena;
struct error;

#define RPC_ERROR_DOMAIN "cordboard.dev"

/* In the arena. Of an INTERNAL error only the request id is told. */
Google__Rpc__Status *rpc_status_make(
    struct arena *arena,
    const struct error *err,
    const char *request_id);

/* The way back, for clients; `err` is filled in even from details that are missing or broken. */
void rpc_status_read(const Google__Rpc__Status *status, struct error *err);

#endif
