#include <criterion/criterion.h>

#include "services/bridge/domain/source_address.h"

static bool matches(const char *range_text, const char *peer_text, int peer_port)
{
    struct source_address range;
    struct source_address peer;

    cr_assert(source_address_parse(range_text, &range), "%s", range_text);
    cr_assert(source_address_parse(peer_text, &peer), "%s", peer_text);
    peer.port = peer_port;
    return source_address_contains(&range, &peer);
}

Test(source_address, contains_what_its_prefix_covers)
{
    cr_assert(matches("192.0.2.10", "192.0.2.10", 5060));
    cr_assert_not(matches("192.0.2.10", "192.0.2.11", 5060));
    cr_assert(matches("192.0.2.0/24", "192.0.2.255", 1));
    cr_assert_not(matches("192.0.2.0/24", "192.0.3.0", 1));
    cr_assert(matches("192.0.2.77/24", "192.0.2.1", 1), "host bits are dropped");
    cr_assert(matches("192.0.2.128/25", "192.0.2.200", 1));
    cr_assert_not(matches("192.0.2.128/25", "192.0.2.127", 1));
    cr_assert(matches("0.0.0.0/0", "203.0.113.9", 1));
    cr_assert_not(matches("0.0.0.0/0", "2001:db8::1", 1), "all of IPv4 is not all");
    cr_assert(matches("::/0", "2001:db8::1", 1));
    cr_assert(matches("2001:db8::/33", "2001:db8:7fff::1", 1));
    cr_assert_not(matches("2001:db8::/33", "2001:db8:8000::1", 1));
}

Test(source_address, with_a_port_means_that_source_alone)
{
    cr_assert(matches("127.0.0.1:5080", "127.0.0.1", 5080));
    cr_assert_not(matches("127.0.0.1:5080", "127.0.0.1", 5081));
    cr_assert(matches("[2001:db8::1]:5060", "2001:db8::1", 5060));
    cr_assert_not(matches("[2001:db8::1]:5060", "2001:db8::1", 5061));
    cr_assert(matches("[2001:db8::1]", "2001:db8::1", 5061));
}

Test(source_address, sees_an_ipv4_peer_through_a_dual_stack_socket)
{
    cr_assert(matches("192.0.2.0/24", "::ffff:192.0.2.9", 5060));
    cr_assert(matches("::ffff:192.0.2.9", "192.0.2.9", 5060));
}

Test(source_address, refuses_everything_else)
{
    static const char *const bad[] = {
        "",
        "example.com",
        "192.0.2",
        "192.0.2.1/33",
        "192.0.2.1/",
        "192.0.2.1/-1",
        "192.0.2.1/2 4",
        "192.0.2.1/000024",
        "2001:db8::/129",
        "192.0.2.1:",
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "192.0.2.0/24:5060",
        "[2001:db8::1",
        "[2001:db8::1]5060",
        "[2001:db8::1]:",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct source_address address = {.port = 77};
        cr_assert_not(source_address_parse(bad[i], &address), "'%s'", bad[i]);
        cr_assert_eq(address.port, 77, "'%s' wrote", bad[i]);
    }
}
