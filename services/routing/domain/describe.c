#include "services/routing/domain/describe.h"

#include "common/base/arena.h"
#include "services/routing/domain/objects.h"
#include "services/routing/domain/task.h"
#include "services/routing/domain/worker.h"
#include "services/routing/domain/workflow_document.h"

static void describe_worker(const struct worker *worker, struct arena *arena, struct view *view)
{
    const struct worker_channel *share = NULL;
    struct worker_channel_view *channels = NULL;
    size_t count = 0;

    TAILQ_FOREACH(share, &worker->channels, by_worker)
    {
        count++;
    }
    channels = arena_new_array(arena, struct worker_channel_view, count ? count : 1);
    count = 0;
    TAILQ_FOREACH(share, &worker->channels, by_worker)
    {
        channels[count++] = (struct worker_channel_view){
            .task_channel_id = arena_strdup(arena, share->channel->row.id),
            .capacity = share->row.capacity,
            .available = share->row.available,
            .assigned_task_count = worker_assigned(worker, share->channel),
            .available_capacity_percentage = worker_available_percentage(share),
        };
    }
    view->worker_available = worker->activity->row.available;
    view->channels = channels;
    view->channel_count = count;
}

static void describe_workflow(
    const struct workflow *workflow,
    struct arena *arena,
    struct view *view)
{
    const struct workflow_document *document = workflow->document;
    const char **warnings = arena_new_array(arena, const char *, document->warning_count + 1);

    for (size_t i = 0; i < document->warning_count; i++) {
        warnings[i] = arena_strdup(arena, document->warnings[i]);
    }
    view->warnings = warnings;
    view->warning_count = document->warning_count;
}

static void describe_task_queue(const struct task_queue *queue, struct view *view)
{
    view->worker_count = (int32_t)queue->member_count;
    view->waiting_task_count = (int32_t)queue->waiting_count;
}

void describe(const struct record *record, struct arena *arena, struct view *ret_view)
{
    *ret_view = (struct view){.kind = record->kind};
    ret_view->row = row_copy(record->kind, record->row, arena);
    if (record->kind == ROW_WORKER) {
        describe_worker((const struct worker *)record, arena, ret_view);
    } else if (record->kind == ROW_WORKFLOW) {
        describe_workflow((const struct workflow *)record, arena, ret_view);
    } else if (record->kind == ROW_TASK_QUEUE) {
        describe_task_queue((const struct task_queue *)record, ret_view);
    } else if (record->kind == ROW_TASK) {
        ret_view->filter_name = arena_strdup(arena, task_filter_name((const struct task *)record));
    }
}

const struct view *describe_for_event(const struct record *record, struct arena *arena)
{
    struct view *view = arena_new_object(arena, struct view);

    if (record->kind == ROW_WORKFLOW) {
        struct workflow_row row = ((const struct workflow *)record)->row;
        char nothing[] = "";

        row.configuration = nothing;
        *view = (struct view){.kind = ROW_WORKFLOW, .row = row_copy(ROW_WORKFLOW, &row, arena)};
        describe_workflow((const struct workflow *)record, arena, view);
    } else {
        describe(record, arena, view);
    }
    return view;
}
