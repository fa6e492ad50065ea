#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "world.h"

TestSuite(expression, .init = world_open, .fini = world_close);

struct expectation {
    const char *text;
    bool matches;
};

static void assert_all(
    const struct expectation *expectations,
    size_t count,
    enum expression_context context,
    const char *task,
    const char *worker)
{
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(
            world_matches(expectations[i].text, context, task, worker), expectations[i].matches,
            "%s", expectations[i].text);
    }
}

#define ASSERT_ALL(expectations, context, task, worker)                                            \
    assert_all(                                                                                    \
        (expectations), sizeof(expectations) / sizeof((expectations)[0]), (context), (task),       \
        (worker))

Test(expression, every_idiom_of_the_documents_matches_who_it_should)
{
    static const char task[] = "{\"required_language\": \"de\", \"worker_sid\": \"ada\","
                               " \"ignoreWorkerContactUri\": \"sip:bob@example.com\","
                               " \"preferred_agents\": [\"eve\", \"ada\"]}";
    static const char worker[] = "{\"spoken_languages\": [\"en\", \"de\"],"
                                 " \"contact_uri\": \"sip:ada@example.com\"}";
    static const struct expectation expectations[] = {
        {"task.required_language IN worker.spoken_languages",         true },
        {"worker.channel.voice.available_capacity_percentage == 100", true },
        {"worker.channel.chat.available_capacity_percentage == 100",  false},
        {"worker.channel.chat.assigned_tasks <= 1",                   false},
        {"worker.channel.chat.assigned_tasks <= 2",                   true },
        {"worker.channel.chat.configured_capacity == 4",              true },
        {"worker.contact_uri != task.ignoreWorkerContactUri",         true },
        {"worker.contact_uri != task.notThere",                       true },
        {"task.worker_sid == worker.sid",                             true },
        {"task.worker_sid == worker.id",                              true },
        {"worker.id IN task.preferred_agents",                        true },
        {"worker.id NOT IN task.rejected_agents",                     true },
        {"worker.friendly_name == 'Ada L.'",                          true },
        {"worker.display_name == 'Ada L.'",                           true },
        {"worker.activity_name == 'Available'",                       true },
        {"worker.activity_sid == worker.activity",                    true },
        {"worker.activity_name in ['Available', 'Back office']",      true },
        {"1==2",                                                      false},
        {"1==1",                                                      true },
    };

    ASSERT_ALL(expectations, EXPRESSION_OF_TARGET, task, worker);
}

Test(expression, a_queue_reads_workers_without_prefix)
{
    static const char worker[] = "{\"skills\": [\"support\", \"billing\"], \"languages\":"
                                 " [\"english\"], \"level\": 6, \"department\": \"billing\"}";
    static const struct expectation expectations[] = {
        {"(skills HAS 'support') AND (languages HAS 'english')", true },
        {"(skills HAS 'support') AND (languages HAS 'german')",  false},
        {"skills >- \"billing\"",                                true },
        {"'sales' <- skills",                                    false},
        {"level > 5",                                            true },
        {"department HAS \"billing\"",                           false},
        {"department = 'billing'",                               true },
        {"id == 'ada' AND sid == 'ada'",                         true },
        {"friendly_name CONTAINS 'Ada'",                         true },
        {"channel == null",                                      true },
    };

    ASSERT_ALL(expectations, EXPRESSION_OF_QUEUE, NULL, worker);
}

Test(expression, a_worker_list_knows_activity_and_channels_without_prefix)
{
    static const struct expectation expectations[] = {
        {"activity_name contains 'ail'",       true },
        {"activity_name contains 'Offline'",   false},
        {"activity == 'available'",            true },
        {"channel.voice.assigned_tasks == 0",  true },
        {"channel.fax.assigned_tasks == null", true },
    };

    ASSERT_ALL(expectations, EXPRESSION_OF_WORKER, NULL, "{}");
}

