#include "common/rpc/field.h"

#include <stdint.h>
#include <string.h>

static const char *at(const ProtobufCMessage *message, unsigned offset)
{
    return (const char *)message + offset;
}

static bool in_oneof(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* The case of the oneof, or `has_` of a proto2 field. */
static int quantifier(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    int value = 0;

    memcpy(&value, at(message, field->quantifier_offset), sizeof(value));
    return value;
}

size_t rpc_field_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return sizeof(int64_t);
    case PROTOBUF_C_TYPE_DOUBLE:
        return sizeof(double);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_FLOAT:
        return sizeof(float);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_ENUM:
    default:
        return sizeof(int32_t);
    }
}

static bool is_zero(const ProtobufCFieldDescriptor *field, const void *value)
{
    static const char zeros[sizeof(ProtobufCBinaryData)];

    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *const *text = value;

        return !*text || !**text;
    }
    if (field->type == PROTOBUF_C_TYPE_BYTES) {
        return ((const ProtobufCBinaryData *)value)->len == 0;
    }
    return memcmp(value, zeros, rpc_field_size(field)) == 0;
}

bool rpc_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const void *value = at(message, field->offset);

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return rpc_field_count(message, field) > 0;
    }
    if (in_oneof(field)) {
        return quantifier(message, field) == (int)field->id;
    }
    return !is_zero(field, value);
}

void rpc_field_assign(
    ProtobufCMessage *to,
    const ProtobufCMessage *from,
    const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        memcpy(
            (char *)to + field->quantifier_offset, at(from, field->quantifier_offset),
            sizeof(size_t));
        memcpy((char *)to + field->offset, at(from, field->offset), sizeof(void *));
    } else if (!in_oneof(field)) {
        memcpy((char *)to + field->offset, at(from, field->offset), rpc_field_size(field));
    } else if (rpc_field_is_set(from, field)) {
        rpc_field_mark(to, field);
        memcpy((char *)to + field->offset, at(from, field->offset), rpc_field_size(field));
    } else if (rpc_field_is_set(to, field)) {
        memset((char *)to + field->quantifier_offset, 0, sizeof(int));
    }
}

const void *rpc_field_value(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return at(message, field->offset);
}

void *rpc_field_place(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (char *)message + field->offset;
}

void rpc_field_mark(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (in_oneof(field)) {
        int which = (int)field->id;

        memcpy((char *)message + field->quantifier_offset, &which, sizeof(which));
    }
}

ProtobufCMessage *rpc_field_message(
    const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field)
{
    return rpc_field_is_set(message, field)
               ? *(ProtobufCMessage *const *)rpc_field_value(message, field)
               : NULL;
}

void rpc_field_set_message(
    ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field,
    ProtobufCMessage *inner)
{
    rpc_field_mark(message, field);
    *(ProtobufCMessage **)rpc_field_place(message, field) = inner;
}

size_t rpc_field_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    size_t count = 0;

    memcpy(&count, at(message, field->quantifier_offset), sizeof(count));
    return count;
}

const void *rpc_field_item(
    const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field,
    size_t index)
{
    const char *items = NULL;

    memcpy(&items, at(message, field->offset), sizeof(items));
    return items + index * rpc_field_size(field);
}

void rpc_field_set_items(
    ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field,
    void *items,
    size_t count)
{
    memcpy((char *)message + field->offset, &items, sizeof(items));
    memcpy((char *)message + field->quantifier_offset, &count, sizeof(count));
}

bool rpc_field_is_map(const ProtobufCFieldDescriptor *field)
{
    /* protobuf-c does not keep the option map_entry; protoc names the type so and no other way. */
    static const char suffix[] = "Entry";

    if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE) {
        return false;
    }

    const ProtobufCMessageDescriptor *entry = field->descriptor;
    size_t length = strlen(entry->short_name);

    return entry->n_fields == 2 && length > strlen(suffix) &&
           strcmp(entry->short_name + length - strlen(suffix), suffix) == 0 &&
           strcmp(entry->fields[0].name, "key") == 0 && strcmp(entry->fields[1].name, "value") == 0;
}
