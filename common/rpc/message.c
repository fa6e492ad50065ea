#include "common/rpc/message.h"

#include "common/base/arena.h"
#include "common/error/error.h"

static void *take(void *data, size_t size)
{
    struct arena *arena = data;

    return arena_alloc(arena, size);
}

static void ignore(void *data, void *memory)
{
    (void)data;
    (void)memory;
}

ProtobufCAllocator rpc_arena_allocator(struct arena *arena)
{
    return (ProtobufCAllocator){.alloc = take, .free = ignore, .allocator_data = arena};
}

bool rpc_message_unpack(
    const ProtobufCMessageDescriptor *descriptor,
    struct rpc_bytes bytes,
    size_t budget,
    struct arena *arena,
    ProtobufCMessage **ret_message,
    struct error *err)
{
    ProtobufCAllocator allocator = rpc_arena_allocator(arena);

    if (!rpc_wire_check(descriptor, bytes, budget, err)) {
        return false;
    }

    ProtobufCMessage *message =
        protobuf_c_message_unpack(descriptor, &allocator, bytes.size, bytes.data);

    if (!message) {
        return FAIL(
            err, REASON_MESSAGE_INVALID,
            "%s: a field has another type than this method's request type says", descriptor->name);
    }
    *ret_message = message;
    return true;
}
