#include "services/routing/domain/expression/reference.h"

#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/value/keys.h"
#include "common/value/value.h"
#include "services/routing/domain/expression/expression.h"
#include "services/routing/domain/expression/reference_scan.h"
#include "services/routing/domain/expression/scanner.h"

/* A reference is read in two moves: first its parts as they stand, then their meaning, which
 * depends on the context.
 */

struct parts {
    const char *place;
    size_t count;
    struct value_step steps[EXPRESSION_STEPS_MAX];
};

struct builtin_name {
    const char *name;
    enum expression_builtin builtin;
};

static const struct builtin_name worker_names[] = {
    {"id",            BUILTIN_WORKER_ID           },
    {"sid",           BUILTIN_WORKER_ID           },
    {"display_name",  BUILTIN_WORKER_DISPLAY_NAME },
    {"friendly_name", BUILTIN_WORKER_DISPLAY_NAME },
    {"activity",      BUILTIN_WORKER_ACTIVITY     },
    {"activity_sid",  BUILTIN_WORKER_ACTIVITY     },
    {"activity_name", BUILTIN_WORKER_ACTIVITY_NAME},
    {NULL,            BUILTIN_NONE                },
};

static const struct builtin_name channel_names[] = {
    {"configured_capacity",           BUILTIN_CHANNEL_CONFIGURED_CAPACITY          },
    {"assigned_tasks",                BUILTIN_CHANNEL_ASSIGNED_TASKS               },
    {"available_capacity_percentage", BUILTIN_CHANNEL_AVAILABLE_CAPACITY_PERCENTAGE},
    {NULL,                            BUILTIN_NONE                                 },
};

static enum expression_builtin find_builtin(
    const struct builtin_name *names,
    const struct value_key *key)
{
    while (names->name && (!key || strcmp(names->name, key->text) != 0)) {
        names++;
    }
    return names->builtin;
}

static bool part_is(const struct parts *parts, size_t index, const char *name)
{
    return index < parts->count && parts->steps[index].key &&
           strcmp(parts->steps[index].key->text, name) == 0;
}

/* Whether the first part is this prefix and a name stands behind it. */
static bool has_prefix(const struct parts *parts, const char *prefix)
{
    return parts->count > 1 && parts->steps[1].key && part_is(parts, 0, prefix);
}

/* Parts before the attribute's own path. Where no prefix is needed, one may stand before a name in
 * quotes, which could not begin a reference: task["customer-tier"].
 */
static size_t prefix_count(enum expression_context context, const struct parts *parts)
{
    switch (context) {
    case EXPRESSION_OF_TARGET:
        return 1;
    case EXPRESSION_OF_TASK:
        return has_prefix(parts, "task");
    case EXPRESSION_OF_QUEUE:
    case EXPRESSION_OF_WORKER:
        return has_prefix(parts, "worker");
    case EXPRESSION_OF_SKIP:
        break;
    }
    return 0;
}

static bool add_key(
    struct scanner *scanner,
    struct value_keys *keys,
    struct parts *parts,
    const char *text,
    size_t length)
{
    if (parts->count == EXPRESSION_STEPS_MAX) {
        return scanner_fail(
            scanner, scanner->token.start, "a reference has at most %d parts",
            EXPRESSION_STEPS_MAX);
    }
    parts->steps[parts->count++].key =
        text ? value_keys_intern(keys, scanner->arena, text, length) : NULL;
    return true;
}

/* Behind the opening bracket: an index or a quoted name. */
static bool scan_bracket(struct scanner *scanner, struct value_keys *keys, struct parts *parts)
{
    const struct token *token = &scanner->token;
    const struct value *value = &token->value;

    if (token->type == TOKEN_TEXT) {
        if (!add_key(scanner, keys, parts, value->text, value->count)) {
            return false;
        }
    } else if (
        token->type == TOKEN_NUMBER && value->type == VALUE_INTEGER && value->integer >= 0 &&
        value->integer <= UINT32_MAX) {
        if (!add_key(scanner, keys, parts, NULL, 0)) {
            return false;
        }
        parts->steps[parts->count - 1].index = (uint32_t)value->integer;
    } else {
        return scanner_fail_expected(scanner, "a position from 0 or a name in quotes");
    }
    if (!scanner_next(scanner)) {
        return false;
    }
    if (!scanner_sees_sign(scanner, "]")) {
        return scanner_fail_expected(scanner, "]");
    }
    return scanner_next(scanner);
}

