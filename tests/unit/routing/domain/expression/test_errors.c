#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "world.h"

TestSuite(expression_errors, .init = world_open, .fini = world_close);

static void assert_refused(const char *text, enum expression_context context, const char *message)
{
    const struct expression *expression = NULL;
    struct error err = {0};
    int line = 0;
    int column = 0;

    cr_assert_not(
        expression_parse(text, context, world.keys, world.arena, &expression, &err), "%s", text);
    cr_assert_eq(err.reason, REASON_EXPRESSION_INVALID);
    cr_assert_str_eq(err.message, message);
    cr_assert_null(expression);
    cr_assert_eq(sscanf(err.message, "line %d, column %d: ", &line, &column), 2);
    cr_assert_eq(err.metadata_count, 2);
    cr_assert_str_eq(err.metadata[0].key, "line");
    cr_assert_eq(strtol(err.metadata[0].value, NULL, 10), line);
    cr_assert_str_eq(err.metadata[1].key, "column");
    cr_assert_eq(strtol(err.metadata[1].value, NULL, 10), column);
}

struct refusal {
    const char *text;
    const char *message;
};

#define ASSERT_ALL_REFUSED(refusals, context)                                                      \
    for (size_t i = 0; i < sizeof(refusals) / sizeof((refusals)[0]); i++) {                        \
        assert_refused((refusals)[i].text, (context), (refusals)[i].message);                      \
    }

#define OPERATORS "==, !=, <, <=, >, >=, HAS, IN, NOT IN or CONTAINS"

Test(expression_errors, say_line_column_and_what_was_expected)
{
    static const struct refusal refusals[] = {
        {"",                                                     "line 1, column 1: the expression is empty; 1==1 is always true, 1==2 never"},
        {" \n ",                                                 "line 2, column 2: the expression is empty; 1==1 is always true, 1==2 never"},
        {"a",                                                    "line 1, column 2: expected " OPERATORS ", found the end"                   },
        {"a ==",                                                 "line 1, column 5: expected a value or a name, found the end"               },
        {"a == 1 b",                                             "line 1, column 8: expected AND, OR or the end, found b"                    },
        {"a == 1\nAND\n  b 2",                                   "line 3, column 5: expected " OPERATORS ", found 2"                         },
        {"ü == 1",                                              "line 1, column 1: ü has no meaning here"                                  },
        {"a == 'ü' €",                                        "line 1, column 10: € has no meaning here"                                },
        {"(a == 1",                                              "line 1, column 8: expected ) for the ( at line 1, column 1, found the end" },
        {"(a == 1) AND\n (b == 1 OR c == 2",
         "line 2, column 19: expected ) for the ( at line 2, column 2, found the end"                                                        },
        {"a == 1)",                                              "line 1, column 7: this ) closes nothing"                                   },
        {"a == 1 AND",                                           "line 1, column 11: expected a value or a name, found the end"              },
        {"AND a == 1",                                           "line 1, column 1: expected a value or a name, found AND"                   },
        {"a == OR",                                              "line 1, column 6: expected a value or a name, found OR"                    },
        {"a NOT == 1",                                           "line 1, column 7: expected IN after NOT, found =="                         },
        {"a IN [1, 2",                                           "line 1, column 11: expected , or ], found the end"                         },
        {"a IN [1 2]",                                           "line 1, column 9: expected , or ], found 2"                                },
        {"a IN [1,]",                                            "line 1, column 9: expected a value or a name, found ]"                     },
        {"a IN [[1]]",                                           "line 1, column 7: expected a single value: a list holds no lists, found [" },
        {"a. == 1",                                              "line 1, column 4: expected a name, found =="                               },
        {"a[x] == 1",                                            "line 1, column 3: expected a position from 0 or a name in quotes, found x" },
        {"a[-1] == 1",
         "line 1, column 3: expected a position from 0 or a name in quotes, found -1"                                                        },
        {"a[0 == 1",                                             "line 1, column 5: expected ], found =="                                    },
        {"a.'b' == 1",                                           "line 1, column 3: expected a name, found 'b'"                              },
        {"()",                                                   "line 1, column 2: expected a value or a name, found )"                     },
        {"a == 1 OR 'a rather long text that is cut somewhere'",
         "line 1, column 53: expected " OPERATORS ", found the end"                                                                          },
        {"a 'a rather long text that is cut somewhere'",
         "line 1, column 3: expected " OPERATORS
         ", found 'a rather long text that is cut somewher..."                                                                               },
        {"a == \x01",                                            "line 1, column 6: a control character (code 1) has no meaning here"        },
        {"a == -",                                               "line 1, column 6: - has no meaning here"                                   },
        {"a == 99999999999999999999",                            "line 1, column 6: the number is beyond 64 bits"                            },
        {"1a == 1",
         "line 1, column 1: a name may not begin with a digit, and a number ends before 'a'"                                                 },
    };

    ASSERT_ALL_REFUSED(refusals, EXPRESSION_OF_TASK);
}

