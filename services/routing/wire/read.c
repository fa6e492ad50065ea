/* Messages to rows, and masks. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "services/routing/wire/name.h"
#include "services/routing/wire/resource.h"
#include "services/routing/wire/time.h"

static const ProtobufCFieldDescriptor *field_of(
    const struct resource *resource,
    const struct binding *binding)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(
        resource->descriptor, binding->message_field);

    assert(field);
    return field;
}

static const void *pointer_at(
    const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field)
{
    const void *pointer = NULL;

    memcpy(&pointer, (const char *)message + field->offset, sizeof(pointer));
    return pointer;
}

static void *row_field_at(void *row, const struct row_field *field)
{
    return (char *)row + field->offset;
}

static bool read_name(
    const struct resource_reading *reading,
    const struct binding *binding,
    const char *path,
    const char **ret_id,
    struct error *err)
{
    const char *name = pointer_at(reading->message, field_of(reading->resource, binding));
    const char *pattern = arena_printf(reading->arena, "workspaces/*/%s/*", binding->collection);
    struct name_parts parts;

    if (name[0] == '\0') {
        *ret_id = "";
        return true;
    }
    if (!name_parse(name, pattern, path, &parts, err)) {
        return false;
    }
    if (strcmp(parts.ids[0], reading->workspace_id) != 0) {
        return FAIL_FIELD(
            err, REASON_NAME_INVALID, path, "%s: '%s' is in another workspace than %s", path, name,
            reading->workspace_id);
    }
    *ret_id = arena_strdup(reading->arena, parts.ids[1]);
    return true;
}

/* Text, number, truth, enum: the same on both sides, but for the size of a truth. */
static void read_value(
    const struct resource_reading *reading,
    const struct binding *binding,
    const struct row_field *field,
    void *row)
{
    const char *from =
        (const char *)reading->message + field_of(reading->resource, binding)->offset;

    if (field->type == ROW_FIELD_BOOL) {
        protobuf_c_boolean truth = 0;

        memcpy(&truth, from, sizeof(truth));
        *(bool *)row_field_at(row, field) = truth != 0;
        return;
    }
    memcpy(row_field_at(row, field), from, row_field_size(field->type));
}

static bool read_binding(
    const struct resource_reading *reading,
    const struct binding *binding,
    void *row,
    struct error *err)
{
    const struct row_field *field = &row_types[reading->resource->kind].fields[binding->row_field];
    const char *path =
        arena_printf(reading->arena, "%s.%s", reading->resource->singular, binding->message_field);
    const char *id = NULL;
    const void *message = NULL;

    switch (binding->kind) {
    case BIND_VALUE:
        read_value(reading, binding, field, row);
        return true;
    case BIND_NAME:
        if (!read_name(reading, binding, path, &id, err)) {
            return false;
        }
        *(const char **)row_field_at(row, field) = id;
        return true;
    case BIND_TIME:
        message = pointer_at(reading->message, field_of(reading->resource, binding));
        return time_read(message, path, row_field_at(row, field), err);
    case BIND_DURATION:
        message = pointer_at(reading->message, field_of(reading->resource, binding));
        return duration_read(message, path, row_field_at(row, field), err);
    }
    abort();
}

/* A row in the arena whose texts are all "". */
static void *empty_row(enum row_kind kind, struct arena *arena)
{
    const struct row_type *type = &row_types[kind];
    void *row = arena_alloc(arena, type->size);

    for (size_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].type == ROW_FIELD_TEXT) {
            *(const char **)row_field_at(row, &type->fields[i]) = "";
        }
    }
    return row;
}

bool resource_read(const struct resource_reading *reading, void **ret_row, struct error *err)
{
    const struct resource *resource = reading->resource;
    void *row = empty_row(resource->kind, reading->arena);

    for (size_t i = 0; i < resource->binding_count; i++) {
        const struct binding *binding = &resource->bindings[i];

        if (binding->access != OUTPUT_ONLY && (reading->mask & ROW_MASK(binding->row_field)) &&
            !read_binding(reading, binding, row, err)) {
            return false;
        }
    }
    *ret_row = row;
    return true;
}

/* --- masks --- */

static bool field_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const char *at = (const char *)message + field->offset;
    const char *text = NULL;
    int64_t wide = 0;
    int32_t narrow = 0;

    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_STRING:
        memcpy(&text, at, sizeof(text));
        return text && text[0] != '\0';
    case PROTOBUF_C_TYPE_MESSAGE:
        return pointer_at(message, field) != NULL;
    case PROTOBUF_C_TYPE_INT64:
        memcpy(&wide, at, sizeof(wide));
        return wide != 0;
    default:
        memcpy(&narrow, at, sizeof(narrow));
        return narrow != 0;
    }
}

uint64_t resource_fields_set(const struct resource *resource, const ProtobufCMessage *message)
{
    uint64_t mask = 0;

    for (size_t i = 0; i < resource->binding_count; i++) {
        const struct binding *binding = &resource->bindings[i];

        if (binding->access != OUTPUT_ONLY && field_set(message, field_of(resource, binding))) {
            mask |= ROW_MASK(binding->row_field);
        }
    }
    return mask;
}

uint64_t resource_input_fields(const struct resource *resource)
{
    uint64_t mask = 0;

    for (size_t i = 0; i < resource->binding_count; i++) {
        if (resource->bindings[i].access == INPUT) {
            mask |= ROW_MASK(resource->bindings[i].row_field);
        }
    }
    return mask;
}

/* The bit of one path of a mask. */
static bool path_bit(
    const struct resource *resource,
    const char *path,
    uint64_t *ret_bit,
    struct error *err)
{
    for (size_t i = 0; i < resource->binding_count; i++) {
        const struct binding *binding = &resource->bindings[i];

        if (strcmp(binding->message_field, path) != 0) {
            continue;
        }
        if (binding->access != INPUT) {
            return FAIL_FIELD(
                err, REASON_MASK_INVALID, "update_mask", "update_mask: %s cannot be changed", path);
        }
        *ret_bit = ROW_MASK(binding->row_field);
        return true;
    }
    return FAIL_FIELD(
        err, REASON_MASK_INVALID, "update_mask",
        "update_mask: %s has no field '%.100s' that can be changed", resource->singular, path);
}

bool resource_mask(
    const struct resource *resource,
    const ProtobufCMessage *message,
    const Google__Protobuf__FieldMask *mask,
    struct resource_mask *ret_mask,
    struct error *err)
{
    *ret_mask = (struct resource_mask){.fields = 0};
    if (!mask || mask->n_paths == 0) {
        ret_mask->fields = resource_fields_set(resource, message);
        ret_mask->extra = true; /* what is set counts */
        return true;
    }
    for (size_t i = 0; i < mask->n_paths; i++) {
        uint64_t bit = 0;

        if (strcmp(mask->paths[i], "*") == 0) {
            ret_mask->fields |= resource_input_fields(resource);
            ret_mask->extra = true;
        } else if (resource->extra_field && strcmp(mask->paths[i], resource->extra_field) == 0) {
            ret_mask->extra = true;
        } else if (!path_bit(resource, mask->paths[i], &bit, err)) {
            return false;
        }
        ret_mask->fields |= bit;
    }
    return true;
}
