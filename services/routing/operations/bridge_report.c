/* What bridges report about calls. */
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/json/writer.h"
#include "common/value/value.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/reservation.h"
#include "services/routing/domain/task.h"
#include "services/routing/operations/bridge_calls.h"
#include "services/routing/operations/define.h"
#include "services/routing/operations/instruct.h"
#include "services/routing/operations/requests.h"
#include "services/routing/operations/reservation_life.h"
#include "services/routing/operations/task_life.h"

enum {
    CALL_ATTRIBUTES_MAX = 8,
    SIP_NOT_FOUND = 404,
    SIP_UNAVAILABLE = 503,
};

static struct value_member *add_text(
    struct work *work,
    struct value_member *member,
    const char *key,
    const char *text)
{
    struct arena *arena = work->step->arena;

    if (!text_or_empty(text)[0]) {
        return member;
    }
    member->key = value_keys_intern(work->engines->keys, arena, key, strlen(key));
    member->value = value_of_text(text);
    return member + 1;
}

static bool has_key(
    const struct value_member *members,
    const struct value_member *end,
    const struct value_key *key)
{
    for (; members != end; members++) {
        if (value_key_same(members->key, key)) {
            return true;
        }
    }
    return false;
}

/* What the call says about itself, and behind it what its route adds. */
static struct value call_attributes(
    struct work *work,
    const struct bridge_report_request *report,
    const struct inbound_route *route)
{
    size_t more = route->attributes->count;
    struct value_member *members =
        arena_new_array(work->step->arena, struct value_member, CALL_ATTRIBUTES_MAX + more);
    struct value_member *end = members;

    end = add_text(work, end, "called_number", report->called_number);
    end = add_text(work, end, "caller_number", report->caller_number);
    end = add_text(work, end, "caller_display_name", report->caller_display_name);
    end = add_text(work, end, "trunk", report->trunk_id);
    end = add_text(work, end, "inbound_route", report->inbound_route_id);
    end = add_text(work, end, "sip_call_id", report->sip_call_id);
    for (size_t i = 0; i < more; i++) {
        const struct value_member *member = &route->attributes->members[i];

        if (!has_key(members, end, member->key)) {
            *end++ = *member;
        }
    }
    return value_of_object(members, (size_t)(end - members));
}

static struct task_row *call_task_row(
    struct work *work,
    const struct bridge_report_request *report,
    const struct inbound_route *route,
    const struct value *attributes)
{
    struct arena *arena = work->step->arena;
    struct task_row *row = row_new(ROW_TASK, arena);
    struct json_writer writer = {0};

    json_write_value(&writer, attributes);
    row->attributes = arena_strdup(arena, writer.text);
    free(writer.text);
    row->workflow_id = arena_strdup(arena, route->row.workflow_id);
    row->task_channel_id = arena_strdup(arena, "voice");
    row->priority = route->row.priority;
    row->ttl_us = TASK_TTL_DEFAULT_US;
    row->bridge_id = arena_strdup(arena, report->bridge_id);
    row->call_id = arena_strdup(arena, report->call_id);
    row->call_live = true;
    row->called_number = arena_strdup(arena, text_or_empty(report->called_number));
    row->caller_number = arena_strdup(arena, text_or_empty(report->caller_number));
    return row;
}

static struct call_event call_event(
    const struct bridge_report_request *report,
    const char *type,
    const char *party)
{
    return (struct call_event){
        .type = type,
        .party = party,
        .cause = report->cause,
        .sip_status = report->sip_status,
        .bridge_time_us = report->bridge_time_us,
    };
}

static void refuse_call(
    struct work *work,
    const struct bridge_report_request *report,
    int32_t sip_status)
{
    instruct_release_unknown_call(
        work, report->bridge_id, report->call_id, "enqueue_refused", sip_status);
}

static void begin_call(
    struct work *work,
    const struct bridge_report_request *report,
    const struct inbound_route *route)
{
    struct value attributes = call_attributes(work, report, route);
    struct call_event received = call_event(report, "call.received", "caller");
    struct task *task =
        task_begin(work, call_task_row(work, report, route, &attributes), "", &attributes);

    bridge_call_tell(work, task, &received, "A call came in.");
    task_start(work, task);
    if (!task_ended(task)) {
        instruct_call_enqueued(work, task);
    }
}

static void enqueue_call(struct work *work, const struct bridge_report_request *report)
{
    struct task *task = engine_find_task_of_call(work->engine, report->bridge_id, report->call_id);
    const struct inbound_route *route = NULL;

    if (task) {
        instruct_call_enqueued(work, task); /* told twice: one task all the same */
        return;
    }
    route = engine_find_inbound_route(work->engine, text_or_empty(report->inbound_route_id));
    if (!route || !engine_find_task_channel(work->engine, "voice")) {
        refuse_call(work, report, SIP_NOT_FOUND);
    } else if (work->engine->counts[ROW_TASK] >= TASKS_MAX) {
        refuse_call(work, report, SIP_UNAVAILABLE);
    } else {
        begin_call(work, report, route);
    }
}

static void end_call(
    struct work *work,
    struct task *task,
    const struct bridge_report_request *report)
{
    struct call_ending ending = {
        .cause = text_or_empty(report->cause),
        .reason = "caller_gone",
        .sip_status = report->sip_status,
        .bridge_time_us = report->bridge_time_us,
    };

    bridge_call_ended(work, task, &ending);
}

