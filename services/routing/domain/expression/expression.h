/* An expression: a condition on attributes, compiled once and evaluated often.
 *
 *     language == "de" AND (skills HAS "support" OR level > 2)
 *
 * The language, its operators and rules are docs/expressions.md; rows 79 to 88. NOT binds tighter
 * than AND, AND tighter than OR. The result is true or false, never null.
 *
 * A compiled expression is immutable and may be read by any thread; it keeps pointers to the keys
 * it was made with. Evaluating allocates nothing, does not recurse, and costs at most
 * EXPRESSION_TESTS_MAX comparisons.
 *
 * Errors are REASON_EXPRESSION_INVALID. The message names line, column and what was expected; the
 * metadata has "line" and "column", both counted from 1, columns in characters.
 */
#ifndef ROUTING_DOMAIN_EXPRESSION_EXPRESSION_H
#define ROUTING_DOMAIN_EXPRESSION_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "services/routing/domain/expression/reference.h"

struct arena;
struct error;
struct value_keys;
struct expression;

enum {
    EXPRESSION_BYTES_MAX = 16384, /* of text */
    EXPRESSION_TESTS_MAX = 1024,  /* comparisons */
    EXPRESSION_DEPTH_MAX = 64,    /* parentheses and NOTs within each other */
    EXPRESSION_LIST_MAX = 1000,   /* items of a list */
    EXPRESSION_STEPS_MAX = 16     /* of a reference, with its prefix */
};

/* In memory of its own. */
MUST_USE bool expression_new(
    const char *text,
    enum expression_context context,
    struct value_keys *keys,
    struct expression **ret_expression,
    struct error *err);
struct expression *expression_free(struct expression *expression);

/* The same in an arena, which then owns it. */
MUST_USE bool expression_parse(
    const char *text,
    enum expression_context context,
    struct value_keys *keys,
    struct arena *arena,
    const struct expression **ret_expression,
    struct error *err);

bool expression_matches(
    const struct expression *expression,
    const struct expression_subject *subject);

/* The comparison that decided the result: its index in the order of the text. For "why not". */
size_t expression_deciding_test(
    const struct expression *expression,
    const struct expression_subject *subject,
    bool *ret_matches);
/* One comparison as text ("worker.level > 2"), in the arena. */
char *expression_print_test(const struct expression *expression, size_t test, struct arena *arena);

/* The whole expression in its canonical form, which parses to the same again. In the arena. */
char *expression_print(const struct expression *expression, struct arena *arena);

/* What it reads, in the order of the text; the same reference may come twice. */
size_t expression_reference_count(const struct expression *expression);
const struct reference *expression_reference(const struct expression *expression, size_t index);
/* Whether it reads the task: if not, its result is the same for every task. */
bool expression_reads_task(const struct expression *expression);
/* Whether it reads something of the worker that is not an attribute (activity, load). */
bool expression_reads_builtin(const struct expression *expression);

/* For task classes: what the expression reads of a task, as a hash, and whether two tasks are the
 * same to it. Tasks that are the same to an expression get the same result with every worker.
 */
uint64_t expression_task_hash(
    const struct expression *expression,
    const struct value *task,
    uint64_t seed);
bool expression_tasks_same(
    const struct expression *expression,
    const struct value *task,
    const struct value *other);

DEFINE_CLEANUP(struct expression *, expression_free)

#endif
