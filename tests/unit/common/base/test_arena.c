#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "common/base/arena.h"

Test(arena, gives_zeroed_aligned_memory_again_after_a_reset)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();

    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size < 10000; size = size * 3 + 1) {
            unsigned char *bytes = arena_alloc(arena, size);

            cr_assert_eq((uintptr_t)bytes % 16, 0);
            for (size_t i = 0; i < size; i++) {
                cr_assert_eq(bytes[i], 0);
            }
            memset(bytes, 0xff, size);
        }
        cr_assert_gt(arena_used(arena), 9000);
        arena_reset(arena);
        cr_assert_eq(arena_used(arena), 0);
    }
}

Test(arena, prints_and_copies_text)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();

    cr_assert_str_eq(arena_printf(arena, "%s-%d", "a", 7), "a-7");
    cr_assert_str_eq(arena_strndup(arena, "workspace", 4), "work");
    cr_assert_null(arena_strdup(arena, NULL));
}
