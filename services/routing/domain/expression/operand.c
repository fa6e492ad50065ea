#include "services/routing/domain/expression/operand.h"

#include <stdint.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "services/routing/domain/expression/expression.h"
#include "services/routing/domain/expression/reference_scan.h"
#include "services/routing/domain/expression/scanner.h"

static const char operators_expected[] = "==, !=, <, <=, >, >=, HAS, IN, NOT IN or CONTAINS";

static bool sees_keyword(const struct scanner *scanner)
{
    static const char *const keywords[] = {"and", "or", "not", "in", "has", "contains"};

    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (scanner_sees_word(scanner, keywords[i])) {
            return true;
        }
    }
    return false;
}

/* true, false and null, in any case. */
static bool word_constant(const struct scanner *scanner, struct value *ret_value)
{
    if (scanner_sees_word(scanner, "null")) {
        *ret_value = value_null;
        return true;
    }
    if (scanner_sees_word(scanner, "true") || scanner_sees_word(scanner, "false")) {
        *ret_value = value_of_bool(scanner_sees_word(scanner, "true"));
        return true;
    }
    return false;
}

static bool scan_reference(struct operand_reader *reader, struct operand *operand)
{
    struct reference *reference = arena_new_object(reader->scanner->arena, struct reference);

    if (!reference_scan(reader->scanner, reader->context, reader->keys, reference)) {
        return false;
    }
    /* Grows by doubling: at every power of two. */
    if ((reader->reference_count & (reader->reference_count - 1)) == 0) {
        reader->references = mem_realloc_array(
            reader->references, reader->reference_count ? reader->reference_count * 2 : 1,
            sizeof(void *));
    }
    reader->references[reader->reference_count++] = reference;
    operand->kind = OPERAND_REFERENCE;
    operand->reference = reference;
    return true;
}

/* Anything but a list. */
static bool scan_scalar(struct operand_reader *reader, struct operand *operand)
{
    struct scanner *scanner = reader->scanner;
    const struct token *token = &scanner->token;

    operand->kind = OPERAND_CONSTANT;
    if (token->type == TOKEN_TEXT || token->type == TOKEN_NUMBER) {
        operand->constant = token->value;
        return scanner_next(scanner);
    }
    if (token->type == TOKEN_NAME && word_constant(scanner, &operand->constant)) {
        return scanner_next(scanner);
    }
    if (token->type == TOKEN_NAME && !sees_keyword(scanner)) {
        return scan_reference(reader, operand);
    }
    return scanner_fail_expected(scanner, "a value or a name");
}

/* A list without references is one constant. */
static void finish_list(
    struct arena *arena,
    const struct operand *items,
    size_t count,
    struct operand *operand)
{
    bool constant = true;

    for (size_t i = 0; i < count; i++) {
        constant = constant && items[i].kind == OPERAND_CONSTANT;
    }
    if (!constant) {
        operand->kind = OPERAND_LIST;
        operand->count = (uint32_t)count;
        operand->items = arena_dup(arena, items, count * sizeof(struct operand));
        return;
    }

    struct value *values = arena_new_array(arena, struct value, count);

    for (size_t i = 0; i < count; i++) {
        values[i] = items[i].constant;
    }
    operand->kind = OPERAND_CONSTANT;
    operand->constant = value_of_list(values, count);
}

static bool scan_item(struct operand_reader *reader, size_t count, struct operand *item)
{
    struct scanner *scanner = reader->scanner;

    if (count > 0) {
        if (!scanner_sees_sign(scanner, ",")) {
            return scanner_fail_expected(scanner, ", or ]");
        }
        if (!scanner_next(scanner)) {
            return false;
        }
    }
    if (count == EXPRESSION_LIST_MAX) {
        return scanner_fail(
            scanner, scanner->token.start, "a list has at most %d items", EXPRESSION_LIST_MAX);
    }
    if (scanner_sees_sign(scanner, "[")) {
        return scanner_fail_expected(scanner, "a single value: a list holds no lists");
    }
    return scan_scalar(reader, item);
}

static bool scan_list(struct operand_reader *reader, struct operand *operand)
{
    struct scanner *scanner = reader->scanner;
    CLEANUP(mem_free_at_exit)
    struct operand *items = mem_new_array(struct operand, EXPRESSION_LIST_MAX);
    size_t count = 0;

    if (!scanner_next(scanner)) {
        return false;
    }
    while (!scanner_sees_sign(scanner, "]")) {
        struct operand item = {0};

        if (!scan_item(reader, count, &item)) {
            return false;
        }
        items[count++] = item;
    }
    finish_list(scanner->arena, items, count, operand);
    return scanner_next(scanner);
}

bool operand_scan(struct operand_reader *reader, struct operand *ret_operand)
{
    struct operand operand = {0};

    if (!(scanner_sees_sign(reader->scanner, "[") ? scan_list(reader, &operand)
                                                  : scan_scalar(reader, &operand))) {
        return false;
    }
    *ret_operand = operand;
    return true;
}

static bool fail_operator(const struct scanner *scanner)
{
    static const struct {
        const char *word;
        const char *hint;
    } mistakes[] = {
        {"like",    "there is no LIKE: CONTAINS finds a part of a text"     },
        {"matches", "there are no patterns: CONTAINS finds a part of a text"},
        {"is",      "there is no IS: write == null or != null"              },
        {"exists",  "there is no EXISTS: write != null"                     },
        {"equals",  "write =="                                              },
        {"eq",      "write =="                                              },
    };

    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        if (scanner_sees_word(scanner, mistakes[i].word)) {
            return scanner_fail(scanner, scanner->token.start, "%s", mistakes[i].hint);
        }
    }
    return scanner_fail_expected(scanner, operators_expected);
}

static bool scan_not_in(struct scanner *scanner, enum test_operator *ret_operator)
{
    if (!scanner_next(scanner)) {
        return false;
    }
    if (!scanner_sees_word(scanner, "in")) {
        return scanner_fail_expected(scanner, "IN after NOT");
    }
    *ret_operator = TEST_NOT_IN;
    return scanner_next(scanner);
}

bool operator_scan(struct scanner *scanner, enum test_operator *ret_operator)
{
    static const struct {
        const char *word; /* or sign */
        enum test_operator comparison;
    } operators[] = {
        {"==",       TEST_EQUAL    },
        {"=",        TEST_EQUAL    },
        {"!=",       TEST_NOT_EQUAL},
        {"<",        TEST_BELOW    },
        {"<=",       TEST_AT_MOST  },
        {">",        TEST_ABOVE    },
        {">=",       TEST_AT_LEAST },
        {"has",      TEST_HAS      },
        {">-",       TEST_HAS      },
        {"in",       TEST_IN       },
        {"<-",       TEST_IN       },
        {"contains", TEST_CONTAINS },
    };

    if (scanner_sees_word(scanner, "not")) {
        return scan_not_in(scanner, ret_operator);
    }
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (scanner_sees_word(scanner, operators[i].word) ||
            scanner_sees_sign(scanner, operators[i].word)) {
            *ret_operator = operators[i].comparison;
            return scanner_next(scanner);
        }
    }
    return fail_operator(scanner);
}
