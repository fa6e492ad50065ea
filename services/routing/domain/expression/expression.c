#include "services/routing/domain/expression/expression.h"

#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/value/value.h"
#include "services/routing/domain/expression/compiled.h"
#include "services/routing/domain/expression/parser.h"
#include "services/routing/domain/expression/scanner.h"

bool expression_parse(
    const char *text,
    enum expression_context context,
    struct value_keys *keys,
    struct arena *arena,
    const struct expression **ret_expression,
    struct error *err)
{
    struct scanner scanner;
    struct expression *expression = arena_new_object(arena, struct expression);

    if (!scanner_start(&scanner, text, arena, err) ||
        !parser_run(&scanner, context, keys, expression)) {
        return false;
    }
    *ret_expression = expression;
    return true;
}

bool expression_new(
    const char *text,
    enum expression_context context,
    struct value_keys *keys,
    struct expression **ret_expression,
    struct error *err)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    const struct expression *parsed = NULL;

    if (!expression_parse(text, context, keys, arena, &parsed, err)) {
        return false;
    }

    struct expression *expression = mem_dup(parsed, sizeof(*parsed));

    expression->arena = STEAL(arena);
    *ret_expression = expression;
    return true;
}

struct expression *expression_free(struct expression *expression)
{
    if (!expression) {
        return NULL;
    }

    arena_free(expression->arena);
    free(expression);
    return NULL;
}

size_t expression_reference_count(const struct expression *expression)
{
    return expression->reference_count;
}

const struct reference *expression_reference(const struct expression *expression, size_t index)
{
    return expression->references[index];
}

bool expression_reads_task(const struct expression *expression)
{
    return expression->reads_task;
}

bool expression_reads_builtin(const struct expression *expression)
{
    return expression->reads_builtin;
}

static const struct value *read_of_task(const struct reference *reference, const struct value *task)
{
    struct expression_subject subject = {.task = task};

    return reference_read(reference, &subject, NULL);
}

uint64_t expression_task_hash(
    const struct expression *expression,
    const struct value *task,
    uint64_t seed)
{
    for (size_t i = 0; i < expression->reference_count; i++) {
        if (expression->references[i]->root == REFERENCE_TASK) {
            seed = value_hash(read_of_task(expression->references[i], task), seed);
        }
    }
    return seed;
}

bool expression_tasks_same(
    const struct expression *expression,
    const struct value *task,
    const struct value *other)
{
    for (size_t i = 0; i < expression->reference_count; i++) {
        const struct reference *reference = expression->references[i];

        if (reference->root == REFERENCE_TASK &&
            !value_equal(read_of_task(reference, task), read_of_task(reference, other))) {
            return false;
        }
    }
    return true;
}
