/* Task channels (row 27). */
#include "services/routing/domain/id.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/worker.h"
#include "services/routing/operations/check.h"
#include "services/routing/operations/define.h"

static bool check_word(const char *id, struct error *err)
{
    if (!text_or_empty(id)[0]) {
        return FAIL_FIELD(
            err, REASON_FIELD_REQUIRED, "task_channel_id", "task_channel_id is required");
    }
    if (!id_valid_word(id)) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, "task_channel_id",
            "expressions use the id of a task channel: it has 1 to %d letters, digits and '_', "
            "and does not begin with a digit",
            ID_LENGTH_MAX);
    }
    return true;
}

static bool check_free(struct work *work, const char *id, struct error *err)
{
    if (!engine_find_task_channel(work->engine, id)) {
        return true;
    }
    work_depends_on_all(work);
    return FAIL_FIELD(
        err, REASON_ALREADY_EXISTS, "task_channel_id", "task channel %s exists already", id);
}

static bool create_task_channel(
    struct work *work,
    const struct create_request *request,
    struct error *err)
{
    const struct task_channel_row *wanted = request->row;
    struct record *record = NULL;
    bool repeated = false;

    if (!check_repeated(
            work, &request->key, "create_task_channel", ROW_TASK_CHANNEL, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    if (!check_word(request->id, err) || !check_free(work, request->id, err) ||
        !check_name("task_channel.display_name", wanted->display_name, err) ||
        !check_room(work, ROW_TASK_CHANNEL, TASK_CHANNELS_MAX, err)) {
        return false;
    }
    record = work_create(work, ROW_TASK_CHANNEL, wanted, request->id);
    task_channel_add_workers(work->engine, (struct task_channel *)record);
    work_tell(work, "task-channel.created", record, "Task channel %s was created.", record->id);
    remember_request(work, &request->key, "create_task_channel", record->id);
    work_reply(work, record);
    return true;
}
DEFINE_OPERATION(create_task_channel, false)

static bool update_task_channel(
    struct work *work,
    const struct update_request *request,
    struct error *err)
{
    const struct task_channel_row *wanted = request->row;
    struct task_channel *channel = NULL;
    bool repeated = false;

    if (!check_repeated(
            work, &request->key, "update_task_channel", ROW_TASK_CHANNEL, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    channel = (struct task_channel *)work_find(work, ROW_TASK_CHANNEL, request->id, NULL, err);
    if (!channel || !check_mask(ROW_TASK_CHANNEL, request->mask, err) ||
        !check_etag(&channel->record, request->etag, err)) {
        return false;
    }
    if (request->mask & ROW_MASK(TASK_CHANNEL_FIELD_display_name)) {
        if (!check_name("task_channel.display_name", wanted->display_name, err)) {
            return false;
        }
        row_set_text(&channel->row.display_name, wanted->display_name);
    }
    work_touch(work, &channel->record);
    work_tell(
        work, "task-channel.updated", &channel->record, "Task channel %s was changed.",
        channel->row.id);
    remember_request(work, &request->key, "update_task_channel", channel->row.id);
    work_reply(work, &channel->record);
    return true;
}
DEFINE_OPERATION(update_task_channel, false)

static bool delete_task_channel(
    struct work *work,
    const struct delete_request *request,
    struct error *err)
{
    struct task_channel *channel =
        (struct task_channel *)work_find(work, ROW_TASK_CHANNEL, request->id, NULL, err);
    struct worker_channel *share = NULL;

    if (!channel || !check_etag(&channel->record, request->etag, err)) {
        return false;
    }
    if (channel->task_count) {
        return FAIL(
            err, REASON_RESOURCE_IN_USE, "%zu tasks are of task channel %s", channel->task_count,
            channel->row.id);
    }
    work_tell(
        work, "task-channel.deleted", &channel->record, "Task channel %s was deleted.",
        channel->row.id);
    TAILQ_FOREACH(share, &channel->channels, by_channel)
    {
        if (share->stored) {
            work_record(work, ROW_WORKER_CHANNEL, &share->row, true);
        }
    }
    task_channel_drop_workers(channel);
    work_delete(work, &channel->record);
    return true;
}
DEFINE_OPERATION(delete_task_channel, false)
