/* NOLINTBEGIN(misc-no-recursion): a value is at most VALUE_DEPTH_MAX deep. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/arena.h"
#include "common/base/base64.h"
#include "common/error/error.h"
#include "common/json/json.h"
#include "common/rpc/field.h"
#include "common/rpc/json_form.h"
#include "common/value/keys.h"
#include "common/value/value.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

enum {
    NAME_SIZE = 128,
    NANOS_DIGITS = 9,
    KEY_PLACES = 1024,
    TEXT_BYTES = 16 * 1024 * 1024
};

/* Where we are, for the text of an error. */
struct place {
    const struct place *outer; /* NULL: the message as a whole */
    const char *name;
};

struct reader {
    struct arena *arena;
    struct error *err;
};

/* Fails, naming the place and what should be there. */
static bool refuse(const struct reader *reader, const struct place *place, const char *wanted)
{
    char path[ERROR_FIELD_SIZE] = "";

    for (; place; place = place->outer) {
        char inner[ERROR_FIELD_SIZE];

        memcpy(inner, path, sizeof(inner));
        if (snprintf(path, sizeof(path), inner[0] ? "%s.%s" : "%s", place->name, inner) < 0) {
            break;
        }
    }
    return FAIL_FIELD(
        reader->err, REASON_FIELD_INVALID, path, "%s: expected %s", path[0] ? path : "message",
        wanted);
}

/* Numbers. */

