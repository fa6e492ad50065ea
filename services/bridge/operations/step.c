/* Appends effects to a step. */
#include "services/bridge/operations/step.h"

#include "common/base/arena.h"
#include "services/bridge/domain/call.h"
#include "services/bridge/domain/leg.h"

enum {
    NORMAL_CLEARING = 16 /* Q.850 */
};

static struct effect *append(struct step *step, enum effect_kind kind, int64_t leg)
{
    struct effect *effect = arena_new_object(step->arena, struct effect);

    effect->kind = kind;
    effect->leg = leg;
    if (step->last) {
        step->last->next = effect;
    } else {
        step->first = effect;
    }
    step->last = effect;
    return effect;
}

struct effect *step_emit(struct step *step, enum effect_kind kind, const struct leg *leg)
{
    return append(step, kind, leg ? leg->number : 0);
}

void step_describe(
    struct step *step,
    enum effect_kind kind,
    const struct leg *leg,
    int status,
    const struct session_description *description)
{
    struct effect *effect = append(step, kind, leg->number);

    effect->status = status;
    if (description) {
        effect->description = arena_dup(step->arena, description, sizeof(*description));
    }
}

void step_end_leg(
    struct step *step,
    enum effect_kind kind,
    int64_t leg,
    enum cause cause,
    int status)
{
    struct effect *effect = append(step, kind, leg);

    effect->reason = *cause_reason(cause);
    if (status != 0) {
        effect->reason.status = status;
    }
    if (kind != EFFECT_REFUSE) {
        effect->reason.retry_after_s = 0;
    }
    if (kind == EFFECT_HANG_UP && effect->reason.q850_cause == NORMAL_CLEARING) {
        effect->reason.status = 0; /* the status is that of a refusal */
    }
}

struct report *step_report(struct step *step, const struct call *call, enum report_kind kind)
{
    struct effect *effect = append(step, EFFECT_REPORT, call->caller->number);

    effect->report = (struct report){
        .kind = kind,
        .workspace_id = arena_strdup(step->arena, call->workspace_id),
        .call_id = arena_strdup(step->arena, call->id),
        .time_us = step->wall_us,
        .task_id = arena_strdup(step->arena, call->task_id ? call->task_id : ""),
        .reservation_id = "",
        .cause = "",
        .trunk_id = "",
        .inbound_route_id = "",
        .called_number = "",
        .caller_number = "",
        .caller_display_name = "",
        .sip_call_id = "",
    };
    return &effect->report;
}

struct note *step_note(struct step *step, const struct call *call, enum note_kind kind)
{
    struct effect *effect = append(step, EFFECT_NOTE, call ? call->caller->number : 0);
    struct note *note = &effect->note;

    *note = (struct note){
        .kind = kind,
        .call_id = "",
        .sip_call_id = "",
        .workspace_id = "",
        .task_id = "",
        .reservation_id = "",
        .worker_id = "",
        .text = "",
        .why = "",
        .source_address = "",
        .called_number = "",
    };
    if (call) {
        note->call_id = arena_strdup(step->arena, call->id);
        note->sip_call_id = arena_strdup(step->arena, call->caller->sip_call_id);
        note->workspace_id = arena_strdup(step->arena, call->workspace_id);
        note->task_id = arena_strdup(step->arena, call->task_id);
    }
    return note;
}

struct report *step_report_worker(struct step *step, const struct leg *leg, enum report_kind kind)
{
    struct report *report = step_report(step, leg->call, kind);

    report->reservation_id = arena_strdup(step->arena, leg->reservation_id);
    return report;
}

struct note *step_note_worker(struct step *step, const struct leg *leg, enum note_kind kind)
{
    struct note *note = step_note(step, leg->call, kind);

    note->reservation_id = arena_strdup(step->arena, leg->reservation_id);
    note->worker_id = arena_strdup(step->arena, leg->worker_id);
    return note;
}
