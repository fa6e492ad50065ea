/* Activities (rows 13 and 14). */
#include <string.h>

#include "services/routing/domain/limits.h"
#include "services/routing/operations/check.h"
#include "services/routing/operations/define.h"

static bool create_activity(
    struct work *work,
    const struct create_request *request,
    struct error *err)
{
    const struct activity_row *wanted = request->row;
    struct record *record = NULL;
    bool repeated = false;

    if (!check_repeated(work, &request->key, "create_activity", ROW_ACTIVITY, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    if (!check_new_id(work, ROW_ACTIVITY, request->id, "activity_id", err) ||
        !check_name("activity.display_name", wanted->display_name, err) ||
        !check_room(work, ROW_ACTIVITY, ACTIVITIES_MAX, err)) {
        return false;
    }
    record = work_create(work, ROW_ACTIVITY, wanted, request->id);
    work_tell(work, "activity.created", record, "Activity %s was created.", record->id);
    remember_request(work, &request->key, "create_activity", record->id);
    work_reply(work, record);
    return true;
}
DEFINE_OPERATION(create_activity, false)

/* Target expressions may read the name of a worker's activity. */
static void rematch_workers(struct work *work, const struct activity *activity)
{
    struct record *record = NULL;

    RB_FOREACH(record, record_tree, &work->engine->records[ROW_WORKER])
    {
        if (((struct worker *)record)->activity == activity) {
            work_worker_changed(work, (struct worker *)record);
        }
    }
}

static bool update_activity(
    struct work *work,
    const struct update_request *request,
    struct error *err)
{
    const struct activity_row *wanted = request->row;
    struct activity *activity = NULL;
    bool repeated = false;

    if (!check_repeated(work, &request->key, "update_activity", ROW_ACTIVITY, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    activity = (struct activity *)work_find(work, ROW_ACTIVITY, request->id, NULL, err);
    if (!activity || !check_mask(ROW_ACTIVITY, request->mask, err) ||
        !check_etag(&activity->record, request->etag, err)) {
        return false;
    }
    if (request->mask & ROW_MASK(ACTIVITY_FIELD_display_name)) {
        if (!check_name("activity.display_name", wanted->display_name, err)) {
            return false;
        }
        row_set_text(&activity->row.display_name, wanted->display_name);
        rematch_workers(work, activity);
    }
    work_touch(work, &activity->record);
    work_tell(
        work, "activity.updated", &activity->record, "Activity %s was changed.", activity->row.id);
    remember_request(work, &request->key, "update_activity", activity->row.id);
    work_reply(work, &activity->record);
    return true;
}
DEFINE_OPERATION(update_activity, false)

static bool delete_activity(
    struct work *work,
    const struct delete_request *request,
    struct error *err)
{
    struct activity *activity =
        (struct activity *)work_find(work, ROW_ACTIVITY, request->id, NULL, err);
    const struct workspace_row *workspace = &work->engine->row;

    if (!activity || !check_etag(&activity->record, request->etag, err)) {
        return false;
    }
    if (activity->worker_count) {
        return FAIL(
            err, REASON_ACTIVITY_IN_USE, "%zu workers are in activity %s", activity->worker_count,
            activity->row.id);
    }
    if (strcmp(activity->row.id, workspace->default_activity_id) == 0 ||
        strcmp(activity->row.id, workspace->timeout_activity_id) == 0) {
        return FAIL(
            err, REASON_ACTIVITY_IN_USE,
            "activity %s is the workspace's default or time-out activity", activity->row.id);
    }
    work_tell(
        work, "activity.deleted", &activity->record, "Activity %s was deleted.", activity->row.id);
    work_delete(work, &activity->record);
    return true;
}
DEFINE_OPERATION(delete_activity, false)
