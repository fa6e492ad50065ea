/* Messages as JSON and back, by the proto3 JSON mapping: fieldNames, enums by name, 64-bit integers
 * as text, bytes in base64, Timestamp "2026-01-31T12:00:00.5Z", Duration "1.5s", FieldMask "a,bC",
 * wrappers as their value, maps as objects; what is not set is not printed. Of the well-known
 * types, Struct and Any are not mapped: they print as the messages they are.
 */
#ifndef COMMON_RPC_JSON_FORM_H
#define COMMON_RPC_JSON_FORM_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

struct arena;
struct error;
struct json_writer;
struct value;

void rpc_json_write(struct json_writer *writer, const ProtobufCMessage *message);
/* Compact text on the heap. */
char *rpc_json_print(const ProtobufCMessage *message);

/* The message in the arena. Names are accepted as in JSON and as in the proto. An unknown name, or
 * a value of another kind: FIELD_INVALID with the field's path as in the proto. */
MUST_USE bool rpc_json_read(
    const ProtobufCMessageDescriptor *descriptor,
    const struct value *object,
    struct arena *arena,
    ProtobufCMessage **ret_message,
    struct error *err);
/* The same from text, which must be an object. */
MUST_USE bool rpc_json_parse(
    const ProtobufCMessageDescriptor *descriptor,
    const char *text,
    struct arena *arena,
    ProtobufCMessage **ret_message,
    struct error *err);

#endif
