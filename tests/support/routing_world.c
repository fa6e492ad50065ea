#include "tests/support/routing_world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/value/value.h"
#include "services/routing/domain/task.h"
#include "services/routing/operations/load.h"
#include "services/routing/operations/run_deadline.h"
#include "tests/support/routing_invariants.h"

#define WORKSPACE "acme"

static char everyone[] = "{\"task_routing\":{\"default_filter\":{\"queue\":\"everyone\"}}}";

void world_init_empty(struct world *world)
{
    memset(world, 0, sizeof(*world));
    world->keys = value_keys_new(1 << 12);
    world->engines = engines_new(world->keys);
    world->arena = arena_new();
    world->now_us = WORLD_START_US;
    world->random = 1;
    world->trail = mem_strdup("");
}

void world_init(struct world *world)
{
    struct create_request workspace = {.id = ""};
    struct workspace_row *row = NULL;

    world_init_empty(world);
    row = row_new(ROW_WORKSPACE, world->arena);
    row->display_name = arena_strdup(world->arena, "Acme");
    workspace.row = row;
    cr_assert(world_run(world, &operation_create_workspace, &workspace), "%s", world->err.message);
    world_queue(world, "everyone", "1==1");
    world_workflow(world, "main", everyone);
    world_events(world);
}

static void free_rows(enum row_kind kind, struct world_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        row_deinit(kind, rows->rows[i]);
        free(rows->rows[i]);
    }
    free(rows->rows);
}

void world_deinit(struct world *world)
{
    step_free(world->step);
    engines_free(world->engines);
    value_keys_free(world->keys);
    arena_free(world->arena);
    free(world->trail);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        free_rows((enum row_kind)kind, &world->store[kind]);
    }
}

static void store_change(struct world *world, const struct change *change)
{
    struct world_rows *rows = &world->store[change->kind];
    size_t i = 0;

    while (i < rows->count && row_compare_keys(change->kind, rows->rows[i], change->row) != 0) {
        i++;
    }
    if (change->deleted) {
        if (i < rows->count) {
            row_deinit(change->kind, rows->rows[i]);
            free(rows->rows[i]);
            rows->rows[i] = rows->rows[--rows->count];
        }
        return;
    }
    if (i == rows->count) {
        rows->rows = mem_realloc_array(rows->rows, rows->count + 1, sizeof(void *));
        rows->rows[i] = mem_alloc(row_types[change->kind].size);
        row_init(change->kind, rows->rows[i]);
        rows->count++;
    }
    row_assign(change->kind, rows->rows[i], change->row);
}

static void keep_trail(struct world *world, const struct event *event)
{
    char *longer = mem_printf("%s %s", world->trail, event->type);

    free(world->trail);
    world->trail = longer;
}

/* What the shard and the store do with a step. */
static void commit(struct world *world)
{
    const struct step *step = world->step;
    bool of_acme = strcmp(step->workspace_id, WORKSPACE) == 0;

    for (size_t i = 0; i < step->change_count; i++) {
        store_change(world, &step->changes[i]);
    }
    for (size_t i = 0; i < step->event_count && of_acme; i++) {
        cr_assert_eq(step->events[i].sequence, ++world->last_sequence, "a gap in the sequence");
        cr_assert(step->events[i].description[0]);
        cr_assert_not_null(step->events[i].resource);
        keep_trail(world, &step->events[i]);
    }
    world->engines->open_batch++;
    world->engine = engines_find(world->engines, WORKSPACE);
    check_invariants(world);
}

static void begin_step(struct world *world, const char *workspace_id)
{
    step_free(world->step);
    world->step = step_new(arena_new(), workspace_id, world->now_us, ++world->random);
}

bool world_run_in(
    struct world *world,
    const char *workspace_id,
    const struct operation *operation,
    const void *request)
{
    struct engine *engine = engines_find(world->engines, workspace_id);

    begin_step(world, workspace_id);
    memset(&world->err, 0, sizeof(world->err));
    if (!operation->run(world->engines, engine, request, world->step, &world->err)) {
        cr_assert_eq(
            world->step->change_count, 0, "a refusal of %s changed something", operation->name);
        cr_assert_eq(world->step->event_count, 0);
        cr_assert_eq(world->step->effect_count, 0);
        cr_assert(world->err.message[0]);
        return false;
    }
    cr_assert(!operation->reads_only || world->step->change_count == 0);
    commit(world);
    return true;
}