static bool scan_name(struct scanner *scanner, struct value_keys *keys, struct parts *parts)
{
    const struct token *token = &scanner->token;

    if (token->type != TOKEN_NAME) {
        return scanner_fail_expected(scanner, "a name");
    }
    return add_key(scanner, keys, parts, token->start, token->length) && scanner_next(scanner);
}

static bool scan_parts(struct scanner *scanner, struct value_keys *keys, struct parts *parts)
{
    parts->place = scanner->token.start;
    if (!scan_name(scanner, keys, parts)) {
        return false;
    }
    for (;;) {
        bool dot = scanner_sees_sign(scanner, ".");

        if (!dot && !scanner_sees_sign(scanner, "[")) {
            return true;
        }
        if (!scanner_next(scanner) ||
            !(dot ? scan_name(scanner, keys, parts) : scan_bracket(scanner, keys, parts))) {
            return false;
        }
    }
}

/* The canonical text: what the scanner reads as the same parts again. */
static char *print_parts(const struct parts *parts, struct arena *arena)
{
    char *text = arena_strdup(arena, "");

    for (size_t i = 0; i < parts->count; i++) {
        const struct value_key *key = parts->steps[i].key;

        if (!key) {
            text = arena_printf(arena, "%s[%u]", text, parts->steps[i].index);
        } else if (scanner_is_name(key->text, key->length)) {
            text = arena_printf(arena, "%s%s%s", text, i == 0 ? "" : ".", key->text);
        } else {
            struct value name = {.type = VALUE_TEXT, .count = key->length, .text = key->text};

            text = arena_printf(arena, "%s[%s]", text, expression_quote(&name, arena));
        }
    }
    return text;
}

static bool fail_prefix(
    const struct scanner *scanner,
    const struct parts *parts,
    const char *advice)
{
    return scanner_fail(
        scanner, parts->place, "%s cannot be read here: %s", print_parts(parts, scanner->arena),
        advice);
}

/* worker.channel.<name>.<property>; `from` is where "channel" stands. */
static bool resolve_channel(
    const struct scanner *scanner,
    const struct parts *parts,
    size_t from,
    struct reference *reference)
{
    reference->root = REFERENCE_BUILTIN;
    reference->name = parts->steps[from + 1].key;
    reference->builtin = find_builtin(channel_names, parts->steps[from + 2].key);
    return reference->builtin != BUILTIN_NONE ||
           scanner_fail(
               scanner, parts->place,
               "%s: a channel has configured_capacity, assigned_tasks and "
               "available_capacity_percentage",
               print_parts(parts, scanner->arena));
}

static bool resolve_worker(
    const struct scanner *scanner,
    const struct parts *parts,
    size_t from,
    struct reference *reference)
{
    size_t count = parts->count - from;

    if (count == 3 && part_is(parts, from, "channel") && parts->steps[from + 1].key) {
        return resolve_channel(scanner, parts, from, reference);
    }
    if (count == 1) {
        reference->builtin = find_builtin(worker_names, parts->steps[from].key);
    }
    reference->root = reference->builtin ? REFERENCE_BUILTIN : REFERENCE_WORKER;
    return true;
}

static bool resolve_queue(
    const struct scanner *scanner,
    const struct parts *parts,
    struct reference *reference)
{
    if (!resolve_worker(scanner, parts, prefix_count(EXPRESSION_OF_QUEUE, parts), reference)) {
        return false;
    }
    if (reference->builtin > BUILTIN_WORKER_DISPLAY_NAME) {
        return fail_prefix(
            scanner, parts,
            "who belongs to a queue does not depend on activity or load; a target's expression "
            "may");
    }
    return true;
}

static bool resolve_unprefixed(
    const struct scanner *scanner,
    enum expression_context context,
    const struct parts *parts,
    struct reference *reference)
{
    bool of_task = context == EXPRESSION_OF_TASK;

    const char *own = of_task ? "task" : "worker";
    const char *other = of_task ? "worker" : "task";

    if (has_prefix(parts, own) &&
        scanner_is_name(parts->steps[1].key->text, parts->steps[1].key->length)) {
        return fail_prefix(scanner, parts, "names have no prefix in this expression; leave it out");
    }
    if (has_prefix(parts, other)) {
        return fail_prefix(
            scanner, parts,
            of_task ? "a condition on the task sees no worker; a target's expression does"
                    : "a condition on workers sees no task; a target's expression does");
    }
    if (of_task) {
        reference->root = REFERENCE_TASK;
        return true;
    }
    return context == EXPRESSION_OF_QUEUE
               ? resolve_queue(scanner, parts, reference)
               : resolve_worker(scanner, parts, prefix_count(context, parts), reference);
}