Test(expression, a_filter_reads_tasks_without_prefix)
{
    static const char task[] = "{\"type\": \"ticket\", \"customer_value\": \"Silver\","
                               " \"customer\": {\"tier\": 2, \"tags\": [\"vip\", \"new\"]},"
                               " \"in\": {\"or\": 1}, \"a-b\": 7, \"x\": {\"c-d\": 8}}";
    static const struct expectation expectations[] = {
        {"type == 'ticket' AND customer_value IN ['Silver','Bronze']", true },
        {"type == \"call\" AND customer_value IN ['Silver','Bronze']", false},
        {"customer.tier >= 2",                                         true },
        {"customer.tags[0] == 'vip'",                                  true },
        {"customer.tags[2] == null",                                   true },
        {"customer.tags HAS 'new'",                                    true },
        {"customer[\"tier\"] == 2",                                    true },
        {"customer.tier.more == null",                                 true },
        {"x[\"c-d\"] == 8",                                            true },
        {"task[\"a-b\"] == 7",                                         true },
        {"customer . tags [ 1 ] == 'new'",                             true },
        {"customer.in == null",                                        true },
        {"'ticket' == type",                                           true },
        {"TYPE == 'ticket'",                                           false},
    };

    ASSERT_ALL(expectations, EXPRESSION_OF_TASK, task, NULL);
}

Test(expression, skip_if_counts_workers)
{
    static const struct expectation expectations[] = {
        {"workers.available == 0",                            false},
        {"workers.available > 2 AND workers.unavailable = 1", true },
        {"workers.lunch >= 2",                                true },
        {"workers[\"on-break\"] == 2",                        true },
        {"workers.nobody_knows == 0",                         false},
        {"1==1",                                              true },
    };

    ASSERT_ALL(expectations, EXPRESSION_OF_SKIP, NULL, NULL);
}

Test(expression, not_binds_tighter_than_and_and_and_tighter_than_or)
{
    for (unsigned bits = 0; bits < 8; bits++) {
        bool a = bits & 1U;
        bool b = bits & 2U;
        bool c = bits & 4U;
        char task[64];

        (void)snprintf(
            task, sizeof(task), "{\"a\": %d, \"b\": %d, \"c\": %d}", (int)a, (int)b, (int)c);

        const struct expectation expectations[] = {
            {"a==1 OR b==1 AND c==1",             a || (b && c)    },
            {"a==1 AND b==1 OR c==1",             (a && b) || c    },
            {"(a==1 OR b==1) AND c==1",           (a || b) && c    },
            {"a==1 AND (b==1 OR c==1)",           a && (b || c)    },
            {"NOT a==1 AND b==1",                 !a && b          },
            {"NOT a==1 OR b==1",                  !a || b          },
            {"NOT (a==1 AND b==1) AND c==1",      !(a && b) && c   },
            {"NOT (a==1 OR NOT b==1) OR c==1",    !(a || !b) || c  },
            {"NOT NOT a==1",                      a                },
            {"not (not (a==1 or b==1) and c==1)", !(!(a || b) && c)},
            {"a==1 or b==1 or c==1",              a || b || c      },
            {"a==1 and b==1 and c==1",            a && b && c      },
            {"((((a==1)) or ((b==1 and c==1))))", a || (b && c)    },
        };

        ASSERT_ALL(expectations, EXPRESSION_OF_TASK, task, NULL);
    }
}

