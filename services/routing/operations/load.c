#include "services/routing/operations/load.h"

#include <stddef.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/value/value.h"
#include "services/routing/domain/engine.h"
#include "services/routing/domain/expression/expression.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/object.h"
#include "services/routing/domain/reservation.h"
#include "services/routing/domain/task.h"
#include "services/routing/domain/worker.h"
#include "services/routing/domain/workflow_document.h"
#include "services/routing/operations/trunk.h"

/* One row on its way in. */
struct loading {
    struct engine *engine;
    const void *row;
    const struct value *json;
    struct arena *arena;
    struct error *err;
};

static bool misfit(struct loading *loading, const char *what)
{
    return FAIL(
        loading->err, REASON_INTERNAL, "workspace %s: a stored row does not fit: %s",
        loading->engine->workspace_id, what);
}

/* A record's id was set from its row. */
static struct record *add(struct loading *loading, enum row_kind kind)
{
    struct record *record = object_new(loading->engine, kind, loading->row);

    engine_add(loading->engine, record);
    return record;
}

static bool load_workspace(struct loading *loading)
{
    row_assign(ROW_WORKSPACE, &loading->engine->row, loading->row);
    loading->engine->record.id = loading->engine->row.workspace_id;
    loading->engine->exists = true;
    return true;
}

static bool load_progress(struct loading *loading)
{
    row_assign(ROW_PROGRESS, &loading->engine->progress, loading->row);
    loading->engine->progress_record.id = loading->engine->progress.workspace_id;
    return true;
}

static bool load_activity(struct loading *loading)
{
    add(loading, ROW_ACTIVITY);
    return true;
}

static bool load_task_channel(struct loading *loading)
{
    add(loading, ROW_TASK_CHANNEL);
    return true;
}

static bool load_worker(struct loading *loading)
{
    const struct worker_row *row = loading->row;
    struct worker *worker = NULL;

    if (!engine_find_activity(loading->engine, row->activity_id)) {
        return misfit(loading, "a worker's activity is missing");
    }
    worker = (struct worker *)add(loading, ROW_WORKER);
    worker->attributes = attributes_copy(loading->json);
    worker_link_activity(loading->engine, worker);
    worker_add_channels(loading->engine, worker);
    return true;
}

static bool load_worker_channel(struct loading *loading)
{
    const struct worker_channel_row *row = loading->row;
    const struct worker *worker = engine_find_worker(loading->engine, row->worker_id);
    const struct task_channel *channel =
        engine_find_task_channel(loading->engine, row->task_channel_id);
    struct worker_channel *share = worker && channel ? worker_channel_of(worker, channel) : NULL;

    if (!share) {
        return misfit(loading, "a worker channel has no worker or no channel");
    }
    row_assign(ROW_WORKER_CHANNEL, &share->row, row);
    share->record.id = share->row.task_channel_id;
    share->stored = true;
    return true;
}

static bool load_task_queue(struct loading *loading)
{
    struct task_queue *queue = (struct task_queue *)add(loading, ROW_TASK_QUEUE);

    return !queue->row.target_workers[0] ||
           expression_new(
               queue->row.target_workers, EXPRESSION_OF_QUEUE, loading->engine->engines->keys,
               &queue->expression, loading->err);
}

static bool load_workflow(struct loading *loading)
{
    struct workflow *workflow = NULL;
    struct workflow_document *document = NULL;

    if (!loading->json ||
        !workflow_document_new(
            loading->json, loading->engine->engines->keys, &document, loading->err)) {
        return misfit(loading, "a workflow's configuration");
    }
    workflow = (struct workflow *)add(loading, ROW_WORKFLOW);
    workflow->document = document;
    return true;
}

static bool load_task(struct loading *loading)
{
    const struct task_row *row = loading->row;
    struct workflow *workflow = engine_find_workflow(loading->engine, row->workflow_id);
    struct task_channel *channel = engine_find_task_channel(loading->engine, row->task_channel_id);
    struct task *task = NULL;

    if (!channel || !task_state_known(row->state)) {
        return misfit(loading, "a task's channel or state");
    }
    task = (struct task *)add(loading, ROW_TASK);
    task->attributes = attributes_copy(loading->json);
    task->workflow = workflow;
    task->channel = channel;
    channel->task_count++;
    if (task_ended(task)) {
        return true;
    }
    if (!workflow) {
        return misfit(loading, "a task's workflow is missing");
    }
    workflow->live_task_count++;
    return true;
}

