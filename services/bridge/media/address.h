/* An IPv4 or IPv6 address with a port, as sockets want it. */
#ifndef BRIDGE_MEDIA_ADDRESS_H
#define BRIDGE_MEDIA_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/attr.h"

enum {
    ADDRESS_TEXT_SIZE = 56 /* "[...]:65535" */
};

union address {
    struct sockaddr any;
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
};

/* `text` is numeric, without brackets or port. */
MUST_USE bool address_parse(const char *text, uint16_t port, union address *ret_address);
/* "192.0.2.7:4000" or "[2001:db8::7]:4000" */
void address_print(const union address *address, char ret_text[ADDRESS_TEXT_SIZE]);
void address_set_port(union address *address, uint16_t port);
/* All zero: "any of ours" to bind, nobody to send to. */
bool address_unspecified(const union address *address);
bool address_equal(const union address *one, const union address *other);
socklen_t address_size(const union address *address);

#endif
