#include <criterion/criterion.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "services/routing/domain/workflow_document.h"
#include "tests/unit/routing/domain/expression/world.h"

TestSuite(workflow_document, .init = world_open, .fini = world_close);

static struct workflow_document *made(const char *json)
{
    struct workflow_document *document = NULL;
    struct value value = world_json(json);
    struct error err = {0};

    cr_assert(
        workflow_document_new(&value, world.keys, &document, &err), "%s: %s", json, err.message);
    return document;
}

static const char full[] =
    "{\"task_routing\": {\"filters\": ["
    "  {\"filter_friendly_name\": \"German\", \"expression\": \"language == 'de'\", \"targets\": ["
    "    {\"queue\": \"german\", \"timeout\": 10, \"priority\": \"7\", \"order_by\":"
    "     \"worker.level DESC\", \"skip_if\": \"workers.available == 0\"},"
    "    {\"timeout\": \"20\", \"expression\": \"worker.level > task.level\"},"
    "    {\"queue\": \"workspaces/acme/taskQueues/everyone\"}]},"
    "  {\"expression\": \"vip == true\", \"targets\": ["
    "    {\"queue\": \"german\", \"known_worker_sid\": \"task.owner.id\", \"timeout\": 5},"
    "    {\"queue\": \"vip\", \"known_worker_friendly_name\": \"task.owner\"}]}],"
    " \"default_filter\": {\"queue\": \"everyone\", \"priority\": 0}}}";

Test(workflow_document, is_compiled_whole)
{
    CLEANUP(workflow_document_free_at_exit) struct workflow_document *document = made(full);

    cr_assert_eq(document->filter_count, 2);
    cr_assert_eq(document->warning_count, 0);
    cr_assert_str_eq(document->filters[0].display_name, "German");
    cr_assert_str_eq(document->filters[1].display_name, "");
    cr_assert_eq(document->filters[0].target_count, 3);

    const struct workflow_target *target = document->filters[0].targets;

    cr_assert_str_eq(target[0].queue_id, "german");
    cr_assert_eq(target[0].timeout_us, 10000000);
    cr_assert(target[0].has_priority);
    cr_assert_eq(target[0].priority, 7);
    cr_assert_eq(target[0].order_by->count, 1);
    cr_assert_not_null(target[0].skip_if);
    cr_assert_null(target[0].expression);
    cr_assert_not_null(target[1].expression);
    cr_assert_not(target[1].has_priority);
    cr_assert_str_eq(target[2].queue_id, "everyone");

    cr_assert_str_eq(document->default_target->queue_id, "everyone");
    cr_assert(document->default_target->has_priority);
    cr_assert_eq(document->default_target->priority, 0);
}

Test(workflow_document, a_target_inherits_the_queue_but_not_time_out_or_expression)
{
    CLEANUP(workflow_document_free_at_exit) struct workflow_document *document = made(full);
    const struct workflow_target *target = document->filters[0].targets;

    cr_assert_str_eq(target[1].queue_id, "german");
    cr_assert_null(target[2].expression);
    cr_assert_eq(target[2].timeout_us, 0);
}

Test(workflow_document, deadlines_are_sums_of_the_time_outs)
{
    CLEANUP(workflow_document_free_at_exit) struct workflow_document *document = made(full);
    const struct workflow_target *target = document->filters[0].targets;

    cr_assert_eq(target[0].deadline_us, 10000000);
    cr_assert_eq(target[1].deadline_us, 30000000);
    cr_assert_eq(target[2].deadline_us, 0);
}

Test(workflow_document, knows_a_worker_by_id_or_by_name)
{
    CLEANUP(workflow_document_free_at_exit) struct workflow_document *document = made(full);
    const struct workflow_target *target = document->filters[1].targets;
    struct expression_subject subject = world_subject("{\"owner\": {\"id\": \"ada\"}}", NULL);
    struct value scratch;

    cr_assert_eq(document->filters[0].targets[0].known_worker_kind, KNOWN_WORKER_NONE);
    cr_assert_eq(target[0].known_worker_kind, KNOWN_WORKER_BY_ID);
    cr_assert_eq(target[1].known_worker_kind, KNOWN_WORKER_BY_DISPLAY_NAME);
    cr_assert_str_eq(reference_read(&target[0].known_worker, &subject, &scratch)->text, "ada");
}

Test(workflow_document, matches_filters_from_the_top_and_from_where_a_task_left)
{
    CLEANUP(workflow_document_free_at_exit) struct workflow_document *document = made(full);
    struct value both = world_json("{\"language\": \"de\", \"vip\": true}");
    struct value vip = world_json("{\"vip\": true}");
    struct value none = world_json("{}");

    cr_assert_eq(workflow_document_match(document, 0, &both), 0);
    cr_assert_eq(workflow_document_match(document, 1, &both), 1);
    cr_assert_eq(workflow_document_match(document, 2, &both), 2);
    cr_assert_eq(workflow_document_match(document, 9, &both), 2);
    cr_assert_eq(workflow_document_match(document, 0, &vip), 1);
    cr_assert_eq(workflow_document_match(document, 0, &none), 2);
}

