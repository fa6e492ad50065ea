#include "services/routing/domain/expression/worker_order.h"

#include "common/base/arena.h"
#include "common/value/number.h"
#include "common/value/value.h"
#include "services/routing/domain/expression/reference_scan.h"
#include "services/routing/domain/expression/scanner.h"

static bool check_clause(
    const struct scanner *scanner,
    const char *place,
    const struct reference *reference)
{
    if (reference->root == REFERENCE_TASK) {
        return scanner_fail(
            scanner, place, "%s is the same for every worker; order_by reads worker.…",
            reference->text);
    }
    if (reference->root == REFERENCE_BUILTIN &&
        reference->builtin < BUILTIN_CHANNEL_CONFIGURED_CAPACITY) {
        return scanner_fail(
            scanner, place, "%s is text; order_by sorts by numbers", reference->text);
    }
    return true;
}

static bool scan_direction(struct scanner *scanner, struct worker_order_clause *clause)
{
    clause->descending = scanner_sees_word(scanner, "desc");
    if (clause->descending || scanner_sees_word(scanner, "asc")) {
        return scanner_next(scanner);
    }
    if (scanner->token.type == TOKEN_END || scanner_sees_sign(scanner, ",")) {
        return true;
    }
    return scanner_fail_expected(scanner, "ASC, DESC, a comma or the end");
}

static bool scan_clause(
    struct scanner *scanner,
    struct value_keys *keys,
    struct worker_order_clause *clause)
{
    const char *place = scanner->token.start;

    return reference_scan(scanner, EXPRESSION_OF_TARGET, keys, &clause->reference) &&
           check_clause(scanner, place, &clause->reference) && scan_direction(scanner, clause);
}

bool worker_order_parse(
    const char *text,
    struct value_keys *keys,
    struct arena *arena,
    const struct worker_order **ret_order,
    struct error *err)
{
    struct worker_order *order = arena_new_object(arena, struct worker_order);
    struct scanner scanner;

    if (!scanner_start(&scanner, text, arena, err)) {
        return false;
    }
    for (;;) {
        if (order->count == WORKER_ORDER_CLAUSES_MAX) {
            return scanner_fail(
                &scanner, scanner.token.start, "more than %d clauses", WORKER_ORDER_CLAUSES_MAX);
        }
        if (!scan_clause(&scanner, keys, &order->clauses[order->count])) {
            return false;
        }
        order->count++;
        if (scanner.token.type == TOKEN_END) {
            break;
        }
        if (!scanner_sees_sign(&scanner, ",")) {
            return scanner_fail_expected(&scanner, "a comma or the end");
        }
        if (!scanner_next(&scanner)) {
            return false;
        }
    }
    *ret_order = order;
    return true;
}

char *worker_order_print(const struct worker_order *order, struct arena *arena)
{
    char *text = arena_strdup(arena, "");

    for (size_t i = 0; i < order->count; i++) {
        const struct worker_order_clause *clause = &order->clauses[i];

        text = arena_printf(
            arena, "%s%s%s %s", text, i == 0 ? "" : ", ", clause->reference.text,
            clause->descending ? "DESC" : "ASC");
    }
    return text;
}

static int clause_compare(
    const struct worker_order_clause *clause,
    const struct expression_subject *a,
    const struct expression_subject *b)
{
    struct value a_scratch;
    struct value b_scratch;
    const struct value *a_value = reference_read(&clause->reference, a, &a_scratch);
    const struct value *b_value = reference_read(&clause->reference, b, &b_scratch);
    bool a_counts = value_is_number(a_value);
    bool b_counts = value_is_number(b_value);

    if (!a_counts || !b_counts) {
        return b_counts - a_counts;
    }

    int order = number_compare(a_value, b_value);

    return clause->descending ? -order : order;
}

int worker_order_compare(
    const struct worker_order *order,
    const struct expression_subject *a,
    const struct expression_subject *b)
{
    int result = 0;

    for (size_t i = 0; i < order->count && result == 0; i++) {
        result = clause_compare(&order->clauses[i], a, b);
    }
    return result;
}

bool worker_order_reads_builtin(const struct worker_order *order)
{
    for (size_t i = 0; i < order->count; i++) {
        if (order->clauses[i].reference.root == REFERENCE_BUILTIN) {
            return true;
        }
    }
    return false;
}
