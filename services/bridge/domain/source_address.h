/* A source address of a trunk: an IPv4 or IPv6 address or CIDR prefix, with an optional port for
 * one exact source: `192.0.2.10`, `192.0.2.0/24`, `127.0.0.1:5080`, `2001:db8::/32`,
 * `[2001:db8::1]:5060`.
 *
 * An IPv4 address is kept, and matched, as its IPv4-mapped IPv6 address: a dual-stack socket shows
 * it so.
 */
#ifndef BRIDGE_DOMAIN_SOURCE_ADDRESS_H
#define BRIDGE_DOMAIN_SOURCE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

struct source_address {
    uint8_t bytes[16];
    int prefix_bits; /* 0 to 128 */
    int port;        /* 0: any */
};

/* False, with the output untouched, for anything else; bits beyond the prefix are dropped. */
MUST_USE bool source_address_parse(const char *text, struct source_address *ret_address);
/* Whether `peer`, a single address, lies in `range`; its port counts when the range has one. */
bool source_address_contains(const struct source_address *range, const struct source_address *peer);
/* Below 0 when `a` is the narrower of two ranges. */
int source_address_compare_width(const struct source_address *a, const struct source_address *b);

#endif
