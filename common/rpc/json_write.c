/* NOLINTBEGIN(misc-no-recursion): messages that were received are at most RPC_MESSAGE_DEPTH deep,
 * and those that we make are far less. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/base64.h"
#include "common/base/mem.h"
#include "common/json/writer.h"
#include "common/rpc/field.h"
#include "common/rpc/json_form.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

enum {
    NAME_SIZE = 128,
    NUMBER_SIZE = 48
};

/* snake_case to lowerCamelCase; `size` bounds the result. */
static size_t camel(const char *name, size_t length, char *to, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < length && used + 1 < size; i++) {
        if (name[i] == '_' && i + 1 < length) {
            to[used++] = (char)toupper((unsigned char)name[++i]);
        } else {
            to[used++] = name[i];
        }
    }
    to[used] = '\0';
    return used;
}

static void write_key(struct json_writer *writer, const char *name)
{
    char key[NAME_SIZE];

    (void)camel(name, strlen(name), key, sizeof(key));
    json_write_key(writer, key);
}

/* Nanoseconds as a fraction of 3, 6 or 9 digits; nothing for 0. */
static void print_fraction(char *to, size_t size, int32_t nanos)
{
    if (nanos == 0) {
        to[0] = '\0';
    } else if (nanos % 1000000 == 0) {
        (void)snprintf(to, size, ".%03d", nanos / 1000000);
    } else if (nanos % 1000 == 0) {
        (void)snprintf(to, size, ".%06d", nanos / 1000);
    } else {
        (void)snprintf(to, size, ".%09d", nanos);
    }
}

static void write_timestamp(struct json_writer *writer, const ProtobufCMessage *message)
{
    const Google__Protobuf__Timestamp *timestamp = (const Google__Protobuf__Timestamp *)message;
    time_t seconds = timestamp->seconds;
    char fraction[NUMBER_SIZE];
    char date[NUMBER_SIZE] = "";
    char text[2 * NUMBER_SIZE + 1];
    struct tm utc;

    if (gmtime_r(&seconds, &utc)) {
        (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    }
    print_fraction(fraction, sizeof(fraction), timestamp->nanos);
    (void)snprintf(text, sizeof(text), "%s%sZ", date, fraction);
    json_write_text(writer, text);
}

static void write_duration(struct json_writer *writer, const ProtobufCMessage *message)
{
    const Google__Protobuf__Duration *duration = (const Google__Protobuf__Duration *)message;
    bool negative = duration->seconds < 0 || duration->nanos < 0;
    uint64_t seconds =
        duration->seconds < 0 ? 0 - (uint64_t)duration->seconds : (uint64_t)duration->seconds;
    char fraction[NUMBER_SIZE];
    char text[2 * NUMBER_SIZE + 1];

    print_fraction(fraction, sizeof(fraction), abs(duration->nanos));
    (void)snprintf(text, sizeof(text), "%s%" PRIu64 "%ss", negative ? "-" : "", seconds, fraction);
    json_write_text(writer, text);
}

static void write_mask(struct json_writer *writer, const ProtobufCMessage *message)
{
    const Google__Protobuf__FieldMask *mask = (const Google__Protobuf__FieldMask *)message;
    size_t size = 1;

    for (size_t i = 0; i < mask->n_paths; i++) {
        size += strlen(mask->paths[i]) + 1;
    }

    CLEANUP(mem_free_at_exit) char *text = mem_alloc(size);
    size_t used = 0;

    for (size_t i = 0; i < mask->n_paths; i++) {
        if (i > 0) {
            text[used++] = ',';
        }
        used += camel(mask->paths[i], strlen(mask->paths[i]), text + used, size - used);
    }
    json_write_text(writer, text);
}

static void write_value(
    struct json_writer *writer,
    const ProtobufCFieldDescriptor *field,
    const void *value);

static void write_wrapped(struct json_writer *writer, const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[0];

    write_value(writer, field, rpc_field_value(message, field));
}

static const struct {
    const char *type;
    void (*write)(struct json_writer *writer, const ProtobufCMessage *message);
} special[] = {
    {"google.protobuf.Timestamp",   write_timestamp},
    {"google.protobuf.Duration",    write_duration },
    {"google.protobuf.FieldMask",   write_mask     },
    {"google.protobuf.BoolValue",   write_wrapped  },
    {"google.protobuf.BytesValue",  write_wrapped  },
    {"google.protobuf.DoubleValue", write_wrapped  },
    {"google.protobuf.FloatValue",  write_wrapped  },
    {"google.protobuf.Int32Value",  write_wrapped  },
    {"google.protobuf.Int64Value",  write_wrapped  },
    {"google.protobuf.StringValue", write_wrapped  },
    {"google.protobuf.UInt32Value", write_wrapped  },
    {"google.protobuf.UInt64Value", write_wrapped  },
};

static void write_integer_text(struct json_writer *writer, const void *value, bool is_signed)
{
    char text[NUMBER_SIZE];

    if (is_signed) {
        (void)snprintf(text, sizeof(text), "%" PRId64, *(const int64_t *)value);
    } else {
        (void)snprintf(text, sizeof(text), "%" PRIu64, *(const uint64_t *)value);
    }
    json_write_text(writer, text);
}

static void write_real(struct json_writer *writer, double real)
{
    if (isnan(real)) {
        json_write_text(writer, "NaN");
    } else if (isinf(real)) {
        json_write_text(writer, real > 0 ? "Infinity" : "-Infinity");
    } else {
        json_write_real(writer, real);
    }
}

static void write_enum(
    struct json_writer *writer,
    const ProtobufCFieldDescriptor *field,
    int32_t number)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(field->descriptor, number);

    if (value) {
        json_write_text(writer, value->name);
    } else {
        json_write_integer(writer, number);
    }
}

