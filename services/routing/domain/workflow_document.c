#include "services/routing/domain/workflow_document.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/value/number.h"
#include "common/value/value.h"

/* Reading goes from the top down with the path of where it is, so that every error can name it.
 * Names that the system we took the format from uses are synonyms of ours.
 */

enum {
    MICROSECONDS = 1000000,
    SYNONYMS_MAX = 4
};

struct reader {
    struct arena *arena;   /* the document's */
    struct arena *scratch; /* paths, and what else ends with the reading */
    struct value_keys *keys;
    struct error *err;
    const char **warnings; /* on the heap */
    size_t warning_count;
};

/* One field: its names, ours first, then NULLs. */
struct field {
    const char *names[SYNONYMS_MAX];
};

static const struct field field_filters = {{"filters"}};
static const struct field field_default_filter = {{"default_filter"}};
static const struct field field_expression = {{"expression"}};
static const struct field field_targets = {{"targets"}};
static const struct field field_queue = {{"queue"}};
static const struct field field_priority = {{"priority"}};
static const struct field field_timeout = {{"timeout"}};
static const struct field field_order_by = {{"order_by"}};
static const struct field field_skip_if = {{"skip_if"}};
static const struct field field_display_name = {
    {"display_name", "filter_display_name", "filter_friendly_name", "friendly_name"}
};
static const struct field field_known_id = {
    {"known_worker", "known_worker_sid"}
};
static const struct field field_known_name = {
    {"known_worker_display_name", "known_worker_friendly_name"}
};

static const char *path_of(const struct reader *reader, const char *parent, const char *name)
{
    const char *shown = name[0] ? name : "\"\""; /* a path is never empty */

    return arena_printf(reader->scratch, "%s%s%s", parent, parent[0] ? "." : "", shown);
}

static const char *path_at(const struct reader *reader, const char *list, size_t index)
{
    return arena_printf(reader->scratch, "%s[%zu]", list, index);
}

static bool fail(const struct reader *reader, const char *path, const char *what)
{
    return FAIL_FIELD(reader->err, REASON_FIELD_INVALID, path, "%s: %s", path, what);
}

static bool fail_missing(const struct reader *reader, const char *path, const char *what)
{
    return FAIL_FIELD(reader->err, REASON_FIELD_REQUIRED, path, "%s: %s", path, what);
}

static bool fail_type(
    const struct reader *reader,
    const char *path,
    const char *expected,
    const struct value *found)
{
    return FAIL_FIELD(
        reader->err, REASON_FIELD_INVALID, path, "%s: expected %s, found %s", path, expected,
        value_type_words(found->type));
}

/* An expression's error gets the path put before its line and column. */
static bool fail_inside(const struct reader *reader, const char *path)
{
    struct error *err = reader->err;
    char *message = arena_printf(reader->scratch, "%s: %s", path, err->message);

    error_set_message(err, "%s", message);
    return error_in_field(err, path, false);
}

static void warn(struct reader *reader, const char *path, const char *what)
{
    reader->warnings = mem_realloc_array(
        (void *)reader->warnings, reader->warning_count + 1, sizeof(reader->warnings[0]));
    reader->warnings[reader->warning_count++] = arena_printf(reader->arena, "%s %s", path, what);
}

/* The field's value under any of its names, and the path under which it was found; null counts as
 * not there. Two names at once are a contradiction, or will be.
 */
static bool find(
    const struct reader *reader,
    const struct value *object,
    const char *path,
    const struct field *field,
    const struct value **ret_value,
    const char **ret_path)
{
    const char *found = NULL;

    *ret_value = &value_null;
    *ret_path = path_of(reader, path, field->names[0]);
    for (size_t i = 0; i < SYNONYMS_MAX && field->names[i]; i++) {
        const struct value *value = value_get_named(object, field->names[i]);

        if (value->type == VALUE_NULL) {
            continue;
        }
        if (found) {
            return fail(
                reader, path_of(reader, path, field->names[i]),
                arena_printf(reader->scratch, "%s says the same", found));
        }
        found = field->names[i];
        *ret_value = value;
        *ret_path = path_of(reader, path, found);
    }
    return true;
}

