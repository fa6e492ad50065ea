#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/json_form.h"
#include "cordboard/test/v1/echo.pb-c.h"

static const ProtobufCMessageDescriptor *const request_type =
    &cordboard__test__v1__echo_request__descriptor;

static ProtobufCMessage *parse(struct arena *arena, const char *text)
{
    ProtobufCMessage *message = NULL;
    struct error err;

    cr_assert(
        rpc_json_parse(request_type, text, arena, &message, &err), "%s: %s", err.field,
        err.message);
    return message;
}

/* Each text is what the proto3 JSON mapping says, so it must come back as it went in. */
static const char *const same[] = {
    "{}",
    "{\"text\":\"Gr\xC3\xBC\xC3\x9F \\\"Gott\\\"\"}",
    "{\"labels\":{\"a\":\"b\",\"c\":\"\"}}",
    "{\"manner\":\"DEFERRED\",\"manners\":[\"DIRECT\",\"MANNER_UNSPECIFIED\",7]}",
    "{\"failReason\":\"NOT_FOUND\"}",
    "{\"nested\":{\"nested\":{\"text\":\"deep\"}},\"children\":[{},{\"urgent\":true}]}",
    "{\"body\":\"AAH/\"}",
    "{\"numbers\":[\"1\",\"-9223372036854775808\",\"9223372036854775807\"]}",
    "{\"level\":0}",
    "{\"level\":-5}",
    "{\"startTime\":\"2026-01-31T12:00:00Z\"}",
    "{\"startTime\":\"1969-12-31T23:59:59.250Z\"}",
    "{\"startTime\":\"2026-01-31T12:00:00.000001Z\"}",
    "{\"ttl\":\"1.500s\"}",
    "{\"ttl\":\"-0.000000001s\"}",
    "{\"ttl\":\"90s\"}",
    "{\"mask\":\"text,failReason,nested.startTime\"}",
    "{\"word\":\"w\"}",
    "{\"number\":\"0\"}",
    "{\"ratio\":0.25}",
    "{\"ratio\":\"-Infinity\"}",
    "{\"byName\":{\"k\":{\"text\":\"v\"}}}",
    "{\"limit\":\"0\"}",
};

Test(json_form, reads_and_prints_every_kind_of_field)
{
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
        CLEANUP(mem_free_at_exit) char *printed = rpc_json_print(parse(arena, same[i]));

        cr_assert_str_eq(printed, same[i]);
    }
}

/* What is read more widely than it is printed. */
static const struct {
    const char *from;
    const char *to;
} wider[] = {
    {"{\"fail_reason\":\"x\"}",                         "{\"failReason\":\"x\"}"   },
    {"{\"numbers\":[5]}",                               "{\"numbers\":[\"5\"]}"    },
    {"{\"manner\":2}",                                  "{\"manner\":\"DEFERRED\"}"},
    {"{\"text\":null}",                                 "{}"                       },
    {"{\"startTime\":\"2026-01-31T13:30:00.5+01:30\"}",
     "{\"startTime\":\"2026-01-31T12:00:00.500Z\"}"                                },
    {"{\"ttl\":\"0.1s\"}",                              "{\"ttl\":\"0.100s\"}"     },
    {"{\"mask\":\"fail_reason\"}",                      "{\"mask\":\"failReason\"}"},
    {"{\"ratio\":2}",                                   "{\"ratio\":2.0}"          },
};

Test(json_form, reads_more_than_it_prints)
{
    for (size_t i = 0; i < sizeof(wider) / sizeof(wider[0]); i++) {
        CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
        CLEANUP(mem_free_at_exit) char *printed = rpc_json_print(parse(arena, wider[i].from));

        cr_assert_str_eq(printed, wider[i].to);
    }
}

static const struct {
    const char *text;
    const char *field;
} wrong[] = {
    {"{\"nope\":1}",                               "nope"             },
    {"{\"nested\":{\"children\":[{\"x\":1}]}}",    "nested.children.x"},
    {"{\"text\":1}",                               "text"             },
    {"{\"level\":2147483648}",                     "level"            },
    {"{\"level\":1.5}",                            "level"            },
    {"{\"numbers\":\"5\"}",                        "numbers"          },
    {"{\"numbers\":[\"9223372036854775808\"]}",    "numbers"          },
    {"{\"manner\":\"SOMEHOW\"}",                   "manner"           },
    {"{\"body\":\"*\"}",                           "body"             },
    {"{\"nested\":{\"startTime\":\"yesterday\"}}", "nested.start_time"},
    {"{\"startTime\":\"2026-01-31T12:00:00\"}",    "start_time"       },
    {"{\"ttl\":\"1.5\"}",                          "ttl"              },
    {"{\"ttl\":\"s\"}",                            "ttl"              },
    {"{\"urgent\":\"true\"}",                      "urgent"           },
    {"{\"labels\":[]}",                            "labels"           },
    {"{\"nested\":[]}",                            "nested"           },
};

Test(json_form, names_the_field_that_is_wrong)
{
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
        ProtobufCMessage *message = NULL;
        struct error err;

        cr_assert_not(rpc_json_parse(request_type, wrong[i].text, arena, &message, &err));
        cr_assert_eq(err.reason, REASON_FIELD_INVALID, "%s", wrong[i].text);
        cr_assert_str_eq(err.field, wrong[i].field);
    }
}
