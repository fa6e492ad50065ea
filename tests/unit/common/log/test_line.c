#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/error/error.h"
#include "common/log/line.h"

static const struct log_event event = {"task_created", LOG_INFO, "A task was created."};

/* Prints the fields, without the head that every line has in common. */
static const char *print(enum log_format format, const struct log_field *fields)
{
    static char text[LOG_LINE_SIZE + 1];
    const struct log_line line = {
        .event = &event,
        .fields = fields,
        .wall_us = INT64_C(1767571923512000),
    };
    size_t length = log_line_print(&line, format, text);

    cr_assert_leq(length, LOG_LINE_SIZE);
    text[length] = '\0';
    cr_assert_eq(strchr(text, '\n'), text + length - 1, "one line, ended once");
    text[length - 1] = '\0';
    return text;
}

#define PRINT(format, ...)                                                                         \
    print((format), (const struct log_field[]){__VA_ARGS__, {.kind = LOG_FIELD_END}})
#define HEAD "2026-01-05T00:12:03.512Z INFO  task_created"
#define JSON_HEAD                                                                                  \
    "{\"time\":\"2026-01-05T00:12:03.512Z\",\"level\":\"INFO\",\"event\":\"task_created\""

Test(log_line, shows_each_kind_of_field_as_text)
{
    cr_assert_str_eq(
        PRINT(
            LOG_FORMAT_TEXT, LOG_TEXT("task", "t4"), LOG_INT("waited_ms", -8210),
            LOG_REAL("load", 0.25), LOG_BOOL("urgent", true), LOG_TEXT("absent", NULL)),
        HEAD " task=t4 waited_ms=-8210 load=0.25 urgent=true");
}

Test(log_line, shows_each_kind_of_field_as_json)
{
    cr_assert_str_eq(
        PRINT(
            LOG_FORMAT_JSON, LOG_TEXT("task", "t4"), LOG_INT("waited_ms", -8210),
            LOG_REAL("load", 0.25), LOG_REAL("ratio", (double)NAN), LOG_BOOL("urgent", false)),
        JSON_HEAD
        ",\"task\":\"t4\",\"waited_ms\":-8210,\"load\":0.25,\"ratio\":null,\"urgent\":false}");
}

Test(log_line, quotes_what_could_be_taken_for_another_field)
{
    cr_assert_str_eq(
        PRINT(LOG_FORMAT_TEXT, LOG_TEXT("name", "x level=ERROR"), LOG_TEXT("empty", "")),
        HEAD " name=\"x level=ERROR\" empty=\"\"");
}

Test(log_line, cannot_be_broken_by_control_characters)
{
    const char *hostile = "a\nb\r\t\x1b[31m\x7f\xc2\x85\xe2\x80\xa8\"\\";

    cr_assert_str_eq(
        PRINT(LOG_FORMAT_TEXT, LOG_TEXT("v", hostile)),
        HEAD " v=\"a\\nb\\u000d\\u0009\\u001b[31m\\u007f\\u0085\\u2028\\\"\\\\\"");
    cr_assert_str_eq(
        PRINT(LOG_FORMAT_JSON, LOG_TEXT("v", hostile)),
        JSON_HEAD ",\"v\":\"a\\nb\\u000d\\u0009\\u001b[31m\\u007f\\u0085\\u2028\\\"\\\\\"}");
}

Test(log_line, keeps_good_utf8_and_replaces_bad)
{
    cr_assert_str_eq(
        PRINT(LOG_FORMAT_TEXT, LOG_TEXT("v", "Gr\xc3\xbc\xc3\x9f \xf0\x9f\x93\x9e")),
        HEAD " v=\"Gr\xc3\xbc\xc3\x9f \xf0\x9f\x93\x9e\"");
    /* a lone continuation, an over-long slash, a surrogate, a cut-off end */
    cr_assert_str_eq(
        PRINT(LOG_FORMAT_TEXT, LOG_TEXT("v", "\x80|\xc0\xaf|\xed\xa0\x80|\xe2\x82")),
        HEAD " v=\"\\ufffd|\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd|\\ufffd\\ufffd\"");
}

Test(log_line, cuts_a_long_value_and_says_so)
{
    char value[3000];
    char expected[LOG_LINE_SIZE];

    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    (void)snprintf(expected, sizeof(expected), "%s v=\"%.*s...\" n=1", HEAD, LOG_VALUE_MAX, value);
    cr_assert_str_eq(PRINT(LOG_FORMAT_TEXT, LOG_TEXT("v", value), LOG_INT("n", 1)), expected);
}

Test(log_line, leaves_out_fields_that_do_not_fit_and_says_so)
{
    char value[LOG_VALUE_MAX];

    memset(value, '\n', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';

    const char *text = PRINT(
        LOG_FORMAT_JSON, LOG_TEXT("a", value), LOG_TEXT("b", value), LOG_TEXT("c", value),
        LOG_TEXT("d", "short"));

    cr_assert(strstr(text, "\"a\":"));
    cr_assert_null(strstr(text, "\"b\":"));
    cr_assert_str_eq(text + strlen(text) - strlen(",\"truncated\":true}"), ",\"truncated\":true}");
}

Test(log_line, shows_an_error_with_its_reason_field_and_place)
{
    struct error err;

    (void)error_report(&err, REASON_FIELD_INVALID, "/src/common/rpc/server.c", 12, "must be %d", 7);
    (void)error_in_field(&err, "task.priority", false);
    cr_assert_str_eq(
        PRINT(LOG_FORMAT_TEXT, LOG_FAILURE(&err)),
        HEAD " reason=FIELD_INVALID error=\"must be 7\" field=task.priority"
             " at=common/rpc/server.c:12");
}

Test(log_line, carries_the_identity_of_its_context_first)
{
    char text[LOG_LINE_SIZE + 1];
    const struct log_context context = {.trace = "7f3a", .call = "x@y"};
    const struct log_field fields[] = {LOG_INT("n", 1), {.kind = LOG_FIELD_END}};
    const struct log_line line = {.context = &context, .event = &event, .fields = fields};

    text[log_line_print(&line, LOG_FORMAT_TEXT, text)] = '\0';
    cr_assert_str_eq(text, "1970-01-01T00:00:00.000Z INFO  task_created trace=7f3a call=x@y n=1\n");
}