static bool resolve_target(
    const struct scanner *scanner,
    const struct parts *parts,
    struct reference *reference)
{
    if (has_prefix(parts, "task")) {
        reference->root = REFERENCE_TASK;
        return true;
    }
    if (has_prefix(parts, "worker")) {
        return resolve_worker(scanner, parts, 1, reference);
    }

    const char *text = print_parts(parts, scanner->arena);

    return scanner_fail(
        scanner, parts->place, "expected task. or worker. before %s: task.%s or worker.%s", text,
        text, text);
}

static bool resolve_skip(
    const struct scanner *scanner,
    const struct parts *parts,
    struct reference *reference)
{
    if (parts->count != 2 || !part_is(parts, 0, "workers") || !parts->steps[1].key) {
        return fail_prefix(
            scanner, parts,
            "skip_if knows workers.available, workers.unavailable and workers.<activity id>");
    }
    reference->root = REFERENCE_BUILTIN;
    if (part_is(parts, 1, "available")) {
        reference->builtin = BUILTIN_WORKERS_AVAILABLE;
    } else if (part_is(parts, 1, "unavailable")) {
        reference->builtin = BUILTIN_WORKERS_UNAVAILABLE;
    } else {
        reference->builtin = BUILTIN_WORKERS_IN_ACTIVITY;
        reference->name = parts->steps[1].key;
    }
    return true;
}

static bool resolve(
    const struct scanner *scanner,
    enum expression_context context,
    const struct parts *parts,
    struct reference *reference)
{
    switch (context) {
    case EXPRESSION_OF_TASK:
    case EXPRESSION_OF_QUEUE:
    case EXPRESSION_OF_WORKER:
        return resolve_unprefixed(scanner, context, parts, reference);
    case EXPRESSION_OF_TARGET:
        return resolve_target(scanner, parts, reference);
    case EXPRESSION_OF_SKIP:
        break;
    }
    return resolve_skip(scanner, parts, reference);
}

bool reference_scan(
    struct scanner *scanner,
    enum expression_context context,
    struct value_keys *keys,
    struct reference *ret_reference)
{
    struct parts parts = {0};
    struct reference reference = {0};
    int line = 0;
    int column = 0;

    if (!scan_parts(scanner, keys, &parts) || !resolve(scanner, context, &parts, &reference)) {
        return false;
    }
    if (reference.root != REFERENCE_BUILTIN) {
        size_t prefix = prefix_count(context, &parts);

        reference.step_count = (uint32_t)(parts.count - prefix);
        reference.steps = arena_dup(
            scanner->arena, parts.steps + prefix, reference.step_count * sizeof(struct value_step));
    }
    scanner_locate(scanner, parts.place, &line, &column);
    reference.line = (uint32_t)line;
    reference.column = (uint32_t)column;
    reference.text = print_parts(&parts, scanner->arena);
    *ret_reference = reference;
    return true;
}

bool reference_parse(
    const char *text,
    enum expression_context context,
    struct value_keys *keys,
    struct arena *arena,
    struct reference *ret_reference,
    struct error *err)
{
    struct scanner scanner;
    struct reference reference;

    if (!scanner_start(&scanner, text, arena, err) ||
        !reference_scan(&scanner, context, keys, &reference)) {
        return false;
    }
    if (scanner.token.type != TOKEN_END) {
        return scanner_fail_expected(&scanner, "nothing after the reference");
    }
    *ret_reference = reference;
    return true;
}

const struct value *reference_read(
    const struct reference *reference,
    const struct expression_subject *subject,
    struct value *scratch)
{
    const struct value *root = &value_null;

    switch (reference->root) {
    case REFERENCE_TASK:
        root = subject->task;
        break;
    case REFERENCE_WORKER:
        root = subject->worker;
        break;
    case REFERENCE_BUILTIN:
        *scratch = value_null;
        if (subject->get) {
            subject->get(subject->source, reference->builtin, reference->name, scratch);
        }
        return scratch;
    }
    return root ? value_follow(root, reference->steps, reference->step_count) : &value_null;
}