static void ring(
    struct work *work,
    struct reservation *reservation,
    const struct bridge_report_request *report)
{
    struct call_event event = call_event(report, "call.ringing", reservation->row.worker_id);

    if (reservation->row.setup_state != SETUP_DIALING) {
        return;
    }
    work_touch(work, &reservation->record);
    reservation_set_up(reservation, SETUP_RINGING, reservation->row.expire_time_us);
    bridge_call_tell(work, reservation->task, &event, "The worker's phone rings.");
}

static void join(
    struct work *work,
    struct reservation *reservation,
    const struct bridge_report_request *report)
{
    struct task *task = reservation->task;
    struct call_event event = call_event(report, "conference.started", "");

    if (reservation->row.setup_state == SETUP_NONE) {
        return; /* given up meanwhile: the bridge has been told to release the worker */
    }
    bridge_call_tell(work, task, &event, "The conference has started.");
    event = call_event(report, "conference.participant-joined", "caller");
    bridge_call_tell(work, task, &event, "The caller is in the conference.");
    event.party = reservation->row.worker_id;
    bridge_call_tell(work, task, &event, "The worker is in the conference.");
    reservation_accept(work, reservation);
}

static void fail(
    struct work *work,
    struct reservation *reservation,
    const struct bridge_report_request *report)
{
    struct call_event event = call_event(report, "call.failed", reservation->row.worker_id);
    const char *cause = text_or_empty(report->cause);

    if (reservation->row.setup_state == SETUP_NONE) {
        return;
    }
    if (strcmp(cause, "caller_gone") == 0) {
        /* The end of the caller's leg says it all; the worker is not to blame. */
        end_call(work, reservation->task, report);
        return;
    }
    bridge_call_tell(work, reservation->task, &event, "The worker's phone was not reached.");
    reservation_fail_at_bridge(
        work, reservation,
        /* Who presses "decline" has answered; whoever cannot be reached has not (9.4). */
        strcmp(cause, "declined") == 0 ? RESERVATION_REJECTED : RESERVATION_CANCELED,
        cause[0] ? cause : "failed");
}

static void leave(
    struct work *work,
    struct reservation *reservation,
    const struct bridge_report_request *report)
{
    struct task *task = reservation->task;
    struct call_event event =
        call_event(report, "conference.participant-left", reservation->row.worker_id);

    if (!task->row.call_live ||
        (task->row.state != TASK_ASSIGNED && task->row.state != TASK_WRAPPING)) {
        return;
    }
    bridge_call_tell(work, task, &event, "The worker left the conference.");
    event = call_event(report, "conference.ended", "");
    bridge_call_tell(work, task, &event, "The conference is over.");
    if (task->row.state == TASK_ASSIGNED) {
        task_wrap_up(work, task, "");
    }
    instruct_release_call(work, task, "worker_left");
}

/* About a worker: of the call's reservation, as long as it lives. */
static void worker_report(
    struct work *work,
    const struct task *task,
    const struct bridge_report_request *report)
{
    struct reservation *reservation = task_live_reservation(task);

    if (!reservation || strcmp(reservation->row.id, text_or_empty(report->reservation_id)) != 0) {
        return;
    }
    switch ((int)report->kind) {
    case REPORT_WORKER_RINGING:
        ring(work, reservation, report);
        break;
    case REPORT_WORKER_JOINED:
        join(work, reservation, report);
        break;
    case REPORT_WORKER_FAILED:
        fail(work, reservation, report);
        break;
    default:
        leave(work, reservation, report);
        break;
    }
}

static void take(struct work *work, const struct bridge_report_request *report)
{
    struct task *task = NULL;
    struct call_event answered = call_event(report, "call.answered", "caller");

    if (report->kind == REPORT_ENQUEUE_CALL) {
        enqueue_call(work, report);
        return;
    }
    task = engine_find_task_of_call(work->engine, report->bridge_id, report->call_id);
    if (!task) {
        return;
    }
    if (report->kind == REPORT_CALL_ANSWERED) {
        bridge_call_tell(work, task, &answered, "The caller's call was answered.");
    } else if (report->kind == REPORT_CALL_ENDED) {
        end_call(work, task, report);
    } else {
        worker_report(work, task, report);
    }
}

static bool bridge_report(
    struct work *work,
    const struct bridge_report_request *report,
    struct error *err)
{
    struct bridge *bridge = engine_find_bridge(work->engine, report->bridge_id);
    int64_t expected = bridge ? bridge->row.last_report_number + 1 : 1;
    struct effect *effect = NULL;

    work_depends_on_all(work);
    if (report->number > expected) {
        return FAIL(
            err, REASON_STATE_FORBIDS, "report %lld came where %lld was expected",
            (long long)report->number, (long long)expected);
    }
    bridge = bridge_obtain(work, report->bridge_id);
    if (bridge->row.incarnation[0] == '\0') {
        row_set_text(&bridge->row.incarnation, text_or_empty(report->incarnation));
    }
    bridge_heard(bridge);
    work->actor = "bridge";
    if (report->number > bridge->row.last_report_number) {
        work_touch(work, &bridge->record);
        bridge->row.last_report_number = report->number;
        take(work, report);
    }
    work_depends(work, &bridge->record);
    effect = step_add_effect(work->step, EFFECT_REPORT_ACK);
    effect->bridge_id = arena_strdup(work->step->arena, bridge->row.id);
    effect->report_number = bridge->row.last_report_number;
    return true;
}
DEFINE_OPERATION(bridge_report, false)
