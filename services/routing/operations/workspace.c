/* Workspaces (rows 7 to 9). */
#include <string.h>

#include "common/base/arena.h"
#include "services/routing/domain/id.h"
#include "services/routing/operations/check.h"
#include "services/routing/operations/define.h"
#include "services/routing/operations/instruct.h"

/* A new workspace's activities; the first one is its default and its time-out activity. */
static const struct {
    const char *id;
    const char *display_name;
    bool available;
} first_activities[] = {
    {"offline",     "Offline",     false},
    {"available",   "Available",   true },
    {"unavailable", "Unavailable", false},
};

static const struct {
    const char *id;
    const char *display_name;
} first_channels[] = {
    {"default", "Default"},
    {"voice",   "Voice"  },
    {"chat",    "Chat"   },
    {"sms",     "SMS"    },
    {"video",   "Video"  },
};

static void seed(struct work *work)
{
    struct arena *arena = work->step->arena;

    for (size_t i = 0; i < sizeof(first_activities) / sizeof(first_activities[0]); i++) {
        struct activity_row *row = row_new(ROW_ACTIVITY, arena);
        struct record *record = NULL;

        row->display_name = arena_strdup(arena, first_activities[i].display_name);
        row->available = first_activities[i].available;
        record = work_create(work, ROW_ACTIVITY, row, first_activities[i].id);
        work_tell(
            work, "activity.created", record, "Activity %s was created.", first_activities[i].id);
    }
    for (size_t i = 0; i < sizeof(first_channels) / sizeof(first_channels[0]); i++) {
        struct task_channel_row *row = row_new(ROW_TASK_CHANNEL, arena);
        struct record *record = NULL;

        row->display_name = arena_strdup(arena, first_channels[i].display_name);
        record = work_create(work, ROW_TASK_CHANNEL, row, first_channels[i].id);
        work_tell(
            work, "task-channel.created", record, "Task channel %s was created.",
            first_channels[i].id);
    }
}

static void begin(struct work *work, const struct workspace_row *wanted)
{
    struct engine *engine = work->engine;

    engine->exists = true;
    row_set_text(&engine->row.display_name, wanted->display_name);
    row_set_text(&engine->row.default_activity_id, first_activities[0].id);
    row_set_text(&engine->row.timeout_activity_id, first_activities[0].id);
    engine->row.create_time_us = work->now_us;
    work_touch(work, &engine->record);
    work_tell(
        work, "workspace.created", &engine->record, "Workspace %s was created.",
        engine->workspace_id);
    seed(work);
}

static bool refuse_existing(
    struct work *work,
    const struct create_request *request,
    struct error *err)
{
    bool repeated = false;

    if (!check_repeated(work, &request->key, "create_workspace", ROW_WORKSPACE, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    work_depends_on_all(work);
    return FAIL_FIELD(
        err, REASON_ALREADY_EXISTS, "workspace_id", "workspace %s exists already",
        work->engine->workspace_id);
}

/* Not by DEFINE_OPERATION: there is no workspace yet. */
static bool run_create_workspace(
    struct engines *engines,
    struct engine *engine,
    const void *request,
    struct step *step,
    struct error *err)
{
    const struct create_request *create = request;
    const struct workspace_row *wanted = create->row;
    struct work work = {
        .engines = engines,
        .engine = engine,
        .step = step,
        .now_us = step->now_us,
        .actor = step->actor,
    };

    if (engine) {
        return refuse_existing(&work, create, err);
    }
    if (!id_valid(step->workspace_id)) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, "workspace_id",
            "an id has 1 to 63 letters, digits, '-', '_' and '.', and begins with a letter or "
            "digit");
    }
    if (!check_name("workspace.display_name", wanted->display_name, err)) {
        return false;
    }
    work.engine = engines_obtain(engines, step->workspace_id);
    begin(&work, wanted);
    remember_request(&work, &create->key, "create_workspace", step->workspace_id);
    work_reply(&work, &work.engine->record);
    return work_done(&work);
}

const struct operation operation_create_workspace = {
    .name = "create_workspace",
    .run = run_create_workspace,
    .reads_only = false,
};

