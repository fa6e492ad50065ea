/* What the calls log and count. */
#include <stdio.h>
#include <string.h>

#include "common/clock/clock.h"
#include "common/error/error.h"
#include "services/bridge/calls/state.h"
#include "services/bridge/telemetry/log_events.h"
#include "services/bridge/telemetry/metrics.h"

enum {
    HIDDEN_DIGITS = 3,
    NUMBER_SIZE = 64,
    SOURCE_SIZE = 64,
    REFUSALS_PER_SECOND = 10,
    SECOND_US = 1000000,
};

/* No whole phone number in the log: the last digits are hidden. */
static void print_masked(const char *number, char masked[NUMBER_SIZE])
{
    (void)snprintf(masked, NUMBER_SIZE, "%s", number);

    size_t length = strlen(masked);

    for (size_t i = length > HIDDEN_DIGITS ? length - HIDDEN_DIGITS : 0; i < length; i++) {
        masked[i] = 'x';
    }
}

static const char *known(const char *text)
{
    return *text != '\0' ? text : NULL;
}

static struct log_context context_of(const struct note *note)
{
    return (struct log_context){
        .trace = known(note->call_id),
        .call = known(note->sip_call_id),
    };
}

static void count_invite(const char *result, enum fault fault)
{
    metric_add(metric_series(&metric_bridge_invites_total, result, fault_name(fault)), 1);
}

typedef void(taker)(const struct log_context *context, const struct note *note);

/* Anybody on the network can have a call refused; nobody is to fill the disk, or to keep this
 * thread writing. */
static bool may_log_refusal(struct calls *calls)
{
    int64_t second = clock_mono_us(calls->options.clock) / SECOND_US;

    if (second != calls->refusals_second) {
        calls->refusals_second = second;
        calls->refusals_logged = 0;
    }
    if (calls->refusals_logged >= REFUSALS_PER_SECOND) {
        calls->refusals_silent++;
        return false;
    }
    calls->refusals_logged++;
    return true;
}

static void take_refused(
    struct calls *calls,
    const struct log_context *context,
    const struct note *note)
{
    enum fault fault = cause_fault(note->cause);
    char called_number[NUMBER_SIZE];
    char source[SOURCE_SIZE] = "";

    count_invite(cause_name(note->cause), fault);
    if (!may_log_refusal(calls)) {
        return;
    }
    print_masked(note->called_number, called_number);
    if (*note->source_address != '\0') {
        (void)snprintf(
            source, sizeof(source), strchr(note->source_address, ':') ? "[%s]:%d" : "%s:%d",
            note->source_address, note->source_port);
    }
    LOG(context, invite_refused, LOG_TEXT("cause", cause_name(note->cause)),
        LOG_INT("status", note->status), LOG_TEXT("fault", fault_name(fault)),
        LOG_TEXT("source", known(source)), LOG_TEXT("called_number", known(called_number)),
        LOG_INT("not_logged", calls->refusals_silent));
    calls->refusals_silent = 0;
}

static void take_canceled(const struct log_context *context, const struct note *note)
{
    (void)note;
    count_invite("CANCELED", FAULT_CALLER);
    LOG(context, call_canceled);
}

static void take_answered(const struct log_context *context, const struct note *note)
{
    (void)note;
    count_invite("ANSWERED", FAULT_NONE);
    LOG(context, call_answered);
}

static void take_started(const struct log_context *context, const struct note *note)
{
    LOG(context, call_started, LOG_TEXT("workspace", note->workspace_id));
}

static void take_waiting(const struct log_context *context, const struct note *note)
{
    LOG(context, call_waiting, LOG_TEXT("task", note->task_id));
}

static void take_ended(const struct log_context *context, const struct note *note)
{
    metric_add(metric_series(&metric_bridge_calls_ended_total, note->text), 1);
    metric_observe_us(METRIC(bridge_call_duration_seconds), note->took_us);
    LOG(context, call_ended, LOG_TEXT("task", known(note->task_id)), LOG_TEXT("cause", note->text),
        LOG_TEXT("by", cause_name(note->cause)), LOG_TEXT("why", known(note->why)),
        LOG_INT("status", note->status), LOG_INT("took_ms", note->took_us / 1000));
}

static void log_worker(
    const struct log_context *context,
    const struct log_event *event,
    const struct note *note)
{
    const struct log_field fields[] = {
        LOG_TEXT("task", known(note->task_id)), LOG_TEXT("reservation", note->reservation_id),
        LOG_TEXT("worker", note->worker_id),    LOG_TEXT("cause", known(note->text)),
        LOG_INT("status", note->status),        {.kind = LOG_FIELD_END},
    };

    log_write(context, event, fields);
}