Test(expression_errors, explain_the_usual_mistakes)
{
    static const struct refusal refusals[] = {
        {"a == 1 AND customer-value == 'x'",
         "line 1, column 20: a name may not hold '-': quote it in brackets, as in "
         "task[\"customer-value\"], or rename it"                                                                 },
        {"a == 'x AND b == 1",               "line 1, column 6: the text that begins here is not closed by a '"   },
        {"a == 'x\nAND b == 'y'",
         "line 1, column 6: the text that begins here is not closed by a '"                                       },
        {"a == 'x\"",                        "line 1, column 6: the text that begins here is not closed by a '"   },
        {"a == 'DOMAIN\\user'",              "line 1, column 13: in text, a backslash is written as two: \\\\"    },
        {"a == 1 && b == 2",                 "line 1, column 8: write AND"                                        },
        {"a == 1 || b == 2",                 "line 1, column 8: write OR"                                         },
        {"a <> 1",                           "line 1, column 3: write !="                                         },
        {"a === 1",                          "line 1, column 3: write =="                                         },
        {"!(a == 1)",                        "line 1, column 1: write NOT, or != between two values"              },
        {"a == “x”",                     "line 1, column 6: write a straight quote: \""                       },
        {"a == ‘x’",                     "line 1, column 6: write a straight quote: '"                        },
        {"a LIKE 'x%'",                      "line 1, column 3: there is no LIKE: CONTAINS finds a part of a text"},
        {"a IS NULL",                        "line 1, column 3: there is no IS: write == null or != null"         },
        {"a EXISTS",                         "line 1, column 3: there is no EXISTS: write != null"                },
        {"level <-5",
         "line 1, column 7: <- means IN; for a negative number write < -5 with a blank between"                   },
        {"level >-5",
         "line 1, column 7: >- means HAS; for a negative number write > -5 with a blank between"                  },
    };

    ASSERT_ALL_REFUSED(refusals, EXPRESSION_OF_TASK);
}

Test(expression_errors, refuse_constants_that_can_never_match)
{
    static const struct refusal refusals[] = {
        {"'x' HAS a",        "line 1, column 5: HAS needs a list on its left side"            },
        {"a HAS ['x']",      "line 1, column 3: HAS looks for a single value, not for a list" },
        {"a IN 'x'",         "line 1, column 3: IN needs a list on its right side: ['a', 'b']"},
        {"a NOT IN 5",       "line 1, column 3: IN needs a list on its right side: ['a', 'b']"},
        {"['x'] IN a",       "line 1, column 7: IN looks for a single value, not for a list"  },
        {"a == ['x']",
         "line 1, column 3: this compares single values; for lists there are HAS and IN"      },
        {"[a, 'x'] != b",
         "line 1, column 10: this compares single values; for lists there are HAS and IN"     },
        {"a CONTAINS ['x']",
         "line 1, column 3: this compares single values; for lists there are HAS and IN"      },
    };

    ASSERT_ALL_REFUSED(refusals, EXPRESSION_OF_TASK);
}

