#include "common/rpc/mask.h"

#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/rpc/field.h"

enum {
    NAME_SIZE = 128
};

/* The field that the first part of the path names; NULL when there is none. Moves the path on to
 * what follows the dot, or to NULL at its end. */
static const ProtobufCFieldDescriptor *step(
    const ProtobufCMessageDescriptor *descriptor,
    const char **path)
{
    char name[NAME_SIZE];
    const char *dot = strchr(*path, '.');
    size_t length = dot ? (size_t)(dot - *path) : strlen(*path);

    if (length >= sizeof(name)) {
        return NULL;
    }
    memcpy(name, *path, length);
    name[length] = '\0';
    *path = dot ? dot + 1 : NULL;
    return protobuf_c_message_descriptor_get_field_by_name(descriptor, name);
}

static bool names_all(const Google__Protobuf__FieldMask *mask)
{
    return mask->n_paths == 1 && strcmp(mask->paths[0], "*") == 0;
}

static bool is_absent(const Google__Protobuf__FieldMask *mask)
{
    return !mask || mask->n_paths == 0;
}

static bool is_field(const ProtobufCMessageDescriptor *descriptor, const char *path)
{
    while (path) {
        const ProtobufCFieldDescriptor *field = step(descriptor, &path);

        if (!field) {
            return false;
        }
        if (path &&
            (field->type != PROTOBUF_C_TYPE_MESSAGE || field->label == PROTOBUF_C_LABEL_REPEATED)) {
            return false;
        }
        descriptor = field->descriptor;
    }
    return true;
}

bool rpc_mask_check(
    const ProtobufCMessageDescriptor *descriptor,
    const Google__Protobuf__FieldMask *mask,
    struct error *err)
{
    if (is_absent(mask) || names_all(mask)) {
        return true;
    }
    for (size_t i = 0; i < mask->n_paths; i++) {
        if (!is_field(descriptor, mask->paths[i])) {
            (void)FAIL_FIELD(
                err, REASON_MASK_INVALID, "update_mask", "%s has no field %s",
                descriptor->short_name, mask->paths[i]);
            error_add_metadata(err, "path", "%s", mask->paths[i]);
            return false;
        }
    }
    return true;
}

/* Whether the field that the path names is set in the message. */
static bool is_set(const ProtobufCMessage *message, const char *path)
{
    for (;;) {
        const ProtobufCFieldDescriptor *field = step(message->descriptor, &path);

        if (!field || !rpc_field_is_set(message, field)) {
            return false;
        }
        if (!path) {
            return true;
        }
        message = rpc_field_message(message, field);
    }
}

/* "retry" covers "retry" and "retry.limit". */
static bool covers(const char *outer, const char *inner)
{
    size_t length = strlen(outer);

    return strncmp(outer, inner, length) == 0 && (inner[length] == '\0' || inner[length] == '.');
}

bool rpc_mask_has(
    const Google__Protobuf__FieldMask *mask,
    const ProtobufCMessage *message,
    const char *path)
{
    if (is_absent(mask)) {
        return is_set(message, path);
    }
    for (size_t i = 0; i < mask->n_paths; i++) {
        if (strcmp(mask->paths[i], "*") == 0 || covers(mask->paths[i], path)) {
            return true;
        }
    }
    return false;
}

/* A message of its own for `to`, so that what it shares with others is not written. */
static ProtobufCMessage *own_message_at(
    ProtobufCMessage *to,
    const ProtobufCFieldDescriptor *field,
    struct arena *arena)
{
    const ProtobufCMessageDescriptor *descriptor = field->descriptor;
    const ProtobufCMessage *old = rpc_field_message(to, field);
    ProtobufCMessage *own = arena_alloc(arena, descriptor->sizeof_message);

    if (old) {
        memcpy(own, old, descriptor->sizeof_message);
    } else {
        protobuf_c_message_init(descriptor, own);
    }
    rpc_field_set_message(to, field, own);
    return own;
}

static void apply_path(
    ProtobufCMessage *to,
    const ProtobufCMessage *from,
    const char *path,
    struct arena *arena)
{
    for (;;) {
        const ProtobufCFieldDescriptor *field = step(to->descriptor, &path);

        if (!path) {
            rpc_field_assign(to, from, field);
            return;
        }

        const ProtobufCMessageDescriptor *descriptor = field->descriptor;
        const ProtobufCMessage *inner = rpc_field_message(from, field);

        if (!inner && !rpc_field_message(to, field)) {
            return; /* unset on both sides */
        }
        if (!inner) {
            ProtobufCMessage *empty = arena_alloc(arena, descriptor->sizeof_message);

            protobuf_c_message_init(descriptor, empty);
            inner = empty;
        }
        to = own_message_at(to, field, arena);
        from = inner;
    }
}

static void apply_fields(ProtobufCMessage *to, const ProtobufCMessage *from, bool set_only)
{
    for (unsigned i = 0; i < to->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &to->descriptor->fields[i];

        if (!set_only || rpc_field_is_set(from, field)) {
            rpc_field_assign(to, from, field);
        }
    }
}

bool rpc_mask_apply(
    ProtobufCMessage *to,
    const ProtobufCMessage *from,
    const Google__Protobuf__FieldMask *mask,
    struct arena *arena,
    struct error *err)
{
    if (!rpc_mask_check(to->descriptor, mask, err)) {
        return false;
    }
    if (is_absent(mask)) {
        apply_fields(to, from, true);
    } else if (names_all(mask)) {
        apply_fields(to, from, false);
    } else {
        for (size_t i = 0; i < mask->n_paths; i++) {
            apply_path(to, from, mask->paths[i], arena);
        }
    }
    return true;
}
