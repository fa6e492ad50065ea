#include <criterion/criterion.h>

#include "services/routing/postgres/connection.h"

Test(connection, tells_what_passes_from_what_would_fail_again)
{
    static const char *const passing[] = {NULL,    "",      "08006", "25006", "40001",
                                          "40P01", "53100", "53300", "55P03", "57014",
                                          "57P01", "57P03", "58030"};
    static const char *const lasting[] = {"22001", "22012", "22021", "22P05", "23505",
                                          "42601", "42P01", "54000", "XX000"};

    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        cr_expect(postgres_passes(passing[i]), "%s", passing[i]);
    }
    for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++) {
        cr_expect_not(postgres_passes(lasting[i]), "%s", lasting[i]);
    }
}

Test(connection, waits_longer_after_each_attempt_up_to_a_limit)
{
    cr_assert_eq(postgres_backoff_ms(0, 0), 25);
    cr_assert_eq(postgres_backoff_ms(0, 25), 50);
    cr_assert_eq(postgres_backoff_ms(3, 0), 200);
    for (unsigned attempt = 0; attempt < 100; attempt++) {
        int64_t delay_ms = postgres_backoff_ms(attempt, UINT32_MAX);

        cr_assert_gt(delay_ms, 0);
        cr_assert_leq(delay_ms, POSTGRES_BACKOFF_MAX_MS);
    }
    cr_assert_geq(postgres_backoff_ms(1000, 0), POSTGRES_BACKOFF_MAX_MS / 2);
}
