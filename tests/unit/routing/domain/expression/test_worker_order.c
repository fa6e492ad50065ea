#include <criterion/criterion.h>
#include <string.h>

#include "common/error/error.h"
#include "services/routing/domain/expression/worker_order.h"
#include "world.h"

TestSuite(worker_order, .init = world_open, .fini = world_close);

static const struct worker_order *parsed(const char *text)
{
    const struct worker_order *order = NULL;
    struct error err = {0};

    cr_assert(
        worker_order_parse(text, world.keys, world.arena, &order, &err), "%s: %s", text,
        err.message);
    return order;
}

static int compared(const char *text, const char *a, const char *b)
{
    struct value a_value = world_json(a);
    struct value b_value = world_json(b);
    struct expression_subject a_subject = {.worker = &a_value};
    struct expression_subject b_subject = {.worker = &b_value};
    const struct worker_order *order = parsed(text);
    int result = worker_order_compare(order, &a_subject, &b_subject);

    cr_assert_eq(worker_order_compare(order, &b_subject, &a_subject), -result);
    return result;
}

Test(worker_order, is_by_the_first_clause_and_the_next_one_breaks_a_tie)
{
    static const char text[] = "worker.level DESC, worker.cost.hour asc";

    cr_assert_lt(compared(text, "{\"level\": 3}", "{\"level\": 2}"), 0);
    cr_assert_gt(
        compared(
            text, "{\"level\": 3, \"cost\": {\"hour\": 20}}",
            "{\"level\": 3, \"cost\": {\"hour\": 10.5}}"),
        0);
    cr_assert_eq(compared(text, "{\"level\": 3}", "{\"level\": 3.0}"), 0);
    cr_assert_lt(compared("worker.level", "{\"level\": 1}", "{\"level\": 2}"), 0);
}

Test(worker_order, puts_a_worker_without_a_number_last_in_either_direction)
{
    cr_assert_lt(compared("worker.level DESC", "{\"level\": 1}", "{}"), 0);
    cr_assert_lt(compared("worker.level ASC", "{\"level\": 1}", "{}"), 0);
    cr_assert_lt(compared("worker.level ASC", "{\"level\": 1}", "{\"level\": \"0\"}"), 0);
    cr_assert_eq(compared("worker.level ASC", "{\"level\": \"1\"}", "{\"level\": [2]}"), 0);
}

Test(worker_order, prints_and_says_whether_it_depends_on_load)
{
    const struct worker_order *order =
        parsed("worker.a[0].b, worker.channel.chat.assigned_tasks desc");

    cr_assert_str_eq(
        worker_order_print(order, world.arena),
        "worker.a[0].b ASC, worker.channel.chat.assigned_tasks DESC");
    cr_assert(worker_order_reads_builtin(order));
    cr_assert_not(worker_order_reads_builtin(parsed("worker.a ASC")));
}

Test(worker_order, refuses_what_orders_nothing)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"",                                                                                 "line 1, column 1: expected a name, found the end"                   },
        {"level DESC",
         "line 1, column 1: expected task. or worker. before level: task.level or worker.level"                                                                   },
        {"task.level DESC",
         "line 1, column 1: task.level is the same for every worker; order_by reads worker.…"                                                                   },
        {"worker.a ASC, worker.activity_name",
         "line 1, column 15: worker.activity_name is text; order_by sorts by numbers"                                                                             },
        {"worker.a UP",                                                                      "line 1, column 10: expected ASC, DESC, a comma or the end, found UP"},
        {"worker.a ASC worker.b",                                                            "line 1, column 14: expected a comma or the end, found worker"       },
        {"worker.a ASC,",                                                                    "line 1, column 14: expected a name, found the end"                  },
        {"worker.a,worker.a,worker.a,worker.a,worker.a,worker.a,worker.a,worker.a,worker.a",
         "line 1, column 73: more than 8 clauses"                                                                                                                 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct worker_order *order = NULL;
        struct error err = {0};

        cr_assert_not(worker_order_parse(cases[i].text, world.keys, world.arena, &order, &err));
        cr_assert_str_eq(err.message, cases[i].message);
        cr_assert_null(order);
    }
}
