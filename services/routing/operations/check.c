#include "services/routing/operations/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/value/value.h"
#include "services/routing/domain/id.h"
#include "services/routing/domain/limits.h"
#include "services/routing/operations/work.h"

bool check_new_id(
    struct work *work,
    enum row_kind kind,
    const char *id,
    const char *path,
    struct error *err)
{
    id = text_or_empty(id);
    if (!id[0]) {
        return true;
    }
    if (!id_valid(id)) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, path,
            "an id has 1 to %d letters, digits, '-', '_' and '.', and begins with a letter or "
            "digit",
            ID_LENGTH_MAX);
    }
    if (record_find(&work->engine->records[kind], id)) {
        work_depends_on_all(work);
        return FAIL_FIELD(
            err, REASON_ALREADY_EXISTS, path, "%s %s exists already", kind_words(kind), id);
    }
    return true;
}

bool check_room(const struct work *work, enum row_kind kind, size_t largest, struct error *err)
{
    if (work->engine->counts[kind] < largest) {
        return true;
    }
    FAIL(
        err, REASON_LIMIT_REACHED, "the workspace has %zu of %zu possible resources of kind %s",
        work->engine->counts[kind], largest, kind_words(kind));
    error_add_metadata(err, "resource", "%s", row_types[kind].table);
    error_add_metadata(err, "limit", "%zu", largest);
    return false;
}

bool check_length(const char *path, const char *text, size_t largest, struct error *err)
{
    size_t length = text_characters(text_or_empty(text));

    if (length <= largest) {
        return true;
    }
    FAIL_FIELD(
        err, REASON_FIELD_TOO_LONG, path, "%s has %zu characters; at most %zu are allowed", path,
        length, largest);
    error_add_metadata(err, "limit", "%zu", largest);
    return false;
}

bool check_name(const char *path, const char *name, struct error *err)
{
    if (!text_or_empty(name)[0]) {
        return FAIL_FIELD(err, REASON_FIELD_REQUIRED, path, "%s is required", path);
    }
    return check_length(path, name, NAME_CHARACTERS_MAX, err);
}

bool check_attributes(
    const char *path,
    const char *text,
    const struct value *json,
    struct error *err)
{
    text = text_or_empty(text);
    if (text[0] && (!json || json->type != VALUE_OBJECT)) {
        return FAIL_FIELD(err, REASON_FIELD_INVALID, path, "%s must be one JSON object", path);
    }
    return check_length(path, text, ATTRIBUTES_CHARACTERS_MAX, err);
}

bool check_range(
    const char *path,
    int64_t number,
    int64_t smallest,
    int64_t largest,
    struct error *err)
{
    if (number >= smallest && number <= largest) {
        return true;
    }
    return FAIL_FIELD(
        err, REASON_FIELD_INVALID, path,
        "%s is %" PRId64 "; it must be from %" PRId64 " to %" PRId64, path, number, smallest,
        largest);
}

bool check_duration(const char *path, int64_t duration_us, int64_t largest_us, struct error *err)
{
    if (duration_us > 0 && duration_us <= largest_us) {
        return true;
    }
    return FAIL_FIELD(
        err, REASON_FIELD_INVALID, path, "%s must be more than 0 and at most %" PRId64 " s", path,
        largest_us / SECONDS_US(1));
}

bool check_etag(const struct record *record, const char *etag, struct error *err)
{
    char present[32];

    etag = text_or_empty(etag);
    if (!etag[0]) {
        return true;
    }
    (void)snprintf(present, sizeof(present), "%" PRId64, record_version(record));
    if (strcmp(etag, present) == 0) {
        return true;
    }
    return FAIL(
        err, REASON_ETAG_MISMATCH, "%s %s has changed: its etag is %s, not %s",
        kind_words(record->kind), record->id, present, etag);
}

