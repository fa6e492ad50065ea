/* The inside of the bridge: what the operations share. Inside this folder only.
 *
 * An operation changes calls and legs through the functions here and in domain/. Legs that are over
 * and calls that are finished stay in memory until the operation has done everything else; then
 * bridge_settle takes them out. So no pointer dies under an operation's hands.
 */
#ifndef BRIDGE_OPERATIONS_STATE_H
#define BRIDGE_OPERATIONS_STATE_H

#include "common/base/attr.h"
#include "services/bridge/domain/deadline.h"
#include "services/bridge/operations/bridge.h"

struct directory;

struct bridge {
    struct bridge_options options;
    char *media_address;         /* of the options */
    struct directory *directory; /* NULL: not told yet */
    bool link_up;
    bool draining;
    int64_t leg_count; /* ever dialled, made, opened: they number what comes next */
    int64_t call_count_ever;
    int64_t conference_count_ever;
    size_t call_count;
    struct call *calls_by_id;
    struct call *calls_by_dialog;
    struct leg *legs_by_number;
    struct conference *conferences_by_id;
    struct call_list calls;
    struct conference_list conferences;
    struct deadlines deadlines;
};

/* index.c: who is where. */

void bridge_add_call(struct bridge *bridge, struct call *call);
void bridge_remove_call(struct bridge *bridge, struct call *call);
struct call *bridge_get_call(const struct bridge *bridge, const char *call_id);
/* Its dialog is over: the same Call-ID and tag are a new call. */
void bridge_forget_dialog(struct bridge *bridge, struct call *call);
struct call *bridge_get_call_of_dialog(const struct bridge *bridge, const char *dialog_key);
/* The leg goes to its call, too. */
void bridge_add_leg(struct bridge *bridge, struct leg *leg);
/* It stays with its call. */
void bridge_forget_leg(struct bridge *bridge, struct leg *leg);
struct leg *bridge_get_leg(const struct bridge *bridge, int64_t number);
void bridge_add_conference(struct bridge *bridge, struct conference *conference);
void bridge_remove_conference(struct bridge *bridge, struct conference *conference);
/* At the end of every operation on the call: takes out legs that are over and, when the call is
 * over and quiet, the call. The pointer may be dead afterwards. */
void bridge_settle(struct bridge *bridge, struct call *call);

/* session.c: offer and answer on one leg. */

/* Whether there is an answer to this offer at all; asked before anything is allocated. */
bool session_acceptable(const char *media_address, const struct session_description *offer);
/* Computes our answer into leg->local and has the media follow. False: 488; nothing changed. */
MUST_USE bool session_answer(
    struct step *step,
    struct leg *leg,
    const struct session_description *offer);
/* Puts an offer of ours into leg->local; `first` is preferred. */
void session_offer(struct leg *leg, enum codec first);
/* Takes the peer's answer to our offer. False: it does not fit. */
MUST_USE bool session_take_answer(
    struct step *step,
    struct leg *leg,
    const struct session_description *answer);

/* enqueue_call.c */

void enqueue_invited(
    struct bridge *bridge,
    struct step *step,
    const struct signalling_event *event);
void enqueue_stream_opened(struct bridge *bridge, struct step *step, struct call *call);
void enqueue_task_made(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    const char *task_id);
void enqueue_timed_out(struct bridge *bridge, struct step *step, struct call *call);
/* Sends 200 unless that was done. */
void enqueue_answer_caller(struct step *step, struct call *call);

/* ring_worker.c */

void ring_dial(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    const struct instruction *instruction);
void ring_stream_opened(struct bridge *bridge, struct step *step, struct leg *leg);
void ring_stream_refused(struct step *step, struct leg *leg);
void ring_progress(struct step *step, struct leg *leg);
void ring_failed(struct bridge *bridge, struct step *step, struct leg *leg, int status);
void ring_timed_out(struct bridge *bridge, struct step *step, struct leg *leg);
/* Stops dialling the call's worker and reports WORKER_FAILED, or hangs up on it and reports
 * WORKER_LEFT. Nothing when there is none. */
void ring_withdraw(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    enum cause cause,
    const char *failure,
    int status);
/* The same without a report: the call itself ends. */
void ring_release(struct bridge *bridge, struct step *step, struct call *call, enum cause cause);

/* join_conference.c */

void join_answered(
    struct bridge *bridge,
    struct step *step,
    struct leg *leg,
    const struct session_description *answer);

/* change_session.c */

void change_reoffered(struct step *step, struct leg *leg, const struct session_description *offer);
void change_acknowledged(
    struct bridge *bridge,
    struct step *step,
    struct leg *leg,
    const struct session_description *answer);

/* end_call.c */

/* How a call ends. */
struct ending {
    const char *why;    /* the routing service's reason, for the log; NULL: none */
    enum cause cause;   /* what the legs are told */
    int caller_status;  /* of the caller's refusal, instead of the cause's; 0: that */
    const char *report; /* cause of CALL_ENDED */
    int report_status;  /* its sip_status */
};

/* The worker first, then the caller; reports it. Nothing when it is ending already. */
void end_call(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    const struct ending *ending);
/* The leg's media and deadline end; its state is ENDED. */
void end_leg(struct bridge *bridge, struct step *step, struct leg *leg);
/* Media and ring time end at once, and SIP has until cancel_timeout_us to say how it went. */
void end_leg_later(struct bridge *bridge, struct step *step, struct leg *leg);
void end_caller_canceled(struct bridge *bridge, struct step *step, struct call *call);
void end_caller_hung_up(struct bridge *bridge, struct step *step, struct call *call, int status);
void end_worker_hung_up(struct bridge *bridge, struct step *step, struct leg *leg, int status);
void end_worker_released(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    const char *reservation_id);
void end_released(
    struct bridge *bridge,
    struct step *step,
    struct call *call,
    const struct instruction *instruction);

#endif
