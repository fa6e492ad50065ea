/* grpc.reflection.v1 and v1alpha, which are the same messages under two names. The index is made
 * once at the start and never changes, so every loop may read it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/rpc/message.h"
#include "common/rpc/serving.h"
#include "common/rpc/stream.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"

typedef Google__Protobuf__FileDescriptorProto file_proto;
typedef Google__Protobuf__DescriptorProto message_proto;
typedef Grpc__Reflection__V1__ServerReflectionRequest question;
typedef Grpc__Reflection__V1__ServerReflectionResponse answer;

struct file {
    const file_proto *proto;
    const char *name;
    ProtobufCBinaryData bytes;
    size_t index;
    UT_hash_handle hh;
};

struct symbol {
    const char *name; /* full, without a leading dot */
    const struct file *file;
    UT_hash_handle hh;
};

/* A message whose inside is still to be indexed. */
struct pending {
    const char *name;
    const message_proto *proto;
    STAILQ_ENTRY(pending) link;
};

STAILQ_HEAD(pending_list, pending);

struct rpc_reflection {
    struct arena *arena;
    struct file *files;
    struct symbol *symbols;
    const char **services;
    size_t service_count;
    struct rpc_service rows[2];
};

/* The index. */

/* NOLINTNEXTLINE(readability-function-size): the library's macro. */
static const char *add_symbol(
    struct rpc_reflection *reflection,
    const struct file *file,
    const char *scope,
    const char *name)
{
    struct symbol *symbol = arena_new_object(reflection->arena, struct symbol);

    symbol->name = arena_printf(reflection->arena, "%s%s%s", scope, scope[0] ? "." : "", name);
    symbol->file = file;
    HASH_ADD_KEYPTR(hh, reflection->symbols, symbol->name, (unsigned)strlen(symbol->name), symbol);
    return symbol->name;
}

static void add_enum(
    struct rpc_reflection *reflection,
    const struct file *file,
    const char *scope,
    const Google__Protobuf__EnumDescriptorProto *proto)
{
    (void)add_symbol(reflection, file, scope, proto->name);
    for (size_t i = 0; i < proto->n_value; i++) { /* values are siblings of their type */
        (void)add_symbol(reflection, file, scope, proto->value[i]->name);
    }
}

static void add_messages(
    struct rpc_reflection *reflection,
    const struct file *file,
    const char *scope,
    message_proto *const *protos,
    size_t count,
    struct pending_list *pending)
{
    for (size_t i = 0; i < count; i++) {
        struct pending *entry = arena_new_object(reflection->arena, struct pending);

        entry->name = add_symbol(reflection, file, scope, protos[i]->name);
        entry->proto = protos[i];
        STAILQ_INSERT_TAIL(pending, entry, link);
    }
}

static void add_inside(
    struct rpc_reflection *reflection,
    const struct file *file,
    struct pending_list *pending)
{
    while (!STAILQ_EMPTY(pending)) {
        const struct pending *entry = STAILQ_FIRST(pending);
        const message_proto *proto = entry->proto;

        STAILQ_REMOVE_HEAD(pending, link);
        for (size_t i = 0; i < proto->n_field; i++) {
            (void)add_symbol(reflection, file, entry->name, proto->field[i]->name);
        }
        for (size_t i = 0; i < proto->n_enum_type; i++) {
            add_enum(reflection, file, entry->name, proto->enum_type[i]);
        }
        add_messages(
            reflection, file, entry->name, proto->nested_type, proto->n_nested_type, pending);
    }
}

static void add_service(
    struct rpc_reflection *reflection,
    const struct file *file,
    const char *scope,
    const Google__Protobuf__ServiceDescriptorProto *proto)
{
    const char *name = add_symbol(reflection, file, scope, proto->name);

    for (size_t i = 0; i < proto->n_method; i++) {
        (void)add_symbol(reflection, file, name, proto->method[i]->name);
    }
}

/* NOLINTNEXTLINE(readability-function-size): the library's macro. */
static void add_file(struct rpc_reflection *reflection, const file_proto *proto)
{
    struct pending_list pending = STAILQ_HEAD_INITIALIZER(pending);
    struct file *file = NULL;
    const char *scope = proto->package ? proto->package : "";

    HASH_FIND_STR(reflection->files, proto->name, file);
    if (file) { /* an import of two sets */
        return;
    }
    file = arena_new_object(reflection->arena, struct file);
    file->proto = proto;
    file->name = proto->name;
    file->index = HASH_COUNT(reflection->files);
    file->bytes.len = protobuf_c_message_get_packed_size(&proto->base);
    file->bytes.data = arena_alloc(reflection->arena, file->bytes.len);
    (void)protobuf_c_message_pack(&proto->base, file->bytes.data);
    HASH_ADD_KEYPTR(hh, reflection->files, file->name, (unsigned)strlen(file->name), file);

    for (size_t i = 0; i < proto->n_enum_type; i++) {
        add_enum(reflection, file, scope, proto->enum_type[i]);
    }
    for (size_t i = 0; i < proto->n_service; i++) {
        add_service(reflection, file, scope, proto->service[i]);
    }
    add_messages(reflection, file, scope, proto->message_type, proto->n_message_type, &pending);
    add_inside(reflection, file, &pending);
}

