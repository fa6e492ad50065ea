#include <criterion/criterion.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/message.h"
#include "cordboard/test/v1/echo.pb-c.h"

static const ProtobufCMessageDescriptor *const request_type =
    &cordboard__test__v1__echo_request__descriptor;

enum {
    NESTED_TAG = 6 << 3 | 2,
    TEXT_TAG = 1 << 3 | 2,
    BUDGET = 8 * 1024 * 1024
};

struct bytes {
    size_t size;
    uint8_t at[4096];
};

static bool check(const struct bytes *bytes, struct error *err)
{
    return rpc_wire_check(request_type, (struct rpc_bytes){bytes->at, bytes->size}, BUDGET, err);
}

/* Puts what is there into one more `nested`. */
static void wrap(struct bytes *bytes)
{
    size_t header = bytes->size < 128 ? 2 : 3;

    memmove(bytes->at + header, bytes->at, bytes->size);
    bytes->at[0] = NESTED_TAG;
    if (header == 2) {
        bytes->at[1] = (uint8_t)bytes->size;
    } else {
        bytes->at[1] = (uint8_t)(bytes->size | 0x80);
        bytes->at[2] = (uint8_t)(bytes->size >> 7);
    }
    bytes->size += header;
}

Test(wire_check, lets_a_rich_message_pass_and_unpack)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    Cordboard__Test__V1__EchoRequest request = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;
    Cordboard__Test__V1__EchoRequest nested = CORDBOARD__TEST__V1__ECHO_REQUEST__INIT;
    int64_t numbers[] = {1, -1, INT64_MAX};
    char text[] = "Gr\xC3\xBC\xC3\x9F Gott";
    uint8_t packed[256];
    ProtobufCMessage *message = NULL;
    struct error err;

    request.text = text;
    request.numbers = numbers;
    request.n_numbers = 3;
    nested.ratio = 0.5;
    request.nested = &nested;

    size_t size = cordboard__test__v1__echo_request__pack(&request, packed);

    cr_assert(rpc_message_unpack(
        request_type, (struct rpc_bytes){packed, size}, BUDGET, arena, &message, &err));

    const Cordboard__Test__V1__EchoRequest *read =
        (const Cordboard__Test__V1__EchoRequest *)message;

    cr_assert_str_eq(read->text, request.text);
    cr_assert_eq(read->n_numbers, 3);
    cr_assert_eq(read->numbers[2], INT64_MAX);
    cr_assert_eq(read->nested->ratio, 0.5);
}

Test(wire_check, allows_32_levels_and_not_one_more)
{
    struct bytes bytes = {0};
    struct error err;

    for (int level = 2; level <= RPC_MESSAGE_DEPTH; level++) {
        wrap(&bytes);
    }
    cr_assert(check(&bytes, &err));
    wrap(&bytes);
    cr_assert_not(check(&bytes, &err));
    cr_assert_eq(err.reason, REASON_MESSAGE_INVALID);
    cr_assert(strstr(err.message, "nested too deeply"));
}

Test(wire_check, names_the_path_of_text_that_is_not_utf8)
{
    struct bytes bytes = {
        .size = 4, .at = {TEXT_TAG, 2, 0xC3, 0x28}
    };
    struct error err;

    wrap(&bytes);
    wrap(&bytes);
    cr_assert_not(check(&bytes, &err));
    cr_assert_str_eq(err.field, "nested.nested.text");
}

Test(wire_check, refuses_a_nul_in_text)
{
    struct bytes bytes = {
        .size = 5, .at = {TEXT_TAG, 3, 'a', 0, 'b'}
    };
    struct error err;

    cr_assert_not(check(&bytes, &err));
    cr_assert_str_eq(err.field, "text");
}

Test(wire_check, refuses_what_would_grow_beyond_the_budget)
{
    enum {
        COUNT = 1 << 19,
    };
    CLEANUP(mem_free_at_exit) uint8_t *bytes = mem_alloc((size_t)COUNT * 2);
    struct error err;

    for (size_t i = 0; i < COUNT; i++) {
        bytes[2 * i] = 14 << 3; /* tag of number, a member of a oneof */
    }
    cr_assert_not(
        rpc_wire_check(request_type, (struct rpc_bytes){bytes, (size_t)COUNT * 2}, BUDGET, &err));
    cr_assert(strstr(err.message, "too large"));
}

Test(wire_check, refuses_every_cut_of_a_message)
{
    struct bytes whole = {
        .size = 7, .at = {TEXT_TAG, 5, 'h', 'e', 'l', 'l', 'o'}
    };
    struct error err;

    wrap(&whole);
    for (size_t size = 1; size < whole.size; size++) {
        cr_assert_not(
            rpc_wire_check(request_type, (struct rpc_bytes){whole.at, size}, BUDGET, &err), "%zu",
            size);
    }
    cr_assert(check(&whole, &err));
}

Test(wire_check, refuses_groups_and_field_zero)
{
    struct bytes group = {
        .size = 2, .at = {1 << 3 | 3, 1 << 3 | 4}
    };
    struct bytes zero = {
        .size = 2, .at = {0, 0}
    };
    struct error err;

    cr_assert_not(check(&group, &err));
    cr_assert_not(check(&zero, &err));
}

Test(wire_check, reports_a_field_of_another_type)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    uint8_t bytes[] = {1 << 3 | 0, 5}; /* text as a varint */
    ProtobufCMessage *message = NULL;
    struct error err;

    cr_assert_not(rpc_message_unpack(
        request_type, (struct rpc_bytes){bytes, sizeof(bytes)}, BUDGET, arena, &message, &err));
    cr_assert_eq(err.reason, REASON_MESSAGE_INVALID);
}