static void take_dialed(const struct log_context *context, const struct note *note)
{
    log_worker(context, &log_event_worker_dialed, note);
}

static void take_ringing(const struct log_context *context, const struct note *note)
{
    log_worker(context, &log_event_worker_ringing, note);
}

static void take_joined(const struct log_context *context, const struct note *note)
{
    metric_add(metric_series(&metric_bridge_worker_dials_total, "joined"), 1);
    metric_observe_us(METRIC(bridge_worker_ring_seconds), note->took_us);
    log_worker(context, &log_event_worker_joined, note);
}

static void take_failed(const struct log_context *context, const struct note *note)
{
    metric_add(metric_series(&metric_bridge_worker_dials_total, note->text), 1);
    log_worker(context, &log_event_worker_failed, note);
}

static void take_left(const struct log_context *context, const struct note *note)
{
    log_worker(context, &log_event_worker_left, note);
}

static void take_forgotten(const struct log_context *context, const struct note *note)
{
    metric_add(METRIC(bridge_legs_forgotten_total), 1);
    log_worker(context, &log_event_leg_forgotten, note);
}

static void take_reoffer_refused(const struct log_context *context, const struct note *note)
{
    LOG(context, reoffer_refused, LOG_INT("status", note->status));
}

static void take_ignored(const struct log_context *context, const struct note *note)
{
    LOG(context, instruction_ignored, LOG_TEXT("instruction", note->text));
}

void calls_take_note(struct calls *calls, const struct note *note)
{
    static taker *const takers[NOTE_KIND_COUNT] = {
        [NOTE_INVITE_CANCELED] = take_canceled,
        [NOTE_INVITE_ANSWERED] = take_answered,
        [NOTE_CALL_STARTED] = take_started,
        [NOTE_CALL_WAITING] = take_waiting,
        [NOTE_CALL_ENDED] = take_ended,
        [NOTE_WORKER_DIALED] = take_dialed,
        [NOTE_WORKER_RINGING] = take_ringing,
        [NOTE_WORKER_JOINED] = take_joined,
        [NOTE_WORKER_FAILED] = take_failed,
        [NOTE_WORKER_LEFT] = take_left,
        [NOTE_REOFFER_REFUSED] = take_reoffer_refused,
        [NOTE_INSTRUCTION_IGNORED] = take_ignored,
        [NOTE_LEG_FORGOTTEN] = take_forgotten,
    };
    struct log_context context = context_of(note);

    if (note->kind == NOTE_INVITE_REFUSED) {
        take_refused(calls, &context, note);
    } else {
        takers[note->kind](&context, note);
    }
}

void calls_note_media_failure(const struct calls *calls, const char *what, const struct error *err)
{
    struct media_load load;

    media_get_load(calls->peers.media, &load);
    metric_add(metric_series(&metric_bridge_media_failures_total, what), 1);
    LOG(NULL, media_failed, LOG_TEXT("command", what), LOG_FAILURE(err),
        LOG_INT("ports_free", (int64_t)load.ports_free),
        LOG_INT("ports_cooling", (int64_t)load.ports_cooling));
}

void calls_note_media_event(const struct calls *calls, const struct media_event *event)
{
    const struct leg *leg =
        bridge_find_leg(calls->bridge, media_names_find_number(calls->streams, event->stream_id));

    if (!leg) {
        return; /* closed while the event was on its way */
    }

    const struct log_context context = {
        .trace = leg->call->id,
        .call = known(leg->call->caller->sip_call_id),
    };

    if (event->type == MEDIA_EVENT_FLOW_CHANGED && (event->in_missing || event->out_missing)) {
        metric_add(
            metric_series(&metric_bridge_audio_missing_total, event->in_missing ? "in" : "out"), 1);
        LOG(&context, audio_missing, LOG_TEXT("party", leg_party(leg)),
            LOG_BOOL("in_missing", event->in_missing), LOG_BOOL("out_missing", event->out_missing));
    } else if (event->type == MEDIA_EVENT_FLOW_CHANGED) {
        LOG(&context, audio_back, LOG_TEXT("party", leg_party(leg)));
    } else if (event->type == MEDIA_EVENT_SOURCE_CHANGED) {
        LOG(&context, audio_source, LOG_TEXT("party", leg_party(leg)),
            LOG_TEXT("source", event->source));
    } else if (event->type == MEDIA_EVENT_SOCKET_ERROR) {
        LOG(&context, audio_socket_error, LOG_TEXT("party", leg_party(leg)),
            LOG_TEXT("error", strerrordesc_np(event->error_number)));
    }
}
