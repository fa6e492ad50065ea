#include "services/bridge/media/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool address_parse(const char *text, uint16_t port, union address *ret_address)
{
    union address address = {
        .ip6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}
    };

    if (inet_pton(AF_INET6, text, &address.ip6.sin6_addr) == 1) {
        *ret_address = address;
        return true;
    }

    memset(&address, 0, sizeof(address));
    address.ip4.sin_family = AF_INET;
    address.ip4.sin_port = htons(port);
    if (inet_pton(AF_INET, text, &address.ip4.sin_addr) == 1) {
        *ret_address = address;
        return true;
    }
    return false;
}

void address_print(const union address *address, char ret_text[ADDRESS_TEXT_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "?";

    if (address->any.sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &address->ip6.sin6_addr, host, sizeof(host));
        (void)snprintf(ret_text, ADDRESS_TEXT_SIZE, "[%s]:%u", host, ntohs(address->ip6.sin6_port));
    } else {
        (void)inet_ntop(AF_INET, &address->ip4.sin_addr, host, sizeof(host));
        (void)snprintf(ret_text, ADDRESS_TEXT_SIZE, "%s:%u", host, ntohs(address->ip4.sin_port));
    }
}

void address_set_port(union address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET6) {
        address->ip6.sin6_port = htons(port);
    } else {
        address->ip4.sin_port = htons(port);
    }
}

bool address_unspecified(const union address *address)
{
    if (address->any.sa_family == AF_INET6) {
        return IN6_IS_ADDR_UNSPECIFIED(&address->ip6.sin6_addr);
    }
    return address->ip4.sin_addr.s_addr == INADDR_ANY;
}

bool address_equal(const union address *one, const union address *other)
{
    if (one->any.sa_family != other->any.sa_family) {
        return false;
    }
    if (one->any.sa_family == AF_INET6) {
        return one->ip6.sin6_port == other->ip6.sin6_port &&
               IN6_ARE_ADDR_EQUAL(&one->ip6.sin6_addr, &other->ip6.sin6_addr);
    }
    return one->ip4.sin_port == other->ip4.sin_port &&
           one->ip4.sin_addr.s_addr == other->ip4.sin_addr.s_addr;
}

socklen_t address_size(const union address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof(address->ip6) : sizeof(address->ip4);
}
