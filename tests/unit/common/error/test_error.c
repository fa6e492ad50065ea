#include <criterion/criterion.h>
#include <string.h>

#include "common/error/error.h"

Test(error, carries_reason_field_and_metadata)
{
    struct error err;

    cr_assert_not(FAIL_FIELD(&err, REASON_FIELD_INVALID, "task.priority", "must be %d", 7));
    error_add_metadata(&err, "limit", "%d", 7);

    cr_assert_eq(error_code(err.reason), ERROR_INVALID_ARGUMENT);
    cr_assert_str_eq(error_reason_name(err.reason), "FIELD_INVALID");
    cr_assert_str_eq(err.message, "must be 7");
    cr_assert_str_eq(err.field, "task.priority");
    cr_assert_str_eq(err.metadata[0].value, "7");
}

Test(error, table_is_sorted_and_every_reason_has_advice)
{
    for (int i = 0; i < REASON_COUNT; i++) {
        cr_assert_gt(strlen(error_reason_advice((enum error_reason)i)), 10);
        cr_assert(
            i == 0 || strcmp(
                          error_reason_name((enum error_reason)(i - 1)),
                          error_reason_name((enum error_reason)i)) < 0);
    }
}
