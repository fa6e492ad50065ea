/* Workers (rows 16 to 24): create, update, delete, set_activity. */
#include "services/routing/domain/worker.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "common/base/arena.h"
#include "common/value/value.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/object.h"
#include "services/routing/operations/check.h"
#include "services/routing/operations/define.h"
#include "services/routing/operations/reservation_life.h"
#include "services/routing/operations/settle.h"

static bool check_channels(
    struct work *work,
    const struct worker_channel_setting *channels,
    size_t count,
    struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!work_find(
                work, ROW_TASK_CHANNEL, channels[i].task_channel_id, "worker.channels.task_channel",
                err)) {
            return false;
        }
        if (channels[i].has_capacity &&
            !check_range("worker.channels.capacity", channels[i].capacity, 0, CAPACITY_MAX, err)) {
            return false;
        }
    }
    return true;
}

/* No other worker may have the name. */
static bool check_name_free(
    struct work *work,
    const struct worker *self,
    const char *display_name,
    struct error *err)
{
    const struct worker *holder = NULL;

    if (!check_name("worker.display_name", display_name, err)) {
        return false;
    }
    holder = engine_find_worker_named(work->engine, display_name);
    if (!holder || holder == self) {
        return true;
    }
    work_depends(work, &holder->record);
    return FAIL_FIELD(
        err, REASON_ALREADY_EXISTS, "worker.display_name", "worker %s has the name %s already",
        holder->row.id, holder->row.display_name);
}

static void set_capacity(struct work *work, struct worker_channel *share, int32_t capacity)
{
    if (share->row.capacity == capacity) {
        return;
    }
    share->row.capacity = capacity;
    work_tell(
        work, "worker.capacity.update", &share->worker->record,
        "Worker %s takes up to %" PRId32 " tasks of channel %s.", share->worker->row.id, capacity,
        share->channel->row.id);
}

static void set_available(struct work *work, struct worker_channel *share, bool available)
{
    if (share->row.available == available) {
        return;
    }
    share->row.available = available;
    work_tell(
        work, "worker.channel.availability.update", &share->worker->record,
        "Worker %s takes %s tasks of channel %s.", share->worker->row.id,
        available ? "new" : "no new", share->channel->row.id);
}

static void set_channels(
    struct work *work,
    struct worker *worker,
    const struct worker_channel_setting *channels,
    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct worker_channel *share = worker_channel_of(
            worker, engine_find_task_channel(work->engine, channels[i].task_channel_id));

        share->stored = true;
        work_touch(work, &share->record);
        if (channels[i].has_capacity) {
            set_capacity(work, share, channels[i].capacity);
        }
        if (channels[i].has_available) {
            set_available(work, share, channels[i].available);
        }
    }
}

static bool check_create(struct work *work, const struct create_request *request, struct error *err)
{
    const struct worker_row *wanted = request->row;
    const char *activity_id = text_or_empty(wanted->activity_id);

    return check_new_id(work, ROW_WORKER, request->id, "worker_id", err) &&
           check_name_free(work, NULL, wanted->display_name, err) &&
           check_attributes("worker.attributes", wanted->attributes, request->json, err) &&
           (!activity_id[0] ||
            work_find(work, ROW_ACTIVITY, activity_id, "worker.activity", err)) &&
           check_channels(work, request->channels, request->channel_count, err) &&
           check_room(work, ROW_WORKER, WORKERS_MAX, err);
}

static struct worker *begin(struct work *work, const struct create_request *request)
{
    struct arena *arena = work->step->arena;
    const struct worker_row *wanted = request->row;
    struct worker_row *row = row_copy(ROW_WORKER, wanted, arena);
    struct worker *worker = NULL;

    if (!text_or_empty(row->attributes)[0]) {
        row->attributes = arena_strdup(arena, "{}");
    }
    if (!text_or_empty(row->activity_id)[0]) {
        row->activity_id = arena_strdup(arena, work->engine->row.default_activity_id);
    }
    row->activity_change_time_us = work->now_us;
    row->last_assignment_time_us = 0;
    row->version = 0;
    worker = (struct worker *)work_create(work, ROW_WORKER, row, request->id);
    worker->attributes = attributes_copy(request->json);
    worker_link_activity(work->engine, worker);
    worker_add_channels(work->engine, worker);
    worker_join_queues(work->engine, worker);
    return worker;
}

static bool create_worker(
    struct work *work,
    const struct create_request *request,
    struct error *err)
{
    struct worker *worker = NULL;
    bool repeated = false;