static bool read_int64(const struct value *value, int64_t *ret_number)
{
    char *end = NULL;

    if (value->type == VALUE_INTEGER) {
        *ret_number = value->integer;
        return true;
    }
    if (value->type != VALUE_TEXT || value->count == 0) {
        return false;
    }
    errno = 0;
    *ret_number = strtoll(value->text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool read_double(const struct value *value, double *ret_real)
{
    char *end = NULL;

    if (value_is_number(value)) {
        *ret_real = value->type == VALUE_REAL ? value->real : (double)value->integer;
        return true;
    }
    if (value->type != VALUE_TEXT || value->count == 0) {
        return false;
    }
    *ret_real = strtod(value->text, &end); /* "NaN" and "Infinity" too */
    return *end == '\0';
}

static bool put_integer(
    const struct reader *reader,
    const struct place *place,
    const ProtobufCFieldDescriptor *field,
    const struct value *value,
    void *to)
{
    bool is_unsigned =
        field->type == PROTOBUF_C_TYPE_UINT32 || field->type == PROTOBUF_C_TYPE_FIXED32 ||
        field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_FIXED64;
    bool is_small = rpc_field_size(field) == sizeof(int32_t);
    int64_t highest = is_unsigned ? UINT32_MAX : INT32_MAX;
    int64_t lowest = is_small ? INT32_MIN : INT64_MIN;
    int64_t number = 0;

    if (!read_int64(value, &number) || number < (is_unsigned ? 0 : lowest) ||
        number > (is_small ? highest : INT64_MAX)) {
        return refuse(reader, place, "an integer in the field's range");
    }
    memcpy(to, &number, rpc_field_size(field)); /* little-endian, as all we run on */
    return true;
}

static bool put_real(
    const struct reader *reader,
    const struct place *place,
    const ProtobufCFieldDescriptor *field,
    const struct value *value,
    void *to)
{
    double real = 0;

    if (!read_double(value, &real)) {
        return refuse(reader, place, "a number");
    }
    if (field->type == PROTOBUF_C_TYPE_FLOAT) {
        *(float *)to = (float)real;
    } else {
        *(double *)to = real;
    }
    return true;
}

/* Texts. */

static bool put_text(
    const struct reader *reader,
    const struct place *place,
    const struct value *value,
    void *to)
{
    if (value->type != VALUE_TEXT) {
        return refuse(reader, place, "text");
    }
    *(char **)to = arena_strdup(reader->arena, value->text);
    return true;
}

static bool put_bytes(
    const struct reader *reader,
    const struct place *place,
    const struct value *value,
    void *to)
{
    ProtobufCBinaryData *bytes = to;

    if (value->type != VALUE_TEXT) {
        return refuse(reader, place, "bytes in base64");
    }
    bytes->data = arena_alloc(reader->arena, base64_capacity(value->count));
    return base64_parse(value->text, value->count, bytes->data, &bytes->len) ||
           refuse(reader, place, "bytes in base64");
}

static bool put_bool(
    const struct reader *reader,
    const struct place *place,
    const struct value *value,
    void *to)
{
    if (value->type != VALUE_BOOL) {
        return refuse(reader, place, "true or false");
    }
    *(protobuf_c_boolean *)to = value->boolean;
    return true;
}

static bool put_enum(
    const struct reader *reader,
    const struct place *place,
    const ProtobufCFieldDescriptor *field,
    const struct value *value,
    void *to)
{
    const ProtobufCEnumValue *named = NULL;
    int64_t number = 0;

    if (value->type == VALUE_TEXT) {
        named = protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, value->text);
    } else if (read_int64(value, &number) && number >= INT32_MIN && number <= INT32_MAX) {
        *(int32_t *)to = (int32_t)number;
        return true;
    }
    if (!named) {
        char wanted[NAME_SIZE];

        (void)snprintf(
            wanted, sizeof(wanted), "a name of %s",
            ((const ProtobufCEnumDescriptor *)field->descriptor)->name);
        return refuse(reader, place, wanted);
    }
    *(int32_t *)to = named->value;
    return true;
}

/* Well-known messages. */

/* ".25" and the like as nanoseconds; moves past it. */
static int32_t read_fraction(const char **at)
{
    int32_t nanos = 0;
    int digits = 0;

    if (**at != '.') {
        return 0;
    }
    for ((*at)++; isdigit((unsigned char)**at); (*at)++) {
        if (digits < NANOS_DIGITS) {
            nanos = nanos * 10 + (**at - '0');
            digits++;
        }
    }
    for (; digits < NANOS_DIGITS; digits++) {
        nanos *= 10;
    }
    return nanos;
}

/* "Z", "+01:00", "-05:30" as seconds east of UTC. */
static bool read_zone(const char *at, int64_t *ret_seconds)
{
    int hours = 0;
    int minutes = 0;
    int used = 0;

    if (strcmp(at, "Z") == 0 || strcmp(at, "z") == 0) {
        *ret_seconds = 0;
        return true;
    }
    /* NOLINTNEXTLINE(cert-err34-c): two digits each cannot overflow */
    if ((*at != '+' && *at != '-') || sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 ||
        at[1 + used] != '\0') {
        return false;
    }
    *ret_seconds = (*at == '-' ? -1 : 1) * ((int64_t)hours * 3600 + (int64_t)minutes * 60);
    return true;
}

static bool read_timestamp(
    const struct reader *reader,
    const struct place *place,
    const struct value *value,
    ProtobufCMessage *to)
{
    Google__Protobuf__Timestamp *timestamp = (Google__Protobuf__Timestamp *)to;
    const char *at = value->type == VALUE_TEXT ? value->text : "";
    struct tm utc = {0};
    int64_t zone_seconds = 0;

    at = strptime(at, "%Y-%m-%dT%H:%M:%S", &utc);
    if (!at) {
        return refuse(reader, place, "a time like 2026-01-31T12:00:00Z");
    }
    timestamp->nanos = read_fraction(&at);
    if (!read_zone(at, &zone_seconds)) {
        return refuse(reader, place, "a time like 2026-01-31T12:00:00Z");
    }
    timestamp->seconds = timegm(&utc) - zone_seconds;
    return true;
}

static bool read_duration(
    const struct reader *reader,
    const struct place *place,
    const struct value *value,
    ProtobufCMessage *to)
{
    Google__Protobuf__Duration *duration = (Google__Protobuf__Duration *)to;
    const char *text = value->type == VALUE_TEXT ? value->text : "";
    char *end = NULL;

    errno = 0;
    duration->seconds = strtoll(text, &end, 10);

    const char *at = end;

    duration->nanos = read_fraction(&at);
    if (errno != 0 || end == text || strcmp(at, "s") != 0) {
        return refuse(reader, place, "a duration like 1.5s");
    }
    if (text[0] == '-') {
        duration->nanos = -duration->nanos;
    }
    return true;
}

/* lowerCamelCase to snake_case, which is left as it is. */
static void snake(const char *name, size_t length, char *to, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < length && used + 2 < size; i++) {
        if (isupper((unsigned char)name[i])) {
            to[used++] = '_';
        }
        to[used++] = (char)tolower((unsigned char)name[i]);
    }
    to[used] = '\0';
}

