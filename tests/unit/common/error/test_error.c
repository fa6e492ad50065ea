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

Test(error, finds_every_reason_by_its_name_and_no_other)
{
    enum error_reason found = REASON_COUNT;

    for (int i = 0; i < REASON_COUNT; i++) {
        cr_assert(error_reason_find(error_reason_name((enum error_reason)i), &found));
        cr_assert_eq(found, (enum error_reason)i);
    }
    cr_assert_not(error_reason_find("", &found));
    cr_assert_not(error_reason_find("NOT_FOUND_AT_ALL", &found));
}