static bool find_text(
    const struct reader *reader,
    const struct value *object,
    const char *path,
    const struct field *field,
    const char **ret_text,
    const char **ret_path)
{
    const struct value *value = NULL;

    if (!find(reader, object, path, field, &value, ret_path)) {
        return false;
    }
    if (value->type != VALUE_NULL && value->type != VALUE_TEXT) {
        return fail_type(reader, *ret_path, "text", value);
    }
    *ret_text = value->type == VALUE_TEXT ? value->text : NULL;
    return true;
}

static bool field_has_name(const struct field *field, const char *name)
{
    for (size_t i = 0; i < SYNONYMS_MAX && field->names[i]; i++) {
        if (strcmp(name, field->names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_known(const char *name, const struct field *const *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (field_has_name(fields[i], name)) {
            return true;
        }
    }
    return false;
}

static bool fail_unknown(
    const struct reader *reader,
    const char *path,
    const struct field *const *fields,
    size_t count)
{
    const char *known = fields[0]->names[0];

    for (size_t i = 1; i < count; i++) {
        known = arena_printf(reader->scratch, "%s, %s", known, fields[i]->names[0]);
    }
    return fail(reader, path, arena_printf(reader->scratch, "unknown here; known are %s", known));
}

/* That it is an object, and has no keys but these: a misspelt one would be without effect. */
static bool check_object(
    const struct reader *reader,
    const struct value *value,
    const char *path,
    const struct field *const *fields,
    size_t count)
{
    if (value->type != VALUE_OBJECT) {
        return fail_type(reader, path, "an object", value);
    }
    for (uint32_t i = 0; i < value->count; i++) {
        const char *name = value->members[i].key->text;

        if (!is_known(name, fields, count)) {
            return fail_unknown(reader, path_of(reader, path, name), fields, count);
        }
    }
    return true;
}

/* A whole number or text that is one, from least to INT32_MAX; untouched when it is not there. */
static bool read_integer(
    const struct reader *reader,
    const struct value *object,
    const char *path,
    const struct field *field,
    int64_t least,
    int64_t *ret_integer)
{
    const struct value *value = NULL;
    const char *at = NULL;
    struct value number = value_null;

    if (!find(reader, object, path, field, &value, &at)) {
        return false;
    }
    if (value->type == VALUE_NULL) {
        return true;
    }
    number = *value;
    if (value->type == VALUE_TEXT && !number_parse(value->text, value->count, &number)) {
        return fail(reader, at, "this text is not a number");
    }
    if (!value_is_number(&number)) {
        return fail_type(reader, at, "a number", value);
    }
    if (number.type != VALUE_INTEGER || number.integer < least || number.integer > INT32_MAX) {
        return FAIL_FIELD(
            reader->err, REASON_FIELD_INVALID, at, "%s: expected a whole number from %d to %d", at,
            (int)least, INT32_MAX);
    }
    *ret_integer = number.integer;
    return true;
}

static bool read_expression(
    const struct reader *reader,
    const struct value *object,
    const char *path,
    const struct field *field,
    enum expression_context context,
    const struct expression **ret_expression)
{
    const char *text = NULL;
    const char *at = NULL;

    if (!find_text(reader, object, path, field, &text, &at)) {
        return false;
    }
    return !text ||
           expression_parse(
               text, context, reader->keys, reader->arena, ret_expression, reader->err) ||
           fail_inside(reader, at);
}

/* A bare id, or workspaces/<w>/taskQueues/<id>. */
static bool read_queue(
    const struct reader *reader,
    const struct value *object,
    const char *path,
    const char **ret_queue_id)
{
    static const char collection[] = "/taskQueues/";
    const char *text = NULL;
    const char *at = NULL;

    if (!find_text(reader, object, path, &field_queue, &text, &at)) {
        return false;
    }
    if (!text) {
        return true;
    }

    const char *id = text;

    if (strncmp(text, "workspaces/", strlen("workspaces/")) == 0) {
        const char *workspace = text + strlen("workspaces/");
        size_t length = strcspn(workspace, "/");

        if (length > 0 && strncmp(workspace + length, collection, strlen(collection)) == 0) {
            id = workspace + length + strlen(collection);
        }
    }
    if (id[0] == '\0' || strchr(id, '/')) {
        return fail(reader, at, "expected a queue's id, or workspaces/<id>/taskQueues/<id>");
    }
    *ret_queue_id = arena_strdup(reader->arena, id);
    return true;
}

static bool read_order(
    const struct reader *reader,
    const struct value *object,
    const char *path,
    struct workflow_target *target)
{
    const char *text = NULL;
    const char *at = NULL;

    if (!find_text(reader, object, path, &field_order_by, &text, &at)) {
        return false;
    }
    return !text ||
           worker_order_parse(text, reader->keys, reader->arena, &target->order_by, reader->err) ||
           fail_inside(reader, at);
}

static bool read_known_worker(
    const struct reader *reader,
    const struct value *object,
    const char *path,
    struct workflow_target *target)
{
    const char *id = NULL;
    const char *name = NULL;
    const char *id_at = NULL;
    const char *name_at = NULL;

    if (!find_text(reader, object, path, &field_known_id, &id, &id_at) ||
        !find_text(reader, object, path, &field_known_name, &name, &name_at)) {
        return false;
    }
    if (!id && !name) {
        return true;
    }
    if (id && name) {
        return fail(reader, name_at, "a worker is known by id or by display name, not by both");
    }

    const char *at = id ? id_at : name_at;

    target->known_worker_kind = id ? KNOWN_WORKER_BY_ID : KNOWN_WORKER_BY_DISPLAY_NAME;
    if (!reference_parse(
            id ? id : name, EXPRESSION_OF_TARGET, reader->keys, reader->arena,
            &target->known_worker, reader->err)) {
        return fail_inside(reader, at);
    }
    return target->known_worker.root == REFERENCE_TASK ||
           fail(reader, at, "expected an attribute of the task: task.name");
}

static bool read_times(
    const struct reader *reader,
    const struct value *object,
    const char *path,
    struct workflow_target *target)
{
    int64_t priority = -1;
    int64_t seconds = 0;

    if (!read_integer(reader, object, path, &field_priority, 0, &priority) ||
        !read_integer(reader, object, path, &field_timeout, 1, &seconds)) {
        return false;
    }
    target->has_priority = priority >= 0;
    target->priority = target->has_priority ? (int32_t)priority : 0;
    target->timeout_us = seconds * MICROSECONDS;
    return true;
}

static bool read_target(
    const struct reader *reader,
    const struct value *value,
    const char *path,
    struct workflow_target *target)
{
    static const struct field *const fields[] = {
        &field_queue,    &field_expression, &field_priority, &field_timeout,
        &field_order_by, &field_skip_if,    &field_known_id, &field_known_name};

    return check_object(reader, value, path, fields, sizeof(fields) / sizeof(fields[0])) &&
           read_queue(reader, value, path, &target->queue_id) &&
           read_expression(
               reader, value, path, &field_expression, EXPRESSION_OF_TARGET, &target->expression) &&
           read_times(reader, value, path, target) && read_order(reader, value, path, target) &&
           read_expression(
               reader, value, path, &field_skip_if, EXPRESSION_OF_SKIP, &target->skip_if) &&
           read_known_worker(reader, value, path, target);
}

/* What a target takes from those before it: the queue, and the time they have used up. */
static bool link_target(
    struct reader *reader,
    const char *path,
    const struct workflow_target *before,
    struct workflow_target *target,
    int64_t *elapsed_us)
{
    if (!target->queue_id && !before) {
        return fail_missing(
            reader, path_of(reader, path, "queue"), "the first target must name a queue");
    }
    if (!target->queue_id) {
        target->queue_id = before->queue_id;
    }
    if (before && before->timeout_us == 0 && !before->skip_if) {
        warn(
            reader, path,
            "can never be reached: the target before it has neither timeout nor skip_if");
    }
    *elapsed_us += target->timeout_us;
    target->deadline_us = target->timeout_us ? *elapsed_us : 0;
    return true;
}

static bool check_list(
    const struct reader *reader,
    const struct value *list,
    const char *path,
    size_t most)
{
    if (list->type != VALUE_LIST) {
        return fail_type(reader, path, "a list", list);
    }
    return list->count <= most ||
           fail(
               reader, path,
               arena_printf(reader->scratch, "%u items; at most %zu", list->count, most));
}

static bool read_targets(
    struct reader *reader,
    const struct value *object,
    const char *parent,
    struct workflow_filter *filter)
{
    const struct value *list = NULL;
    const char *path = NULL;
    int64_t elapsed_us = 0;

    if (!find(reader, object, parent, &field_targets, &list, &path)) {
        return false;
    }
    if (list->type == VALUE_NULL || (list->type == VALUE_LIST && list->count == 0)) {
        return fail_missing(reader, path, "a filter needs at least one target");
    }
    if (!check_list(reader, list, path, WORKFLOW_TARGETS_MAX)) {
        return false;
    }

    struct workflow_target *targets =
        arena_new_array(reader->arena, struct workflow_target, list->count);

    for (uint32_t i = 0; i < list->count; i++) {
        const char *at = path_at(reader, path, i);

        if (!read_target(reader, &list->items[i], at, &targets[i]) ||
            !link_target(reader, at, i ? &targets[i - 1] : NULL, &targets[i], &elapsed_us)) {
            return false;
        }
    }
    filter->targets = targets;
    filter->target_count = list->count;
    return true;
}

static bool read_filter(
    struct reader *reader,
    const struct value *value,
    const char *path,
    struct workflow_filter *filter)
{
    static const struct field *const fields[] = {
        &field_display_name, &field_expression, &field_targets};
    const char *name = NULL;
    const char *at = NULL;

    if (!check_object(reader, value, path, fields, sizeof(fields) / sizeof(fields[0])) ||
        !find_text(reader, value, path, &field_display_name, &name, &at) ||
        !read_expression(
            reader, value, path, &field_expression, EXPRESSION_OF_TASK, &filter->expression)) {
        return false;
    }
    filter->display_name = arena_strdup(reader->arena, name ? name : "");
    if (!filter->expression) {
        return fail_missing(
            reader, path_of(reader, path, "expression"),
            "a filter needs one; 1==1 takes every task");
    }
    return read_targets(reader, value, path, filter);
}

static bool read_filters(
    struct reader *reader,
    const struct value *object,
    const char *parent,
    struct workflow_document *document)
{
    const struct value *list = NULL;
    const char *path = NULL;

    if (!find(reader, object, parent, &field_filters, &list, &path)) {
        return false;
    }
    if (list->type == VALUE_NULL) {
        return true;
    }
    if (!check_list(reader, list, path, WORKFLOW_FILTERS_MAX)) {
        return false;
    }

    struct workflow_filter *filters =
        arena_new_array(reader->arena, struct workflow_filter, list->count);

    for (uint32_t i = 0; i < list->count; i++) {
        if (!read_filter(reader, &list->items[i], path_at(reader, path, i), &filters[i])) {
            return false;
        }
    }
    document->filters = filters;
    document->filter_count = list->count;
    return true;
}

static bool read_default(
    const struct reader *reader,
    const struct value *object,
    const char *parent,
    struct workflow_document *document)
{
    static const struct field *const fields[] = {&field_queue, &field_priority};
    const struct value *value = NULL;
    const char *path = NULL;

    if (!find(reader, object, parent, &field_default_filter, &value, &path)) {
        return false;
    }
    if (value->type == VALUE_NULL) {
        return true;
    }

    struct workflow_target *target = arena_new_object(reader->arena, struct workflow_target);

    if (!check_object(reader, value, path, fields, sizeof(fields) / sizeof(fields[0])) ||
        !read_queue(reader, value, path, &target->queue_id) ||
        !read_times(reader, value, path, target)) {
        return false;
    }
    if (!target->queue_id) {
        return fail_missing(
            reader, path_of(reader, path, "queue"), "the default filter must name a queue");
    }
    document->default_target = target;
    return true;
}

static bool read_document(
    struct reader *reader,
    const struct value *value,
    struct workflow_document *document)
{
    static const struct field root = {{"task_routing"}};
    static const struct field *const roots[] = {&root};
    static const struct field *const fields[] = {&field_filters, &field_default_filter};
    const struct value *routing = NULL;
    const char *path = NULL;

    if (value->type != VALUE_OBJECT) {
        return fail_missing(reader, "task_routing", "expected {\"task_routing\": {...}}");
    }
    if (!check_object(reader, value, "", roots, 1) ||
        !find(reader, value, "", &root, &routing, &path)) {
        return false;
    }
    if (routing->type == VALUE_NULL) {
        return fail_missing(reader, path, "expected {\"task_routing\": {...}}");
    }
    if (!check_object(reader, routing, path, fields, sizeof(fields) / sizeof(fields[0])) ||
        !read_filters(reader, routing, path, document) ||
        !read_default(reader, routing, path, document)) {
        return false;
    }
    return document->filter_count > 0 || document->default_target ||
           fail_missing(reader, path, "without filters and default_filter no task gets anywhere");
}

bool workflow_document_new(
    const struct value *value,
    struct value_keys *keys,
    struct workflow_document **ret_document,
    struct error *err)
{
    CLEANUP(workflow_document_free_at_exit)
    struct workflow_document *document = mem_new(struct workflow_document);
    CLEANUP(arena_free_at_exit) struct arena *scratch = arena_new();

    document->arena = arena_new();

    struct reader reader = {.arena = document->arena, .scratch = scratch, .keys = keys, .err = err};
    bool read = read_document(&reader, value, document);

    if (read) {
        document->warning_count = reader.warning_count;
        document->warnings = arena_dup(
            document->arena, (const void *)reader.warnings, reader.warning_count * sizeof(char *));
        *ret_document = STEAL(document);
    }
    free((void *)reader.warnings);
    return read;
}

struct workflow_document *workflow_document_free(struct workflow_document *document)
{
    if (!document) {
        return NULL;
    }

    arena_free(document->arena);
    free(document);
    return NULL;
}

size_t workflow_document_match(
    const struct workflow_document *document,
    size_t first,
    const struct value *task_attributes)
{
    struct expression_subject subject = {.task = task_attributes};

    while (first < document->filter_count &&
           !expression_matches(document->filters[first].expression, &subject)) {
        first++;
    }
    return first < document->filter_count ? first : document->filter_count;
}

struct seen {
    const char *id;
    UT_hash_handle hh;
};

/* Adds the target's queue to the names unless it is there. */
/* NOLINTNEXTLINE(readability-function-size): uthash's macros count as ours */
static size_t note_queue(
    const struct workflow_target *target,
    struct arena *arena,
    struct seen **seen,
    const char **names,
    size_t count)
{
    struct seen *known = NULL;

    HASH_FIND_STR(*seen, target->queue_id, known);
    if (known) {
        return count;
    }
    known = arena_new_object(arena, struct seen);
    known->id = target->queue_id;
    HASH_ADD_KEYPTR(hh, *seen, known->id, strlen(known->id), known);
    names[count] = known->id;
    return count + 1;
}

size_t workflow_document_queues(
    const struct workflow_document *document,
    struct arena *arena,
    const char *const **ret_queue_ids)
{
    struct seen *seen = NULL;
    size_t most = 1;
    size_t count = 0;

    for (size_t i = 0; i < document->filter_count; i++) {
        most += document->filters[i].target_count;
    }

    const char **names = arena_new_array(arena, const char *, most);

    for (size_t i = 0; i < document->filter_count; i++) {
        for (size_t j = 0; j < document->filters[i].target_count; j++) {
            count = note_queue(&document->filters[i].targets[j], arena, &seen, names, count);
        }
    }
    if (document->default_target) {
        count = note_queue(document->default_target, arena, &seen, names, count);
    }
    HASH_CLEAR(hh, seen);
    *ret_queue_ids = names;
    return count;
}
