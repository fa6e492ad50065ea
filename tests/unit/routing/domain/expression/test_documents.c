/* Every example of docs/expressions.md does what the page says. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/routing/domain/expression/worker_order.h"
#include "services/routing/domain/workflow_document.h"
#include "world.h"

TestSuite(expression_documents, .init = world_open, .fini = world_close);

enum {
    LINE_SIZE = 1024
};

struct page {
    FILE *file;
    char line[LINE_SIZE];
    int number;
};

static bool next_line(struct page *page)
{
    if (!fgets(page->line, sizeof(page->line), page->file)) {
        return false;
    }
    page->line[strcspn(page->line, "\n")] = '\0';
    page->number++;
    return true;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static enum expression_context context_named(const char *name)
{
    static const struct {
        const char *name;
        enum expression_context context;
    } contexts[] = {
        {"filter",  EXPRESSION_OF_TASK  },
        {"queue",   EXPRESSION_OF_QUEUE },
        {"worker",  EXPRESSION_OF_WORKER},
        {"target",  EXPRESSION_OF_TARGET},
        {"skip_if", EXPRESSION_OF_SKIP  },
    };

    for (size_t i = 0; i < sizeof(contexts) / sizeof(contexts[0]); i++) {
        if (strcmp(name, contexts[i].name) == 0) {
            return contexts[i].context;
        }
    }
    cr_assert(false, "no context %s", name);
    return EXPRESSION_OF_TASK;
}

static void check_error(
    const struct page *page,
    const char *text,
    enum expression_context context,
    const char *said)
{
    const struct expression *expression = NULL;
    struct error err = {0};

    cr_assert_not(
        expression_parse(text, context, world.keys, world.arena, &expression, &err),
        "line %d: no error", page->number);
    if (said[0]) {
        cr_assert_str_eq(err.message, said);
    }
}

static void check_example(
    struct page *page,
    enum expression_context context,
    struct expression_subject *subject)
{
    char *arrow = strstr(page->line, " -> ");

    cr_assert_not_null(arrow, "line %d: no result", page->number);

    const char *expected = arrow + strlen(" -> ");

    while (arrow > page->line && arrow[-1] == ' ') {
        arrow--;
    }
    *arrow = '\0';
    if (starts_with(expected, "error")) {
        check_error(page, page->line, context, expected + strlen("error") + (expected[5] == ' '));
        return;
    }
    cr_assert_eq(
        expression_matches(world_parse(page->line, context), subject),
        strcmp(expected, "true") == 0, "line %d: %s is not %s", page->number, page->line, expected);
}

static int check_expressions(struct page *page, const char *place)
{
    enum expression_context context = context_named(place);
    struct expression_subject subject = world_subject("{}", "{}");
    int examples = 0;

    while (next_line(page) && !starts_with(page->line, "```")) {
        if (starts_with(page->line, "task ")) {
            world.task = world_json(page->line + strlen("task "));
        } else if (starts_with(page->line, "worker ")) {
            world.worker = world_json(page->line + strlen("worker "));
        } else if (page->line[0]) {
            check_example(page, context, &subject);
            examples++;
        }
    }
    return examples;
}

static int check_orders(struct page *page)
{
    int examples = 0;

    while (next_line(page) && !starts_with(page->line, "```")) {
        const struct worker_order *order = NULL;
        struct error err = {0};

        cr_assert(
            worker_order_parse(page->line, world.keys, world.arena, &order, &err), "line %d: %s",
            page->number, err.message);
        examples++;
    }
    return examples;
}

static int check_workflow(struct page *page)
{
    CLEANUP(workflow_document_free_at_exit) struct workflow_document *document = NULL;
    char *text = arena_strdup(world.arena, "");
    struct error err = {0};

    while (next_line(page) && !starts_with(page->line, "```")) {
        text = arena_printf(world.arena, "%s%s\n", text, page->line);
    }

    struct value value = world_json(text);

    cr_assert(workflow_document_new(&value, world.keys, &document, &err), "%s", err.message);
    cr_assert_eq(document->warning_count, 0);
    return 1;
}

Test(expression_documents, every_example_does_what_the_page_says)
{
    struct page page = {.file = fopen(DOCUMENT, "re")};
    int examples = 0;

    cr_assert_not_null(page.file, "%s", DOCUMENT);
    while (next_line(&page)) {
        if (starts_with(page.line, "```expressions ")) {
            CLEANUP(mem_free_at_exit)
            char *place = mem_strdup(page.line + strlen("```expressions "));

            examples += check_expressions(&page, place);
        } else if (strcmp(page.line, "```order_by") == 0) {
            examples += check_orders(&page);
        } else if (strcmp(page.line, "```json workflow") == 0) {
            examples += check_workflow(&page);
        }
    }
    (void)fclose(page.file);
    cr_assert_gt(examples, 50);
}
