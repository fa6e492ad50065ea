#include <criterion/criterion.h>

#include "services/routing/domain/source_address.h"

static const char *canonical(const char *text)
{
    static char printed[SOURCE_ADDRESS_TEXT_SIZE];
    struct source_address address;

    if (!source_address_parse(text, &address)) {
        return "";
    }
    source_address_print(&address, printed);
    return printed;
}

static bool overlap(const char *one, const char *other)
{
    struct source_address first;
    struct source_address second;

    cr_assert(source_address_parse(one, &first), "%s", one);
    cr_assert(source_address_parse(other, &second), "%s", other);
    cr_assert_eq(
        source_address_overlaps(&first, &second), source_address_overlaps(&second, &first));
    return source_address_overlaps(&first, &second);
}

Test(source_address, is_printed_in_one_form)
{
    cr_assert_str_eq(canonical("192.0.2.10"), "192.0.2.10");
    cr_assert_str_eq(canonical("192.0.2.10/32"), "192.0.2.10");
    cr_assert_str_eq(canonical("192.0.2.0/24"), "192.0.2.0/24");
    cr_assert_str_eq(canonical("0.0.0.0/0"), "0.0.0.0/0");
    cr_assert_str_eq(canonical("127.0.0.1:05080"), "127.0.0.1:5080");
    cr_assert_str_eq(canonical("2001:DB8:0:0::1"), "2001:db8::1");
    cr_assert_str_eq(canonical("[2001:db8::1]"), "2001:db8::1");
    cr_assert_str_eq(canonical("[2001:db8::1]:5060"), "[2001:db8::1]:5060");
    cr_assert_str_eq(canonical("2001:db8::/32"), "2001:db8::/32");
    cr_assert_str_eq(canonical("::ffff:192.0.2.10"), "192.0.2.10");
    cr_assert_str_eq(canonical("::ffff:192.0.2.0/120"), "192.0.2.0/24");
}

Test(source_address, that_says_nothing_clear_is_refused)
{
    static const char *const texts[] = {
        "",           "192.0.2",           "192.0.2.1/24",   "192.0.2.0/33",
        "192.0.2.0/", "192.0.2.0/24:5060", "192.0.2.1:0",    "192.0.2.1:65536",
        "192.0.2.1:", "192.0.2.1:x",       "[192.0.2.1",     "[::1]x",
        "[::1]:",     "example.com",       "2001:db8::1/32", "::1::2",
        "-1.2.3.4",   "192.0.2.0/+8"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_assert_str_eq(canonical(texts[i]), "", "%s", texts[i]);
    }
}

Test(source_address, overlaps_what_a_request_could_match_as_well)
{
    cr_assert(overlap("192.0.2.1", "192.0.2.1"));
    cr_assert_not(overlap("192.0.2.1", "192.0.2.2"));
    cr_assert(overlap("192.0.2.0/24", "192.0.2.77:5060"));
    cr_assert_not(overlap("192.0.2.0/24", "192.0.3.1"));
    cr_assert(overlap("192.0.0.0/15", "192.1.2.3"));
    cr_assert_not(overlap("192.0.0.0/15", "192.2.0.0"));
    cr_assert(overlap("0.0.0.0/0", "10.0.0.0/8"));
    cr_assert_not(overlap("192.0.2.1:5060", "192.0.2.1:5070"));
    cr_assert_not(overlap("0.0.0.0/0", "::/0"));
    cr_assert(overlap("2001:db8::/33", "2001:db8:7fff::1"));
    cr_assert_not(overlap("2001:db8::/33", "2001:db8:8000::1"));
}
