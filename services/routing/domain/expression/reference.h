/* References: the names by which an expression reads a task and a worker.
 *
 *     skills                        in a filter or queue: an attribute
 *     task.customer.tier            in a target: an attribute of the task
 *     worker.languages[0]           an item of a list
 *     task["customer-tier"]         a name that is not a plain word
 *     worker.channel.voice.assigned_tasks    a built-in reference (row 85)
 *
 * What is not there is null (row 82). Which words may stand first is the context's rule.
 */
#ifndef ROUTING_DOMAIN_EXPRESSION_REFERENCE_H
#define ROUTING_DOMAIN_EXPRESSION_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct arena;
struct error;
struct value;
struct value_key;
struct value_keys;
struct value_step;

/* Where an expression stands, so what it may refer to (reference 5.1). */
enum expression_context {
    /* A workflow's filter, a task list: attributes of the task, no prefix. */
    EXPRESSION_OF_TASK,
    /* A queue's membership: attributes of the worker, id and display_name, no prefix. Membership is
       materialised, so it cannot depend on activity and load: those are errors here. */
    EXPRESSION_OF_QUEUE,
    /* A worker list: as a queue, and activity, activity_name and channel.…. */
    EXPRESSION_OF_WORKER,
    /* A workflow's target: task.… and worker.…, built-in references with the prefix. */
    EXPRESSION_OF_TARGET,
    /* skip_if: workers.available, workers.unavailable, workers.<activity id>. */
    EXPRESSION_OF_SKIP
};

/* What is not an attribute. The engine answers these through `expression_get`. */
enum expression_builtin {
    BUILTIN_NONE,
    BUILTIN_WORKER_ID,            /* text; also written sid */
    BUILTIN_WORKER_DISPLAY_NAME,  /* text; also written friendly_name */
    BUILTIN_WORKER_ACTIVITY,      /* text: the activity's id; also written activity_sid */
    BUILTIN_WORKER_ACTIVITY_NAME, /* text */
    /* These have the channel's unique name as their name. */
    BUILTIN_CHANNEL_CONFIGURED_CAPACITY,
    BUILTIN_CHANNEL_ASSIGNED_TASKS,
    BUILTIN_CHANNEL_AVAILABLE_CAPACITY_PERCENTAGE,
    BUILTIN_WORKERS_AVAILABLE,   /* count of the queue's members, for skip_if */
    BUILTIN_WORKERS_UNAVAILABLE, /* count */
    BUILTIN_WORKERS_IN_ACTIVITY, /* count; name is the activity's id */
    EXPRESSION_BUILTIN_COUNT
};

/* Writes the value (text may be borrowed until the next step of the engine), or leaves the null
 * that is there: no such channel, no such activity. name is NULL unless the comment above says
 * otherwise.
 */
typedef void(expression_get)(
    const void *source,
    enum expression_builtin builtin,
    const struct value_key *name,
    struct value *ret_value);

/* What an expression is evaluated over. NULL attributes count as none; without `get` every built-in
 * reference is null.
 */
struct expression_subject {
    const struct value *task;
    const struct value *worker;
    expression_get *get;
    const void *source;
};

enum reference_root {
    REFERENCE_TASK,
    REFERENCE_WORKER,
    REFERENCE_BUILTIN
};

struct reference {
    enum reference_root root;
    enum expression_builtin builtin;
    const struct value_key *name; /* channel or activity of a built-in reference */
    const struct value_step *steps;
    uint32_t step_count;
    uint32_t line; /* where it stands in its text, both counted from 1 */
    uint32_t column;
    const char *text; /* as it is written, without blanks */
};

/* Reads text that is one reference and nothing else; `known_worker` of a target is one
 * (EXPRESSION_OF_TARGET, then root is checked by the caller). REASON_EXPRESSION_INVALID.
 */
MUST_USE bool reference_parse(
    const char *text,
    enum expression_context context,
    struct value_keys *keys,
    struct arena *arena,
    struct reference *ret_reference,
    struct error *err);

/* The value referred to, &value_null when there is none. A built-in one is written into scratch. */
const struct value *reference_read(
    const struct reference *reference,
    const struct expression_subject *subject,
    struct value *scratch);

#endif
