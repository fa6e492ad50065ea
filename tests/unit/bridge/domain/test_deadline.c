#include <criterion/criterion.h>

#include "services/bridge/domain/deadline.h"

Test(deadline, the_earliest_comes_first_and_equals_in_the_order_of_setting)
{
    struct deadlines deadlines;
    struct deadline a = {0};
    struct deadline b = {0};
    struct deadline c = {0};

    deadlines_init(&deadlines);
    cr_assert_null(deadlines_first(&deadlines));
    deadlines_set(&deadlines, &a, 30);
    deadlines_set(&deadlines, &b, 10);
    deadlines_set(&deadlines, &c, 10);
    cr_assert_eq(deadlines_first(&deadlines), &b);
    deadlines_set(&deadlines, &b, 40);
    cr_assert_eq(deadlines_first(&deadlines), &c, "moved behind");
    deadlines_clear(&deadlines, &c);
    deadlines_clear(&deadlines, &c);
    cr_assert_eq(deadlines_first(&deadlines), &a);
    deadlines_clear(&deadlines, &a);
    deadlines_clear(&deadlines, &b);
    cr_assert_null(deadlines_first(&deadlines));
}
