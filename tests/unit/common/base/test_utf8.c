#include <criterion/criterion.h>
#include <string.h>

#include "common/base/utf8.h"

static bool text(const char *bytes)
{
    return utf8_is_text(bytes, strlen(bytes));
}

Test(utf8, accepts_every_length_of_character)
{
    cr_assert(text(""));
    cr_assert(text("plain ascii, longer than a word"));
    cr_assert(text("Gr\xC3\xBC\xC3\x9F Gott \xE2\x82\xAC \xF0\x9F\x93\x9E"));
    cr_assert(text("\xF4\x8F\xBF\xBF \xED\x9F\xBF \xEE\x80\x80"));
}

Test(utf8, refuses_what_rfc_3629_refuses)
{
    static const char *const bad[] = {
        "\x80",
        "\xC0\x80",
        "\xC1\xBF",
        "\xE0\x9F\xBF",
        "\xED\xA0\x80",
        "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xFF",
        "\xE2\x82",
        "\xE2\x82g",
        "\xC3",
        "sixteen ascii by\xE2\x28\xA1",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_not(text(bad[i]), "%zu", i);
    }
}

Test(utf8, refuses_a_nul_wherever_it_is)
{
    for (size_t at = 0; at < 24; at++) {
        char bytes[24];

        memset(bytes, 'a', sizeof(bytes));
        bytes[at] = '\0';
        cr_assert_not(utf8_is_text(bytes, sizeof(bytes)), "%zu", at);
    }
}
