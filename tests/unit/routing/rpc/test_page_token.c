#include <criterion/criterion.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "services/routing/rpc/page_token.h"

Test(page_token, gives_back_the_place_for_the_same_scope_only)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    uint64_t scope = page_token_hash(page_token_hash(0, "task"), "workspaces/w");
    const char *token = page_token_print(arena, scope, "t-17");
    const char *after = NULL;
    struct error err;

    cr_assert(page_token_parse(token, scope, arena, &after, &err));
    cr_assert_str_eq(after, "t-17");
    cr_assert(page_token_parse("", scope, arena, &after, &err));
    cr_assert_str_eq(after, "");
    cr_assert_not(page_token_parse(token, scope + 1, arena, &after, &err));
    cr_assert_eq(err.reason, REASON_PAGE_TOKEN_INVALID);
    cr_assert_not(page_token_parse("t-17", scope, arena, &after, &err));
    cr_assert_eq(err.reason, REASON_PAGE_TOKEN_INVALID);
    cr_assert_not(page_token_parse("p1zzzzzzzzzzzzzzzz.", scope, arena, &after, &err));
}

Test(page_token, tells_texts_apart_by_where_they_end)
{
    cr_assert_neq(
        page_token_hash(page_token_hash(0, "a"), "bc"),
        page_token_hash(page_token_hash(0, "ab"), "c"));
}
