/* What our JSON reader accepts, PostgreSQL's jsonb accepts too: no batch may fail later for a text
 * that was let in at the door.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/json/json.h"
#include "common/value/value.h"
#include "tests/support/pg.h"

enum {
    MUTATIONS = 40000,
    LONGEST = 1024,
    ACCEPTED_AT_LEAST = 500
};

static char *url;
static PGconn *connection;
static struct value_keys *keys;
static struct arena *arena;

static void open_all(void)
{
    url = test_database_new();
    connection = test_connect(url);
    keys = value_keys_new(256);
    arena = arena_new();
}

static void close_all(void)
{
    PQfinish(connection);
    free(url);
    value_keys_free(keys);
    arena_free(arena);
}

TestSuite(jsonb, .init = open_all, .fini = close_all, .timeout = 100);

static bool we_accept(const char *text, size_t length)
{
    struct json_reader reader = {.keys = keys, .arena = arena, .max_bytes = LONGEST};
    struct value value;
    struct error err;
    bool accepted = json_parse(&reader, text, length, &value, &err);

    arena_reset(arena);
    return accepted;
}

static bool postgresql_accepts(const char *text)
{
    PGresult *result =
        PQexecParams(connection, "SELECT $1::jsonb IS NOT NULL", 1, NULL, &text, NULL, NULL, 0);
    bool accepted = PQresultStatus(result) == PGRES_TUPLES_OK;

    PQclear(result);
    return accepted;
}

static const char *const seeds[] = {
    "{\"a\": {\"b\": [1, 2.5, -3e2, \"x\\n\\u00fc\", null, true]}, \"key\": []}",
    "[0, -0, 9223372036854775807, -9223372036854775808, 1e308, 5e-324, 0.1, 1E+5, 1e-400]",
    "[\"\\ud83d\\ude00\", \"\\u0001\\u001f\\/\\b\\f\", \"\xf0\x9f\x98\x80\xc3\xbc\"]",
    "{\"\": \"\", \" \": [[[[[[{}]]]]]]}",
    "-1.0000000000000000000000000000000000000000000000000000000001e-300",
};

Test(jsonb, accepts_the_seeds_as_we_do)
{
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
        cr_assert(we_accept(seeds[i], strlen(seeds[i])), "%s", seeds[i]);
        cr_assert(postgresql_accepts(seeds[i]), "%s", seeds[i]);
    }
}

/* Both refuse, for good reasons: the test below would be empty if PostgreSQL refused nothing. */
Test(jsonb, refuses_what_we_refuse_because_of_it)
{
    static const char *const texts[] = {"\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"",
                                        "1e-99999",    "\"\xff\"",    "1e999999999"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_assert_not(we_accept(texts[i], strlen(texts[i])), "%s", texts[i]);
        cr_assert_not(postgresql_accepts(texts[i]), "%s", texts[i]);
    }
}

/* xorshift64: the same run every time. */
static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Replaces, inserts or removes a byte; most replacements mean something in JSON. */
static size_t mutate(char *text, size_t length, uint64_t *state)
{
    static const char bytes[] = "{}[]:,\"\\u0dD8eE+-.19ntf \x80\xc3\xff";
    uint64_t random = random_next(state);
    size_t at = (random >> 8) % length;
    char byte = bytes[(random >> 32) % (sizeof(bytes) - 1)];

    if (random % 3 == 0) {
        text[at] = byte;
        return length;
    }
    if (random % 3 == 1 && length < LONGEST - 1) {
        memmove(text + at + 1, text + at, length - at);
        text[at] = byte;
        return length + 1;
    }
    memmove(text + at, text + at + 1, length - at - 1);
    return length > 1 ? length - 1 : length;
}

Test(jsonb, accepts_whatever_we_accept)
{
    uint64_t state = 88172645463325252U;
    int accepted = 0;

    for (int i = 0; i < MUTATIONS; i++) {
        char text[LONGEST + 1] = {0};
        size_t seed = random_next(&state) % (sizeof(seeds) / sizeof(seeds[0]));
        size_t length = strlen(seeds[seed]);

        memcpy(text, seeds[seed], length);
        for (uint64_t changes = 1 + random_next(&state) % 3; changes > 0; changes--) {
            length = mutate(text, length, &state);
        }
        text[length] = '\0';
        if (we_accept(text, length)) {
            accepted++;
            cr_assert(postgresql_accepts(text), "PostgreSQL refuses %s", text);
        }
    }
    cr_assert_gt(accepted, ACCEPTED_AT_LEAST);
}
