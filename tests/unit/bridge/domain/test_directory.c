#include <criterion/criterion.h>

#include "services/bridge/domain/directory.h"

static const char *const north[] = {"192.0.2.0/24", "not an address"};
static const char *const south[] = {"192.0.2.10", "198.51.100.1:5080"};
static const char *const other[] = {"203.0.113.1"};

static const struct trunk trunks[] = {
    {"acme", "north", north, 2},
    {"acme", "south", south, 2},
    {"beta", "other", other, 1},
};

static const struct inbound_route routes[] = {
    {"acme", "all",          "",      "*",          ROUTE_ANSWER_AFTER_TASK},
    {"acme", "berlin",       "",      "+4930*",     ROUTE_ANSWER_AT_ONCE   },
    {"acme", "hotline",      "",      "+4930123",   ROUTE_ANSWER_ON_WORKER },
    {"acme", "longer",       "",      "+49301234*", ROUTE_ANSWER_ON_WORKER },
    {"acme", "north_berlin", "north", "+4930*",     ROUTE_ANSWER_AFTER_TASK},
    {"acme", "again",        "",      "+4930123",   ROUTE_ANSWER_AFTER_TASK},
    {"acme", "same_length",  "",      "+4930123*",  ROUTE_ANSWER_AFTER_TASK},
};

static struct directory *directory;

static void set_up(void)
{
    directory = directory_new(&(struct telephony){trunks, 3, routes, 7});
}

static void tear_down(void)
{
    directory_free(directory);
}

TestSuite(directory, .init = set_up, .fini = tear_down);

static const char *trunk_of(const char *address, int port)
{
    const struct trunk *trunk = directory_find_trunk(directory, address, port);

    return trunk ? trunk->id : "none";
}

static const char *route_of(size_t trunk, const char *number)
{
    const struct inbound_route *route = directory_find_route(directory, &trunks[trunk], number);

    return route ? route->id : "none";
}

Test(directory, finds_the_trunk_with_the_narrowest_source)
{
    cr_assert_str_eq(trunk_of("192.0.2.9", 5060), "north");
    cr_assert_str_eq(trunk_of("192.0.2.10", 5060), "south");
    cr_assert_str_eq(trunk_of("198.51.100.1", 5080), "south");
    cr_assert_str_eq(trunk_of("198.51.100.1", 5060), "none");
    cr_assert_str_eq(trunk_of("2001:db8::1", 5060), "none");
    cr_assert_str_eq(trunk_of("rubbish", 5060), "none");
}

Test(directory, finds_the_route_with_the_longest_match)
{
    cr_assert_str_eq(route_of(1, "+4930123"), "hotline");
    cr_assert_str_eq(route_of(1, "+493012345"), "longer");
    cr_assert_str_eq(route_of(1, "+49301239"), "same_length");
    cr_assert_str_eq(route_of(1, "+49309"), "berlin");
    cr_assert_str_eq(route_of(1, "+4930"), "berlin");
    cr_assert_str_eq(route_of(1, "+1"), "all");
    cr_assert_str_eq(route_of(1, ""), "all");
}

Test(directory, prefers_a_route_that_names_the_trunk)
{
    cr_assert_str_eq(route_of(0, "+4930123"), "north_berlin");
    cr_assert_str_eq(route_of(0, "+1"), "all");
}

Test(directory, keeps_workspaces_apart)
{
    cr_assert_str_eq(route_of(2, "+4930123"), "none");
}

Test(directory, has_no_route_for_an_endless_number)
{
    char number[4000];

    memset(number, '1', sizeof(number) - 1);
    number[sizeof(number) - 1] = '\0';
    cr_assert_str_eq(route_of(1, number), "none");
}

Test(directory, of_nothing_finds_nothing)
{
    struct directory *empty = directory_new(&(struct telephony){0});

    cr_assert_null(directory_find_trunk(empty, "192.0.2.9", 5060));
    cr_assert_null(directory_find_route(empty, &trunks[0], "1"));
    directory_free(empty);
}
