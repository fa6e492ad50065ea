#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/json_form.h"
#include "common/rpc/mask.h"
#include "cordboard/test/v1/echo.pb-c.h"

static const ProtobufCMessageDescriptor *const request_type =
    &cordboard__test__v1__echo_request__descriptor;

static ProtobufCMessage *parse(struct arena *arena, const char *text)
{
    ProtobufCMessage *message = NULL;
    struct error err;

    cr_assert(rpc_json_parse(request_type, text, arena, &message, &err), "%s", err.message);
    return message;
}

static const Google__Protobuf__FieldMask *mask_of(struct arena *arena, const char *paths)
{
    char *text = arena_printf(arena, "{\"mask\":\"%s\"}", paths);

    return ((const Cordboard__Test__V1__EchoRequest *)parse(arena, text))->mask;
}

static const char old[] =
    "{\"text\":\"old\",\"labels\":{\"a\":\"1\"},\"failReason\":\"r\",\"nested\":{\"text\":\"t\","
    "\"level\":3},\"level\":1,\"word\":\"w\"}";

/* What `old` becomes with the other message under the mask. */
static const struct {
    const char *from;
    const char *mask;
    const char *becomes;
} cases[] = {
    {"{\"text\":\"new\",\"level\":0}",                NULL,
     "{\"text\":\"new\",\"labels\":{\"a\":\"1\"},\"failReason\":\"r\",\"nested\":{\"text\":\"t\","
     "\"level\":3},\"level\":0,\"word\":\"w\"}"                                                     },
    {"{\"text\":\"new\"}",                            "*",                      "{\"text\":\"new\"}"},
    {"{\"text\":\"new\"}",                            "text,labels",
     "{\"text\":\"new\",\"failReason\":\"r\",\"nested\":{\"text\":\"t\",\"level\":3},\"level\":1,"
     "\"word\":\"w\"}"                                                                              },
    {"{\"nested\":{\"text\":\"n\",\"urgent\":true}}", "nested.text,word,level",
     "{\"text\":\"old\",\"labels\":{\"a\":\"1\"},\"failReason\":\"r\",\"nested\":{\"text\":\"n\","
     "\"level\":3}}"                                                                                },
    {"{}",                                            "nested.level",
     "{\"text\":\"old\",\"labels\":{\"a\":\"1\"},\"failReason\":\"r\",\"nested\":{\"text\":\"t\"},"
     "\"level\":1,\"word\":\"w\"}"                                                                  },
    {"{\"number\":\"5\"}",                            "number",
     "{\"text\":\"old\",\"labels\":{\"a\":\"1\"},\"failReason\":\"r\",\"nested\":{\"text\":\"t\","
     "\"level\":3},\"level\":1,\"number\":\"5\"}"                                                   },
};

Test(mask, changes_what_it_names_and_nothing_else)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
        const Google__Protobuf__FieldMask *mask =
            cases[i].mask ? mask_of(arena, cases[i].mask) : NULL;
        ProtobufCMessage *to = parse(arena, old);
        struct error err;

        cr_assert(rpc_mask_apply(to, parse(arena, cases[i].from), mask, arena, &err));
        CLEANUP(mem_free_at_exit) char *printed = rpc_json_print(to);

        cr_assert_str_eq(printed, cases[i].becomes);
    }
}

Test(mask, refuses_a_path_that_is_no_field)
{
    static const char *const bad[] = {"nope",          "nested.nope", "text.x",
                                      "children.text", "text,",       "."};
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct error err;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
        char *path = arena_strdup(arena, bad[i]);

        mask.n_paths = 1;
        mask.paths = &path;
        cr_assert_not(rpc_mask_check(request_type, &mask, &err), "%s", bad[i]);
        cr_assert_eq(err.reason, REASON_MASK_INVALID);
        cr_assert_str_eq(err.metadata[0].value, bad[i]);
    }
}

Test(mask, has_what_is_named_or_around_it_or_by_default_what_is_set)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    const ProtobufCMessage *message = parse(arena, "{\"level\":0,\"nested\":{\"text\":\"t\"}}");
    const Google__Protobuf__FieldMask *named = mask_of(arena, "nested,text");

    cr_assert(rpc_mask_has(NULL, message, "level"));
    cr_assert(rpc_mask_has(NULL, message, "nested.text"));
    cr_assert_not(rpc_mask_has(NULL, message, "nested.level"));
    cr_assert_not(rpc_mask_has(NULL, message, "text"));
    cr_assert(rpc_mask_has(named, message, "text"));
    cr_assert(rpc_mask_has(named, message, "nested.level"));
    cr_assert_not(rpc_mask_has(named, message, "level"));
    cr_assert(rpc_mask_has(mask_of(arena, "*"), message, "urgent"));
}
