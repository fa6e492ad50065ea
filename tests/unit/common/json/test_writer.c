#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/json/writer.h"

Test(json_writer, puts_commas_where_they_belong)
{
    struct json_writer writer = {0};

    json_begin(&writer, '{');
    json_write_key(&writer, "empty");
    json_begin(&writer, '[');
    json_end(&writer, ']');
    json_write_key(&writer, "list");
    json_begin(&writer, '[');
    json_write_integer(&writer, INT64_MIN);
    json_write_bool(&writer, true);
    json_write_null(&writer);
    json_write_text(&writer, NULL);
    json_write_text(&writer, "[");
    json_write_text(&writer, "");
    json_end(&writer, ']');
    json_write_key(&writer, "last");
    json_write_real(&writer, 0.1);
    json_end(&writer, '}');

    cr_assert_str_eq(
        writer.text,
        "{\"empty\":[],\"list\":[-9223372036854775808,true,null,null,\"[\",\"\"],\"last\":0.1}");
    free(writer.text);
}

Test(json_writer, escapes_what_json_does_not_allow_in_text)
{
    CLEANUP(mem_free_at_exit) char *text = NULL;
    struct json_writer writer = {0};

    json_write_bytes(&writer, "a\"b\\c\nd\0e\x1f\x7fü€😀", 20);
    text = writer.text;
    cr_assert_str_eq(text, "\"a\\\"b\\\\c\\nd\\u0000e\\u001f\\u007fü€😀\"", "%s", text);
}

Test(json_writer, replaces_what_is_not_utf_8)
{
    static const char *const bad[] = {
        "\xff", "\x80", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct json_writer writer = {0};

        json_write_text(&writer, bad[i]);
        for (const char *at = writer.text + 1; *at != '"'; at += 3) {
            cr_assert_arr_eq(at, "\xef\xbf\xbd", 3);
        }
        free(writer.text);
    }
}

Test(json_writer, writes_numbers_that_read_back_the_same)
{
    static const double reals[] = {0.1, 1.0, -2.5, 1e300, 5e-324, 1.0 / 3.0, 123456789.123456789};

    for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
        struct json_writer writer = {0};

        json_write_real(&writer, reals[i]);
        cr_assert_eq(strtod(writer.text, NULL), reals[i]);
        free(writer.text);
    }
}

Test(json_writer, writes_null_for_a_number_json_does_not_know)
{
    struct json_writer writer = {0};

    json_begin(&writer, '[');
    json_write_real(&writer, (double)NAN);
    json_write_real(&writer, (double)INFINITY);
    json_end(&writer, ']');
    cr_assert_str_eq(writer.text, "[null,null]");
    free(writer.text);
}
