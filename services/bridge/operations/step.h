/* How operations leave their effects in a step. Inside this folder only. */
#ifndef BRIDGE_OPERATIONS_STEP_H
#define BRIDGE_OPERATIONS_STEP_H

#include <stdint.h>

#include "services/bridge/operations/effect.h"

struct call;
struct leg;

/* Appends an effect; the caller fills in the rest. */
struct effect *step_emit(struct step *step, enum effect_kind kind, const struct leg *leg);
/* PROGRESS, ANSWER, ANSWER_REOFFER with what the leg says now, or without a description. */
void step_describe(
    struct step *step,
    enum effect_kind kind,
    const struct leg *leg,
    int status,
    const struct session_description *description);
/* REFUSE, CANCEL, HANG_UP. status: instead of the cause's own; 0: that. */
void step_end_leg(
    struct step *step,
    enum effect_kind kind,
    int64_t leg,
    enum cause cause,
    int status);
/* A report and a note about the call, with every text set. */
struct report *step_report(struct step *step, const struct call *call, enum report_kind kind);
struct note *step_note(struct step *step, const struct call *call, enum note_kind kind);
/* The same about one of its workers. */
struct report *step_report_worker(struct step *step, const struct leg *leg, enum report_kind kind);
struct note *step_note_worker(struct step *step, const struct leg *leg, enum note_kind kind);

#endif