Test(expression, types_do_not_mix_except_numbers_in_text_where_order_is_asked)
{
    static const char task[] = "{\"n\": 6, \"t\": \"6\", \"r\": 6.0, \"word\": \"six\","
                               " \"yes\": true, \"list\": [6, \"a\", null], \"object\": {\"k\": 1},"
                               " \"nil\": null, \"big\": 9007199254740993, \"ten\": \"10\"}";
    static const struct expectation expectations[] = {
        {"n == 6.0 AND r == 6 AND n == r",                                               true },
        {"n == '6'",                                                                     false},
        {"n != '6'",                                                                     true },
        {"t > 5",                                                                        true },
        {"5 < t",                                                                        true },
        {"t <= 6 AND t >= 6",                                                            true },
        {"n > '5.5'",                                                                    true },
        {"word > 5 OR word < 5 OR word <= 5 OR word >= 5",                               false},
        {"ten < '6'",                                                                    true }, /* both are text: compared as text */
        {"word > 'sit' AND word < 'sixty'",                                              true },
        {"big == 9007199254740993 AND big != 9007199254740992",                          true },
        {"yes == true",                                                                  true },
        {"yes == 1 OR yes == 'true' OR yes > 0",                                         false},
        {"nil == null AND missing == null AND nil == missing",                           true },
        {"nil < 1 OR nil > 1 OR nil <= 1 OR nil >= 1 OR nil >= null",                    false},
        {"n != null AND list != null AND object != null",                                true },
        {"list == null OR object == null",                                               false},
        {"null != list",                                                                 true },
        {"list == 6 OR list != 6 OR list > 5 OR object == 1",                            false},
        {"list == list OR list != list OR object != object",                             false},
        {"list HAS 6 AND list HAS 'a' AND list HAS null",                                true },
        {"list HAS '6' OR list HAS 7 OR list HAS list",                                  false},
        {"missing HAS 1",                                                                false},
        {"object HAS 'k'",                                                               false},
        {"n IN [5, 6.0] AND n IN list",                                                  true },
        {"n IN ['6'] OR n IN t OR n IN object",                                          false},
        {"n NOT IN [5, 7]",                                                              true },
        {"n NOT IN missing",                                                             true },
        {"n NOT IN t OR n NOT IN object OR list NOT IN [1]",                             false},
        {"missing IN ['a']",                                                             false},
        {"missing NOT IN ['a']",                                                         true },
        {"missing IN [null]",                                                            true },
        {"missing IN [n, nil]",                                                          true },
        {"n IN [t, n]",                                                                  true },
        {"n NOT IN [t, word]",                                                           true },
        {"[t, n] HAS 6",                                                                 true },
        {"n IN []",                                                                      false},
        {"n NOT IN []",                                                                  true },
        {"word CONTAINS 'ix' AND word CONTAINS ''",                                      true },
        {"word CONTAINS 'IX' OR n CONTAINS 6 OR list CONTAINS 'a' OR 'x' CONTAINS word", false},
        {"n > -7 AND n == 6",                                                            true },
    };

    ASSERT_ALL(expectations, EXPRESSION_OF_TASK, task, NULL);
}

Test(expression, text_constants_may_hold_quotes_and_escapes)
{
    static const char task[] = "{\"a\": \"it's \\\"x\\\"\\n\\\\ü\"}";
    static const struct expectation expectations[] = {
        {"a == 'it\\'s \"x\"\\n\\\\ü'",     true},
        {"a == \"it's \\\"x\\\"\\n\\\\ü\"", true},
        {"a CONTAINS '\\\\'",                true},
    };

    ASSERT_ALL(expectations, EXPRESSION_OF_TASK, task, NULL);
}

static void assert_prints(const char *text, enum expression_context context, const char *expected)
{
    char *printed = expression_print(world_parse(text, context), world.arena);

    cr_assert_str_eq(printed, expected);
    cr_assert_str_eq(expression_print(world_parse(printed, context), world.arena), expected);
}

Test(expression, prints_in_a_form_that_parses_to_the_same)
{
    assert_prints(
        "not( a=1 or b<-['x',\"it's\",2.50,null,TRUE]) and c>-d", EXPRESSION_OF_TASK,
        "NOT (a == 1 OR b IN ['x', \"it's\", 2.5, null, true]) AND c HAS d");
    assert_prints(
        "task[\"a\"] . b [ 0 ] [\"c-d\"] != -3 and worker.x not  in [ task.y , 5.0 ]",
        EXPRESSION_OF_TARGET, "task.a.b[0]['c-d'] != -3 AND worker.x NOT IN [task.y, 5.0]");
    assert_prints("a == 'it\\'s \"\\n\\\\'", EXPRESSION_OF_TASK, "a == \"it's \\\"\\n\\\\\"");
    assert_prints("1==1", EXPRESSION_OF_SKIP, "1 == 1");
    assert_prints("a IN []", EXPRESSION_OF_TASK, "a IN []");
    assert_prints("a == 0.1", EXPRESSION_OF_TASK, "a == 0.1");
}

Test(expression, tells_what_it_reads)
{
    const struct expression *expression = world_parse(
        "task.a.b == worker.level AND worker.channel.voice.assigned_tasks < 1 AND "
        "worker.id IN [task.c, 'x']",
        EXPRESSION_OF_TARGET);

    cr_assert_eq(expression_reference_count(expression), 5);
    cr_assert_str_eq(expression_reference(expression, 0)->text, "task.a.b");
    cr_assert_eq(expression_reference(expression, 0)->root, REFERENCE_TASK);
    cr_assert_eq(expression_reference(expression, 0)->step_count, 2);
    cr_assert_eq(expression_reference(expression, 1)->root, REFERENCE_WORKER);
    cr_assert_eq(expression_reference(expression, 2)->builtin, BUILTIN_CHANNEL_ASSIGNED_TASKS);
    cr_assert_str_eq(expression_reference(expression, 2)->name->text, "voice");
    cr_assert_eq(expression_reference(expression, 3)->builtin, BUILTIN_WORKER_ID);
    cr_assert_str_eq(expression_reference(expression, 4)->text, "task.c");
    cr_assert(expression_reads_task(expression));
    cr_assert(expression_reads_builtin(expression));

    expression = world_parse("worker.level > 2", EXPRESSION_OF_TARGET);
    cr_assert_not(expression_reads_task(expression));
    cr_assert_not(expression_reads_builtin(expression));
}

