/* What every request is checked for. */
#ifndef ROUTING_OPERATIONS_CHECK_H
#define ROUTING_OPERATIONS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "services/routing/domain/record.h"
#include "services/routing/operations/requests.h"

struct error;
struct value;
struct work;

/* An id the client chose for a new resource: valid and free; "" is fine, one will be made. */
MUST_USE bool check_new_id(
    struct work *work,
    enum row_kind kind,
    const char *id,
    const char *path,
    struct error *err);
/* Room for one more in the workspace. */
MUST_USE bool check_room(
    const struct work *work,
    enum row_kind kind,
    size_t largest,
    struct error *err);
/* 1 to 64 characters. */
MUST_USE bool check_name(const char *path, const char *name, struct error *err);
/* At most so many characters. */
MUST_USE bool check_length(const char *path, const char *text, size_t largest, struct error *err);
/* Attributes: one JSON object, at most 4096 characters; "" is fine. */
MUST_USE bool check_attributes(
    const char *path,
    const char *text,
    const struct value *json,
    struct error *err);
MUST_USE bool check_range(
    const char *path,
    int64_t number,
    int64_t smallest,
    int64_t largest,
    struct error *err);
/* As check_range, for a duration; the message says seconds. More than 0, at most `largest`. */
MUST_USE bool check_duration(
    const char *path,
    int64_t duration_us,
    int64_t largest_us,
    struct error *err);
/* "" matches every version. */
MUST_USE bool check_etag(const struct record *record, const char *etag, struct error *err);
/* Every field of the mask may be updated. */
MUST_USE bool check_mask(enum row_kind kind, uint64_t mask, struct error *err);

/* Whether the request was carried out before: then its resource is in the reply. Fails when the
 * request_id was used for another request, or its resource is gone. Ask this first, before anything
 * that the first one may have changed is checked. */
MUST_USE bool check_repeated(
    struct work *work,
    const struct request_key *key,
    const char *operation,
    enum row_kind kind,
    bool *ret_repeated,
    struct error *err);
/* From now on it was. */
void remember_request(
    struct work *work,
    const struct request_key *key,
    const char *operation,
    const char *resource_id);

#endif
