/* From bytes that strangers sent to a message in an arena, safely.
 *
 * protobuf-c alone would overflow the stack on deep nesting, accept text that is not UTF-8, cut
 * strings at a NUL, and turn 4 MB of bytes into 235 MB of memory. So the bytes are walked along the
 * descriptor first; the walk allocates nothing.
 */
#ifndef COMMON_RPC_MESSAGE_H
#define COMMON_RPC_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct arena;
struct error;

enum {
    RPC_MESSAGE_DEPTH = 32
};

struct rpc_bytes {
    const uint8_t *data;
    size_t size;
};

/* True when the bytes may be given to protobuf-c: at most RPC_MESSAGE_DEPTH levels, UTF-8 without
 * NUL in strings, at most `budget` bytes once unpacked. Else MESSAGE_INVALID with the field's
 * path. */
MUST_USE bool rpc_wire_check(
    const ProtobufCMessageDescriptor *descriptor,
    struct rpc_bytes bytes,
    size_t budget,
    struct error *err);

/* Checks and unpacks. The message is never freed alone, it goes with the arena. */
MUST_USE bool rpc_message_unpack(
    const ProtobufCMessageDescriptor *descriptor,
    struct rpc_bytes bytes,
    size_t budget,
    struct arena *arena,
    ProtobufCMessage **ret_message,
    struct error *err);

/* For protobuf-c's functions, when the bytes are our own. */
ProtobufCAllocator rpc_arena_allocator(struct arena *arena);

#endif