static bool read_mask(
    const struct reader *reader,
    const struct place *place,
    const struct value *value,
    ProtobufCMessage *to)
{
    Google__Protobuf__FieldMask *mask = (Google__Protobuf__FieldMask *)to;

    if (value->type != VALUE_TEXT) {
        return refuse(reader, place, "names of fields with commas between");
    }
    mask->paths = arena_new_array(reader->arena, char *, (size_t)value->count + 1);
    for (const char *at = value->text; *at;) {
        size_t length = strcspn(at, ",");
        size_t size = 2 * length + 3;
        char *path = arena_alloc(reader->arena, size);

        snake(at, length, path, size);
        mask->paths[mask->n_paths++] = path;
        at += length + (at[length] == ',');
    }
    return true;
}

typedef bool(special_reader)(
    const struct reader *reader,
    const struct place *place,
    const struct value *value,
    ProtobufCMessage *to);

static bool read_message(
    const struct reader *reader,
    const struct place *place,
    const struct value *value,
    ProtobufCMessage *to);

static bool put_value(
    const struct reader *reader,
    const struct place *place,
    const ProtobufCFieldDescriptor *field,
    const struct value *value,
    void *to);

static bool read_wrapped(
    const struct reader *reader,
    const struct place *place,
    const struct value *value,
    ProtobufCMessage *to)
{
    const ProtobufCFieldDescriptor *field = &to->descriptor->fields[0];

    return put_value(reader, place, field, value, rpc_field_place(to, field));
}

static special_reader *reader_of(const ProtobufCMessageDescriptor *descriptor)
{
    static const struct {
        const char *type;
        special_reader *read;
    } special[] = {
        {"google.protobuf.Timestamp",   read_timestamp},
        {"google.protobuf.Duration",    read_duration },
        {"google.protobuf.FieldMask",   read_mask     },
        {"google.protobuf.BoolValue",   read_wrapped  },
        {"google.protobuf.BytesValue",  read_wrapped  },
        {"google.protobuf.DoubleValue", read_wrapped  },
        {"google.protobuf.FloatValue",  read_wrapped  },
        {"google.protobuf.Int32Value",  read_wrapped  },
        {"google.protobuf.Int64Value",  read_wrapped  },
        {"google.protobuf.StringValue", read_wrapped  },
        {"google.protobuf.UInt32Value", read_wrapped  },
        {"google.protobuf.UInt64Value", read_wrapped  },
    };

    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (strcmp(descriptor->name, special[i].type) == 0) {
            return special[i].read;
        }
    }
    return read_message;
}

/* Messages and fields. */

static ProtobufCMessage *new_message(
    const struct reader *reader,
    const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = arena_alloc(reader->arena, descriptor->sizeof_message);

    protobuf_c_message_init(descriptor, message);
    return message;
}

static bool put_message(
    const struct reader *reader,
    const struct place *place,
    const ProtobufCFieldDescriptor *field,
    const struct value *value,
    void *to)
{
    ProtobufCMessage *message = new_message(reader, field->descriptor);

    *(ProtobufCMessage **)to = message;
    return reader_of(field->descriptor)(reader, place, value, message);
}

static bool put_value(
    const struct reader *reader,
    const struct place *place,
    const ProtobufCFieldDescriptor *field,
    const struct value *value,
    void *to)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return put_message(reader, place, field, value, to);
    case PROTOBUF_C_TYPE_STRING:
        return put_text(reader, place, value, to);
    case PROTOBUF_C_TYPE_BYTES:
        return put_bytes(reader, place, value, to);
    case PROTOBUF_C_TYPE_BOOL:
        return put_bool(reader, place, value, to);
    case PROTOBUF_C_TYPE_ENUM:
        return put_enum(reader, place, field, value, to);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return put_real(reader, place, field, value, to);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    default:
        return put_integer(reader, place, field, value, to);
    }
}

