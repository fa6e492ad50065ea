/* Parses and matches source addresses. */
#include "services/bridge/domain/source_address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_SIZE = 64,
    MAPPED_BITS = 96, /* ::ffff:0:0/96 */
    PORT_MAX = 65535,
};

/* All of `text` as a decimal number from 0 to `max`. */
static bool parse_number(const char *text, int max, int *ret_number)
{
    int number = 0;

    if (*text == '\0' || strlen(text) > 5) {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        number = number * 10 + (*text - '0');
    }
    if (number > max) {
        return false;
    }
    *ret_number = number;
    return true;
}

static bool parse_host(const char *text, struct source_address *address, bool *ret_ipv4)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    *ret_ipv4 = inet_pton(AF_INET, text, address->bytes + 12) == 1;
    if (*ret_ipv4) {
        memcpy(address->bytes, mapped, sizeof(mapped));
        return true;
    }
    return inet_pton(AF_INET6, text, address->bytes) == 1;
}

/* Cuts `[address]:port` and `a.b.c.d:port` apart in place; a bare IPv6 address has several colons
 * and no port. */
static bool split_port(char **text, int *ret_port)
{
    char *colon = strchr(*text, ':');

    *ret_port = 0;
    if (**text == '[') {
        char *bracket = strchr(*text, ']');
        if (!bracket || (bracket[1] != '\0' && bracket[1] != ':')) {
            return false;
        }
        colon = bracket[1] == ':' ? bracket + 1 : NULL;
        *bracket = '\0';
        *text += 1;
    } else if (colon && strchr(colon + 1, ':')) {
        colon = NULL;
    }
    if (!colon) {
        return true;
    }
    *colon = '\0';
    return parse_number(colon + 1, PORT_MAX, ret_port) && *ret_port > 0;
}

static void drop_host_bits(struct source_address *address)
{
    for (int bit = address->prefix_bits; bit < 128; bit++) {
        address->bytes[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
    }
}

bool source_address_parse(const char *text, struct source_address *ret_address)
{
    struct source_address address = {.prefix_bits = 128};
    char buffer[TEXT_SIZE];
    char *host = buffer;
    bool ipv4 = false;

    if (strlen(text) >= sizeof(buffer)) {
        return false;
    }
    memcpy(buffer, text, strlen(text) + 1);

    char *slash = strchr(buffer, '/');

    if (slash) {
        *slash = '\0';
    } else if (!split_port(&host, &address.port)) {
        return false;
    }
    if (!parse_host(host, &address, &ipv4)) {
        return false;
    }
    if (slash && !parse_number(slash + 1, ipv4 ? 32 : 128, &address.prefix_bits)) {
        return false;
    }
    if (slash && ipv4) {
        address.prefix_bits += MAPPED_BITS;
    }
    drop_host_bits(&address);
    *ret_address = address;
    return true;
}

bool source_address_contains(const struct source_address *range, const struct source_address *peer)
{
    int whole = range->prefix_bits / 8;
    int rest = range->prefix_bits % 8;

    if (range->port != 0 && range->port != peer->port) {
        return false;
    }
    if (memcmp(range->bytes, peer->bytes, (size_t)whole) != 0) {
        return false;
    }
    return rest == 0 || ((range->bytes[whole] ^ peer->bytes[whole]) >> (8 - rest)) == 0;
}

int source_address_compare_width(const struct source_address *a, const struct source_address *b)
{
    if ((a->port != 0) != (b->port != 0)) {
        return a->port != 0 ? -1 : 1;
    }
    return (a->prefix_bits < b->prefix_bits) - (a->prefix_bits > b->prefix_bits);
}
