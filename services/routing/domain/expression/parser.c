#include "services/routing/domain/expression/parser.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "services/routing/domain/expression/compiled.h"
#include "services/routing/domain/expression/expression.h"
#include "services/routing/domain/expression/operand.h"
#include "services/routing/domain/expression/scanner.h"

/* Operator precedence without recursion: connectives wait on one stack, finished parts on another.
 *
 * A part has a first test and two lists of exits: jumps of its tests, taken when the part as a
 * whole is true or false, that do not know their aim yet. A list is threaded through the very
 * fields that will hold the aims. Joining two parts with AND aims the left part's true exits at the
 * right part's first test and joins the false ones; OR the other way round; NOT exchanges the two
 * lists.
 */

enum {
    /* Each level holds at most an OR, an AND and what opened the level. */
    WAITING_MAX = 3 * EXPRESSION_DEPTH_MAX + 3,
    NO_EXIT = -1
};

/* An exit is 2 * the test's index, plus 1 for on_false. */
struct exits {
    int32_t first;
    int32_t last;
};

struct part {
    int32_t start;
    struct exits when_true;
    struct exits when_false;
};

struct waiting {
    enum layout_item item; /* AND, OR, NOT or OPEN */
    const char *place;
};

struct parser {
    struct scanner *scanner;
    struct operand_reader reader;
    struct test *tests; /* grows by doubling */
    size_t test_count;
    unsigned char *layout;
    size_t layout_count;
    struct waiting waiting[WAITING_MAX];
    size_t waiting_count;
    struct part parts[WAITING_MAX];
    size_t part_count;
    int depth;
};

static void *grown(void *array, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0) {
        return array;
    }
    return mem_realloc_array(array, count ? count * 2 : 1, size);
}

static void lay_out(struct parser *parser, enum layout_item item)
{
    parser->layout = grown(parser->layout, parser->layout_count, 1);
    parser->layout[parser->layout_count++] = (unsigned char)item;
}

static int32_t *exit_field(struct parser *parser, int32_t exit)
{
    struct test *test = &parser->tests[exit / 2];

    return exit % 2 ? &test->on_false : &test->on_true;
}

static void aim(struct parser *parser, const struct exits *exits, int32_t target)
{
    int32_t exit = exits->first;

    while (exit != NO_EXIT) {
        int32_t *field = exit_field(parser, exit);

        exit = *field;
        *field = target;
    }
}

static struct exits join(struct parser *parser, const struct exits *left, const struct exits *right)
{
    *exit_field(parser, left->last) = right->first;
    return (struct exits){.first = left->first, .last = right->last};
}

static void apply_not(struct parser *parser)
{
    struct part *part = &parser->parts[parser->part_count - 1];
    struct exits when_true = part->when_true;

    part->when_true = part->when_false;
    part->when_false = when_true;
}

static void apply_binary(struct parser *parser, enum layout_item connective)
{
    const struct part *right = &parser->parts[--parser->part_count];
    struct part *left = &parser->parts[parser->part_count - 1];

    if (connective == LAYOUT_AND) {
        aim(parser, &left->when_true, right->start);
        left->when_true = right->when_true;
        left->when_false = join(parser, &left->when_false, &right->when_false);
    } else {
        aim(parser, &left->when_false, right->start);
        left->when_false = right->when_false;
        left->when_true = join(parser, &left->when_true, &right->when_true);
    }
}

/* Applies what waits and binds at least as tightly: NOT, then AND, then OR, never an open bracket.
 */
static void apply_waiting(struct parser *parser, enum layout_item weakest)
{
    static const int strength[] = {
        [LAYOUT_NOT] = 3, [LAYOUT_AND] = 2, [LAYOUT_OR] = 1, [LAYOUT_OPEN] = 0};

    while (parser->waiting_count > 0) {
        enum layout_item item = parser->waiting[parser->waiting_count - 1].item;

        if (strength[item] < strength[weakest]) {
            return;
        }
        parser->waiting_count--;
        if (item == LAYOUT_NOT) {
            parser->depth--;
            apply_not(parser);
        } else {
            apply_binary(parser, item);
        }
    }
}

static bool wait_for_part(struct parser *parser, enum layout_item item)
{
    struct scanner *scanner = parser->scanner;

    if ((item == LAYOUT_OPEN || item == LAYOUT_NOT) && ++parser->depth > EXPRESSION_DEPTH_MAX) {
        return scanner_fail(
            scanner, scanner->token.start, "more than %d levels", EXPRESSION_DEPTH_MAX);
    }
    lay_out(parser, item);
    parser->waiting[parser->waiting_count++] = (struct waiting){item, scanner->token.start};
    return scanner_next(scanner);
}

static bool is_constant(const struct operand *operand, bool list)
{
    bool is_list = operand->kind == OPERAND_LIST ||
                   (operand->kind == OPERAND_CONSTANT && operand->constant.type == VALUE_LIST);
    bool is_scalar = operand->kind == OPERAND_CONSTANT && !is_list;

    return list ? is_list : is_scalar && operand->constant.type != VALUE_NULL;
}

/* What is written out and can never be true is a mistake: say so when it is saved, because nobody
 * would see why nothing matches.
 */
static const char *useless(const struct test *test)
{
    switch (test->comparison) {
    case TEST_HAS:
        if (is_constant(&test->left, false)) {
            return "HAS needs a list on its left side";
        }
        return is_constant(&test->right, true) ? "HAS looks for a single value, not for a list"
                                               : NULL;
    case TEST_IN:
    case TEST_NOT_IN:
        if (is_constant(&test->right, false)) {
            return "IN needs a list on its right side: ['a', 'b']";
        }
        return is_constant(&test->left, true) ? "IN looks for a single value, not for a list"
                                              : NULL;
    case TEST_EQUAL:
    case TEST_NOT_EQUAL:
    case TEST_BELOW:
    case TEST_AT_MOST:
    case TEST_ABOVE:
    case TEST_AT_LEAST:
    case TEST_CONTAINS:
    case TEST_OPERATOR_COUNT:
        break;
    }
    return is_constant(&test->left, true) || is_constant(&test->right, true)
               ? "this compares single values; for lists there are HAS and IN"
               : NULL;
}

