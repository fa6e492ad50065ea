#include <criterion/criterion.h>
#include <string.h>

#include "services/routing/domain/id.h"

Test(id, has_1_to_63_plain_characters_and_begins_with_a_letter_or_digit)
{
    char longest[65];

    memset(longest, 'a', sizeof(longest));
    longest[63] = '\0';
    cr_assert(id_valid("a"));
    cr_assert(id_valid("0Z-_."));
    cr_assert(id_valid(longest));
    longest[63] = 'a';
    longest[64] = '\0';
    cr_assert_not(id_valid(longest));
    cr_assert_not(id_valid(""));
    cr_assert_not(id_valid("-a"));
    cr_assert_not(id_valid(".a"));
    cr_assert_not(id_valid("a/b"));
    cr_assert_not(id_valid("\xc3\xa4"));
}

Test(id, of_a_task_channel_is_a_word_that_expressions_can_use)
{
    cr_assert(id_valid_word("voice_2"));
    cr_assert(id_valid_word("_x"));
    cr_assert_not(id_valid_word("2voice"));
    cr_assert_not(id_valid_word("e-mail"));
    cr_assert_not(id_valid_word(""));
}

Test(id, text_is_counted_in_characters)
{
    cr_assert_eq(text_characters(""), 0);
    cr_assert_eq(text_characters("abc"), 3);
    cr_assert_eq(text_characters("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), 3);
}
