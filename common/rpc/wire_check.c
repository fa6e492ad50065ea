/* The walk along the wire format before protobuf-c may see the bytes. It holds the path of open
 * messages in an array, so the depth of the input cannot become the depth of our stack.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/error/error.h"
#include "common/rpc/message.h"

enum {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_LENGTH = 2,
    WIRE_FIXED32 = 5,

    VARINT_BYTES = 10,
    TAG_BYTES = 5,
    /* What protobuf-c keeps of every field it meets while it unpacks a message, with the slack of
     * its doubling tables. */
    FIELD_COST = 96
};

struct level {
    const ProtobufCMessageDescriptor *descriptor;
    const char *field; /* name in the level above */
    const uint8_t *end;
};

struct walk {
    const uint8_t *at;
    size_t budget; /* bytes that unpacking may still allocate */
    size_t depth;
    struct level levels[RPC_MESSAGE_DEPTH];
    struct error *err;
};

/* Reports with the path of the field as clients write it: "task.attributes". */
static bool refuse(struct walk *walk, const char *field, const char *what)
{
    char path[ERROR_FIELD_SIZE] = "";
    size_t used = 0;

    for (size_t i = 1; i <= walk->depth && used < sizeof(path); i++) {
        used += (size_t)snprintf(
            path + used, sizeof(path) - used, i == 1 ? "%s" : ".%s", walk->levels[i].field);
    }
    if (field && used < sizeof(path)) {
        (void)snprintf(path + used, sizeof(path) - used, used ? ".%s" : "%s", field);
    }
    return FAIL_FIELD(
        walk->err, REASON_MESSAGE_INVALID, path, "%s%s%s: %s", walk->levels[0].descriptor->name,
        path[0] ? ", field " : "", path, what);
}

static size_t left(const struct walk *walk)
{
    return (size_t)(walk->levels[walk->depth].end - walk->at);
}

static bool read_varint(struct walk *walk, size_t longest, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i < longest && i < left(walk); i++) {
        value |= (uint64_t)(walk->at[i] & 0x7F) << (7 * i);
        if ((walk->at[i] & 0x80) == 0) {
            walk->at += i + 1;
            *ret_value = value;
            return true;
        }
    }
    return refuse(walk, NULL, "cut short, or not protobuf");
}

static bool skip(struct walk *walk, size_t size)
{
    if (size > left(walk)) {
        return refuse(walk, NULL, "cut short, or not protobuf");
    }
    walk->at += size;
    return true;
}

static bool spend(struct walk *walk, const ProtobufCFieldDescriptor *field, size_t size)
{
    if (size > walk->budget) {
        return refuse(walk, field ? field->name : NULL, "too large once unpacked");
    }
    walk->budget -= size;
    return true;
}

static bool enter(struct walk *walk, const ProtobufCFieldDescriptor *field, size_t size)
{
    const ProtobufCMessageDescriptor *descriptor = field->descriptor;

    if (walk->depth + 1 == RPC_MESSAGE_DEPTH) {
        return refuse(walk, field->name, "nested too deeply");
    }
    if (!spend(walk, field, descriptor->sizeof_message + sizeof(void *))) {
        return false;
    }
    walk->levels[++walk->depth] = (struct level){descriptor, field->name, walk->at + size};
    return true;
}

/* Bytes in memory for one on the wire: fixed numbers keep their size, the others take at least one
 * byte there and at most eight here. */
static size_t packed_growth(ProtobufCType type)
{
    static const unsigned fixed =
        (1U << PROTOBUF_C_TYPE_FIXED32) | (1U << PROTOBUF_C_TYPE_SFIXED32) |
        (1U << PROTOBUF_C_TYPE_FIXED64) | (1U << PROTOBUF_C_TYPE_SFIXED64) |
        (1U << PROTOBUF_C_TYPE_FLOAT) | (1U << PROTOBUF_C_TYPE_DOUBLE);

    return (fixed >> type) & 1U ? 1 : sizeof(int64_t);
}

static bool check_length(struct walk *walk, const ProtobufCFieldDescriptor *field)
{
    uint64_t size = 0;

    if (!read_varint(walk, VARINT_BYTES, &size)) {
        return false;
    }
    if (size > left(walk)) {
        return refuse(walk, field ? field->name : NULL, "cut short, or not protobuf");
    }
    if (field && field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return enter(walk, field, size);
    }
    if (field && field->type == PROTOBUF_C_TYPE_STRING &&
        !utf8_is_text((const char *)walk->at, size)) {
        return refuse(walk, field->name, "not UTF-8, or contains a NUL");
    }
    if (field && field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_BYTES) {
        return spend(walk, field, size * packed_growth(field->type)) && skip(walk, size);
    }
    return spend(walk, field, size + 1) && skip(walk, size);
}

static bool check_field(struct walk *walk)
{
    uint64_t tag = 0;

    if (!read_varint(walk, TAG_BYTES, &tag)) {
        return false;
    }
    if (tag >> 3 == 0 || tag >> 3 > INT32_MAX) {
        return refuse(walk, NULL, "not protobuf");
    }

    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
        walk->levels[walk->depth].descriptor, (unsigned)(tag >> 3));
    uint64_t value = 0;

    if (!spend(walk, field, FIELD_COST)) {
        return false;
    }
    switch (tag & 7) {
    case WIRE_VARINT:
        return read_varint(walk, VARINT_BYTES, &value);
    case WIRE_FIXED64:
        return skip(walk, 8);
    case WIRE_FIXED32:
        return skip(walk, 4);
    case WIRE_LENGTH:
        return check_length(walk, field);
    default: /* groups, which proto3 does not have */
        return refuse(walk, field ? field->name : NULL, "not protobuf");
    }
}

/* Leaves every message that ends here; false at the end of all. */
static bool leave(struct walk *walk)
{
    while (walk->at == walk->levels[walk->depth].end) {
        if (walk->depth == 0) {
            return false;
        }
        walk->depth--;
    }
    return true;
}

bool rpc_wire_check(
    const ProtobufCMessageDescriptor *descriptor,
    struct rpc_bytes bytes,
    size_t budget,
    struct error *err)
{
    struct walk walk;

    walk.at = bytes.data;
    walk.budget = budget;
    walk.depth = 0;
    walk.levels[0] = (struct level){descriptor, "", bytes.data + bytes.size};
    walk.err = err;
    if (!spend(&walk, NULL, descriptor->sizeof_message)) {
        return false;
    }
    while (leave(&walk)) {
        if (!check_field(&walk)) {
            return false;
        }
    }
    return true;
}
