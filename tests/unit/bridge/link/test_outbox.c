#include <criterion/criterion.h>

#include "services/bridge/link/outbox.h"

static void add(struct outbox *outbox, const char *workspace_id, const char *call_id)
{
    const struct report report = {
        .kind = REPORT_CALL_ENDED, .workspace_id = workspace_id, .call_id = call_id};

    outbox_add(outbox, kept_report_new(&report));
}

static void expect_next(struct outbox *outbox, const char *call_id, int64_t expected)
{
    int64_t number = 0;
    const struct report *report = outbox_next(outbox, &number);

    cr_assert(report);
    cr_assert_str_eq(report->call_id, call_id);
    cr_assert_eq(number, expected, "%s has number %lld", call_id, (long long)number);
}

Test(outbox, numbers_each_workspace_upward_from_its_last_acknowledged_report)
{
    struct outbox outbox;
    int64_t number = 0;

    outbox_init(&outbox);
    outbox_acknowledge(&outbox, "a", 7); /* an earlier process of this bridge got so far */
    add(&outbox, "a", "a1");
    add(&outbox, "b", "b1");
    add(&outbox, "a", "a2");
    expect_next(&outbox, "a1", 8);
    expect_next(&outbox, "a2", 9);
    expect_next(&outbox, "b1", 1);
    cr_assert_null(outbox_next(&outbox, &number));
    outbox_deinit(&outbox);
}

Test(outbox, sends_again_after_a_break_what_did_not_take_effect_and_nothing_else)
{
    struct outbox outbox;
    int64_t number = 0;

    outbox_init(&outbox);
    add(&outbox, "a", "a1");
    add(&outbox, "a", "a2");
    add(&outbox, "a", "a3");
    expect_next(&outbox, "a1", 1);
    expect_next(&outbox, "a2", 2);

    /* Both took effect, but the acknowledgment of the second was lost with the stream. */
    outbox_acknowledge(&outbox, "a", 1);
    outbox_restart(&outbox);
    outbox_acknowledge(&outbox, "a", 2);
    expect_next(&outbox, "a3", 3);
    cr_assert_null(outbox_next(&outbox, &number));
    outbox_acknowledge(&outbox, "a", 3);
    cr_assert_eq(outbox.report_count, 0);
    outbox_deinit(&outbox);
}

Test(outbox, begins_anew_where_the_routing_service_remembers_less_than_it_acknowledged)
{
    struct outbox outbox;

    outbox_init(&outbox);
    outbox_acknowledge(&outbox, "a", 7);
    outbox_acknowledge(&outbox, "b", 7);
    outbox_acknowledge(&outbox, "c", 7);
    outbox_workspace(&outbox, "b")->last_instruction = 5;
    outbox_workspace(&outbox, "c")->last_instruction = 5;
    add(&outbox, "a", "a1");
    add(&outbox, "b", "b1");
    add(&outbox, "c", "c1");
    expect_next(&outbox, "a1", 8);
    expect_next(&outbox, "b1", 8);
    expect_next(&outbox, "c1", 8);

    /* b was restored from a backup; c was deleted and made again: nothing is said about it. */
    outbox_restart(&outbox);
    outbox_acknowledge(&outbox, "a", 7);
    outbox_acknowledge(&outbox, "b", 3);
    outbox_confirm(&outbox);
    expect_next(&outbox, "a1", 8);
    expect_next(&outbox, "b1", 4);
    expect_next(&outbox, "c1", 1);
    cr_assert_eq(outbox_workspace(&outbox, "b")->last_instruction, 0);
    cr_assert_eq(outbox_workspace(&outbox, "c")->last_instruction, 0);
    outbox_acknowledge(&outbox, "c", 1);
    outbox_acknowledge(&outbox, "c", 0);
    cr_assert_eq(outbox_workspace(&outbox, "c")->acknowledged, 1, "later ones never go back");
    outbox_deinit(&outbox);
}

Test(outbox, sends_everything_again_when_nothing_was_acknowledged)
{
    struct outbox outbox;

    outbox_init(&outbox);
    add(&outbox, "a", "a1");
    add(&outbox, "a", "a2");
    expect_next(&outbox, "a1", 1);
    outbox_restart(&outbox);
    outbox_acknowledge(&outbox, "a", 0);
    expect_next(&outbox, "a1", 1);
    expect_next(&outbox, "a2", 2);
    outbox_deinit(&outbox);
}
