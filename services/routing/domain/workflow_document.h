/* A workflow's document: the filters and targets that move a task through queues (rows 66 to 77).
 *
 *     {"task_routing": {
 *         "filters": [{"display_name": "German", "expression": "language == 'de'",
 *                      "targets": [{"queue": "german", "timeout": 30},
 *                                  {"queue": "everyone", "priority": 5}]}],
 *         "default_filter": {"queue": "everyone"}}}
 *
 * Parsed from a value (common/json reads the text before), then immutable: any thread may read it.
 * Everything it points to lives in it and dies with it, apart from the keys' table.
 */
#ifndef ROUTING_DOMAIN_WORKFLOW_DOCUMENT_H
#define ROUTING_DOMAIN_WORKFLOW_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "services/routing/domain/expression/expression.h"
#include "services/routing/domain/expression/worker_order.h"

struct arena;
struct error;
struct value;
struct value_keys;

enum {
    WORKFLOW_DOCUMENT_BYTES_MAX = 1038576, /* of JSON text; the limit to give to common/json */
    WORKFLOW_FILTERS_MAX = 1000,
    WORKFLOW_TARGETS_MAX = 100, /* of one filter */
    WORKFLOW_TIMEOUT_MAX_SECONDS = INT32_MAX
};

/* How a target names one worker (row 76). */
enum known_worker_kind {
    KNOWN_WORKER_NONE,
    KNOWN_WORKER_BY_ID,          /* known_worker, known_worker_sid */
    KNOWN_WORKER_BY_DISPLAY_NAME /* known_worker_display_name, known_worker_friendly_name */
};

struct workflow_target {
    const char *queue_id; /* never NULL: inherited from the target before when it names none */
    const struct expression *expression; /* NULL: every member of the queue */
    const struct worker_order *order_by; /* NULL: longest idle first */
    const struct expression *skip_if;    /* NULL: never skipped */
    int64_t timeout_us;                  /* 0: none */
    int64_t
        deadline_us;   /* sum of the time-outs up to here, on the task's age; 0 without time-out */
    bool has_priority; /* else the task keeps the one it has */
    int32_t priority;
    enum known_worker_kind known_worker_kind;
    struct reference known_worker; /* an attribute of the task */
};

struct workflow_filter {
    const char *display_name; /* "" when it has none */
    const struct expression *expression;
    size_t target_count; /* at least one */
    const struct workflow_target *targets;
};

struct workflow_document {
    struct arena *arena;
    size_t filter_count;
    const struct workflow_filter *filters;
    const struct workflow_target *default_target; /* NULL: a task that matches nothing leaves */
    size_t warning_count;
    const char *const *warnings; /* sentences that begin with a path; what is legal but no use */
};

/* Fails with FIELD_INVALID, FIELD_REQUIRED or EXPRESSION_INVALID; `field` and the message name the
 * path ("task_routing.filters[2].targets[0].queue"). An expression's message has line and column
 * too.
 */
MUST_USE bool workflow_document_new(
    const struct value *value,
    struct value_keys *keys,
    struct workflow_document **ret_document,
    struct error *err);
struct workflow_document *workflow_document_free(struct workflow_document *document);

/* The index of the first filter from `first` on that matches the task's attributes; filter_count
 * when none does (row 66; row 71 with first = the filter left + 1).
 */
size_t workflow_document_match(
    const struct workflow_document *document,
    size_t first,
    const struct value *task_attributes);

/* The queues it names, each id once, in the order of the document. For checking that they exist and
 * for refusing their deletion. The array is in the arena given.
 */
size_t workflow_document_queues(
    const struct workflow_document *document,
    struct arena *arena,
    const char *const **ret_queue_ids);

DEFINE_CLEANUP(struct workflow_document *, workflow_document_free)

#endif
