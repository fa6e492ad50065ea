/* Resources: how each kind of row looks as a public message. One table of bindings per kind serves
 * both directions and the update masks, so a new field is one row here (and one in rows.def and the
 * proto).
 */
#ifndef ROUTING_WIRE_RESOURCE_H
#define ROUTING_WIRE_RESOURCE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "google/protobuf/field_mask.pb-c.h"
#include "services/routing/domain/row.h"

struct arena;
struct error;
struct view;

enum binding_kind {
    BIND_VALUE,    /* text, number, truth, enum: as it is */
    BIND_NAME,     /* an id in the row, a resource name of `collection` in the message */
    BIND_TIME,     /* microseconds, Timestamp */
    BIND_DURATION, /* microseconds, Duration */
};

enum binding_access {
    OUTPUT_ONLY, /* a client's value is ignored; in a mask it is refused */
    IMMUTABLE,   /* read at creation alone */
    INPUT,
};

struct binding {
    const char *message_field;
    int row_field;
    enum binding_kind kind;
    enum binding_access access;
    const char *collection;
};

struct resource {
    enum row_kind kind;
    const ProtobufCMessageDescriptor *descriptor;
    const char *singular; /* "task": the field of Create and Update requests; the field's prefix in
                             errors */
    const char *collection; /* "tasks" */
    const struct binding *bindings;
    size_t binding_count;
    const char *extra_field; /* a field that is more than one row field; NULL */
};

/* By row kind; NULL for rows that are no resources. */
const struct resource *resource_of(enum row_kind kind);

/* The view's resource name, in the arena. */
const char *resource_name(const struct view *view, struct arena *arena);
/* The message of a view, in the arena with all its texts: it may outlive the view. */
ProtobufCMessage *resource_print(const struct view *view, struct arena *arena);

/* What is read, and where to. */
struct resource_reading {
    const struct resource *resource;
    const ProtobufCMessage *message;
    const char *workspace_id; /* names in it must be of this workspace */
    uint64_t mask;            /* ROW_MASK of the fields that count; others stay "" and 0 */
    struct arena *arena;
};

/* Reads what a client may set into a row in the arena; ids of its key stay "". Checks what the form
 * alone tells: names, times, durations. Texts are borrowed from the message. */
bool resource_read(const struct resource_reading *reading, void **ret_row, struct error *err);

/* The row fields that are set in a message (not "", 0, false or absent), of those a client may set.
 */
uint64_t resource_fields_set(const struct resource *resource, const ProtobufCMessage *message);
/* Those that an update may change. */
uint64_t resource_input_fields(const struct resource *resource);

struct resource_mask {
    uint64_t fields;
    bool extra; /* resource->extra_field counts, too */
};

/* What an update changes. mask: NULL or empty: the fields that are set; a path "*": all that may be
 * changed. MASK_INVALID for any other path that is not a field that may be changed. */
bool resource_mask(
    const struct resource *resource,
    const ProtobufCMessage *message,
    const Google__Protobuf__FieldMask *mask,
    struct resource_mask *ret_mask,
    struct error *err);

#endif