Test(expression, tasks_are_the_same_to_it_when_what_it_reads_is_the_same)
{
    const struct expression *expression =
        world_parse("task.a == worker.x AND task.b.c != null", EXPRESSION_OF_TARGET);
    struct value task = world_json("{\"a\": 1, \"b\": {\"c\": [1, 2]}, \"other\": 1}");
    struct value same = world_json("{\"other\": 2, \"b\": {\"c\": [1, 2], \"d\": 0}, \"a\": 1.0}");
    struct value different = world_json("{\"a\": 1, \"b\": {\"c\": [2, 1]}, \"other\": 1}");

    cr_assert(expression_tasks_same(expression, &task, &same));
    cr_assert_eq(
        expression_task_hash(expression, &task, 7), expression_task_hash(expression, &same, 7));
    cr_assert_not(expression_tasks_same(expression, &task, &different));
    cr_assert_neq(
        expression_task_hash(expression, &task, 7),
        expression_task_hash(expression, &different, 7));
    cr_assert_not(expression_tasks_same(expression, &task, NULL));
}

Test(expression, names_the_comparison_that_decided)
{
    const struct expression *expression = world_parse(
        "worker.level > 2 AND (worker.languages HAS task.language OR worker.id == 'bob')",
        EXPRESSION_OF_TARGET);
    struct expression_subject subject =
        world_subject("{\"language\": \"fr\"}", "{\"level\": 3, \"languages\": [\"de\"]}");
    bool matches = true;
    size_t test = expression_deciding_test(expression, &subject, &matches);

    cr_assert_not(matches);
    cr_assert_str_eq(expression_print_test(expression, test, world.arena), "worker.id == 'bob'");

    subject = world_subject("{\"language\": \"fr\"}", "{\"level\": 2}");
    test = expression_deciding_test(expression, &subject, &matches);
    cr_assert_not(matches);
    cr_assert_str_eq(expression_print_test(expression, test, world.arena), "worker.level > 2");

    subject = world_subject("{\"language\": \"fr\"}", "{\"level\": 3, \"languages\": [\"fr\"]}");
    test = expression_deciding_test(expression, &subject, &matches);
    cr_assert(matches);
    cr_assert_str_eq(
        expression_print_test(expression, test, world.arena), "worker.languages HAS task.language");
}

Test(expression, reads_null_where_there_is_no_subject)
{
    struct expression_subject nobody = {0};

    cr_assert(expression_matches(
        world_parse(
            "task.a == null AND worker.b == null AND worker.id == null", EXPRESSION_OF_TARGET),
        &nobody));
}

Test(expression, has_memory_of_its_own_when_asked)
{
    CLEANUP(expression_free_at_exit) struct expression *expression = NULL;
    struct expression_subject subject = world_subject("{\"a\": 1}", NULL);
    struct error err = {0};

    cr_assert(expression_new("a == 1", EXPRESSION_OF_TASK, world.keys, &expression, &err));
    cr_assert(expression_matches(expression, &subject));
    cr_assert_not(expression_new("a ==", EXPRESSION_OF_TASK, world.keys, &expression, &err));
    cr_assert(expression_matches(expression, &subject));
}

Test(expression, a_chain_of_the_longest_kind_is_evaluated_as_it_should)
{
    CLEANUP(mem_free_at_exit) char *text = mem_strdup("a==0");

    for (int i = 1; i < EXPRESSION_TESTS_MAX; i++) {
        char *longer = mem_printf("%s or a==%d", text, i);

        free(text);
        text = longer;
    }
    cr_assert(world_matches(text, EXPRESSION_OF_TASK, "{\"a\": 1023}", NULL));
    cr_assert_not(world_matches(text, EXPRESSION_OF_TASK, "{\"a\": 1024}", NULL));
}