Test(workflow_document, names_each_of_its_queues_once)
{
    CLEANUP(workflow_document_free_at_exit) struct workflow_document *document = made(full);
    const char *const *queues = NULL;

    cr_assert_eq(workflow_document_queues(document, world.arena, &queues), 3);
    cr_assert_str_eq(queues[0], "german");
    cr_assert_str_eq(queues[1], "everyone");
    cr_assert_str_eq(queues[2], "vip");
}

Test(workflow_document, may_have_filters_or_a_default_alone)
{
    CLEANUP(workflow_document_free_at_exit)
    struct workflow_document *fifo =
        made("{\"task_routing\": {\"default_filter\": {\"queue\": \"q\"}}}");
    CLEANUP(workflow_document_free_at_exit)
    struct workflow_document *filters = made(
        "{\"task_routing\": {\"filters\": [{\"display_name\": \"a\", \"expression\": \"1==1\","
        " \"targets\": [{\"queue\": \"q\", \"known_worker\": \"task.w\", \"timeout\": null}]}],"
        " \"default_filter\": null}}");

    cr_assert_eq(fifo->filter_count, 0);
    cr_assert_not(fifo->default_target->has_priority);
    cr_assert_null(filters->default_target);
    cr_assert_str_eq(filters->filters[0].display_name, "a");
    cr_assert_eq(filters->filters[0].targets[0].known_worker_kind, KNOWN_WORKER_BY_ID);
}

Test(workflow_document, warns_of_a_target_that_can_never_be_reached)
{
    CLEANUP(workflow_document_free_at_exit)
    struct workflow_document *document = made(
        "{\"task_routing\": {\"filters\": [{\"expression\": \"1==1\", \"targets\":"
        " [{\"queue\": \"a\", \"skip_if\": \"1==1\"}, {\"queue\": \"b\"}, {\"queue\": \"c\"}]}]}}");

    cr_assert_eq(document->warning_count, 1);
    cr_assert_str_eq(
        document->warnings[0],
        "task_routing.filters[0].targets[2] can never be reached: the target before it has neither "
        "timeout nor skip_if");
}

static void assert_refused(
    const char *json,
    enum error_reason reason,
    const char *field,
    const char *message)
{
    struct workflow_document *document = NULL;
    struct value value = world_json(json);
    struct error err = {0};

    cr_assert_not(workflow_document_new(&value, world.keys, &document, &err), "%s", json);
    cr_assert_str_eq(err.message, message);
    cr_assert_str_eq(err.field, field);
    cr_assert_eq(err.reason, reason);
    cr_assert_null(document);
}

/* A document with one filter that has this one target. */
static void assert_target_refused(
    const char *target,
    enum error_reason reason,
    const char *key,
    const char *what)
{
    static const char at[] = "task_routing.filters[0].targets[0].";

    assert_refused(
        arena_printf(
            world.arena,
            "{\"task_routing\": {\"filters\": [{\"expression\": \"1==1\", \"targets\": [%s]}]}}",
            target),
        reason, arena_printf(world.arena, "%s%s", at, key),
        arena_printf(world.arena, "%s%s: %s", at, key, what));
}

#define TARGET_KEYS                                                                                \
    "queue, expression, priority, timeout, order_by, skip_if, known_worker, "                      \
    "known_worker_display_name"

Test(workflow_document, errors_in_a_target_name_their_path)
{
    assert_target_refused(
        "{}", REASON_FIELD_REQUIRED, "queue", "the first target must name a queue");
    assert_target_refused(
        "{\"queue\": 5}", REASON_FIELD_INVALID, "queue", "expected text, found a number");
    assert_target_refused(
        "{\"queue\": \"a/b\"}", REASON_FIELD_INVALID, "queue",
        "expected a queue's id, or workspaces/<id>/taskQueues/<id>");
    assert_target_refused(
        "{\"queue\": \"workspaces/w/taskQueues/\"}", REASON_FIELD_INVALID, "queue",
        "expected a queue's id, or workspaces/<id>/taskQueues/<id>");
    assert_target_refused(
        "{\"queue\": \"q\", \"time_out\": 5}", REASON_FIELD_INVALID, "time_out",
        "unknown here; known are " TARGET_KEYS);
    assert_target_refused(
        "{\"queue\": \"q\", \"timeout\": 0}", REASON_FIELD_INVALID, "timeout",
        "expected a whole number from 1 to 2147483647");
    assert_target_refused(
        "{\"queue\": \"q\", \"timeout\": \"1.5\"}", REASON_FIELD_INVALID, "timeout",
        "expected a whole number from 1 to 2147483647");
    assert_target_refused(
        "{\"queue\": \"q\", \"timeout\": \"soon\"}", REASON_FIELD_INVALID, "timeout",
        "this text is not a number");
    assert_target_refused(
        "{\"queue\": \"q\", \"priority\": [1]}", REASON_FIELD_INVALID, "priority",
        "expected a number, found a list");
    assert_target_refused(
        "{\"queue\": \"q\", \"priority\": 2147483648}", REASON_FIELD_INVALID, "priority",
        "expected a whole number from 0 to 2147483647");
    assert_target_refused(
        "{\"queue\": \"q\", \"known_worker\": \"task.a\", \"known_worker_sid\": \"task.b\"}",
        REASON_FIELD_INVALID, "known_worker_sid", "known_worker says the same");
    assert_target_refused(
        "{\"queue\": \"q\", \"known_worker\": \"task.a\", \"known_worker_friendly_name\":"
        " \"task.b\"}",
        REASON_FIELD_INVALID, "known_worker_friendly_name",
        "a worker is known by id or by display name, not by both");
    assert_target_refused(
        "{\"queue\": \"q\", \"known_worker\": \"worker.id\"}", REASON_FIELD_INVALID, "known_worker",
        "expected an attribute of the task: task.name");
}

