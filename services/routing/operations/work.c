#include "services/routing/operations/work.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/uuid.h"
#include "services/routing/domain/describe.h"
#include "services/routing/domain/object.h"
#include "services/routing/domain/task.h"
#include "services/routing/domain/worker.h"
#include "services/routing/operations/settle.h"

bool work_begin(
    struct work *work,
    struct engines *engines,
    struct engine *engine,
    struct step *step,
    struct error *err)
{
    *work = (struct work){
        .engines = engines,
        .engine = engine,
        .step = step,
        .now_us = step->now_us,
        .actor = step->actor,
    };
    if (!engine) {
        /* It may have been deleted by a step that is not durable yet. */
        step->depends_on_batch = engines->open_batch;
        return FAIL(err, REASON_NOT_FOUND, "workspace %s does not exist", step->workspace_id);
    }
    assert(TAILQ_EMPTY(&engine->touched));
    return true;
}

void work_depends(struct work *work, const struct record *record)
{
    if (record->batch > work->step->depends_on_batch) {
        work->step->depends_on_batch = record->batch;
    }
}

void work_depends_on_all(struct work *work)
{
    if (work->engine->batch > work->step->depends_on_batch) {
        work->step->depends_on_batch = work->engine->batch;
    }
}

const char *kind_words(enum row_kind kind)
{
    static const char *const words[ROW_KIND_COUNT] = {
        [ROW_WORKSPACE] = "workspace",
        [ROW_ACTIVITY] = "activity",
        [ROW_TASK_CHANNEL] = "task channel",
        [ROW_WORKER] = "worker",
        [ROW_TASK_QUEUE] = "task queue",
        [ROW_WORKFLOW] = "workflow",
        [ROW_TASK] = "task",
        [ROW_RESERVATION] = "reservation",
        [ROW_TRUNK] = "trunk",
        [ROW_INBOUND_ROUTE] = "inbound route",
        [ROW_BRIDGE] = "bridge",
    };

    return words[kind] ? words[kind] : row_types[kind].name;
}

const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

struct record *work_find(
    struct work *work,
    enum row_kind kind,
    const char *id,
    const char *path,
    struct error *err)
{
    struct record *record = record_find(&work->engine->records[kind], text_or_empty(id));

    if (record) {
        work_depends(work, record);
        return record;
    }
    work_depends_on_all(work);
    FAIL(err, REASON_NOT_FOUND, "%s %s does not exist", kind_words(kind), text_or_empty(id));
    if (path) {
        error_in_field(err, path, false);
    }
    return NULL;
}

void work_reply(struct work *work, const struct record *record)
{
    describe(record, work->step->arena, step_add_view(work->step));
    work_depends(work, record);
    if (record->kind == ROW_TASK_QUEUE) {
        work_depends_on_all(work); /* its counts are those of workers and tasks */
    }
}

void work_touch(struct work *work, struct record *record)
{
    if (record->touched) {
        return;
    }
    record->touched = true;
    record->batch = work->engines->open_batch;
    record_bump(record, work->now_us);
    TAILQ_INSERT_TAIL(&work->engine->touched, record, by_touch);
}

static void make_id(struct work *work, char id[UUID_TEXT_SIZE])
{
    uint8_t random[UUID_RANDOM_BYTES];
    uint64_t bits[2] = {step_random(work->step), step_random(work->step)};

    memcpy(random, bits, sizeof(random));
    uuid7_print(work->now_us, random, id);
}

static void set_text_field(struct record *record, const char *name, const char *text)
{
    const struct row_type *type = &row_types[record->kind];

    for (size_t i = 0; i < type->field_count; i++) {
        if (strcmp(type->fields[i].name, name) == 0) {
            row_set_text((char **)(void *)((char *)record->row + type->fields[i].offset), text);
        }
    }
}

/* Where the kind has the field. */
static void set_number_field(struct record *record, const char *name, int64_t number)
{
    const struct row_type *type = &row_types[record->kind];

    for (size_t i = 0; i < type->field_count; i++) {
        if (strcmp(type->fields[i].name, name) == 0) {
            memcpy((char *)record->row + type->fields[i].offset, &number, sizeof(number));
        }
    }
}

static const char *id_field(enum row_kind kind)
{
    return row_types[kind].fields[row_types[kind].key_count - 1].name;
}

static bool has_tree(enum row_kind kind)
{
    return kind != ROW_WORKER_CHANNEL && kind != ROW_INSTRUCTION;
}

struct record *work_create(struct work *work, enum row_kind kind, const void *row, const char *id)
{
    struct record *record = object_new(work->engine, kind, row);
    char made[UUID_TEXT_SIZE];

    set_text_field(record, "workspace_id", work->engine->workspace_id);
    set_number_field(record, "create_time_us", work->now_us);
    set_number_field(record, "version", 0);
    if (has_tree(kind)) {
        if (!id || !id[0]) {
            make_id(work, made);
            id = made;
        }
        set_text_field(record, id_field(kind), id);
        record->id = row_text(record->row, &row_types[kind].fields[row_types[kind].key_count - 1]);
        engine_add(work->engine, record);
    }
    work_touch(work, record);
    return record;
}

