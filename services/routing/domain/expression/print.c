#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/value/value.h"
#include "services/routing/domain/expression/compiled.h"
#include "services/routing/domain/expression/expression.h"
#include "services/routing/domain/expression/reference_scan.h"

const char *const test_operator_words[TEST_OPERATOR_COUNT] = {
    [TEST_EQUAL] = "==",          [TEST_NOT_EQUAL] = "!=", [TEST_BELOW] = "<",
    [TEST_AT_MOST] = "<=",        [TEST_ABOVE] = ">",      [TEST_AT_LEAST] = ">=",
    [TEST_HAS] = "HAS",           [TEST_IN] = "IN",        [TEST_NOT_IN] = "NOT IN",
    [TEST_CONTAINS] = "CONTAINS",
};

/* What stands behind the backslash for a character that needs one, else NUL. */
static char escape(char character, char quote)
{
    switch (character) {
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\\':
        return '\\';
    default:
        return (char)(quote == character ? quote : '\0');
    }
}

static void print_quoted(FILE *out, const struct value *text)
{
    static const char quotes[] = "'\"";
    char quote = quotes[memchr(text->text, '\'', text->count) != NULL];

    (void)fputc(quote, out);
    for (uint32_t i = 0; i < text->count; i++) {
        char letter = escape(text->text[i], quote);

        if (letter) {
            (void)fputc('\\', out);
        }
        (void)fputc(letter ? letter : text->text[i], out);
    }
    (void)fputc(quote, out);
}

/* The scanner reads digits, a point and digits, so no exponent is written. */
static void print_real(FILE *out, double real)
{
    char number[400];

    for (int digits = 1; digits <= 330; digits++) {
        (void)snprintf(number, sizeof(number), "%.*f", digits, real);
        if (strtod(number, NULL) == real) {
            break;
        }
    }
    (void)fputs(number, out);
}

static void print_scalar(FILE *out, const struct value *value)
{
    switch (value->type) {
    case VALUE_BOOL:
        (void)fputs(value->boolean ? "true" : "false", out);
        break;
    case VALUE_INTEGER:
        (void)fprintf(out, "%" PRId64, value->integer);
        break;
    case VALUE_REAL:
        print_real(out, value->real);
        break;
    case VALUE_TEXT:
        print_quoted(out, value);
        break;
    case VALUE_NULL:
    case VALUE_LIST:
    case VALUE_OBJECT:
        (void)fputs("null", out);
        break;
    }
}

static void print_single(FILE *out, const struct operand *operand)
{
    if (operand->kind == OPERAND_REFERENCE) {
        (void)fputs(operand->reference->text, out);
    } else {
        print_scalar(out, &operand->constant);
    }
}

static void print_operand(FILE *out, const struct operand *operand)
{
    bool constant_list = operand->kind == OPERAND_CONSTANT && operand->constant.type == VALUE_LIST;
    uint32_t count = constant_list ? operand->constant.count : operand->count;

    if (!constant_list && operand->kind != OPERAND_LIST) {
        print_single(out, operand);
        return;
    }

    (void)fputc('[', out);
    for (uint32_t i = 0; i < count; i++) {
        (void)fputs(i == 0 ? "" : ", ", out);
        if (constant_list) {
            print_scalar(out, &operand->constant.items[i]);
        } else {
            print_single(out, &operand->items[i]);
        }
    }
    (void)fputc(']', out);
}

static void print_test(FILE *out, const struct test *test)
{
    print_operand(out, &test->left);
    (void)fprintf(out, " %s ", test_operator_words[test->comparison]);
    print_operand(out, &test->right);
}

static void print_layout(FILE *out, const struct expression *expression)
{
    static const char *const words[] = {
        [LAYOUT_AND] = " AND ", [LAYOUT_OR] = " OR ", [LAYOUT_NOT] = "NOT ",
        [LAYOUT_OPEN] = "(",    [LAYOUT_CLOSE] = ")",
    };
    const struct test *test = expression->tests;

    for (size_t i = 0; i < expression->layout_count; i++) {
        if (expression->layout[i] == LAYOUT_TEST) {
            print_test(out, test++);
        } else {
            (void)fputs(words[expression->layout[i]], out);
        }
    }
}

/* Printing goes to a stream in memory; its text then moves to the arena. */
struct printer {
    char *text;
    size_t length;
    FILE *out;
};

static void printer_start(struct printer *printer)
{
    printer->out = open_memstream(&printer->text, &printer->length);
    if (!printer->out) {
        abort();
    }
}

static char *printer_finish(struct printer *printer, struct arena *arena)
{
    if (fclose(printer->out) != 0) {
        abort();
    }

    char *text = arena_dup(arena, printer->text, printer->length + 1);

    free(printer->text);
    return text;
}

char *expression_quote(const struct value *text, struct arena *arena)
{
    struct printer printer = {0};

    printer_start(&printer);
    print_quoted(printer.out, text);
    return printer_finish(&printer, arena);
}

char *expression_print_test(const struct expression *expression, size_t test, struct arena *arena)
{
    struct printer printer = {0};

    printer_start(&printer);
    print_test(printer.out, &expression->tests[test]);
    return printer_finish(&printer, arena);
}

char *expression_print(const struct expression *expression, struct arena *arena)
{
    struct printer printer = {0};

    printer_start(&printer);
    print_layout(printer.out, expression);
    return printer_finish(&printer, arena);
}
