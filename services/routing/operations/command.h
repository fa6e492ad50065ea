/* Commands: what the engine can be asked. One table row per operation, one request struct per
 * operation (in the operation's own header); the shard runs them without knowing any of them.
 */
#ifndef ROUTING_OPERATIONS_COMMAND_H
#define ROUTING_OPERATIONS_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

struct engine;
struct engines;
struct error;
struct step;

/* Runs one operation. On failure nothing of the engine was changed. engine: the workspace of the
 * step, NULL when it does not exist (an operation that needs it answers NOT_FOUND). engines: all
 * workspaces of this thread, for the few operations that look across them. request: the operation's
 * own struct. */
typedef bool(operation_run)(
    struct engines *engines,
    struct engine *engine,
    const void *request,
    struct step *step,
    struct error *err);

struct operation {
    const char *name; /* "create_task", for logs and metrics */
    operation_run *run;
    bool reads_only; /* changes nothing: served even while the store is away */
};

#endif