static bool add_set(
    struct rpc_reflection *reflection,
    const struct rpc_descriptor_set *set,
    struct error *err)
{
    ProtobufCAllocator allocator = rpc_arena_allocator(reflection->arena);
    const Google__Protobuf__FileDescriptorSet *files =
        google__protobuf__file_descriptor_set__unpack(&allocator, set->size, set->bytes);

    if (!files) {
        return FAIL(err, REASON_INTERNAL, "the embedded descriptor set is broken");
    }
    for (size_t i = 0; i < files->n_file; i++) {
        add_file(reflection, files->file[i]);
    }
    return true;
}

/* Questions and answers. */

/* NOLINTNEXTLINE(readability-function-size): the library's macro. */
static const struct file *find_file(const struct rpc_reflection *reflection, const char *name)
{
    struct file *file = NULL;

    HASH_FIND_STR(reflection->files, name, file);
    return file;
}

/* NOLINTNEXTLINE(readability-function-size): the library's macro. */
static const struct symbol *find_symbol(const struct rpc_reflection *reflection, const char *name)
{
    struct symbol *symbol = NULL;

    HASH_FIND_STR(reflection->symbols, name, symbol);
    return symbol;
}

static void refuse(struct arena *arena, answer *to, enum error_code code, const char *what)
{
    Grpc__Reflection__V1__ErrorResponse *refusal =
        arena_new_object(arena, Grpc__Reflection__V1__ErrorResponse);

    grpc__reflection__v1__error_response__init(refusal);
    refusal->error_code = (int32_t)code;
    refusal->error_message = arena_strdup(arena, what);
    to->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    to->error_response = refusal;
}

/* A file and everything it imports, each once. */
struct closure {
    size_t count;
    const struct file **files;
    bool *contains;
};

static void include(struct closure *closure, const struct file *file)
{
    if (file && !closure->contains[file->index]) {
        closure->contains[file->index] = true;
        closure->files[closure->count++] = file;
    }
}

static void answer_file(
    const struct rpc_reflection *reflection,
    struct arena *arena,
    const struct file *file,
    answer *to)
{
    Grpc__Reflection__V1__FileDescriptorResponse *response =
        arena_new_object(arena, Grpc__Reflection__V1__FileDescriptorResponse);
    size_t count = HASH_COUNT(reflection->files);
    struct closure closure = {
        .files = arena_new_array(arena, const struct file *, count),
        .contains = arena_new_array(arena, bool, count),
    };

    grpc__reflection__v1__file_descriptor_response__init(response);
    response->file_descriptor_proto = arena_new_array(arena, ProtobufCBinaryData, count);
    include(&closure, file);
    for (size_t i = 0; i < closure.count; i++) {
        const file_proto *proto = closure.files[i]->proto;

        response->file_descriptor_proto[i] = closure.files[i]->bytes;
        for (size_t k = 0; k < proto->n_dependency; k++) {
            include(&closure, find_file(reflection, proto->dependency[k]));
        }
    }
    response->n_file_descriptor_proto = closure.count;
    to->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    to->file_descriptor_response = response;
}

static void answer_symbol(
    const struct rpc_reflection *reflection,
    struct arena *arena,
    const char *name,
    answer *to)
{
    const struct symbol *symbol = find_symbol(reflection, name);

    if (symbol) {
        answer_file(reflection, arena, symbol->file, to);
    } else {
        refuse(arena, to, ERROR_NOT_FOUND, "no such symbol");
    }
}

static void answer_file_name(
    const struct rpc_reflection *reflection,
    struct arena *arena,
    const char *name,
    answer *to)
{
    const struct file *file = find_file(reflection, name);

    if (file) {
        answer_file(reflection, arena, file, to);
    } else {
        refuse(arena, to, ERROR_NOT_FOUND, "no such file");
    }
}

static void answer_services(
    const struct rpc_reflection *reflection,
    struct arena *arena,
    answer *to)
{
    typedef Grpc__Reflection__V1__ServiceResponse service_response;
    Grpc__Reflection__V1__ListServiceResponse *list =
        arena_new_object(arena, Grpc__Reflection__V1__ListServiceResponse);

    grpc__reflection__v1__list_service_response__init(list);
    list->n_service = reflection->service_count;
    list->service = arena_new_array(arena, service_response *, list->n_service);
    for (size_t i = 0; i < list->n_service; i++) {
        list->service[i] = arena_new_object(arena, service_response);
        grpc__reflection__v1__service_response__init(list->service[i]);
        list->service[i]->name = arena_strdup(arena, reflection->services[i]);
    }
    to->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    to->list_services_response = list;
}