Test(workflow_document, errors_in_an_expression_have_path_line_and_column)
{
    assert_target_refused(
        "{\"queue\": \"q\", \"expression\": \"worker.a > 1 AND\\n language == 'de'\"}",
        REASON_EXPRESSION_INVALID, "expression",
        "line 2, column 2: expected task. or worker. before language: task.language or "
        "worker.language");
    assert_target_refused(
        "{\"queue\": \"q\", \"order_by\": \"worker.a UP\"}", REASON_EXPRESSION_INVALID, "order_by",
        "line 1, column 10: expected ASC, DESC, a comma or the end, found UP");
    assert_target_refused(
        "{\"queue\": \"q\", \"skip_if\": \"workers.available\"}", REASON_EXPRESSION_INVALID,
        "skip_if",
        "line 1, column 18: expected ==, !=, <, <=, >, >=, HAS, IN, NOT IN or CONTAINS, found the "
        "end");
    assert_target_refused(
        "{\"queue\": \"q\", \"known_worker_sid\": \"task.a == 1\"}", REASON_EXPRESSION_INVALID,
        "known_worker_sid", "line 1, column 8: expected nothing after the reference, found ==");
}

Test(workflow_document, errors_elsewhere_name_their_path)
{
    assert_refused(
        "[]", REASON_FIELD_REQUIRED, "task_routing",
        "task_routing: expected {\"task_routing\": {...}}");
    assert_refused(
        "{}", REASON_FIELD_REQUIRED, "task_routing",
        "task_routing: expected {\"task_routing\": {...}}");
    assert_refused(
        "{\"task-routing\": {}}", REASON_FIELD_INVALID, "task-routing",
        "task-routing: unknown here; known are task_routing");
    assert_refused(
        "{\"task_routing\": {}}", REASON_FIELD_REQUIRED, "task_routing",
        "task_routing: without filters and default_filter no task gets anywhere");
    assert_refused(
        "{\"task_routing\": {\"filter\": []}}", REASON_FIELD_INVALID, "task_routing.filter",
        "task_routing.filter: unknown here; known are filters, default_filter");
    assert_refused(
        "{\"task_routing\": {\"filters\": {}}}", REASON_FIELD_INVALID, "task_routing.filters",
        "task_routing.filters: expected a list, found an object");
    assert_refused(
        "{\"task_routing\": {\"filters\": [1]}}", REASON_FIELD_INVALID, "task_routing.filters[0]",
        "task_routing.filters[0]: expected an object, found a number");
    assert_refused(
        "{\"task_routing\": {\"filters\": [{\"targets\": [{\"queue\": \"q\"}]}]}}",
        REASON_FIELD_REQUIRED, "task_routing.filters[0].expression",
        "task_routing.filters[0].expression: a filter needs one; 1==1 takes every task");
    assert_refused(
        "{\"task_routing\": {\"filters\": [{\"expression\": \"1==1\", \"targets\": []}]}}",
        REASON_FIELD_REQUIRED, "task_routing.filters[0].targets",
        "task_routing.filters[0].targets: a filter needs at least one target");
    assert_refused(
        "{\"task_routing\": {\"filters\": [{\"expression\": \"worker.a == 1\", \"targets\":"
        " [{\"queue\": \"q\"}]}]}}",
        REASON_EXPRESSION_INVALID, "task_routing.filters[0].expression",
        "task_routing.filters[0].expression: line 1, column 1: worker.a cannot be read here: a "
        "condition on the task sees no worker; a target's expression does");
    assert_refused(
        "{\"task_routing\": {\"default_filter\": {}}}", REASON_FIELD_REQUIRED,
        "task_routing.default_filter.queue",
        "task_routing.default_filter.queue: the default filter must name a queue");
    assert_refused(
        "{\"task_routing\": {\"default_filter\": {\"queue\": \"q\", \"timeout\": 5}}}",
        REASON_FIELD_INVALID, "task_routing.default_filter.timeout",
        "task_routing.default_filter.timeout: unknown here; known are queue, priority");
}
