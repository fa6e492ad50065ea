/* Fields of any message, by its descriptor: the ground that JSON and masks stand on. Internal. */
#ifndef COMMON_RPC_FIELD_H
#define COMMON_RPC_FIELD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether the field would be on the wire: repeated and not empty, a member of a oneof (also an
 * `optional` field) that is the one set, a message, or not zero. */
bool rpc_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* Makes `to` hold what `from` holds, set or not; texts and messages are shared, not copied. */
void rpc_field_assign(
    ProtobufCMessage *to,
    const ProtobufCMessage *from,
    const ProtobufCFieldDescriptor *field);

/* Where the value is: of the type that protobuf-c uses for the field. */
const void *rpc_field_value(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
void *rpc_field_place(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* Marks a member of a oneof as the one that is set; nothing for other fields. */
void rpc_field_mark(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* The message that a single message field holds; NULL when it is not set. */
ProtobufCMessage *rpc_field_message(
    const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field);
/* Puts a message there and marks it as set. */
void rpc_field_set_message(
    ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field,
    ProtobufCMessage *inner);

/* Repeated fields. */
size_t rpc_field_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
const void *rpc_field_item(
    const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field,
    size_t index);
/* The array must have room for the count. */
void rpc_field_set_items(
    ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field,
    void *items,
    size_t count);

/* Bytes of one value in memory. */
size_t rpc_field_size(const ProtobufCFieldDescriptor *field);
/* Whether the field is a map: a repeated message of key and value. */
bool rpc_field_is_map(const ProtobufCFieldDescriptor *field);

#endif