Test(expression_errors, say_which_prefix_is_missing_or_too_much)
{
    assert_refused(
        "task.a == 1 AND language == 'de'", EXPRESSION_OF_TARGET,
        "line 1, column 17: expected task. or worker. before language: task.language or "
        "worker.language");
    assert_refused(
        "task == 1", EXPRESSION_OF_TARGET,
        "line 1, column 1: expected task. or worker. before task: task.task or worker.task");
    assert_refused(
        "task.language == 'de'", EXPRESSION_OF_TASK,
        "line 1, column 1: task.language cannot be read here: names have no prefix in this "
        "expression; leave it out");
    assert_refused(
        "worker.level > 1", EXPRESSION_OF_TASK,
        "line 1, column 1: worker.level cannot be read here: a condition on the task sees no "
        "worker; a target's expression does");
    assert_refused(
        "worker.level > 1", EXPRESSION_OF_QUEUE,
        "line 1, column 1: worker.level cannot be read here: names have no prefix in this "
        "expression; leave it out");
    assert_refused(
        "level > 1 AND task.language IN languages", EXPRESSION_OF_QUEUE,
        "line 1, column 15: task.language cannot be read here: a condition on workers sees no "
        "task; a target's expression does");
}

Test(expression_errors, keep_activity_and_load_out_of_queue_membership)
{
    static const struct refusal refusals[] = {
        {"activity_name == 'Available'",
         "line 1, column 1: activity_name cannot be read here: who belongs to a queue does not "
         "depend on activity or load; a target's expression may"               },
        {"channel.voice.assigned_tasks == 0",
         "line 1, column 1: channel.voice.assigned_tasks cannot be read here: who belongs to a "
         "queue does not depend on activity or load; a target's expression may"},
    };

    ASSERT_ALL_REFUSED(refusals, EXPRESSION_OF_QUEUE);
}

Test(expression_errors, name_the_properties_of_a_channel)
{
    assert_refused(
        "worker.channel.voice.capacity == 1", EXPRESSION_OF_TARGET,
        "line 1, column 1: worker.channel.voice.capacity: a channel has configured_capacity, "
        "assigned_tasks and available_capacity_percentage");
}

Test(expression_errors, name_the_counters_of_skip_if)
{
    static const char advice[] =
        " cannot be read here: skip_if knows workers.available, workers.unavailable and "
        "workers.<activity id>";
    static const char *const texts[] = {"available",           "workers",    "worker.available",
                                        "workers.lunch.count", "workers[0]", "task.a"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CLEANUP(mem_free_at_exit) char *text = mem_printf("%s > 1", texts[i]);
        CLEANUP(mem_free_at_exit)
        char *message = mem_printf("line 1, column 1: %s%s", texts[i], advice);

        assert_refused(text, EXPRESSION_OF_SKIP, message);
    }
}

static char *repeated(const char *text, size_t times)
{
    size_t length = strlen(text);
    char *whole = mem_alloc(length * times + 1);

    for (size_t i = 0; i < times; i++) {
        memcpy(whole + i * length, text, length);
    }
    return whole;
}

static void assert_limit(
    const char *before,
    const char *unit,
    size_t times,
    const char *after,
    const char *message)
{
    CLEANUP(mem_free_at_exit) char *many = repeated(unit, times);
    CLEANUP(mem_free_at_exit) char *text = mem_printf("%s%s%s", before, many, after);

    if (message) {
        assert_refused(text, EXPRESSION_OF_TASK, message);
    } else {
        (void)world_parse(text, EXPRESSION_OF_TASK);
    }
}

Test(expression_errors, name_every_limit)
{
    CLEANUP(mem_free_at_exit) char *closing = repeated(")", 64);
    CLEANUP(mem_free_at_exit) char *deep = mem_printf("a==1%s", closing);

    assert_limit("", "(", 64, deep, NULL);
    assert_limit("", "(", 65, "a==1", "line 1, column 65: more than 64 levels");
    assert_limit("", "not ", 65, "a==1", "line 1, column 257: more than 64 levels");
    assert_limit("", "(not (a==1)) or ", 500, "a==1", NULL);
    assert_limit("", "a==1 or ", 1023, "a==1", NULL);
    assert_limit("", "a==1 or ", 1024, "a==1", "line 1, column 8193: more than 1024 comparisons");
    assert_limit("a in [1", ",1", 999, "]", NULL);
    assert_limit("a in [1", ",1", 1000, "]", "line 1, column 2007: a list has at most 1000 items");
    assert_limit("a", ".b", 15, "==1", NULL);
    assert_limit("a", ".b", 16, "==1", "line 1, column 33: a reference has at most 16 parts");
    assert_limit("a==1", " ", 16380, "", NULL);
    assert_limit(
        "a==1", " ", 16381, "", "line 1, column 1: the expression is longer than 16384 bytes");
}
