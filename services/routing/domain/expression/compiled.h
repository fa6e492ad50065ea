/* What the parser makes and the evaluator runs. Internal to this folder.
 *
 * The tests stand in the order of the text. Each says where to go on when it holds and when it does
 * not: AND, OR, NOT and parentheses have become these two jumps, so that evaluating is one loop,
 * stops as soon as the result is known, and the last test run is the one that decided.
 *
 *     a == 1 AND (b == 2 OR c == 3)
 *
 *         test 0: a == 1    true: 1       false: FALSE
 *         test 1: b == 2    true: TRUE    false: 2
 *         test 2: c == 3    true: TRUE    false: FALSE
 *
 * The layout keeps the connectives and parentheses as they were written, for printing.
 */
#ifndef ROUTING_DOMAIN_EXPRESSION_COMPILED_H
#define ROUTING_DOMAIN_EXPRESSION_COMPILED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/value/value.h"
#include "services/routing/domain/expression/reference.h"

struct arena;

enum operand_kind {
    OPERAND_CONSTANT, /* also a list of constants */
    OPERAND_REFERENCE,
    OPERAND_LIST /* at least one item is a reference */
};

struct operand {
    enum operand_kind kind;
    uint32_t count; /* of a list */
    union {
        struct value constant;
        const struct reference *reference;
        const struct operand *items; /* each a constant or a reference */
    };
};

enum test_operator {
    TEST_EQUAL,
    TEST_NOT_EQUAL,
    TEST_BELOW,
    TEST_AT_MOST,
    TEST_ABOVE,
    TEST_AT_LEAST,
    TEST_HAS,
    TEST_IN,
    TEST_NOT_IN,
    TEST_CONTAINS,
    TEST_OPERATOR_COUNT
};

enum {
    RESULT_TRUE = -1,
    RESULT_FALSE = -2
};

struct test {
    struct operand left;
    struct operand right;
    enum test_operator comparison;
    int32_t on_true; /* a test's index or a RESULT */
    int32_t on_false;
};

enum layout_item {
    LAYOUT_TEST, /* the next one */
    LAYOUT_AND,
    LAYOUT_OR,
    LAYOUT_NOT,
    LAYOUT_OPEN,
    LAYOUT_CLOSE
};

struct expression {
    struct arena *arena; /* NULL when somebody else's arena holds it */
    size_t test_count;
    const struct test *tests;
    size_t layout_count;
    const unsigned char *layout; /* enum layout_item */
    size_t reference_count;
    const struct reference *const *references;
    bool reads_task;
    bool reads_builtin;
};

extern const char *const test_operator_words[TEST_OPERATOR_COUNT];

#endif