static void write_binary(struct json_writer *writer, const ProtobufCBinaryData *bytes)
{
    CLEANUP(mem_free_at_exit) char *text = base64_print(bytes->data, bytes->len);

    json_write_text(writer, text);
}

/* NOLINTNEXTLINE(readability-function-cognitive-complexity): a flat table of types */
static void write_value(
    struct json_writer *writer,
    const ProtobufCFieldDescriptor *field,
    const void *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        json_write_integer(writer, *(const int32_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        json_write_integer(writer, *(const uint32_t *)value);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        write_integer_text(writer, value, true);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        write_integer_text(writer, value, false);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        write_real(writer, (double)*(const float *)value);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        write_real(writer, *(const double *)value);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        json_write_bool(writer, *(const protobuf_c_boolean *)value != 0);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        write_enum(writer, field, *(const int32_t *)value);
        break;
    case PROTOBUF_C_TYPE_STRING:
        json_write_text(writer, *(const char *const *)value);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        write_binary(writer, value);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
    default:
        rpc_json_write(writer, *(const ProtobufCMessage *const *)value);
        break;
    }
}

static void write_map_key(
    struct json_writer *writer,
    const ProtobufCFieldDescriptor *field,
    const void *value)
{
    char text[NUMBER_SIZE];

    if (field->type == PROTOBUF_C_TYPE_STRING) {
        json_write_key(writer, *(const char *const *)value);
    } else if (field->type == PROTOBUF_C_TYPE_BOOL) {
        json_write_key(writer, *(const protobuf_c_boolean *)value ? "true" : "false");
    } else {
        int64_t number = rpc_field_size(field) == sizeof(int64_t) ? *(const int64_t *)value
                                                                  : *(const int32_t *)value;

        (void)snprintf(text, sizeof(text), "%" PRId64, number);
        json_write_key(writer, text);
    }
}

static void write_map(
    struct json_writer *writer,
    const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;

    json_begin(writer, '{');
    for (size_t i = 0; i < rpc_field_count(message, field); i++) {
        const ProtobufCMessage *entry =
            *(const ProtobufCMessage *const *)rpc_field_item(message, field, i);

        write_map_key(writer, &type->fields[0], rpc_field_value(entry, &type->fields[0]));
        write_value(writer, &type->fields[1], rpc_field_value(entry, &type->fields[1]));
    }
    json_end(writer, '}');
}

static void write_list(
    struct json_writer *writer,
    const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field)
{
    json_begin(writer, '[');
    for (size_t i = 0; i < rpc_field_count(message, field); i++) {
        write_value(writer, field, rpc_field_item(message, field, i));
    }
    json_end(writer, ']');
}

static void write_field(
    struct json_writer *writer,
    const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field)
{
    write_key(writer, field->name);
    if (rpc_field_is_map(field)) {
        write_map(writer, message, field);
    } else if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        write_list(writer, message, field);
    } else {
        write_value(writer, field, rpc_field_value(message, field));
    }
}

void rpc_json_write(struct json_writer *writer, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;

    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (strcmp(descriptor->name, special[i].type) == 0) {
            special[i].write(writer, message);
            return;
        }
    }
    json_begin(writer, '{');
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        if (rpc_field_is_set(message, &descriptor->fields[i])) {
            write_field(writer, message, &descriptor->fields[i]);
        }
    }
    json_end(writer, '}');
}

char *rpc_json_print(const ProtobufCMessage *message)
{
    struct json_writer writer = {0};

    rpc_json_write(&writer, message);
    return writer.text;
}

/* NOLINTEND(misc-no-recursion) */