bool world_run(struct world *world, const struct operation *operation, const void *request)
{
    return world_run_in(world, WORKSPACE, operation, request);
}

void world_run_due(struct world *world)
{
    int64_t time_us = 0;
    const char *workspace_id = NULL;
    size_t rounds = 0;

    while (engines_next_deadline(world->engines, &time_us, &workspace_id) &&
           time_us <= world->now_us) {
        begin_step(world, workspace_id);
        cr_assert(engines_run_deadline(world->engines, world->step));
        commit(world);
        cr_assert_lt(++rounds, 100000, "deadlines without end");
    }
}

void world_pass(struct world *world, int64_t duration_us)
{
    int64_t end_us = world->now_us + duration_us;
    int64_t time_us = 0;
    const char *workspace_id = NULL;

    while (engines_next_deadline(world->engines, &time_us, &workspace_id) && time_us <= end_us) {
        if (time_us > world->now_us) {
            world->now_us = time_us;
        }
        world_run_due(world);
    }
    world->now_us = end_us;
}

const struct value *world_json(struct world *world, const char *text)
{
    struct json_reader reader = {.keys = world->keys, .arena = world->arena, .max_bytes = 1U << 20};
    struct value *value = arena_new_object(world->arena, struct value);
    struct error err = {0};

    if (!text || !text[0]) {
        return NULL;
    }
    cr_assert(json_parse(&reader, text, strlen(text), value, &err), "%s: %s", text, err.message);
    return value;
}

void world_restart(struct world *world)
{
    struct error err = {0};

    world->engines = engines_free(world->engines);
    world->engines = engines_new(world->keys);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        for (size_t i = world->store[kind].count; i-- > 0;) {
            const void *row = world->store[kind].rows[i];
            const char *text = engine_json_text((enum row_kind)kind, row);

            cr_assert(
                engine_load_row(
                    world->engines, (enum row_kind)kind, row, world_json(world, text), &err),
                "%s", err.message);
        }
    }
    engines_loaded(world->engines);
    world->engine = engines_find(world->engines, WORKSPACE);
}

const char *world_events(struct world *world)
{
    const char *trail =
        arena_strdup(world->arena, world->trail[0] ? world->trail + 1 : world->trail);

    world->trail[0] = '\0';
    return trail;
}

struct worker *world_worker(struct world *world, const char *id, const char *attributes)
{
    struct worker_row *row = row_new(ROW_WORKER, world->arena);
    struct create_request request = {.id = id, .row = row, .json = world_json(world, attributes)};

    row->display_name = arena_strdup(world->arena, id);
    row->attributes = arena_strdup(world->arena, attributes);
    row->activity_id = arena_strdup(world->arena, "available");
    cr_assert(world_run(world, &operation_create_worker, &request), "%s", world->err.message);
    return engine_find_worker(world->engine, id);
}

void world_queue(struct world *world, const char *id, const char *target_workers)
{
    struct task_queue_row *row = row_new(ROW_TASK_QUEUE, world->arena);
    struct create_request request = {
        .id = id, .row = row, .given = ROW_MASK(TASK_QUEUE_FIELD_target_workers)};

    row->display_name = arena_strdup(world->arena, id);
    row->target_workers = arena_strdup(world->arena, target_workers);
    cr_assert(world_run(world, &operation_create_task_queue, &request), "%s", world->err.message);
}

bool world_try_workflow(struct world *world, const char *id, const char *configuration)
{
    struct workflow_row *row = row_new(ROW_WORKFLOW, world->arena);
    struct create_request request = {
        .id = id, .row = row, .json = world_json(world, configuration)};

    row->display_name = arena_strdup(world->arena, id);
    row->configuration = arena_strdup(world->arena, configuration);
    return world_run(world, &operation_create_workflow, &request);
}

void world_workflow(struct world *world, const char *id, const char *configuration)
{
    cr_assert(world_try_workflow(world, id, configuration), "%s", world->err.message);
}

struct task *world_task_of(
    struct world *world,
    const char *id,
    const char *workflow_id,
    const char *attributes,
    int32_t priority)
{
    struct task_row *row = row_new(ROW_TASK, world->arena);
    struct create_request request = {.id = id, .row = row, .json = world_json(world, attributes)};

    row->workflow_id = arena_strdup(world->arena, workflow_id);
    row->attributes = arena_strdup(world->arena, attributes);
    row->priority = priority;
    cr_assert(world_run(world, &operation_create_task, &request), "%s", world->err.message);
    return engine_find_task(world->engine, world->step->views[0].task->id);
}

