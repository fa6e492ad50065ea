/* What went wrong, in the words of the public API.
 *
 * A function that can fail returns false and fills in the `struct error` its caller passed; a
 * function that cannot fail returns void or its value and takes no error. The error lives on the
 * caller's stack: there is nothing to free and nothing to leak. Programming errors are not errors
 * in this sense: they are caught by `assert`.
 *
 * The reasons are one table, reasons.def: enum, gRPC code, the wire's ErrorInfo.reason and
 * docs/reference/errors.md all come from it.
 */
#ifndef COMMON_ERROR_ERROR_H
#define COMMON_ERROR_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

/* Same values as google.rpc.Code and grpc_status_code. */
enum error_code {
    ERROR_OK = 0,
    ERROR_CANCELLED = 1,
    ERROR_INVALID_ARGUMENT = 3,
    ERROR_DEADLINE_EXCEEDED = 4,
    ERROR_NOT_FOUND = 5,
    ERROR_ALREADY_EXISTS = 6,
    ERROR_PERMISSION_DENIED = 7,
    ERROR_RESOURCE_EXHAUSTED = 8,
    ERROR_FAILED_PRECONDITION = 9,
    ERROR_ABORTED = 10,
    ERROR_OUT_OF_RANGE = 11,
    ERROR_UNIMPLEMENTED = 12,
    ERROR_INTERNAL = 13,
    ERROR_UNAVAILABLE = 14,
    ERROR_UNAUTHENTICATED = 16,
};

enum error_reason {
#define REASON(name, code, advice) REASON_##name,
#include "common/error/reasons.def"
#undef REASON
    REASON_COUNT,
};

enum {
    ERROR_MESSAGE_SIZE = 512,
    ERROR_FIELD_SIZE = 96,
    ERROR_METADATA_MAX = 4,
    ERROR_KEY_SIZE = 32,
    ERROR_VALUE_SIZE = 160,
};

struct error_metadata {
    char key[ERROR_KEY_SIZE];
    char value[ERROR_VALUE_SIZE];
};

struct error {
    enum error_reason reason;
    const char *file; /* where it was first reported, for the log only */
    int line;
    char message[ERROR_MESSAGE_SIZE];
    char field[ERROR_FIELD_SIZE]; /* BadRequest.field_violations: path of the bad field, or "" */
    int64_t retry_delay_ms;       /* RetryInfo.retry_delay; 0: none */
    size_t metadata_count;
    struct error_metadata metadata[ERROR_METADATA_MAX]; /* ErrorInfo.metadata */
};

/* Always returns false, so that reporting and returning are one statement:
 *
 *     return FAIL(err, REASON_RESERVATION_EXPIRED, "reservation %s expired", r->id);
 */
#define FAIL(err, reason, ...) error_report((err), (reason), __FILE__, __LINE__, __VA_ARGS__)

/* The same for one field of a request: path as the client wrote it, "task.priority". */
#define FAIL_FIELD(err, reason, path, ...)                                                         \
    error_in_field((err), (path), error_report((err), (reason), __FILE__, __LINE__, __VA_ARGS__))

bool error_report(
    struct error *err,
    enum error_reason reason,
    const char *file,
    int line,
    const char *format,
    ...) PRINTF_LIKE(5, 6);

/* Other words for what was reported; format may not read the old ones from err. */
void error_set_message(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);
/* Names the request's field; returns `reported` unchanged. */
bool error_in_field(struct error *err, const char *path, bool reported);
/* Adds a pair to ErrorInfo.metadata; beyond ERROR_METADATA_MAX it is dropped. */
void error_add_metadata(struct error *err, const char *key, const char *format, ...)
    PRINTF_LIKE(3, 4);

enum error_code error_code(enum error_reason reason);
const char *error_code_name(enum error_code code); /* "NOT_FOUND" */
const char *error_reason_name(enum error_reason reason);
/* The way back; false when no reason has this name. */
bool error_reason_find(const char *name, enum error_reason *ret_reason);
const char *error_reason_advice(enum error_reason reason);

#endif
