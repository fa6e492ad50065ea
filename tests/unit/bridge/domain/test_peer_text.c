#include <criterion/criterion.h>
#include <string.h>

#include "services/bridge/domain/peer_text.h"

static void expect(const char *text, const char *expected)
{
    char clean[PEER_TEXT_SIZE];

    peer_text_clean(text, clean);
    cr_assert_str_eq(clean, expected);
}

Test(peer_text, keeps_what_people_write)
{
    expect("", "");
    expect(NULL, "");
    expect("+4930123", "+4930123");
    expect(
        "J\xc3\xbcrgen \xe2\x98\x8e \xf0\x9f\x93\x9e",
        "J\xc3\xbcrgen \xe2\x98\x8e \xf0\x9f\x93\x9e");
}

Test(peer_text, replaces_what_is_no_character_or_controls_a_terminal)
{
    expect("a\r\nb\x1b[2J\x7f", "a??b?[2J?");
    expect("J\xfcrgen", "J?rgen");
    expect("\xc0\xaf\xed\xa0\x80\xf5", "??????");
    expect("\xc2\x85", "??");
    expect("cut \xe2\x98", "cut ??");
}

Test(peer_text, cuts_between_characters)
{
    char text[2 * PEER_TEXT_SIZE];
    char clean[PEER_TEXT_SIZE];

    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    memcpy(text + PEER_TEXT_SIZE - 2, "\xc3\xbc", 2);
    peer_text_clean(text, clean);
    cr_assert_eq(strlen(clean), PEER_TEXT_SIZE - 2);
}
