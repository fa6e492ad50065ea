/* The directory: the trunks and inbound routes that the bridge knows, in the form in which a call
 * is matched with them. Made anew whenever the routing service says something else; unchanging.
 */
#ifndef BRIDGE_DOMAIN_DIRECTORY_H
#define BRIDGE_DOMAIN_DIRECTORY_H

#include <stddef.h>

#include "services/bridge/domain/link.h"

struct directory;

/* Copies everything. A source address that cannot be read matches nothing. */
struct directory *directory_new(const struct telephony *telephony);
struct directory *directory_free(struct directory *directory);

/* The trunk a request from this numeric address and port belongs to, or NULL. Where trunks overlap,
 * which is refused on save, the narrowest source wins. Time grows with the number of source
 * addresses. */
const struct trunk *directory_find_trunk(
    const struct directory *directory,
    const char *source_address,
    int source_port);

/* The route of a called number on that trunk, or NULL. Routes that name the trunk go before those
 * of its whole workspace; among them the longest match wins, and an exact number goes before a
 * prefix of the same length. Time grows with the length of the number, not with the routes. */
const struct inbound_route *directory_find_route(
    const struct directory *directory,
    const struct trunk *trunk,
    const char *called_number);

#endif
