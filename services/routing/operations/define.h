/* What the ends of all operations have in common. Each is written as
 *
 *     static bool cancel_task(struct work *work, const struct task_verb_request *request,
 *                             struct error *err)
 *
 * that checks, changes, replies; DEFINE_OPERATION makes operation_cancel_task of it.
 */
#ifndef ROUTING_OPERATIONS_DEFINE_H
#define ROUTING_OPERATIONS_DEFINE_H

#include "common/error/error.h"
#include "services/routing/operations/operations.h"
#include "services/routing/operations/work.h"

/* A refusal says something about the workspace as it is, so it waits as well. */
#define DEFINE_OPERATION(verb, only_reads)                                                         \
    static bool run_##verb(                                                                        \
        struct engines *engines, struct engine *engine, const void *request, struct step *step,    \
        struct error *err)                                                                         \
    {                                                                                              \
        struct work work;                                                                          \
                                                                                                   \
        if (!work_begin(&work, engines, engine, step, err)) {                                      \
            return false;                                                                          \
        }                                                                                          \
        if (!verb(&work, request, err)) {                                                          \
            work_depends_on_all(&work);                                                            \
            return false;                                                                          \
        }                                                                                          \
        return work_done(&work);                                                                   \
    }                                                                                              \
                                                                                                   \
    const struct operation operation_##verb = {                                                    \
        .name = #verb,                                                                             \
        .run = run_##verb,                                                                         \
        .reads_only = (only_reads),                                                                \
    };

#endif
