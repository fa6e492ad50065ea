/* Whatever a client sends as a page token is refused or gives back what page_token_print was given.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/routing/rpc/page_token.h"

/* NOLINTBEGIN(readability-identifier-naming): the name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    CLEANUP(mem_free_at_exit) char *token = mem_strndup((const char *)bytes, size);
    uint64_t scope = UINT64_C(0x0123456789abcdef);
    const char *after = NULL;
    struct error err;

    if (page_token_parse(token, scope, arena, &after, &err)) {
        assert(token[0] == '\0' || strcmp(page_token_print(arena, scope, after), token) == 0);
    } else {
        assert(err.reason == REASON_PAGE_TOKEN_INVALID && err.message[0] != '\0');
    }
    return 0;
}
/* NOLINTEND(readability-identifier-naming) */
