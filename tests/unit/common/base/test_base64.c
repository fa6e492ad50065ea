#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/base64.h"

/* RFC 4648, 10. */
static const struct {
    const char *plain;
    const char *text;
} vectors[] = {
    {"",       ""        },
    {"f",      "Zg=="    },
    {"fo",     "Zm8="    },
    {"foo",    "Zm9v"    },
    {"foob",   "Zm9vYg=="},
    {"fooba",  "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

Test(base64, meets_the_vectors_of_its_rfc_both_ways)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint8_t bytes[16];
        size_t size = 0;
        char *text = base64_print(vectors[i].plain, strlen(vectors[i].plain));

        cr_assert_str_eq(text, vectors[i].text);
        cr_assert(base64_parse(text, strlen(text), bytes, &size));
        cr_assert_eq(size, strlen(vectors[i].plain));
        cr_assert_eq(memcmp(bytes, vectors[i].plain, size), 0);
        free(text);
    }
}

Test(base64, takes_the_url_alphabet_without_padding)
{
    static const uint8_t expected[] = {0xFB, 0xFF, 0xFE, 0xFF};
    uint8_t bytes[16];
    size_t size = 0;

    cr_assert(base64_parse("-__-_w", 6, bytes, &size));
    cr_assert_eq(size, sizeof(expected));
    cr_assert_eq(memcmp(bytes, expected, size), 0);
}

Test(base64, refuses_what_is_not_base64)
{
    static const char *const bad[] = {"Z", "Zg=", "Z===", "Zm8*", "Zm9vY", "=", "Zg==Zg=="};
    uint8_t bytes[16];
    size_t size = 0;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_not(base64_parse(bad[i], strlen(bad[i]), bytes, &size), "%s", bad[i]);
    }
}
