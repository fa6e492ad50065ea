/* A party changes its session: hold and resume, another address or codec, a refresh. Every answer
 * is computed from the offer at hand. */
#include "services/bridge/operations/state.h"
#include "services/bridge/operations/step.h"

static void refuse(struct step *step, const struct leg *leg, int status)
{
    struct note *note = step_note(step, leg->call, NOTE_REOFFER_REFUSED);

    note->status = status;
    step_describe(step, EFFECT_ANSWER_REOFFER, leg, status, NULL);
}

void change_reoffered(struct step *step, struct leg *leg, const struct session_description *offer)
{
    /* RFC 3261, 14.2: one exchange after the other. */
    if (leg->state != LEG_CONNECTED || leg->offer_pending) {
        refuse(step, leg, 491);
        return;
    }
    if (!offer) {
        session_offer(leg, leg->codec);
        leg->offer_pending = true;
    } else if (!session_answer(step, leg, offer)) {
        refuse(step, leg, 488);
        return;
    }
    step_describe(step, EFFECT_ANSWER_REOFFER, leg, 200, &leg->local);
}

void change_acknowledged(
    struct bridge *bridge,
    struct step *step,
    struct leg *leg,
    const struct session_description *answer)
{
    int status = cause_reason(CAUSE_CODEC_MISMATCH)->status;

    if (!leg->offer_pending) {
        return;
    }
    leg->offer_pending = false;
    if (answer && session_take_answer(step, leg, answer)) {
        return;
    }
    /* RFC 3264, 4: an offer that is not answered leaves no session to talk in. */
    end_call(
        bridge, step, leg->call,
        &(struct ending){
            .cause = CAUSE_CODEC_MISMATCH,
            .report = "failed",
            .report_status = status,
        });
}
