#include <criterion/criterion.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/url.h>
#include <string.h>

#include "services/bridge/sip/door.h"

Test(door, lets_only_sip_addresses_with_a_host_pass)
{
    static const struct {
        const char *uri;
        bool allowed;
    } rows[] = {
        {"sip:a@b",           true },
        {"sips:b:5061",       true },
        {"sip:[::1]:5060;lr", true },
        {"sip:",              false},
        {"sip:@",             false},
        {"tel:+4930",         false},
        {"urn:foo:bar",       false},
        {"http://a.b/c",      false},
        {"*",                 false},
    };
    su_home_t *home = su_home_new(sizeof(*home));

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(
            door_allows_uri(url_make(home, rows[i].uri)), rows[i].allowed, "%s", rows[i].uri);
    }
    cr_assert_not(door_allows_uri(NULL));
    (void)su_home_unref(home);
}

Test(door, reads_numbers_as_text_or_not_at_all)
{
    static const struct {
        const char *uri;
        const char *user; /* NULL: refused */
    } rows[] = {
        {"sip:+4930%35@b",  "+49305"  },
        {"sip:b",           ""        },
        {"tel:+4930",       "+4930"   },
        {"sip:%C3%A4@b",    "\xc3\xa4"},
        {"sip:%00@b",       NULL      },
        {"sip:a%0Db@b",     NULL      },
        {"sip:%ff@b",       NULL      },
        {"sip:%C0%80@b",    NULL      },
        {"sip:%ED%A0%80@b", NULL      },
        {"sip:%C2%85@b",    NULL      },
        {"sip:%7F@b",       NULL      },
    };
    su_home_t *home = su_home_new(sizeof(*home));

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[DOOR_NUMBER_SIZE];
        bool read = door_read_user(url_make(home, rows[i].uri), text);

        cr_assert_eq(read, rows[i].user != NULL, "%s", rows[i].uri);
        cr_assert(!read || strcmp(text, rows[i].user) == 0, "%s: %s", rows[i].uri, text);
    }
    (void)su_home_unref(home);
}

Test(door, refuses_a_number_longer_than_any)
{
    char uri[DOOR_NUMBER_SIZE + 16] = "sip:";
    char text[DOOR_NUMBER_SIZE];
    su_home_t *home = su_home_new(sizeof(*home));

    memset(uri + 4, '1', DOOR_NUMBER_SIZE);
    memcpy(uri + 4 + DOOR_NUMBER_SIZE, "@b", 3);
    cr_assert_not(door_read_user(url_make(home, uri), text));
    memmove(uri + 4, uri + 5, strlen(uri + 5) + 1);
    cr_assert(door_read_user(url_make(home, uri), text));
    cr_assert_eq(strlen(text), DOOR_NUMBER_SIZE - 1);
    (void)su_home_unref(home);
}

Test(door, shows_a_display_name_without_quotes_or_none)
{
    static const struct {
        const char *display;
        const char *name;
    } rows[] = {
        {NULL,                ""           },
        {"",                  ""           },
        {"Ada",               "Ada"        },
        {"\"Ada \\\"L\\\"\"", "Ada \"L\""  },
        {"\"Ada",             "Ada"        },
        {"\"\\",              "\\"         },
        {"\"J\xc3\xb6rg\"",   "J\xc3\xb6rg"},
        {"\"bad \xff\"",      ""           },
        {"bell \x07",         ""           },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[DOOR_NAME_SIZE];

        door_read_display_name(rows[i].display, name);
        cr_assert_str_eq(name, rows[i].name, "row %zu: %s", i, name);
    }
}

Test(door, takes_printable_tokens_of_a_bounded_length)
{
    char longest[257];

    memset(longest, 'x', 256);
    longest[256] = '\0';
    cr_assert(door_allows_token("a84b4c76e66710@pc33.example.com"));
    cr_assert_not(door_allows_token(NULL));
    cr_assert_not(door_allows_token(""));
    cr_assert_not(door_allows_token("a b"));
    cr_assert_not(door_allows_token("a\x01"));
    cr_assert_not(door_allows_token("\xc3\xa4"));
    cr_assert_not(door_allows_token(longest));
    cr_assert(door_allows_token(longest + 1));
}
