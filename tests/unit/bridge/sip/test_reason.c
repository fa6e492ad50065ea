#include <criterion/criterion.h>
#include <string.h>

#include "services/bridge/sip/reply.h"

Test(reason, is_printed_as_rfc_3326_says)
{
    static const struct {
        struct signalling_reason reason;
        const char *text;
    } rows[] = {
        {{0},                                                 ""                                },
        {{.status = 200},                                     "SIP;cause=200"                   },
        {{.status = 200, .text = "Call completed elsewhere"},
         "SIP;cause=200;text=\"Call completed elsewhere\""                                      },
        {{.q850_cause = 16},                                  "Q.850;cause=16"                  },
        {{.status = 603, .text = "No", .q850_cause = 21},
         "SIP;cause=603;text=\"No\", Q.850;cause=21"                                            },
        {{.status = 500, .text = "a\"b\\c\r\nVia: x"},        "SIP;cause=500;text=\"abcVia: x\""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[REASON_TEXT_SIZE];

        reason_print(&rows[i].reason, text);
        cr_assert_str_eq(text, rows[i].text, "row %zu: %s", i, text);
    }
}

Test(reason, a_very_long_text_is_cut_and_nothing_else)
{
    char words[1000];
    char text[REASON_TEXT_SIZE];

    memset(words, 'w', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    reason_print(&(struct signalling_reason){.status = 500, .text = words, .q850_cause = 41}, text);
    cr_assert_not_null(strstr(text, "w\", Q.850;cause=41"), "%s", text);
}

Test(reason, none_at_all_prints_nothing)
{
    char text[REASON_TEXT_SIZE];

    reason_print(NULL, text);
    cr_assert_str_eq(text, "");
}
