#include <criterion/criterion.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/rpc/status.h"

Test(status, brings_an_error_over_with_all_its_parts)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct error err;
    struct error read;

    (void)FAIL_FIELD(&err, REASON_LIMIT_REACHED, "task.attributes", "too many");
    error_add_metadata(&err, "limit", "%d", 7);
    error_add_metadata(&err, "have", "%d", 8);
    err.retry_delay_ms = 2500;

    const Google__Rpc__Status *status = rpc_status_make(arena, &err, "id");

    cr_assert_eq(status->code, ERROR_RESOURCE_EXHAUSTED);
    cr_assert_eq(status->n_details, 3);
    rpc_status_read(status, &read);
    cr_assert_eq(read.reason, REASON_LIMIT_REACHED);
    cr_assert_str_eq(read.message, "too many");
    cr_assert_str_eq(read.field, "task.attributes");
    cr_assert_eq(read.retry_delay_ms, 2500);
    cr_assert_eq(read.metadata_count, 2);
    cr_assert_str_eq(read.metadata[1].value, "8");
}

Test(status, tells_only_the_request_id_of_an_internal_error)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct error err;

    (void)FAIL_FIELD(&err, REASON_INTERNAL, "secret", "password is secret");
    error_add_metadata(&err, "secret", "x");

    const Google__Rpc__Status *status = rpc_status_make(arena, &err, "id-7");
    struct error read;

    cr_assert(strstr(status->message, "id-7"));
    cr_assert_null(strstr(status->message, "secret"));
    cr_assert_eq(status->n_details, 1);
    rpc_status_read(status, &read);
    cr_assert_str_eq(read.metadata[0].key, "request_id");
    cr_assert_eq(read.metadata_count, 1);
}

Test(status, reads_a_status_that_others_made)
{
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    char text[] = "words";
    struct error err;

    status.message = text;
    for (int32_t code = -1; code <= 20; code++) {
        status.code = code;
        rpc_status_read(&status, &err);
        cr_assert_str_eq(err.message, "words");
        if (code > 0 && code <= ERROR_UNAUTHENTICATED && code != 2 && code != 15 &&
            code != ERROR_OUT_OF_RANGE) {
            cr_assert_eq((int32_t)error_code(err.reason), code);
        }
    }
}

Test(status, survives_broken_details)
{
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    Google__Protobuf__Any *details = &any;
    char type[] = "type.googleapis.com/google.rpc.ErrorInfo";
    uint8_t garbage[] = {0x0A, 0xFF, 0xFF};
    struct error err;

    any.type_url = type;
    any.value.data = garbage;
    any.value.len = sizeof(garbage);
    status.code = ERROR_NOT_FOUND;
    status.n_details = 1;
    status.details = &details;
    rpc_status_read(&status, &err);
    cr_assert_eq(err.reason, REASON_NOT_FOUND);
}
