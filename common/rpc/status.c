#include "common/rpc/status.h"

#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/rpc/message.h"
#include "google/rpc/error_details.pb-c.h"

#define TYPE_PREFIX "type.googleapis.com/"

enum {
    DETAILS_MAX = 3,
    /* What a Status from a server may unpack to. */
    STATUS_BUDGET = 64 * 1024
};

static Google__Protobuf__Any *wrap(struct arena *arena, const ProtobufCMessage *detail)
{
    Google__Protobuf__Any *any = arena_new_object(arena, Google__Protobuf__Any);

    google__protobuf__any__init(any);
    any->type_url = arena_printf(arena, TYPE_PREFIX "%s", detail->descriptor->name);
    any->value.len = protobuf_c_message_get_packed_size(detail);
    any->value.data = arena_alloc(arena, any->value.len);
    (void)protobuf_c_message_pack(detail, any->value.data);
    return any;
}

static Google__Protobuf__Any *make_info(struct arena *arena, const struct error *err)
{
    typedef Google__Rpc__ErrorInfo__MetadataEntry pair_type;
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;

    info.reason = arena_strdup(arena, error_reason_name(err->reason));
    info.domain = arena_strdup(arena, RPC_ERROR_DOMAIN);
    info.n_metadata = err->metadata_count;
    info.metadata = arena_new_array(arena, pair_type *, err->metadata_count);
    for (size_t i = 0; i < err->metadata_count; i++) {
        pair_type *pair = arena_new_object(arena, pair_type);

        google__rpc__error_info__metadata_entry__init(pair);
        pair->key = arena_strdup(arena, err->metadata[i].key);
        pair->value = arena_strdup(arena, err->metadata[i].value);
        info.metadata[i] = pair;
    }
    return wrap(arena, &info.base);
}

static Google__Protobuf__Any *make_bad_request(struct arena *arena, const struct error *err)
{
    Google__Rpc__BadRequest bad = GOOGLE__RPC__BAD_REQUEST__INIT;
    Google__Rpc__BadRequest__FieldViolation violation =
        GOOGLE__RPC__BAD_REQUEST__FIELD_VIOLATION__INIT;
    Google__Rpc__BadRequest__FieldViolation *violations = &violation;

    violation.field = arena_strdup(arena, err->field);
    violation.description = arena_strdup(arena, err->message);
    bad.n_field_violations = 1;
    bad.field_violations = &violations;
    return wrap(arena, &bad.base);
}

static Google__Protobuf__Any *make_retry(struct arena *arena, const struct error *err)
{
    Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;

    delay.seconds = err->retry_delay_ms / 1000;
    delay.nanos = (int32_t)(err->retry_delay_ms % 1000) * 1000000;
    retry.retry_delay = &delay;
    return wrap(arena, &retry.base);
}

Google__Rpc__Status *rpc_status_make(
    struct arena *arena,
    const struct error *err,
    const char *request_id)
{
    Google__Rpc__Status *status = arena_new_object(arena, Google__Rpc__Status);
    struct error hidden;

    if (error_code(err->reason) == ERROR_INTERNAL) {
        (void)FAIL(&hidden, REASON_INTERNAL, "internal error; request id %s", request_id);
        error_add_metadata(&hidden, "request_id", "%s", request_id);
        err = &hidden;
    }
    google__rpc__status__init(status);
    status->code = (int32_t)error_code(err->reason);
    status->message = arena_strdup(arena, err->message);
    status->details = arena_new_array(arena, Google__Protobuf__Any *, DETAILS_MAX);
    status->details[status->n_details++] = make_info(arena, err);
    if (err->field[0]) {
        status->details[status->n_details++] = make_bad_request(arena, err);
    }
    if (err->retry_delay_ms > 0) {
        status->details[status->n_details++] = make_retry(arena, err);
    }
    return status;
}