    if (!check_repeated(work, &request->key, "create_worker", ROW_WORKER, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    if (!check_create(work, request, err)) {
        return false;
    }
    worker = begin(work, request);
    work_tell(work, "worker.created", &worker->record, "Worker %s was created.", worker->row.id);
    set_channels(work, worker, request->channels, request->channel_count);
    work_worker_changed(work, worker);
    remember_request(work, &request->key, "create_worker", worker->row.id);
    settle(work); /* so that the reply shows what the worker got at once */
    work_reply(work, &worker->record);
    return true;
}
DEFINE_OPERATION(create_worker, false)

static bool check_update(
    struct work *work,
    struct worker *worker,
    const struct update_request *request,
    struct error *err)
{
    const struct worker_row *wanted = request->row;
    uint64_t mask = request->mask;

    return check_mask(ROW_WORKER, mask, err) && check_etag(&worker->record, request->etag, err) &&
           (!(mask & ROW_MASK(WORKER_FIELD_display_name)) ||
            check_name_free(work, worker, wanted->display_name, err)) &&
           (!(mask & ROW_MASK(WORKER_FIELD_attributes)) ||
            check_attributes("worker.attributes", wanted->attributes, request->json, err)) &&
           (!(mask & ROW_MASK(WORKER_FIELD_activity_id)) ||
            work_find(work, ROW_ACTIVITY, wanted->activity_id, "worker.activity", err)) &&
           check_channels(work, request->channels, request->channel_count, err);
}

/* Name and attributes: what queues' expressions read. */
static void set_attributes(
    struct work *work,
    struct worker *worker,
    const struct update_request *request)
{
    const struct worker_row *wanted = request->row;

    if (request->mask & ROW_MASK(WORKER_FIELD_display_name)) {
        engine_rename_worker(work->engine, worker, wanted->display_name);
    }
    if (request->mask & ROW_MASK(WORKER_FIELD_attributes)) {
        const char *text = text_or_empty(wanted->attributes);

        row_set_text(&worker->row.attributes, text[0] ? text : "{}");
        value_free(worker->attributes);
        worker->attributes = attributes_copy(text[0] ? request->json : NULL);
    }
    worker_join_queues(work->engine, worker);
    work_tell(
        work, "worker.attributes.update", &worker->record,
        "Attributes or name of worker %s were changed.", worker->row.id);
}

static bool update_worker(
    struct work *work,
    const struct update_request *request,
    struct error *err)
{
    const struct worker_row *wanted = request->row;
    struct worker *worker = NULL;
    bool repeated = false;

    if (!check_repeated(work, &request->key, "update_worker", ROW_WORKER, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    worker = (struct worker *)work_find(work, ROW_WORKER, request->id, NULL, err);
    if (!worker || !check_update(work, worker, request, err)) {
        return false;
    }
    work_touch(work, &worker->record);
    if (request->mask & (ROW_MASK(WORKER_FIELD_display_name) | ROW_MASK(WORKER_FIELD_attributes))) {
        set_attributes(work, worker, request);
    }
    if (request->mask & ROW_MASK(WORKER_FIELD_activity_id)) {
        worker_move(work, worker, wanted->activity_id);
    }
    set_channels(work, worker, request->channels, request->channel_count);
    work_worker_changed(work, worker);
    remember_request(work, &request->key, "update_worker", worker->row.id);
    settle(work);
    work_reply(work, &worker->record);
    return true;
}
DEFINE_OPERATION(update_worker, false)

static void forget_shares(struct work *work, struct worker *worker)
{
    struct worker_channel *share = NULL;

    TAILQ_FOREACH(share, &worker->channels, by_worker)
    {
        if (share->stored) {
            work_record(work, ROW_WORKER_CHANNEL, &share->row, true);
        }
    }
}

/* Ended reservations stay with their tasks, without the worker. */
static void leave_reservations(struct work *work, struct worker *worker)
{
    struct record *record = NULL;

    while ((record = RB_MIN(record_tree, &worker->reservations))) {
        struct reservation *reservation = engine_find_reservation(work->engine, record->id);

        RB_REMOVE(record_tree, &worker->reservations, record);
        reservation->worker = NULL;
        deadline_set(&reservation->deadline, 0);
    }
}

static bool delete_worker(
    struct work *work,
    const struct delete_request *request,
    struct error *err)
{
    struct worker *worker = (struct worker *)work_find(work, ROW_WORKER, request->id, NULL, err);

    if (!worker || !check_etag(&worker->record, request->etag, err)) {
        return false;
    }
    if (!TAILQ_EMPTY(&worker->live)) {
        return FAIL(
            err, REASON_RESOURCE_IN_USE, "worker %s holds reservation %s", worker->row.id,
            TAILQ_FIRST(&worker->live)->row.id);
    }
    work_tell(work, "worker.deleted", &worker->record, "Worker %s was deleted.", worker->row.id);
    forget_shares(work, worker);
    leave_reservations(work, worker);
    worker_unindex(worker);
    work_forget_worker(work, worker);
    work_delete(work, &worker->record);
    return true;
}
DEFINE_OPERATION(delete_worker, false)

static void reject_pending(struct work *work, struct worker *worker)
{
    struct reservation *reservation = NULL;
    struct reservation *next = NULL;

    TAILQ_FOREACH_SAFE(reservation, &worker->live, by_live, next)
    {
        if (reservation->row.state == RESERVATION_PENDING) {
            reservation_fail(work, reservation, RESERVATION_REJECTED, "rejected");
        }
    }
}

static bool set_worker_activity(
    struct work *work,
    const struct set_worker_activity_request *request,
    struct error *err)
{
    struct worker *worker = (struct worker *)work_find(work, ROW_WORKER, request->id, NULL, err);
    struct activity *activity = NULL;

    if (!worker || !check_etag(&worker->record, request->etag, err)) {
        return false;
    }
    activity =
        (struct activity *)work_find(work, ROW_ACTIVITY, request->activity_id, "activity", err);
    if (!activity) {
        return false;
    }
    if (request->reject_pending && activity->row.available) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, "reject_pending_reservations",
            "pending reservations are rejected only with an activity that is not available, and "
            "%s is",
            activity->row.id);
    }
    worker_move(work, worker, activity->row.id);
    if (request->reject_pending) {
        reject_pending(work, worker);
    }
    settle(work);
    work_reply(work, &worker->record);
    return true;
}
DEFINE_OPERATION(set_worker_activity, false)
