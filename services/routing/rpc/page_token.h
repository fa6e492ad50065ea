/* Page tokens: where the next page starts, and a hash of everything that must not change between
 * pages. Opaque to clients; not a secret: whoever makes one up gets a page that they could have had
 * anyway.
 */
#ifndef ROUTING_RPC_PAGE_TOKEN_H
#define ROUTING_RPC_PAGE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct error;

/* scope: a hash of the request's other parameters (parent, filters), not of page_size. */
const char *page_token_print(struct arena *arena, uint64_t scope, const char *after);
/* "" gives "". PAGE_TOKEN_INVALID when it was not made by page_token_print, or for another scope.
 */
bool page_token_parse(
    const char *token,
    uint64_t scope,
    struct arena *arena,
    const char **ret_after,
    struct error *err);

/* FNV-1a, to build scopes from texts. */
uint64_t page_token_hash(uint64_t scope, const char *text);

#endif
