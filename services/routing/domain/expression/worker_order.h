/* A target's order_by: which of the eligible workers comes first (row 75).
 *
 *     worker.skill_level DESC, worker.cost
 *
 * Clauses are compared one after another; the next one breaks a tie. ASC is the default. A worker
 * whose value is not a number comes last in either direction. The last tie-breaker, longest idle,
 * is the engine's.
 */
#ifndef ROUTING_DOMAIN_EXPRESSION_WORKER_ORDER_H
#define ROUTING_DOMAIN_EXPRESSION_WORKER_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "services/routing/domain/expression/reference.h"

struct arena;
struct error;
struct value_keys;

enum {
    WORKER_ORDER_CLAUSES_MAX = 8
};

struct worker_order_clause {
    struct reference reference;
    bool descending;
};

struct worker_order {
    size_t count;
    struct worker_order_clause clauses[WORKER_ORDER_CLAUSES_MAX];
};

/* REASON_EXPRESSION_INVALID, with line and column as in expression.h. */
MUST_USE bool worker_order_parse(
    const char *text,
    struct value_keys *keys,
    struct arena *arena,
    const struct worker_order **ret_order,
    struct error *err);

char *worker_order_print(const struct worker_order *order, struct arena *arena);

/* Below 0: a comes first; 0: nothing between them. A total order over any workers. */
int worker_order_compare(
    const struct worker_order *order,
    const struct expression_subject *a,
    const struct expression_subject *b);

/* Whether a clause reads activity or load, so that a worker's place changes with them. */
bool worker_order_reads_builtin(const struct worker_order *order);

#endif
