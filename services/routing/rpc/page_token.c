#include "services/routing/rpc/page_token.h"

#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"

/* "p1" + 16 hexadecimal digits of the scope + "." + the place. The place is an id, so the whole is
 * safe in URLs as it is. */
static const char prefix[] = "p1";

enum {
    PREFIX_LENGTH = 2,
    SCOPE_LENGTH = 16,
    PLACE_OFFSET = PREFIX_LENGTH + SCOPE_LENGTH + 1,
    LONGEST_PLACE = 255
};

uint64_t page_token_hash(uint64_t scope, const char *text)
{
    uint64_t hash = scope ? scope : UINT64_C(0xcbf29ce484222325);

    /* The NUL counts, so that "a","bc" and "ab","c" differ. */
    for (size_t i = 0; i <= strlen(text); i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

const char *page_token_print(struct arena *arena, uint64_t scope, const char *after)
{
    return arena_printf(arena, "%s%016llx.%s", prefix, (unsigned long long)scope, after);
}

static bool refuse(struct error *err, const char *why)
{
    return FAIL_FIELD(err, REASON_PAGE_TOKEN_INVALID, "page_token", "page_token: %s", why);
}

bool page_token_parse(
    const char *token,
    uint64_t scope,
    struct arena *arena,
    const char **ret_after,
    struct error *err)
{
    size_t length = strlen(token);

    if (length == 0) {
        *ret_after = "";
        return true;
    }
    if (length <= PLACE_OFFSET || length > PLACE_OFFSET + LONGEST_PLACE ||
        strncmp(token, prefix, PREFIX_LENGTH) != 0 || token[PLACE_OFFSET - 1] != '.') {
        return refuse(err, "not a token that a list method gave");
    }
    if (strncmp(token, page_token_print(arena, scope, ""), PLACE_OFFSET) != 0) {
        return refuse(err, "it belongs to a list with other parameters");
    }
    *ret_after = arena_strdup(arena, token + PLACE_OFFSET);
    return true;
}