static bool scan_test(struct parser *parser)
{
    struct scanner *scanner = parser->scanner;
    struct test test = {.on_true = NO_EXIT, .on_false = NO_EXIT};
    int32_t index = (int32_t)parser->test_count;

    if (index == EXPRESSION_TESTS_MAX) {
        return scanner_fail(
            scanner, scanner->token.start, "more than %d comparisons", EXPRESSION_TESTS_MAX);
    }
    if (!operand_scan(&parser->reader, &test.left)) {
        return false;
    }

    const char *place = scanner->token.start;

    if (!operator_scan(scanner, &test.comparison) || !operand_scan(&parser->reader, &test.right)) {
        return false;
    }
    if (useless(&test)) {
        return scanner_fail(scanner, place, "%s", useless(&test));
    }

    parser->tests = grown(parser->tests, parser->test_count, sizeof(struct test));
    parser->tests[parser->test_count++] = test;
    lay_out(parser, LAYOUT_TEST);
    parser->parts[parser->part_count++] = (struct part){
        .start = index,
        .when_true = {.first = 2 * index,     .last = 2 * index    },
        .when_false = {.first = 2 * index + 1, .last = 2 * index + 1},
    };
    return true;
}

/* Any number of NOT and ( , then a comparison. */
static bool scan_term(struct parser *parser)
{
    const struct scanner *scanner = parser->scanner;

    for (;;) {
        bool open = scanner_sees_sign(scanner, "(");

        if (!open && !scanner_sees_word(scanner, "not")) {
            return scan_test(parser);
        }
        if (!wait_for_part(parser, open ? LAYOUT_OPEN : LAYOUT_NOT)) {
            return false;
        }
    }
}

static bool close_bracket(struct parser *parser)
{
    apply_waiting(parser, LAYOUT_OR);
    if (parser->waiting_count == 0) {
        return scanner_fail(parser->scanner, parser->scanner->token.start, "this ) closes nothing");
    }
    parser->waiting_count--;
    parser->depth--;
    lay_out(parser, LAYOUT_CLOSE);
    return scanner_next(parser->scanner);
}

static bool finish(struct parser *parser)
{
    struct scanner *scanner = parser->scanner;

    apply_waiting(parser, LAYOUT_OR);
    if (parser->waiting_count > 0) {
        int line = 0;
        int column = 0;

        scanner_locate(scanner, parser->waiting[parser->waiting_count - 1].place, &line, &column);
        return scanner_fail(
            scanner, scanner->token.start,
            "expected ) for the ( at line %d, column %d, found the end", line, column);
    }
    aim(parser, &parser->parts[0].when_true, RESULT_TRUE);
    aim(parser, &parser->parts[0].when_false, RESULT_FALSE);
    return true;
}

/* After a term: closing brackets, then a connective or the end. */
static bool scan_connective(struct parser *parser, bool *ret_done)
{
    struct scanner *scanner = parser->scanner;

    while (scanner_sees_sign(scanner, ")")) {
        if (!close_bracket(parser)) {
            return false;
        }
    }
    *ret_done = scanner->token.type == TOKEN_END;
    if (*ret_done) {
        return finish(parser);
    }
    if (scanner_sees_word(scanner, "and")) {
        apply_waiting(parser, LAYOUT_AND);
        return wait_for_part(parser, LAYOUT_AND);
    }
    if (scanner_sees_word(scanner, "or")) {
        apply_waiting(parser, LAYOUT_OR);
        return wait_for_part(parser, LAYOUT_OR);
    }
    return scanner_fail_expected(scanner, "AND, OR or the end");
}

static bool parse(struct parser *parser)
{
    bool done = false;

    if (parser->scanner->token.type == TOKEN_END) {
        return scanner_fail(
            parser->scanner, parser->scanner->token.start,
            "the expression is empty; 1==1 is always true, 1==2 never");
    }
    while (!done) {
        if (!scan_term(parser) || !scan_connective(parser, &done)) {
            return false;
        }
    }
    return true;
}

static void take_result(const struct parser *parser, struct expression *expression)
{
    struct arena *arena = parser->scanner->arena;
    const struct operand_reader *reader = &parser->reader;

    expression->test_count = parser->test_count;
    expression->tests = arena_dup(arena, parser->tests, parser->test_count * sizeof(struct test));
    expression->layout_count = parser->layout_count;
    expression->layout = arena_dup(arena, parser->layout, parser->layout_count);
    expression->reference_count = reader->reference_count;
    expression->references = arena_dup(
        arena, (const void *)reader->references, reader->reference_count * sizeof(void *));
    for (size_t i = 0; i < reader->reference_count; i++) {
        expression->reads_task |= reader->references[i]->root == REFERENCE_TASK;
        expression->reads_builtin |= reader->references[i]->root == REFERENCE_BUILTIN;
    }
}

bool parser_run(
    struct scanner *scanner,
    enum expression_context context,
    struct value_keys *keys,
    struct expression *ret_expression)
{
    struct parser parser = {
        .scanner = scanner, .reader = {.scanner = scanner, .context = context, .keys = keys}
    };
    bool parsed = parse(&parser);

    if (parsed) {
        take_result(&parser, ret_expression);
    }
    free(parser.tests);
    free(parser.layout);
    free((void *)parser.reader.references);
    return parsed;
}
