/* An expression that is accepted prints to text that is accepted, prints the same, and matches the
 * same subjects. The first byte chooses the context; a NUL ends the expression, and what follows is
 * JSON, the attributes that task and worker have.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/utf8.h"
#include "common/error/error.h"
#include "common/json/json.h"
#include "common/value/value.h"
#include "services/routing/domain/expression/expression.h"
#include "services/routing/domain/expression/worker_order.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct input {
    struct value_keys *keys;
    struct arena *arena;
    const char *text;
    struct value attributes;
};

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void answer(
    const void *source,
    enum expression_builtin builtin,
    const struct value_key *name,
    struct value *ret_value)
{
    (void)source;
    *ret_value = name ? value_of_integer(builtin) : value_of_text("ada");
}

static void check_expression(const struct input *input, enum expression_context context)
{
    struct expression_subject subject = {
        .task = &input->attributes, .worker = &input->attributes, .get = answer};
    const struct expression *first = NULL;
    const struct expression *second = NULL;
    struct error err = {0};
    bool matches = false;

    if (!expression_parse(input->text, context, input->keys, input->arena, &first, &err)) {
        require(err.reason == REASON_EXPRESSION_INVALID && err.metadata_count == 2);
        require(
            utf8_is_text(err.message, strlen(err.message)) ||
            !utf8_is_text(input->text, strlen(input->text)));
        return;
    }

    const char *printed = expression_print(first, input->arena);

    /* Printing adds blanks, so it may outgrow the limit on text. */
    if (strlen(printed) > EXPRESSION_BYTES_MAX) {
        return;
    }
    require(expression_parse(printed, context, input->keys, input->arena, &second, &err));
    require(strcmp(printed, expression_print(second, input->arena)) == 0);

    size_t test = expression_deciding_test(first, &subject, &matches);

    require(expression_print_test(first, test, input->arena)[0] != '\0');
    require(expression_matches(second, &subject) == matches);
    require(expression_tasks_same(first, &input->attributes, &input->attributes));
    require(
        expression_task_hash(first, &input->attributes, 1) ==
        expression_task_hash(second, &input->attributes, 1));
}

static void check_order(const struct input *input)
{
    struct expression_subject subject = {.worker = &input->attributes, .get = answer};
    const struct worker_order *order = NULL;
    struct error err = {0};

    if (!worker_order_parse(input->text, input->keys, input->arena, &order, &err)) {
        return;
    }

    const char *printed = worker_order_print(order, input->arena);
    struct expression_subject nobody = {0};

    require(worker_order_compare(order, &subject, &subject) == 0);
    require(
        worker_order_compare(order, &subject, &nobody) ==
        -worker_order_compare(order, &nobody, &subject));
    if (strlen(printed) <= EXPRESSION_BYTES_MAX) {
        require(worker_order_parse(printed, input->keys, input->arena, &order, &err));
        require(strcmp(printed, worker_order_print(order, input->arena)) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }

    CLEANUP(value_keys_free_at_exit) struct value_keys *keys = value_keys_new(16);
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)bytes + 1, size - 1);
    size_t used = strlen(text) + 2;
    struct json_reader reader = {.keys = keys, .arena = arena, .max_bytes = size};
    struct input input = {.keys = keys, .arena = arena, .text = text, .attributes = value_null};
    struct error err;

    if (used < size) {
        (void)!json_parse(
            &reader, (const char *)bytes + used, size - used, &input.attributes, &err);
    }
    check_expression(&input, bytes[0] % (EXPRESSION_OF_SKIP + 1));
    check_order(&input);
    return 0;
}
