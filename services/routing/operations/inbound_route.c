/* Inbound routes: which workflow a called number leads to. */
#include <string.h>

#include "common/base/arena.h"
#include "common/value/value.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/object.h"
#include "services/routing/operations/check.h"
#include "services/routing/operations/define.h"

/* A number, or the beginning of one with '*' behind it. */
static bool check_called_number(const char *number, struct error *err)
{
    const char *star = strchr(text_or_empty(number), '*');

    if (!text_or_empty(number)[0]) {
        return FAIL_FIELD(
            err, REASON_FIELD_REQUIRED, "inbound_route.called_number",
            "inbound_route.called_number is required; '*' takes every number");
    }
    if ((star && star[1]) || strpbrk(number, " \t\r\n")) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, "inbound_route.called_number",
            "inbound_route.called_number has no blanks, and '*' at its end only");
    }
    return check_length("inbound_route.called_number", number, CALLED_NUMBER_CHARACTERS_MAX, err);
}

/* Of two routes for the same calls one would never be used. */
static bool check_unique(
    struct work *work,
    const struct inbound_route *self,
    const struct inbound_route_row *row,
    struct error *err)
{
    struct record *record = NULL;

    RB_FOREACH(record, record_tree, &work->engine->records[ROW_INBOUND_ROUTE])
    {
        const struct inbound_route *other = (struct inbound_route *)record;

        if (other != self && strcmp(other->row.trunk_id, row->trunk_id) == 0 &&
            strcmp(other->row.called_number, row->called_number) == 0) {
            work_depends(work, record);
            return FAIL_FIELD(
                err, REASON_ALREADY_EXISTS, "inbound_route.called_number",
                "inbound route %s takes these calls already", other->row.id);
        }
    }
    return true;
}

/* The row as it would be. */
static bool check_row(
    struct work *work,
    const struct inbound_route *self,
    const struct inbound_route_row *row,
    struct error *err)
{
    if (!check_name("inbound_route.display_name", row->display_name, err) ||
        !check_called_number(row->called_number, err) ||
        !check_range("inbound_route.priority", row->priority, 0, INT32_MAX, err) ||
        !check_range("inbound_route.answer", row->answer, 0, ROUTE_ANSWER_ON_WORKER, err) ||
        (row->trunk_id[0] &&
         !work_find(work, ROW_TRUNK, row->trunk_id, "inbound_route.trunk", err))) {
        return false;
    }
    if (!row->workflow_id[0]) {
        return FAIL_FIELD(
            err, REASON_FIELD_REQUIRED, "inbound_route.workflow",
            "inbound_route.workflow is required");
    }
    return work_find(work, ROW_WORKFLOW, row->workflow_id, "inbound_route.workflow", err) &&
           check_unique(work, self, row, err);
}

static void normalize(struct work *work, struct inbound_route_row *row)
{
    if (!row->attributes[0]) {
        row->attributes = arena_strdup(work->step->arena, "{}");
    }
    if (!row->answer) {
        row->answer = ROUTE_ANSWER_AFTER_TASK;
    }
}

static bool create_inbound_route(
    struct work *work,
    const struct create_request *request,
    struct error *err)
{
    struct inbound_route_row *row = row_copy(ROW_INBOUND_ROUTE, request->row, work->step->arena);
    struct inbound_route *route = NULL;
    bool repeated = false;

    if (!check_repeated(
            work, &request->key, "create_inbound_route", ROW_INBOUND_ROUTE, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    if (!check_new_id(work, ROW_INBOUND_ROUTE, request->id, "inbound_route_id", err) ||
        !check_attributes("inbound_route.attributes", row->attributes, request->json, err) ||
        !check_row(work, NULL, row, err) ||
        !check_room(work, ROW_INBOUND_ROUTE, INBOUND_ROUTES_MAX, err)) {
        return false;
    }
    normalize(work, row);
    route = (struct inbound_route *)work_create(work, ROW_INBOUND_ROUTE, row, request->id);
    route->attributes = attributes_copy(request->json);
    work_tell(
        work, "inbound-route.created", &route->record, "Inbound route %s was created.",
        route->row.id);
    step_add_effect(work->step, EFFECT_TELEPHONY_CHANGED);
    remember_request(work, &request->key, "create_inbound_route", route->row.id);
    work_reply(work, &route->record);
    return true;
}
DEFINE_OPERATION(create_inbound_route, false)

/* The present row with the fields of the mask replaced. */
static struct inbound_route_row *merge(
    struct work *work,
    const struct inbound_route *route,
    const struct update_request *request)
{
    const struct inbound_route_row *wanted =
        row_copy(ROW_INBOUND_ROUTE, request->row, work->step->arena);
    struct inbound_route_row *row = row_copy(ROW_INBOUND_ROUTE, &route->row, work->step->arena);
    const struct row_type *type = &row_types[ROW_INBOUND_ROUTE];

    for (size_t i = 0; i < type->field_count; i++) {
        size_t end = i + 1 < type->field_count ? type->fields[i + 1].offset : type->size;

        if (request->mask & ROW_MASK(i)) {
            memcpy(
                (char *)row + type->fields[i].offset, (const char *)wanted + type->fields[i].offset,
                end - type->fields[i].offset);
        }
    }
    normalize(work, row);
    return row;
}

static bool update_inbound_route(
    struct work *work,
    const struct update_request *request,
    struct error *err)
{
    bool describes = (request->mask & ROW_MASK(INBOUND_ROUTE_FIELD_attributes)) != 0;
    struct inbound_route *route = NULL;
    struct inbound_route_row *row = NULL;
    bool repeated = false;

    if (!check_repeated(
            work, &request->key, "update_inbound_route", ROW_INBOUND_ROUTE, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    route = (struct inbound_route *)work_find(work, ROW_INBOUND_ROUTE, request->id, NULL, err);
    if (!route || !check_mask(ROW_INBOUND_ROUTE, request->mask, err) ||
        !check_etag(&route->record, request->etag, err)) {
        return false;
    }
    if (describes &&
        !check_attributes(
            "inbound_route.attributes",
            ((const struct inbound_route_row *)request->row)->attributes, request->json, err)) {
        return false;
    }
    row = merge(work, route, request);
    if (!check_row(work, route, row, err)) {
        return false;
    }
    row_assign(ROW_INBOUND_ROUTE, &route->row, row);
    route->record.id = route->row.id;
    work_touch(work, &route->record);
    if (describes) {
        value_free(route->attributes);
        route->attributes = attributes_copy(request->json);
    }
    work_tell(
        work, "inbound-route.updated", &route->record, "Inbound route %s was changed.",
        route->row.id);
    step_add_effect(work->step, EFFECT_TELEPHONY_CHANGED);
    remember_request(work, &request->key, "update_inbound_route", route->row.id);
    work_reply(work, &route->record);
    return true;
}
DEFINE_OPERATION(update_inbound_route, false)

static bool delete_inbound_route(
    struct work *work,
    const struct delete_request *request,
    struct error *err)
{
    struct inbound_route *route =
        (struct inbound_route *)work_find(work, ROW_INBOUND_ROUTE, request->id, NULL, err);

    if (!route || !check_etag(&route->record, request->etag, err)) {
        return false;
    }
    work_tell(
        work, "inbound-route.deleted", &route->record, "Inbound route %s was deleted.",
        route->row.id);
    step_add_effect(work->step, EFFECT_TELEPHONY_CHANGED);
    work_delete(work, &route->record);
    return true;
}
DEFINE_OPERATION(delete_inbound_route, false)