/* The nearest of our reasons for a status that names none of them. */
static enum error_reason reason_of_code(int32_t code)
{
    static const enum error_reason reasons[] = {
        [ERROR_OK] = REASON_INTERNAL,
        [ERROR_CANCELLED] = REASON_CANCELLED,
        [ERROR_INVALID_ARGUMENT] = REASON_FIELD_INVALID,
        [ERROR_DEADLINE_EXCEEDED] = REASON_DEADLINE_EXCEEDED,
        [ERROR_NOT_FOUND] = REASON_NOT_FOUND,
        [ERROR_ALREADY_EXISTS] = REASON_ALREADY_EXISTS,
        [ERROR_PERMISSION_DENIED] = REASON_PERMISSION_DENIED,
        [ERROR_RESOURCE_EXHAUSTED] = REASON_OVERLOADED,
        [ERROR_FAILED_PRECONDITION] = REASON_STATE_FORBIDS,
        [ERROR_ABORTED] = REASON_ETAG_MISMATCH,
        [ERROR_OUT_OF_RANGE] = REASON_FIELD_INVALID,
        [ERROR_UNIMPLEMENTED] = REASON_METHOD_UNKNOWN,
        [ERROR_INTERNAL] = REASON_INTERNAL,
        [ERROR_UNAVAILABLE] = REASON_PEER_UNAVAILABLE,
        [ERROR_UNAUTHENTICATED] = REASON_UNAUTHENTICATED,
    };
    static const int32_t unknown = 2;
    static const int32_t data_loss = 15;

    return code < 0 || code > ERROR_UNAUTHENTICATED || code == unknown || code == data_loss
               ? REASON_INTERNAL
               : reasons[code];
}

static void read_info(const ProtobufCMessage *detail, struct error *err)
{
    const Google__Rpc__ErrorInfo *info = (const Google__Rpc__ErrorInfo *)detail;

    (void)error_reason_find(info->reason, &err->reason);
    for (size_t i = 0; i < info->n_metadata; i++) {
        error_add_metadata(err, info->metadata[i]->key, "%s", info->metadata[i]->value);
    }
}

static void read_bad_request(const ProtobufCMessage *detail, struct error *err)
{
    const Google__Rpc__BadRequest *bad = (const Google__Rpc__BadRequest *)detail;

    if (bad->n_field_violations > 0) {
        (void)error_in_field(err, bad->field_violations[0]->field, false);
    }
}

static void read_retry(const ProtobufCMessage *detail, struct error *err)
{
    const Google__Rpc__RetryInfo *retry = (const Google__Rpc__RetryInfo *)detail;

    if (retry->retry_delay && retry->retry_delay->seconds >= 0 &&
        retry->retry_delay->seconds < INT32_MAX) {
        err->retry_delay_ms =
            retry->retry_delay->seconds * 1000 + retry->retry_delay->nanos / 1000000;
    }
}

static const struct {
    const ProtobufCMessageDescriptor *descriptor;
    void (*read)(const ProtobufCMessage *detail, struct error *err);
} readers[] = {
    {&google__rpc__error_info__descriptor,  read_info       },
    {&google__rpc__bad_request__descriptor, read_bad_request},
    {&google__rpc__retry_info__descriptor,  read_retry      },
};

static void read_detail(struct arena *arena, const Google__Protobuf__Any *any, struct error *err)
{
    const char *slash = strrchr(any->type_url, '/');
    const char *type = slash ? slash + 1 : any->type_url;

    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        ProtobufCMessage *detail = NULL;
        struct error ignored;

        if (strcmp(type, readers[i].descriptor->name) == 0 &&
            rpc_message_unpack(
                readers[i].descriptor, (struct rpc_bytes){any->value.data, any->value.len},
                STATUS_BUDGET, arena, &detail, &ignored)) {
            readers[i].read(detail, err);
        }
    }
}

void rpc_status_read(const Google__Rpc__Status *status, struct error *err)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();

    (void)FAIL(err, reason_of_code(status->code), "%s", status->message);
    for (size_t i = 0; i < status->n_details; i++) {
        read_detail(arena, status->details[i], err);
    }
}