static bool put_list(
    const struct reader *reader,
    const struct place *place,
    const ProtobufCFieldDescriptor *field,
    const struct value *value,
    ProtobufCMessage *to)
{
    if (value->type != VALUE_LIST) {
        return refuse(reader, place, "a list");
    }

    size_t size = rpc_field_size(field);
    char *items = arena_alloc_array(reader->arena, value->count, size);

    for (size_t i = 0; i < value->count; i++) {
        if (!put_value(reader, place, field, &value->items[i], items + i * size)) {
            return false;
        }
    }
    rpc_field_set_items(to, field, items, value->count);
    return true;
}

static bool put_map(
    const struct reader *reader,
    const struct place *place,
    const ProtobufCFieldDescriptor *field,
    const struct value *value,
    ProtobufCMessage *to)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;

    if (value->type != VALUE_OBJECT) {
        return refuse(reader, place, "an object");
    }

    ProtobufCMessage **entries = arena_new_array(reader->arena, ProtobufCMessage *, value->count);

    for (size_t i = 0; i < value->count; i++) {
        const struct value_member *member = &value->members[i];
        struct value key = value_of_text(member->key->text);

        entries[i] = new_message(reader, type);
        if (!put_value(
                reader, place, &type->fields[0], &key,
                rpc_field_place(entries[i], &type->fields[0])) ||
            !put_value(
                reader, place, &type->fields[1], &member->value,
                rpc_field_place(entries[i], &type->fields[1]))) {
            return false;
        }
    }
    rpc_field_set_items(to, field, entries, value->count);
    return true;
}

static bool read_member(
    const struct reader *reader,
    const struct place *outer,
    const struct value_member *member,
    ProtobufCMessage *to)
{
    char name[NAME_SIZE];

    snake(member->key->text, member->key->length, name, sizeof(name));

    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(to->descriptor, name);
    struct place place = {.outer = outer, .name = field ? field->name : member->key->text};

    if (!field) {
        char wanted[NAME_SIZE];

        (void)snprintf(wanted, sizeof(wanted), "a field of %s", to->descriptor->name);
        return refuse(reader, &place, wanted);
    }
    if (member->value.type == VALUE_NULL) { /* as if it were not there */
        return true;
    }
    if (rpc_field_is_map(field)) {
        return put_map(reader, &place, field, &member->value, to);
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return put_list(reader, &place, field, &member->value, to);
    }
    rpc_field_mark(to, field);
    return put_value(reader, &place, field, &member->value, rpc_field_place(to, field));
}

static bool read_message(
    const struct reader *reader,
    const struct place *place,
    const struct value *value,
    ProtobufCMessage *to)
{
    if (value->type != VALUE_OBJECT) {
        return refuse(reader, place, "an object");
    }
    for (size_t i = 0; i < value->count; i++) {
        if (!read_member(reader, place, &value->members[i], to)) {
            return false;
        }
    }
    return true;
}

bool rpc_json_read(
    const ProtobufCMessageDescriptor *descriptor,
    const struct value *object,
    struct arena *arena,
    ProtobufCMessage **ret_message,
    struct error *err)
{
    struct reader reader = {.arena = arena, .err = err};
    ProtobufCMessage *message = new_message(&reader, descriptor);

    if (!reader_of(descriptor)(&reader, NULL, object, message)) {
        return false;
    }
    *ret_message = message;
    return true;
}

bool rpc_json_parse(
    const ProtobufCMessageDescriptor *descriptor,
    const char *text,
    struct arena *arena,
    ProtobufCMessage **ret_message,
    struct error *err)
{
    CLEANUP(value_keys_free_at_exit) struct value_keys *keys = value_keys_new(KEY_PLACES);
    struct json_reader reader = {.keys = keys, .arena = arena, .max_bytes = TEXT_BYTES};
    struct value object;

    return json_parse_object(&reader, text, strlen(text), &object, err) &&
           rpc_json_read(descriptor, &object, arena, ret_message, err);
}

/* NOLINTEND(misc-no-recursion) */
