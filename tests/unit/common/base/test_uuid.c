#include <criterion/criterion.h>

#include "common/base/uuid.h"

/* The example of RFC 9562, A.6. */
Test(uuid, version_7_is_the_example_of_the_rfc)
{
    const uint8_t random[UUID_RANDOM_BYTES] = {0x0c, 0xc3, 0x18, 0xc4, 0xdc,
                                               0x0c, 0x0c, 0x07, 0x39, 0x8f};
    char text[UUID_TEXT_SIZE];

    uuid7_print(INT64_C(1645557742000) * 1000, random, text);
    cr_assert_str_eq(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

Test(uuid, is_valid_in_its_form_alone)
{
    cr_assert(uuid_valid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
    cr_assert(uuid_valid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"));
    cr_assert_not(uuid_valid(""));
    cr_assert_not(uuid_valid("017f22e2-79b0-7cc3-98c4-dc0c0c07398"));
    cr_assert_not(uuid_valid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f0"));
    cr_assert_not(uuid_valid("017f22e2079b0-7cc3-98c4-dc0c0c07398f"));
    cr_assert_not(uuid_valid("g17f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
}
