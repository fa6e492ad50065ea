#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/json/json.h"
#include "common/value/value.h"

static struct value_keys *keys;
static struct arena *arena;

static void setup(void)
{
    keys = value_keys_new(256);
    arena = arena_new();
}

static void teardown(void)
{
    value_keys_free(keys);
    arena_free(arena);
}

TestSuite(json, .init = setup, .fini = teardown);

static struct json_reader reader(void)
{
    return (struct json_reader){.keys = keys, .arena = arena, .max_bytes = 4096};
}

static void assert_round_trip(const char *text, const char *expected)
{
    struct json_reader from = reader();
    struct value value = value_null;
    struct error err;

    cr_assert(json_parse(&from, text, strlen(text), &value, &err), "%s: %s", text, err.message);

    CLEANUP(mem_free_at_exit) char *printed = json_print(&value);

    cr_assert_str_eq(printed, expected);
}

Test(json, reads_and_prints_every_kind_of_value)
{
    assert_round_trip("null", "null");
    assert_round_trip(" true ", "true");
    assert_round_trip("[]", "[]");
    assert_round_trip("{ }", "{}");
    assert_round_trip("-0.50", "-0.5");
    assert_round_trip("1.0", "1.0");
    assert_round_trip("1e2", "100.0");
    assert_round_trip("9223372036854775807", "9223372036854775807");
    assert_round_trip("\"\\u00fc\\ud83d\\ude00\\n\"", "\"ü😀\\n\"");
    assert_round_trip(
        "{\"b\": [1, {\"c\": false}], \"a\": \"x\"}", "{\"b\":[1,{\"c\":false}],\"a\":\"x\"}");
}

static void assert_refused_bytes(const char *text, size_t length, const char *message)
{
    struct json_reader from = reader();
    struct value value = value_of_integer(77);
    struct error err = {0};

    cr_assert_not(json_parse(&from, text, length, &value, &err), "%s", text);
    cr_assert_eq(err.reason, REASON_JSON_INVALID);
    cr_assert_str_eq(err.message, message);
    cr_assert_eq(value.integer, 77);
    cr_assert_eq(err.metadata_count, 2);
    cr_assert_str_eq(err.metadata[0].key, "line");
    cr_assert_str_eq(err.metadata[1].key, "column");
}

static void assert_refused(const char *text, const char *message)
{
    assert_refused_bytes(text, strlen(text), message);
}

Test(json, says_line_column_and_what_was_expected)
{
    assert_refused("", "line 1, column 1: a JSON value expected, the text is empty");
    assert_refused("{\"a\" 1}", "line 1, column 6: ':' expected near '1'");
    assert_refused("{\n  \"a\": 1,\n}", "line 3, column 1: string or '}' expected near '}'");
    assert_refused("[1, 2", "line 1, column 6: ']' expected, found the end");
    assert_refused("[\"ü\", x]", "line 1, column 7: invalid token near 'x'");
    assert_refused("1 2", "line 1, column 3: the end expected near '2'");
    assert_refused("'a'", "line 1, column 1: invalid token near '''");
    assert_refused("[1]\n]", "line 2, column 1: the end expected near ']'");
}

Test(json, points_at_the_beginning_of_what_is_wrong)
{
    assert_refused(
        "{\"a very long key that is repeated\":1,\n \"a very long key that is repeated\":2}",
        "line 2, column 2: a key comes twice: \"a very long key that is repeated\"");
    assert_refused(
        "{\"a\": \"text\nbreak\"}",
        "line 1, column 7: this text is not closed on its line near '\"text'");
    assert_refused("{\"a\": \"text}", "line 1, column 7: this text is not closed near '\"text}'");
    assert_refused("[1,]", "line 1, column 4: a value expected near ']'");
    assert_refused("[1, NaN]", "line 1, column 5: invalid token near 'NaN'");
    assert_refused("[\"x\\u0000\"]", "line 1, column 2: text may not hold NUL (\\u0000)");
}

Test(json, refuses_a_key_that_comes_twice)
{
    assert_refused("{\"a\": 1, \"a\": 2}", "line 1, column 10: a key comes twice: \"a\"");
}

Test(json, refuses_what_postgresql_would_refuse)
{
    struct error err;
    struct value value;
    struct json_reader from = reader();
    static const char *const texts[] = {"\"\\u0000\"",  "{\"\\u0000\": 1}", "\"\\ud800\"",
                                        "\"\\udc00x\"", "\"\xff\"",         "\"\xc0\x80\"",
                                        "\"\t\""};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_assert_not(json_parse(&from, texts[i], strlen(texts[i]), &value, &err), "%s", texts[i]);
        cr_assert_eq(err.reason, REASON_JSON_INVALID);
    }
    cr_assert_not(json_parse(&from, "\"a\0b\"", 5, &value, &err));
}

Test(json, refuses_numbers_that_cannot_be_kept)
{
    char digits[600] = "0.";

    memset(digits + 2, '0', 500);
    assert_refused(
        "[12345678901234567890]",
        "line 1, column 2: a number beyond 64 bits, which could not be compared exactly; write it "
        "as text");
    assert_refused("[1, 1e401]", "line 1, column 5: an exponent above 400");
    assert_refused("1e-99999999999999999999", "line 1, column 1: an exponent above 400");
    assert_refused(digits, "line 1, column 1: a number of more than 400 digits");
}

Test(json, refuses_a_real_that_no_double_holds)
{
    assert_refused(
        "1e400",
        "line 1, column 1: a number beyond 64 bits, which could not be compared exactly; write it "
        "as text");
}

Test(json, reads_64_levels_and_refuses_65)
{
    struct json_reader from = reader();
    struct value value;
    struct error err;
    char text[131] = {0};

    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    cr_assert(json_parse(&from, text, 128, &value, &err));
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    assert_refused(text, "line 1, column 65: more than 64 levels of lists and objects");
}

Test(json, brackets_in_text_are_not_levels)
{
    struct json_reader from = reader();
    struct value value;
    struct error err;
    char text[400];

    memset(text, '[', sizeof(text));
    text[0] = '"';
    text[1] = '\\';
    text[2] = '"';
    text[sizeof(text) - 1] = '"';
    cr_assert(json_parse(&from, text, sizeof(text), &value, &err));
    cr_assert_eq(value.count, sizeof(text) - 3);
}

Test(json, refuses_more_bytes_than_the_caller_allows)
{
    struct json_reader from = {.keys = keys, .arena = arena, .max_bytes = 5};
    struct value value;
    struct error err;

    cr_assert(json_parse(&from, "[1,2]", 5, &value, &err));
    cr_assert_not(json_parse(&from, "[1,2] ", 6, &value, &err));
    cr_assert_eq(err.reason, REASON_FIELD_TOO_LONG);
}

Test(json, an_object_is_asked_for_by_name)
{
    struct json_reader from = reader();
    struct value value;
    struct error err;

    cr_assert(json_parse_object(&from, "{\"a\":1}", 7, &value, &err));
    cr_assert_eq(value_get_named(&value, "a")->integer, 1);
    cr_assert_not(json_parse_object(&from, "\n [1]", 5, &value, &err));
    cr_assert_str_eq(err.message, "line 2, column 2: a JSON object expected: {...}");
}