uint64_t operation_updatable_fields(enum row_kind kind)
{
    static const uint64_t fields[ROW_KIND_COUNT] = {
        [ROW_WORKSPACE] = ROW_MASK(WORKSPACE_FIELD_display_name) |
                          ROW_MASK(WORKSPACE_FIELD_default_activity_id) |
                          ROW_MASK(WORKSPACE_FIELD_timeout_activity_id),
        [ROW_ACTIVITY] = ROW_MASK(ACTIVITY_FIELD_display_name),
        [ROW_TASK_CHANNEL] = ROW_MASK(TASK_CHANNEL_FIELD_display_name),
        [ROW_WORKER] = ROW_MASK(WORKER_FIELD_display_name) | ROW_MASK(WORKER_FIELD_attributes) |
                       ROW_MASK(WORKER_FIELD_activity_id),
        [ROW_TASK_QUEUE] =
            ROW_MASK(TASK_QUEUE_FIELD_display_name) | ROW_MASK(TASK_QUEUE_FIELD_target_workers),
        [ROW_WORKFLOW] = ROW_MASK(WORKFLOW_FIELD_display_name) |
                         ROW_MASK(WORKFLOW_FIELD_configuration) |
                         ROW_MASK(WORKFLOW_FIELD_task_reservation_timeout_us) |
                         ROW_MASK(WORKFLOW_FIELD_wrap_up_timeout_us) |
                         ROW_MASK(WORKFLOW_FIELD_default_instruction),
        [ROW_TASK] = ROW_MASK(TASK_FIELD_attributes) | ROW_MASK(TASK_FIELD_priority) |
                     ROW_MASK(TASK_FIELD_ttl_us) | ROW_MASK(TASK_FIELD_virtual_start_time_us),
        [ROW_TRUNK] = ROW_MASK(TRUNK_FIELD_display_name) | ROW_MASK(TRUNK_FIELD_source_addresses),
        [ROW_INBOUND_ROUTE] =
            ROW_MASK(INBOUND_ROUTE_FIELD_display_name) | ROW_MASK(INBOUND_ROUTE_FIELD_trunk_id) |
            ROW_MASK(INBOUND_ROUTE_FIELD_called_number) |
            ROW_MASK(INBOUND_ROUTE_FIELD_workflow_id) | ROW_MASK(INBOUND_ROUTE_FIELD_priority) |
            ROW_MASK(INBOUND_ROUTE_FIELD_attributes) | ROW_MASK(INBOUND_ROUTE_FIELD_answer),
    };

    return fields[kind];
}

bool check_mask(enum row_kind kind, uint64_t mask, struct error *err)
{
    uint64_t wrong = mask & ~operation_updatable_fields(kind);

    for (size_t i = 0; i < row_types[kind].field_count; i++) {
        if (wrong & ROW_MASK(i)) {
            return FAIL_FIELD(
                err, REASON_MASK_INVALID, "update_mask", "%s of a %s cannot be updated",
                row_types[kind].fields[i].name, kind_words(kind));
        }
    }
    return true;
}

bool check_repeated(
    struct work *work,
    const struct request_key *key,
    const char *operation,
    enum row_kind kind,
    bool *ret_repeated,
    struct error *err)
{
    const char *id = text_or_empty(key->id);
    struct request *request = NULL;
    struct record *resource = NULL;

    *ret_repeated = false;
    if (!id[0]) {
        return true;
    }
    if (!id_valid(id)) {
        return FAIL_FIELD(err, REASON_FIELD_INVALID, "request_id", "request_id must be a UUID");
    }
    request = engine_find_request(work->engine, id);
    if (!request) {
        return true;
    }
    work_depends(work, &request->record);
    if (strcmp(request->row.operation, operation) != 0 || request->row.request_hash != key->hash) {
        return FAIL_FIELD(
            err, REASON_REQUEST_ID_REUSED, "request_id",
            "request_id %s was used for another request", id);
    }
    resource = kind == ROW_WORKSPACE ? &work->engine->record
                                     : work_find(work, kind, request->row.resource_id, NULL, err);
    if (!resource) {
        return false;
    }
    work_reply(work, resource);
    *ret_repeated = true;
    return true;
}

void remember_request(
    struct work *work,
    const struct request_key *key,
    const char *operation,
    const char *resource_id)
{
    struct arena *arena = work->step->arena;
    struct request_row *row = NULL;
    struct request *request = NULL;

    if (!text_or_empty(key->id)[0]) {
        return;
    }
    row = row_new(ROW_REQUEST, arena);
    row->operation = arena_strdup(arena, operation);
    row->request_hash = key->hash;
    row->resource_id = arena_strdup(arena, resource_id);
    request = (struct request *)work_create(work, ROW_REQUEST, row, key->id);
    deadline_set(&request->deadline, work->now_us + REQUEST_RETENTION_US);
}
