#include <criterion/criterion.h>

#include "common/base/arena.h"
#include "services/routing/operations/step.h"

Test(step, keeps_its_own_copies_of_changed_rows_in_order)
{
    struct step *step = step_new(arena_new(), "acme", 1, 2);
    struct task_row row;

    row_init(ROW_TASK, &row);
    for (int32_t i = 0; i < 100; i++) {
        row.priority = i;
        step_add_change(step, ROW_TASK, &row, i == 99);
    }
    row_set_text(&row.id, "other");
    row_deinit(ROW_TASK, &row);

    cr_assert_eq(step->change_count, 100);
    for (int32_t i = 0; i < 100; i++) {
        const struct task_row *kept = step->changes[i].row;

        cr_assert_eq(kept->priority, i);
        cr_assert_str_eq(kept->id, "");
        cr_assert_eq(step->changes[i].deleted, i == 99);
    }
    step_free(step);
}

Test(step, the_same_seed_gives_the_same_numbers_and_another_seed_others)
{
    struct step *one = step_new(arena_new(), "acme", 1, 7);
    struct step *same = step_new(arena_new(), "acme", 1, 7);
    struct step *other = step_new(arena_new(), "acme", 1, 8);
    uint64_t first = step_random(one);

    cr_assert_eq(first, step_random(same));
    cr_assert_neq(first, step_random(other));
    cr_assert_neq(first, step_random(one));
    step_free(one);
    step_free(same);
    step_free(other);
}