/* proto3 has no extensions but those of options, which nobody asks for. */
static void answer_extensions(
    const struct rpc_reflection *reflection,
    struct arena *arena,
    const char *type,
    answer *to)
{
    Grpc__Reflection__V1__ExtensionNumberResponse *numbers =
        arena_new_object(arena, Grpc__Reflection__V1__ExtensionNumberResponse);

    if (!find_symbol(reflection, type)) {
        refuse(arena, to, ERROR_NOT_FOUND, "no such type");
        return;
    }
    grpc__reflection__v1__extension_number_response__init(numbers);
    numbers->base_type_name = arena_strdup(arena, type);
    to->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
    to->all_extension_numbers_response = numbers;
}

#define ASKED(name) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##name

static void answer_question(
    const struct rpc_reflection *reflection,
    struct arena *arena,
    const question *asked,
    answer *to)
{
    switch (asked->message_request_case) {
    case ASKED(FILE_BY_FILENAME):
        answer_file_name(reflection, arena, asked->file_by_filename, to);
        break;
    case ASKED(FILE_CONTAINING_SYMBOL):
        answer_symbol(reflection, arena, asked->file_containing_symbol, to);
        break;
    case ASKED(FILE_CONTAINING_EXTENSION):
        refuse(arena, to, ERROR_NOT_FOUND, "no such extension");
        break;
    case ASKED(ALL_EXTENSION_NUMBERS_OF_TYPE):
        answer_extensions(reflection, arena, asked->all_extension_numbers_of_type, to);
        break;
    case ASKED(LIST_SERVICES):
        answer_services(reflection, arena, to);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST__NOT_SET:
    default:
        refuse(arena, to, ERROR_INVALID_ARGUMENT, "nothing was asked");
        break;
    }
}

/* The stream: one answer at a time, so that a client that only asks does not fill the queue. */

static void reflection_open(struct rpc_stream *stream, const ProtobufCMessage *request)
{
    (void)stream;
    (void)request;
}

static void reflection_message(struct rpc_stream *stream, const ProtobufCMessage *message)
{
    const struct rpc_reflection *reflection = rpc_call_context(rpc_stream_call(stream));
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    answer to = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
    question asked = *(const question *)message;

    to.valid_host = asked.host;
    to.original_request = &asked;
    answer_question(reflection, arena, &asked, &to);
    rpc_stream_pause(stream);
    (void)rpc_stream_send_message(stream, &to.base);
}

static const struct rpc_stream_handler reflection_stream = {
    .bidi = true,
    .open = reflection_open,
    .message = reflection_message,
    .drained = rpc_stream_resume,
};

static const struct rpc_method methods[] = {
    {.name = "ServerReflectionInfo", .stream = &reflection_stream},
};

static void fill_rows(struct rpc_reflection *reflection)
{
    for (size_t i = 0; i < 2; i++) {
        reflection->rows[i] = (struct rpc_service){
            .descriptor = &grpc__reflection__v1__server_reflection__descriptor,
            .methods = methods,
            .method_count = sizeof(methods) / sizeof(methods[0]),
            .context = reflection,
        };
    }
    reflection->rows[1].name = "grpc.reflection.v1alpha.ServerReflection";
}

static void list_services(
    struct rpc_reflection *reflection,
    const struct rpc_server_options *options)
{
    size_t count = 0;
    const char **names =
        arena_new_array(reflection->arena, const char *, options->service_count + 3);

    for (size_t i = 0; i < options->service_count; i++) {
        names[count++] = rpc_service_name(&options->services[i]);
    }
    names[count++] = "grpc.health.v1.Health";
    names[count++] = rpc_service_name(&reflection->rows[0]);
    names[count++] = rpc_service_name(&reflection->rows[1]);
    reflection->services = names;
    reflection->service_count = count;
}

bool rpc_reflection_new(
    const struct rpc_server_options *options,
    struct rpc_reflection **ret_reflection,
    struct error *err)
{
    struct rpc_reflection *reflection = mem_new(struct rpc_reflection);

    reflection->arena = arena_new();
    fill_rows(reflection);
    list_services(reflection, options);
    for (size_t i = 0; i < options->descriptor_set_count; i++) {
        if (!add_set(reflection, &options->descriptor_sets[i], err)) {
            rpc_reflection_free(reflection);
            return false;
        }
    }
    *ret_reflection = reflection;
    return true;
}

struct rpc_reflection *rpc_reflection_free(struct rpc_reflection *reflection)
{
    if (!reflection) {
        return NULL;
    }

    HASH_CLEAR(hh, reflection->symbols);
    HASH_CLEAR(hh, reflection->files);
    arena_free(reflection->arena);
    free(reflection);
    return NULL;
}

const struct rpc_service *rpc_reflection_services(const struct rpc_reflection *reflection)
{
    return reflection->rows;
}
