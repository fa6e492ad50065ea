#include "services/routing/operations/instruct.h"

#include "common/base/arena.h"
#include "services/routing/domain/limits.h"
#include "services/routing/operations/work.h"

struct bridge *bridge_obtain(struct work *work, const char *bridge_id)
{
    struct bridge *bridge = engine_find_bridge(work->engine, bridge_id);

    if (bridge) {
        return bridge;
    }
    return (struct bridge *)work_create(
        work, ROW_BRIDGE, row_new(ROW_BRIDGE, work->step->arena), bridge_id);
}

void bridge_heard(struct bridge *bridge)
{
    bridge->attached = true;
    deadline_set(&bridge->deadline, 0);
}

/* An empty one to be filled in. */
static struct instruction_row *draft(
    struct work *work,
    enum instruction_kind kind,
    const char *bridge_id,
    const char *call_id)
{
    struct instruction_row *row = row_new(ROW_INSTRUCTION, work->step->arena);

    row->kind = (int32_t)kind;
    row->bridge_id = arena_strdup(work->step->arena, bridge_id);
    row->call_id = arena_strdup(work->step->arena, call_id);
    return row;
}

static void instruct(struct work *work, struct instruction_row *row)
{
    struct bridge *bridge = bridge_obtain(work, row->bridge_id);
    struct instruction *instruction = NULL;
    struct effect *effect = NULL;

    work_touch(work, &bridge->record);
    row->number = ++bridge->row.last_instruction_number;
    instruction = (struct instruction *)work_create(work, ROW_INSTRUCTION, row, NULL);
    TAILQ_INSERT_TAIL(&bridge->instructions, instruction, by_number);
    effect = step_add_effect(work->step, EFFECT_INSTRUCTION);
    effect->instruction = row_copy(ROW_INSTRUCTION, &instruction->row, work->step->arena);
}

void instruct_call_enqueued(struct work *work, const struct task *task)
{
    struct instruction_row *row =
        draft(work, INSTRUCTION_CALL_ENQUEUED, task->row.bridge_id, task->row.call_id);

    row->task_id = arena_strdup(work->step->arena, task->row.id);
    instruct(work, row);
}

void instruct_dial_worker(
    struct work *work,
    const struct reservation *reservation,
    const char *contact_uri)
{
    const struct task *task = reservation->task;
    struct arena *arena = work->step->arena;
    struct instruction_row *row =
        draft(work, INSTRUCTION_DIAL_WORKER, task->row.bridge_id, task->row.call_id);

    row->task_id = arena_strdup(arena, task->row.id);
    row->reservation_id = arena_strdup(arena, reservation->row.id);
    row->worker_id = arena_strdup(arena, reservation->row.worker_id);
    row->contact_uri = arena_strdup(arena, contact_uri);
    row->ring_timeout_us = RING_TIMEOUT_US;
    instruct(work, row);
}

void instruct_release_worker(
    struct work *work,
    const struct reservation *reservation,
    const char *reason)
{
    const struct task *task = reservation->task;
    struct arena *arena = work->step->arena;
    struct instruction_row *row =
        draft(work, INSTRUCTION_RELEASE_WORKER, task->row.bridge_id, task->row.call_id);

    row->task_id = arena_strdup(arena, task->row.id);
    row->reservation_id = arena_strdup(arena, reservation->row.id);
    row->worker_id = arena_strdup(arena, reservation->row.worker_id);
    row->reason = arena_strdup(arena, reason);
    instruct(work, row);
}

void instruct_release_unknown_worker(
    struct work *work,
    const char *bridge_id,
    const char *call_id,
    const char *reservation_id)
{
    struct arena *arena = work->step->arena;
    struct instruction_row *row = draft(work, INSTRUCTION_RELEASE_WORKER, bridge_id, call_id);

    row->reservation_id = arena_strdup(arena, reservation_id);
    row->reason = arena_strdup(arena, "reservation_ended");
    instruct(work, row);
}

void instruct_release_unknown_call(
    struct work *work,
    const char *bridge_id,
    const char *call_id,
    const char *reason,
    int32_t sip_status)
{
    struct instruction_row *row = draft(work, INSTRUCTION_RELEASE_CALL, bridge_id, call_id);

    row->reason = arena_strdup(work->step->arena, reason);
    row->sip_status = sip_status;
    instruct(work, row);
}

void instruct_release_call(struct work *work, const struct task *task, const char *reason)
{
    struct instruction_row *row = NULL;

    if (!task->row.call_live) {
        return;
    }
    row = draft(work, INSTRUCTION_RELEASE_CALL, task->row.bridge_id, task->row.call_id);
    row->task_id = arena_strdup(work->step->arena, task->row.id);
    row->reason = arena_strdup(work->step->arena, reason);
    instruct(work, row);
}

static void drop(struct work *work, struct bridge *bridge, struct instruction *instruction)
{
    TAILQ_REMOVE(&bridge->instructions, instruction, by_number);
    work_delete(work, &instruction->record);
}

void drop_instructions(struct work *work, struct bridge *bridge, int64_t number)
{
    struct instruction *instruction = NULL;

    while ((instruction = TAILQ_FIRST(&bridge->instructions)) &&
           instruction->row.number <= number) {
        drop(work, bridge, instruction);
    }
}
