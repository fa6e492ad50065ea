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

Test(error, cuts_what_does_not_fit_between_characters)
{
    struct error err;
    char text[ERROR_MESSAGE_SIZE * 2] = {0};

    for (size_t start = 0; start < 4; start++) {
        memset(text, 'a', start);
        for (size_t i = start; i + 4 < sizeof(text); i += 4) {
            memcpy(text + i, "\xf0\x9f\x98\x80", 4);
        }
        (void)FAIL_FIELD(&err, REASON_FIELD_INVALID, text, "%s", text);
        error_add_metadata(&err, "key", "%s", text);

        size_t whole = (ERROR_MESSAGE_SIZE - 1 - start) / 4 * 4 + start;

        cr_assert_eq(strlen(err.message), whole);
        cr_assert_eq(strlen(err.field), (ERROR_FIELD_SIZE - 1 - start) / 4 * 4 + start);
        cr_assert_eq(strlen(err.metadata[0].value), (ERROR_VALUE_SIZE - 1 - start) / 4 * 4 + start);
        error_set_message(&err, "%s!", text);
        cr_assert_eq(strlen(err.message), whole);
        cr_assert_eq(err.reason, REASON_FIELD_INVALID);
    }
}
