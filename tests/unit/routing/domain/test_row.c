#include <criterion/criterion.h>

#include "common/base/arena.h"
#include "services/routing/domain/row.h"

Test(row, every_kind_begins_with_its_workspace_and_has_a_key)
{
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        const struct row_type *type = &row_types[kind];

        cr_assert_str_eq(type->fields[0].name, "workspace_id", "%s", type->name);
        cr_assert_geq(type->key_count, 1);
        cr_assert_leq(type->field_count, 64, "%s: a mask has 64 bits", type->name);
        for (size_t i = 0; i < type->field_count; i++) {
            cr_assert_eq(type->fields[i].key, i < type->key_count, "%s", type->fields[i].name);
        }
    }
}

Test(row, copies_are_equal_and_own_their_texts)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct task_row task;
    struct task_row other;

    row_init(ROW_TASK, &task);
    row_init(ROW_TASK, &other);
    row_set_text(&task.workspace_id, "acme");
    row_set_text(&task.id, "t1");
    task.priority = 7;
    row_assign(ROW_TASK, &other, &task);

    struct task_row *copy = row_copy(ROW_TASK, &task, arena);

    cr_assert(row_equal(ROW_TASK, &task, &other));
    cr_assert(row_equal(ROW_TASK, &task, copy));
    cr_assert_neq(task.id, other.id);
    row_set_text(&task.id, "t2");
    cr_assert_not(row_equal(ROW_TASK, &task, &other));
    cr_assert_lt(row_compare_keys(ROW_TASK, copy, &task), 0);
    cr_assert_eq(row_compare_keys(ROW_TASK, copy, &other), 0);
    other.priority = 8;
    cr_assert_not(row_equal(ROW_TASK, copy, &other));

    row_deinit(ROW_TASK, &task);
    row_deinit(ROW_TASK, &other);
}
