#include "services/routing/domain/source_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IPV4_BITS = 32,
    IPV6_BITS = 128,
    MAPPED_BYTES = 12,
    MAPPED_BITS = 96,
};

static const uint8_t mapped[MAPPED_BYTES] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Digits only, up to `largest`. */
static bool parse_number(const char *text, long largest, long *ret_number)
{
    size_t length = strlen(text);

    if (length == 0 || length > 5 || strspn(text, "0123456789") != length) {
        return false;
    }
    *ret_number = strtol(text, NULL, 10);
    return *ret_number <= largest;
}

/* Cuts "[address]:port", "[address]", "address:port" or "address" in two. */
static bool split_port(char *text, char **ret_host, long *ret_port)
{
    char *colon = strrchr(text, ':');
    char *bracket = strchr(text, ']');

    *ret_host = text;
    *ret_port = 0;
    if (text[0] == '[') {
        if (!bracket || (bracket[1] && bracket[1] != ':')) {
            return false;
        }
        *ret_host = text + 1;
        colon = bracket[1] ? bracket + 1 : NULL;
        *bracket = '\0';
    } else if (colon && strchr(text, ':') != colon) {
        colon = NULL; /* an IPv6 address without brackets has no port */
    }
    if (!colon) {
        return true;
    }
    *colon = '\0';
    return parse_number(colon + 1, UINT16_MAX, ret_port) && *ret_port > 0;
}

static bool parse_host(const char *host, struct source_address *address)
{
    if (inet_pton(AF_INET, host, address->bytes) == 1) {
        address->prefix = IPV4_BITS;
        return true;
    }
    address->ipv6 = true;
    address->prefix = IPV6_BITS;
    return inet_pton(AF_INET6, host, address->bytes) == 1;
}

static bool bits_behind_prefix(const struct source_address *address)
{
    int bits = address->ipv6 ? IPV6_BITS : IPV4_BITS;

    for (int bit = address->prefix; bit < bits; bit++) {
        if (address->bytes[bit / 8] & (0x80U >> (bit % 8))) {
            return true;
        }
    }
    return false;
}

static void unmap(struct source_address *address)
{
    uint8_t last[4];

    if (address->ipv6 && address->prefix >= MAPPED_BITS &&
        memcmp(address->bytes, mapped, MAPPED_BYTES) == 0) {
        memcpy(last, address->bytes + MAPPED_BYTES, sizeof(last));
        memset(address->bytes, 0, sizeof(address->bytes));
        memcpy(address->bytes, last, sizeof(last));
        address->ipv6 = false;
        address->prefix = (uint8_t)(address->prefix - MAPPED_BITS);
    }
}

bool source_address_parse(const char *text, struct source_address *ret_address)
{
    struct source_address address = {0};
    char copy[SOURCE_ADDRESS_TEXT_SIZE];
    char *slash = NULL;
    char *host = NULL;
    long port = 0;
    long prefix = 0;

    if (strlen(text) >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text, strlen(text) + 1);
    slash = strchr(copy, '/');
    if (slash) {
        *slash = '\0';
    }
    if (!split_port(copy, &host, &port) || !parse_host(host, &address)) {
        return false;
    }
    if (slash) {
        if (port || !parse_number(slash + 1, address.prefix, &prefix)) {
            return false;
        }
        address.prefix = (uint8_t)prefix;
    }
    address.port = (uint16_t)port;
    unmap(&address);
    if (bits_behind_prefix(&address)) {
        return false;
    }
    *ret_address = address;
    return true;
}

void source_address_print(const struct source_address *address, char text[SOURCE_ADDRESS_TEXT_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "";
    int bits = address->ipv6 ? IPV6_BITS : IPV4_BITS;

    inet_ntop(address->ipv6 ? AF_INET6 : AF_INET, address->bytes, host, sizeof(host));
    if (address->port) {
        (void)snprintf(
            text, SOURCE_ADDRESS_TEXT_SIZE, address->ipv6 ? "[%s]:%u" : "%s:%u", host,
            (unsigned)address->port);
    } else if (address->prefix < bits) {
        (void)snprintf(text, SOURCE_ADDRESS_TEXT_SIZE, "%s/%u", host, (unsigned)address->prefix);
    } else {
        (void)snprintf(text, SOURCE_ADDRESS_TEXT_SIZE, "%s", host);
    }
}

bool source_address_overlaps(const struct source_address *one, const struct source_address *other)
{
    int bits = one->prefix < other->prefix ? one->prefix : other->prefix;
    int whole = bits / 8;
    unsigned rest = 0xFFU & ~(0xFFU >> (bits % 8));

    if (one->ipv6 != other->ipv6 || (one->port && other->port && one->port != other->port)) {
        return false;
    }
    return memcmp(one->bytes, other->bytes, (size_t)whole) == 0 &&
           (rest == 0 || ((one->bytes[whole] ^ other->bytes[whole]) & rest) == 0);
}
