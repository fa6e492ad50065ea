#include "services/routing/domain/object.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/value/value.h"
#include "services/routing/domain/engine.h"
#include "services/routing/domain/expression/expression.h"
#include "services/routing/domain/worker.h"
#include "services/routing/domain/workflow_document.h"

struct shape {
    size_t size;
    size_t row;
};

#define SHAPE(kind)                                                                                \
    {                                                                                              \
        sizeof(struct kind), offsetof(struct kind, row)                                            \
    }

static const struct shape shapes[ROW_KIND_COUNT] = {
    [ROW_ACTIVITY] = SHAPE(activity),
    [ROW_TASK_CHANNEL] = SHAPE(task_channel),
    [ROW_WORKER] = SHAPE(worker),
    [ROW_WORKER_CHANNEL] = SHAPE(worker_channel),
    [ROW_TASK_QUEUE] = SHAPE(task_queue),
    [ROW_WORKFLOW] = SHAPE(workflow),
    [ROW_TASK] = SHAPE(task),
    [ROW_RESERVATION] = SHAPE(reservation),
    [ROW_TRUNK] = SHAPE(trunk),
    [ROW_INBOUND_ROUTE] = SHAPE(inbound_route),
    [ROW_BRIDGE] = SHAPE(bridge),
    [ROW_INSTRUCTION] = SHAPE(instruction),
    [ROW_REQUEST] = SHAPE(request),
};

static void init_worker(struct worker *worker)
{
    TAILQ_INIT(&worker->channels);
    RB_INIT(&worker->queues);
    TAILQ_INIT(&worker->live);
    RB_INIT(&worker->reservations);
}

static void init_task(struct engine *engine, struct task *task)
{
    TAILQ_INIT(&task->reservations);
    deadline_init(&task->state_deadline, DEADLINE_TASK_STATE, engine, &task->record);
    deadline_init(&task->target_deadline, DEADLINE_TASK_TARGET, engine, &task->record);
}

static void init_links(struct engine *engine, struct record *record)
{
    /* NOLINTNEXTLINE(clang-diagnostic-switch-enum): the other kinds have nothing to set up. */
    switch ((int)record->kind) {
    case ROW_TASK_CHANNEL:
        RB_INIT(&((struct task_channel *)record)->open);
        TAILQ_INIT(&((struct task_channel *)record)->channels);
        break;
    case ROW_WORKER:
        init_worker((struct worker *)record);
        break;
    case ROW_TASK_QUEUE:
        TAILQ_INIT(&((struct task_queue *)record)->members);
        TAILQ_INIT(&((struct task_queue *)record)->lines);
        break;
    case ROW_TASK:
        init_task(engine, (struct task *)record);
        break;
    case ROW_RESERVATION:
        deadline_init(
            &((struct reservation *)record)->deadline, DEADLINE_RESERVATION, engine, record);
        break;
    case ROW_BRIDGE:
        TAILQ_INIT(&((struct bridge *)record)->instructions);
        deadline_init(&((struct bridge *)record)->deadline, DEADLINE_BRIDGE, engine, record);
        break;
    case ROW_REQUEST:
        deadline_init(&((struct request *)record)->deadline, DEADLINE_REQUEST, engine, record);
        break;
    default:
        break;
    }
}

struct record *object_new(struct engine *engine, enum row_kind kind, const void *row)
{
    const struct shape *shape = &shapes[kind];
    struct record *record = NULL;

    assert(shape->size);
    record = mem_alloc(shape->size);
    record_init(record, kind, (char *)record + shape->row, row);
    init_links(engine, record);
    return record;
}

struct value *attributes_copy(const struct value *json)
{
    struct value none = value_of_object(NULL, 0);

    return value_copy(json ? json : &none);
}

/* One that owns nothing but its row. */
static void free_plain(struct record *record)
{
    record_deinit(record);
    free(record);
}

static void free_worker_parts(struct worker *worker)
{
    struct worker_channel *channel = NULL;
    struct worker_channel *next_channel = NULL;
    struct membership *membership = NULL;
    struct membership *next_membership = NULL;

    TAILQ_FOREACH_SAFE(channel, &worker->channels, by_worker, next_channel)
    {
        free_plain(&channel->record);
    }
    for (membership = RB_MIN(membership_tree, &worker->queues); membership;
         membership = next_membership) {
        next_membership = RB_NEXT(membership_tree, &worker->queues, membership);
        RB_REMOVE(membership_tree, &worker->queues, membership);
        free(membership);
    }
    value_free(worker->attributes);
}

static void free_task_queue_parts(struct task_queue *queue)
{
    struct line *line = NULL;
    struct line *next = NULL;

    TAILQ_FOREACH_SAFE(line, &queue->lines, by_queue, next)
    {
        free(line);
    }
    expression_free(queue->expression);
}

static void free_bridge_parts(struct bridge *bridge)
{
    struct instruction *instruction = NULL;
    struct instruction *next = NULL;

    TAILQ_FOREACH_SAFE(instruction, &bridge->instructions, by_number, next)
    {
        free_plain(&instruction->record);
    }
}

void object_free(struct record *record)
{
    /* NOLINTNEXTLINE(clang-diagnostic-switch-enum): the other kinds own nothing but their row. */
    switch ((int)record->kind) {
    case ROW_WORKER:
        free_worker_parts((struct worker *)record);
        break;
    case ROW_TASK_QUEUE:
        free_task_queue_parts((struct task_queue *)record);
        break;
    case ROW_WORKFLOW:
        workflow_document_free(((struct workflow *)record)->document);
        break;
    case ROW_TASK:
        value_free(((struct task *)record)->attributes);
        break;
    case ROW_TRUNK:
        free(((struct trunk *)record)->addresses);
        break;
    case ROW_INBOUND_ROUTE:
        value_free(((struct inbound_route *)record)->attributes);
        break;
    case ROW_BRIDGE:
        free_bridge_parts((struct bridge *)record);
        break;
    default:
        break;
    }
    free_plain(record);
}
