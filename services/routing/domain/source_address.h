/* Source addresses of trunks: where a trunk's requests come from.
 *
 *     192.0.2.10   192.0.2.0/24   127.0.0.1:5080   2001:db8::/32   [2001:db8::1]:5060
 *
 * An IPv4 address written as IPv6 (::ffff:192.0.2.10) is the IPv4 one.
 */
#ifndef ROUTING_DOMAIN_SOURCE_ADDRESS_H
#define ROUTING_DOMAIN_SOURCE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SOURCE_ADDRESS_TEXT_SIZE = 64
};

struct source_address {
    bool ipv6;
    uint8_t bytes[16]; /* of IPv4 the first four */
    uint8_t prefix;    /* bits that count */
    uint16_t port;     /* 0: any */
};

/* False when the text is none, has bits behind its prefix, or has a port with a prefix. */
bool source_address_parse(const char *text, struct source_address *ret_address);
/* In canonical form: two texts of the same addresses give the same. */
void source_address_print(
    const struct source_address *address,
    char text[SOURCE_ADDRESS_TEXT_SIZE]);
/* Whether a request could match both. */
bool source_address_overlaps(const struct source_address *one, const struct source_address *other);

#endif