void work_record(struct work *work, enum row_kind kind, const void *row, bool deleted)
{
    step_add_change(work->step, kind, row, deleted);
}

static void untouch(struct engine *engine, struct record *record)
{
    record->touched = false;
    TAILQ_REMOVE(&engine->touched, record, by_touch);
}

void work_delete(struct work *work, struct record *record)
{
    if (record->touched) {
        untouch(work->engine, record);
    }
    step_add_change(work->step, record->kind, record->row, true);
    if (has_tree(record->kind)) {
        engine_remove(work->engine, record);
    }
    object_free(record);
}

void work_worker_changed(struct work *work, struct worker *worker)
{
    worker_index(worker);
    worker->record.batch = work->engines->open_batch; /* its load is part of what it shows */
    if (!worker->dirty) {
        worker->dirty = true;
        TAILQ_INSERT_TAIL(&work->engine->dirty_workers, worker, by_dirty);
    }
}

void work_task_changed(struct work *work, struct task *task)
{
    task_index(work->engine, task);
    if (task->line && !task->dirty) {
        task->dirty = true;
        TAILQ_INSERT_TAIL(&work->engine->dirty_tasks, task, by_dirty);
    }
}

void work_forget_worker(struct work *work, struct worker *worker)
{
    if (!worker->dirty) {
        return;
    }
    worker->dirty = false;
    TAILQ_REMOVE(&work->engine->dirty_workers, worker, by_dirty);
}

void work_forget_task(struct work *work, struct task *task)
{
    if (!task->dirty) {
        return;
    }
    task->dirty = false;
    TAILQ_REMOVE(&work->engine->dirty_tasks, task, by_dirty);
}

static char *print_sentence(struct arena *arena, const char *format, va_list arguments)
    PRINTF_LIKE(2, 0);

/* Whole, however long: a sentence cut within a character would not be text any more. */
static char *print_sentence(struct arena *arena, const char *format, va_list arguments)
{
    char *sentence = NULL;
    size_t size = 0;
    va_list again;

    va_copy(again, arguments);
    size = (size_t)vsnprintf(NULL, 0, format, again) + 1;
    va_end(again);
    sentence = arena_alloc(arena, size);
    (void)vsnprintf(sentence, size, format, arguments);
    return sentence;
}

static struct event *tell(
    struct work *work,
    const char *type,
    const struct view *resource,
    const char *format,
    va_list arguments) PRINTF_LIKE(4, 0);

static struct event *tell(
    struct work *work,
    const char *type,
    const struct view *resource,
    const char *format,
    va_list arguments)
{
    struct event *event = step_add_event(work->step);

    work->engine->progress.last_time_us = work->now_us;
    event->sequence = ++work->engine->progress.last_sequence;
    event->time_us = work->now_us;
    event->type = type;
    event->actor = work->actor;
    event->description = print_sentence(work->step->arena, format, arguments);
    event->resource = resource;
    return event;
}

struct event *work_tell(
    struct work *work,
    const char *type,
    const struct record *resource,
    const char *format,
    ...)
{
    struct event *event = NULL;
    va_list arguments;

    va_start(arguments, format);
    event = tell(work, type, describe_for_event(resource, work->step->arena), format, arguments);
    va_end(arguments);
    if (resource->kind == ROW_WORKER) {
        event->worker = event->resource;
    }
    return event;
}

struct event *work_tell_task(
    struct work *work,
    const char *type,
    const struct task *task,
    const char *format,
    ...)
{
    struct event *event = NULL;
    va_list arguments;

    va_start(arguments, format);
    event =
        tell(work, type, describe_for_event(&task->record, work->step->arena), format, arguments);
    va_end(arguments);
    event->task = event->resource;
    return event;
}

struct event *work_tell_reservation(
    struct work *work,
    const char *type,
    const struct reservation *reservation,
    const char *format,
    ...)
{
    struct event *event = NULL;
    va_list arguments;

    va_start(arguments, format);
    event = tell(
        work, type, describe_for_event(&reservation->record, work->step->arena), format, arguments);
    va_end(arguments);
    event->reservation = event->resource;
    event->task = describe_for_event(&reservation->task->record, work->step->arena);
    event->worker = describe_for_event(&reservation->worker->record, work->step->arena);
    return event;
}

bool work_done(struct work *work)
{
    struct engine *engine = work->engine;
    struct record *record = NULL;

    settle(work);
    if (work->step->event_count) {
        work_touch(work, &engine->progress_record);
    }
    while ((record = TAILQ_FIRST(&engine->touched))) {
        untouch(engine, record);
        step_add_change(work->step, record->kind, record->row, false);
    }
    if (work->step->change_count) {
        engine->batch = work->engines->open_batch;
    }
    work->step->sequence = engine->progress.last_sequence;
    return true;
}