static bool check_update(struct work *work, const struct update_request *request, struct error *err)
{
    const struct workspace_row *wanted = request->row;

    if (!check_mask(ROW_WORKSPACE, request->mask, err) ||
        !check_etag(&work->engine->record, request->etag, err)) {
        return false;
    }
    if ((request->mask & ROW_MASK(WORKSPACE_FIELD_display_name)) &&
        !check_name("workspace.display_name", wanted->display_name, err)) {
        return false;
    }
    if ((request->mask & ROW_MASK(WORKSPACE_FIELD_default_activity_id)) &&
        !work_find(
            work, ROW_ACTIVITY, wanted->default_activity_id, "workspace.default_activity", err)) {
        return false;
    }
    return !(request->mask & ROW_MASK(WORKSPACE_FIELD_timeout_activity_id)) ||
           work_find(
               work, ROW_ACTIVITY, wanted->timeout_activity_id, "workspace.timeout_activity", err);
}

static bool update_workspace(
    struct work *work,
    const struct update_request *request,
    struct error *err)
{
    const struct workspace_row *wanted = request->row;
    struct workspace_row *row = &work->engine->row;
    bool repeated = false;

    if (!check_repeated(work, &request->key, "update_workspace", ROW_WORKSPACE, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    if (!check_update(work, request, err)) {
        return false;
    }
    work_touch(work, &work->engine->record);
    if (request->mask & ROW_MASK(WORKSPACE_FIELD_display_name)) {
        row_set_text(&row->display_name, wanted->display_name);
    }
    if (request->mask & ROW_MASK(WORKSPACE_FIELD_default_activity_id)) {
        row_set_text(&row->default_activity_id, wanted->default_activity_id);
    }
    if (request->mask & ROW_MASK(WORKSPACE_FIELD_timeout_activity_id)) {
        row_set_text(&row->timeout_activity_id, wanted->timeout_activity_id);
    }
    work_tell(
        work, "workspace.updated", &work->engine->record, "Workspace %s was changed.",
        work->engine->workspace_id);
    remember_request(work, &request->key, "update_workspace", work->engine->workspace_id);
    work_reply(work, &work->engine->record);
    return true;
}
DEFINE_OPERATION(update_workspace, false)

static void delete_all(struct work *work, enum row_kind kind)
{
    struct record *record = NULL;

    while ((record = RB_MIN(record_tree, &work->engine->records[kind]))) {
        if (kind == ROW_BRIDGE) {
            deadline_set(&((struct bridge *)record)->deadline, 0);
            drop_instructions(work, (struct bridge *)record, INT64_MAX);
        }
        if (kind == ROW_REQUEST) {
            deadline_set(&((struct request *)record)->deadline, 0);
        }
        work_delete(work, record);
    }
}

static bool delete_workspace(
    struct work *work,
    const struct delete_request *request,
    struct error *err)
{
    /* What refers to others goes before what it refers to. */
    static const enum row_kind order[] = {
        ROW_REQUEST,  ROW_BRIDGE,     ROW_INBOUND_ROUTE, ROW_TRUNK,
        ROW_WORKFLOW, ROW_TASK_QUEUE, ROW_TASK_CHANNEL,  ROW_ACTIVITY,
    };
    struct engine *engine = work->engine;
    bool had_trunks = engine->counts[ROW_TRUNK] > 0;

    if (!check_etag(&engine->record, request->etag, err)) {
        return false;
    }
    if (engine->counts[ROW_TASK] || engine->counts[ROW_WORKER]) {
        return FAIL(
            err, REASON_RESOURCE_IN_USE, "workspace %s has %zu tasks and %zu workers",
            engine->workspace_id, engine->counts[ROW_TASK], engine->counts[ROW_WORKER]);
    }
    work_tell(
        work, "workspace.deleted", &engine->record, "Workspace %s was deleted.",
        engine->workspace_id);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        delete_all(work, order[i]);
    }
    engine->exists = false;
    engine->record.batch = work->engines->open_batch;
    step_add_change(work->step, ROW_WORKSPACE, &engine->row, true);
    if (had_trunks) {
        step_add_effect(work->step, EFFECT_TELEPHONY_CHANGED);
    }
    return true;
}
DEFINE_OPERATION(delete_workspace, false)
