/* Whatever passes the wire check must be safe to unpack, within its budget, and pack again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/message.h"
#include "cordboard/test/v1/echo.pb-c.h"

enum {
    BUDGET = 256 * 1024
};

/* NOLINTBEGIN(readability-identifier-naming): the name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const ProtobufCMessageDescriptor *descriptor = &cordboard__test__v1__echo_request__descriptor;
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    ProtobufCMessage *message = NULL;
    struct error err;

    if (!rpc_message_unpack(
            descriptor, (struct rpc_bytes){bytes, size}, BUDGET, arena, &message, &err)) {
        assert(err.reason == REASON_MESSAGE_INVALID);
        return 0;
    }
    assert(arena_used(arena) <= BUDGET);

    size_t packed_size = protobuf_c_message_get_packed_size(message);
    CLEANUP(mem_free_at_exit) uint8_t *packed = mem_alloc(packed_size);

    (void)protobuf_c_message_pack(message, packed);
    bool again = rpc_message_unpack(
        descriptor, (struct rpc_bytes){packed, packed_size}, 2 * (size_t)BUDGET, arena, &message,
        &err);

    assert(again);
    (void)again;
    return 0;
}
/* NOLINTEND(readability-identifier-naming) */
