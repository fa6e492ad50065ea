/* Field masks (AIP-134) on any message: which fields an Update means.
 *
 * No mask, or an empty one: the fields that are set. "*": all fields. Else the named ones, set or
 * not; a path goes into messages with dots, not into repeated fields.
 */
#ifndef COMMON_RPC_MASK_H
#define COMMON_RPC_MASK_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "common/base/attr.h"
#include "google/protobuf/field_mask.pb-c.h"

struct arena;
struct error;

/* Every path names a field of the message; else MASK_INVALID with the path. A NULL mask is fine. */
MUST_USE bool rpc_mask_check(
    const ProtobufCMessageDescriptor *descriptor,
    const Google__Protobuf__FieldMask *mask,
    struct error *err);

/* Whether the mask (checked) means this field of the message ("labels", "retry.limit"), as a whole
 * or by one of the messages around it. */
bool rpc_mask_has(
    const Google__Protobuf__FieldMask *mask,
    const ProtobufCMessage *message,
    const char *path);

/* Copies what the mask means from one message to another of its type, by reference: texts and
 * messages are shared, so both must live on. Messages on the way to a nested field are made in the
 * arena. MASK_INVALID leaves `to` as it was. */
MUST_USE bool rpc_mask_apply(
    ProtobufCMessage *to,
    const ProtobufCMessage *from,
    const Google__Protobuf__FieldMask *mask,
    struct arena *arena,
    struct error *err);

#endif