struct task *world_task(struct world *world, const char *id, const char *attributes)
{
    return world_task_of(world, id, "main", attributes, 0);
}

static void accept_by_itself(struct world *world)
{
    struct workflow_row *row = row_new(ROW_WORKFLOW, world->arena);
    struct update_request request = {
        .id = "main", .row = row, .mask = ROW_MASK(WORKFLOW_FIELD_default_instruction)};

    row->default_instruction = DEFAULT_INSTRUCTION_ACCEPT;
    cr_assert(world_run(world, &operation_update_workflow, &request), "%s", world->err.message);
}

void world_telephony(struct world *world, bool accepts_by_itself)
{
    struct trunk_row *trunk = row_new(ROW_TRUNK, world->arena);
    struct inbound_route_row *route = row_new(ROW_INBOUND_ROUTE, world->arena);
    struct create_request create_trunk = {.id = "line", .row = trunk};
    struct create_request create_route = {.id = "in", .row = route};

    trunk->display_name = arena_strdup(world->arena, "Line");
    trunk->source_addresses = arena_strdup(world->arena, "192.0.2.1");
    cr_assert(world_run(world, &operation_create_trunk, &create_trunk), "%s", world->err.message);
    route->display_name = arena_strdup(world->arena, "In");
    route->called_number = arena_strdup(world->arena, "*");
    route->workflow_id = arena_strdup(world->arena, "main");
    route->priority = 3;
    route->attributes =
        arena_strdup(world->arena, "{\"language\":\"de\",\"caller_number\":\"faked\"}");
    create_route.json = world_json(world, route->attributes);
    cr_assert(
        world_run(world, &operation_create_inbound_route, &create_route), "%s", world->err.message);
    if (accepts_by_itself) {
        accept_by_itself(world);
    }
    world_events(world);
}

static int64_t next_report_number(struct world *world)
{
    const struct bridge *bridge = engine_find_bridge(world->engine, "bridge");

    return bridge ? bridge->row.last_report_number + 1 : 1;
}

bool world_report(
    struct world *world,
    const char *call_id,
    enum bridge_report_kind kind,
    const char *reservation_id,
    const char *cause)
{
    struct bridge_report_request report = {
        .bridge_id = "bridge",
        .number = next_report_number(world),
        .bridge_time_us = world->now_us,
        .call_id = call_id,
        .kind = kind,
        .trunk_id = "line",
        .inbound_route_id = "in",
        .called_number = "+49301234",
        .caller_number = "+49891",
        .sip_call_id = "abc@example",
        .reservation_id = reservation_id,
        .cause = cause,
    };

    return world_run(world, &operation_bridge_report, &report);
}

struct task *world_call(struct world *world, const char *call_id)
{
    cr_assert(world_report(world, call_id, REPORT_ENQUEUE_CALL, "", ""));
    return engine_find_task_of_call(world->engine, "bridge", call_id);
}

struct task *world_find_task(struct world *world, const char *id)
{
    return engine_find_task(world->engine, id);
}

struct reservation *world_offer(struct world *world, const char *task_id)
{
    const struct task *task = world_find_task(world, task_id);

    cr_assert_not_null(task);
    return task_live_reservation(task);
}

bool world_accept(struct world *world, const struct reservation *reservation)
{
    struct reservation_verb_request request = {
        .id = arena_strdup(world->arena, reservation->row.id)};

    return world_run(world, &operation_accept_reservation, &request);
}

bool world_reject(struct world *world, const struct reservation *reservation)
{
    struct reservation_verb_request request = {
        .id = arena_strdup(world->arena, reservation->row.id)};

    return world_run(world, &operation_reject_reservation, &request);
}

bool world_task_verb(struct world *world, const struct operation *verb, const char *task_id)
{
    struct task_verb_request request = {.id = task_id};

    return world_run(world, verb, &request);
}

bool world_set_activity(struct world *world, const char *worker_id, const char *activity_id)
{
    struct set_worker_activity_request request = {.id = worker_id, .activity_id = activity_id};

    return world_run(world, &operation_set_worker_activity, &request);
}

const struct instruction_row *world_instruction(
    const struct world *world,
    enum instruction_kind kind)
{
    for (size_t i = 0; i < world->step->effect_count; i++) {
        const struct effect *effect = &world->step->effects[i];

        if (effect->kind == EFFECT_INSTRUCTION && effect->instruction->kind == (int32_t)kind) {
            return effect->instruction;
        }
    }
    return NULL;
}
