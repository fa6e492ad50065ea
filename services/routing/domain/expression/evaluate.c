#include <string.h>

#include "common/value/number.h"
#include "services/routing/domain/expression/compiled.h"
#include "services/routing/domain/expression/expression.h"

/* The rules of docs/expressions.md, "Types": nothing here converts a value except text that is a
 * number, and that only where an order is asked for.
 */

static inline const struct value *operand_read(
    const struct operand *operand,
    const struct expression_subject *subject,
    struct value *scratch)
{
    switch (operand->kind) {
    case OPERAND_CONSTANT:
        return &operand->constant;
    case OPERAND_REFERENCE:
        return reference_read(operand->reference, subject, scratch);
    case OPERAND_LIST:
        break; /* read item by item, in membership_in */
    }
    return &value_null;
}

/* As ==: a list or object equals nothing, not even itself. */
static bool scalars_equal(const struct value *a, const struct value *b)
{
    return value_is_scalar(a) && value_is_scalar(b) && value_equal(a, b);
}

/* True also for a list or object that is compared with null: "is it there?" */
static bool scalars_differ(const struct value *a, const struct value *b)
{
    if (a->type == VALUE_NULL || b->type == VALUE_NULL) {
        return a->type != b->type;
    }
    return value_is_scalar(a) && value_is_scalar(b) && !value_equal(a, b);
}

static bool as_number(const struct value *value, struct value *ret_number)
{
    if (value_is_number(value)) {
        *ret_number = *value;
        return true;
    }
    return value->type == VALUE_TEXT && number_parse(value->text, value->count, ret_number);
}

/* Whether the two have an order, and if so which: below, equal to or above 0. */
static bool ordered(const struct value *a, const struct value *b, int *ret_order)
{
    struct value left;
    struct value right;

    if (a->type == VALUE_TEXT && b->type == VALUE_TEXT) {
        uint32_t shorter = a->count < b->count ? a->count : b->count;
        int order = memcmp(a->text, b->text, shorter);

        *ret_order = order ? order : (a->count > b->count) - (a->count < b->count);
        return true;
    }
    if (!as_number(a, &left) || !as_number(b, &right)) {
        return false;
    }
    *ret_order = number_compare(&left, &right);
    return true;
}

static bool order_holds(
    enum test_operator comparison,
    const struct value *left,
    const struct value *right)
{
    int order = 0;

    if (!ordered(left, right, &order)) {
        return false;
    }
    if (comparison == TEST_BELOW) {
        return order < 0;
    }
    if (comparison == TEST_AT_MOST) {
        return order <= 0;
    }
    return comparison == TEST_ABOVE ? order > 0 : order >= 0;
}

static bool list_holds(const struct value *list, const struct value *sought)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (scalars_equal(&list->items[i], sought)) {
            return true;
        }
    }
    return false;
}

enum membership {
    IS_IN,
    IS_NOT_IN,
    IS_NO_QUESTION /* not a list, or not a single value */
};

/* A list that is not there holds nothing. */
static enum membership membership(const struct value *list, const struct value *sought)
{
    if (!value_is_scalar(sought)) {
        return IS_NO_QUESTION;
    }
    if (list->type == VALUE_NULL) {
        return IS_NOT_IN;
    }
    if (list->type != VALUE_LIST) {
        return IS_NO_QUESTION;
    }
    return list_holds(list, sought) ? IS_IN : IS_NOT_IN;
}

static enum membership membership_in(
    const struct operand *operand,
    const struct value *list,
    const struct value *sought,
    const struct expression_subject *subject)
{
    struct value scratch;

    if (operand->kind != OPERAND_LIST) {
        return membership(list, sought);
    }
    if (!value_is_scalar(sought)) {
        return IS_NO_QUESTION;
    }
    for (uint32_t i = 0; i < operand->count; i++) {
        if (scalars_equal(operand_read(&operand->items[i], subject, &scratch), sought)) {
            return IS_IN;
        }
    }
    return IS_NOT_IN;
}

static bool text_contains(const struct value *text, const struct value *part)
{
    return text->type == VALUE_TEXT && part->type == VALUE_TEXT &&
           memmem(text->text, text->count, part->text, part->count) != NULL;
}

static bool test_holds(const struct test *test, const struct expression_subject *subject)
{
    struct value left_scratch;
    struct value right_scratch;
    const struct value *left = operand_read(&test->left, subject, &left_scratch);
    const struct value *right = operand_read(&test->right, subject, &right_scratch);

    switch (test->comparison) {
    case TEST_EQUAL:
        return scalars_equal(left, right);
    case TEST_NOT_EQUAL:
        return scalars_differ(left, right);
    case TEST_HAS:
        return membership_in(&test->left, left, right, subject) == IS_IN;
    case TEST_IN:
        return membership_in(&test->right, right, left, subject) == IS_IN;
    case TEST_NOT_IN:
        return membership_in(&test->right, right, left, subject) == IS_NOT_IN;
    case TEST_CONTAINS:
        return text_contains(left, right);
    case TEST_BELOW:
    case TEST_AT_MOST:
    case TEST_ABOVE:
    case TEST_AT_LEAST:
    case TEST_OPERATOR_COUNT:
        break;
    }
    return order_holds(test->comparison, left, right);
}

size_t expression_deciding_test(
    const struct expression *expression,
    const struct expression_subject *subject,
    bool *ret_matches)
{
    int32_t at = 0;
    int32_t next = 0;

    while (next >= 0) {
        const struct test *test = &expression->tests[next];

        at = next;
        next = test_holds(test, subject) ? test->on_true : test->on_false;
    }
    *ret_matches = next == RESULT_TRUE;
    return (size_t)at;
}

bool expression_matches(
    const struct expression *expression,
    const struct expression_subject *subject)
{
    bool matches = false;

    (void)expression_deciding_test(expression, subject, &matches);
    return matches;
}
