#include <criterion/criterion.h>

#include "common/base/text_set.h"

Test(text_set, holds_each_text_once_until_it_is_removed)
{
    struct text_set set = {0};
    char text[3] = "a";

    text_set_add(&set, text);
    text_set_add(&set, "a");
    text_set_add(&set, "b");
    text[0] = 'x'; /* it was copied */
    cr_assert(text_set_has(&set, "a"));
    text_set_remove(&set, "a");
    text_set_remove(&set, "a");
    cr_assert_not(text_set_has(&set, "a"));
    cr_assert(text_set_has(&set, "b"));
    text_set_clear(&set);
    cr_assert_not(text_set_has(&set, "b"));
}