static bool load_reservation(struct loading *loading)
{
    const struct reservation_row *row = loading->row;
    struct task *task = engine_find_task(loading->engine, row->task_id);
    struct worker *worker = engine_find_worker(loading->engine, row->worker_id);
    struct reservation *reservation = NULL;

    if (!task || !reservation_state_known(row->state)) {
        return misfit(loading, "a reservation's task or state");
    }
    reservation = (struct reservation *)add(loading, ROW_RESERVATION);
    if (!worker && reservation_live(reservation)) {
        engine_remove(loading->engine, &reservation->record);
        object_free(&reservation->record);
        return misfit(loading, "a live reservation's worker is missing");
    }
    reservation_link(reservation, task, worker);
    return true;
}

static bool load_trunk(struct loading *loading)
{
    return trunk_load_addresses(
        (struct trunk *)add(loading, ROW_TRUNK), loading->arena, loading->err);
}

static bool load_inbound_route(struct loading *loading)
{
    struct inbound_route *route = (struct inbound_route *)add(loading, ROW_INBOUND_ROUTE);

    route->attributes = attributes_copy(loading->json);
    return true;
}

static bool load_bridge(struct loading *loading)
{
    add(loading, ROW_BRIDGE);
    return true;
}

/* Rows come in any order: each goes to its place by its number. */
static bool load_instruction(struct loading *loading)
{
    const struct instruction_row *row = loading->row;
    struct bridge *bridge = engine_find_bridge(loading->engine, row->bridge_id);
    struct instruction *instruction = NULL;
    struct instruction *next = NULL;

    if (!bridge) {
        return misfit(loading, "an instruction's bridge is missing");
    }
    instruction = (struct instruction *)object_new(loading->engine, ROW_INSTRUCTION, row);
    next = TAILQ_FIRST(&bridge->instructions);
    while (next && next->row.number < row->number) {
        next = TAILQ_NEXT(next, by_number);
    }
    if (next) {
        TAILQ_INSERT_BEFORE(next, instruction, by_number);
    } else {
        TAILQ_INSERT_TAIL(&bridge->instructions, instruction, by_number);
    }
    return true;
}

static bool load_request(struct loading *loading)
{
    struct request *request = (struct request *)add(loading, ROW_REQUEST);

    deadline_set(&request->deadline, request->row.create_time_us + REQUEST_RETENTION_US);
    return true;
}

typedef bool(load_kind)(struct loading *loading);

static load_kind *const loaders[ROW_KIND_COUNT] = {
    [ROW_WORKSPACE] = load_workspace,
    [ROW_PROGRESS] = load_progress,
    [ROW_ACTIVITY] = load_activity,
    [ROW_TASK_CHANNEL] = load_task_channel,
    [ROW_WORKER] = load_worker,
    [ROW_WORKER_CHANNEL] = load_worker_channel,
    [ROW_TASK_QUEUE] = load_task_queue,
    [ROW_WORKFLOW] = load_workflow,
    [ROW_TASK] = load_task,
    [ROW_RESERVATION] = load_reservation,
    [ROW_TRUNK] = load_trunk,
    [ROW_INBOUND_ROUTE] = load_inbound_route,
    [ROW_BRIDGE] = load_bridge,
    [ROW_INSTRUCTION] = load_instruction,
    [ROW_REQUEST] = load_request,
};

bool engine_load_row(
    struct engines *engines,
    enum row_kind kind,
    const void *row,
    const struct value *json,
    struct error *err)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    struct loading loading = {
        .engine = engines_obtain(engines, row_text(row, &row_types[kind].fields[0])),
        .row = row,
        .json = json,
        .arena = arena,
        .err = err,
    };

    return loaders[kind](&loading);
}

const char *engine_json_text(enum row_kind kind, const void *row)
{
    switch ((int)kind) {
    case ROW_WORKER:
        return ((const struct worker_row *)row)->attributes;
    case ROW_WORKFLOW:
        return ((const struct workflow_row *)row)->configuration;
    case ROW_TASK:
        return ((const struct task_row *)row)->attributes;
    case ROW_INBOUND_ROUTE:
        return ((const struct inbound_route_row *)row)->attributes;
    default:
        return NULL;
    }
}

static void index_all(struct engine *engine)
{
    struct record *record = NULL;

    RB_FOREACH(record, record_tree, &engine->records[ROW_RESERVATION])
    {
        reservation_index((struct reservation *)record);
    }
    RB_FOREACH(record, record_tree, &engine->records[ROW_WORKER])
    {
        worker_join_queues(engine, (struct worker *)record);
        worker_index((struct worker *)record);
    }
    RB_FOREACH(record, record_tree, &engine->records[ROW_TASK])
    {
        task_index(engine, (struct task *)record);
    }
}

void engines_loaded(struct engines *engines)
{
    struct engine *engine = NULL;

    for (engine = engines_find_after(engines, ""); engine;
         engine = engines_find_after(engines, engine->workspace_id)) {
        index_all(engine);
    }
}
