#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/value/number.h"
#include "common/value/value.h"

static int compare(struct value a, struct value b)
{
    int result = number_compare(&a, &b);

    cr_assert_eq(number_compare(&b, &a), -result);
    return result;
}

Test(number, compares_integers_and_reals_exactly)
{
    cr_assert_eq(compare(value_of_integer(1), value_of_integer(2)), -1);
    cr_assert_eq(compare(value_of_integer(2), value_of_real(2.0)), 0);
    cr_assert_eq(compare(value_of_integer(2), value_of_real(2.5)), -1);
    cr_assert_eq(compare(value_of_integer(-2), value_of_real(-2.5)), 1);
    cr_assert_eq(compare(value_of_integer(9007199254740993), value_of_real(9007199254740992.0)), 1);
    cr_assert_eq(compare(value_of_integer(INT64_MAX), value_of_real(0x1p63)), -1);
    cr_assert_eq(compare(value_of_integer(INT64_MIN), value_of_real(-0x1p63)), 0);
    cr_assert_eq(compare(value_of_integer(INT64_MIN), value_of_real(-1e300)), 1);
    cr_assert_eq(compare(value_of_real(0.25), value_of_real(0.5)), -1);
}

static struct value parsed(const char *text)
{
    struct value number = value_null;

    cr_assert(number_parse(text, strlen(text), &number), "%s", text);
    return number;
}

Test(number, reads_what_people_write)
{
    cr_assert_eq(parsed("6").integer, 6);
    cr_assert_eq(parsed("-12").integer, -12);
    cr_assert_eq(parsed("+5").integer, 5);
    cr_assert_eq(parsed("007").integer, 7);
    cr_assert_eq(parsed("9223372036854775807").integer, INT64_MAX);
    cr_assert_eq(parsed("-9223372036854775808").integer, INT64_MIN);
    cr_assert_eq(parsed("0.5").type, VALUE_REAL);
    cr_assert_eq(parsed("0.5").real, 0.5);
    cr_assert_eq(parsed("1e3").real, 1000.0);
    cr_assert_eq(parsed("1.5E-1").real, 0.15);
}

Test(number, refuses_what_is_not_one_number)
{
    static const char *const texts[] = {
        "",
        "-",
        "a",
        "1a",
        " 1",
        "1 ",
        "0x10",
        "1.",
        ".5",
        "1e",
        "1e+",
        "inf",
        "nan",
        "1e999",
        "9223372036854775808",
        "-9223372036854775809",
        "1.5.5",
        "--1",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct value number = value_of_integer(77);

        cr_assert_not(number_parse(texts[i], strlen(texts[i]), &number), "%s", texts[i]);
        cr_assert_eq(number.integer, 77);
    }
}
