/* All calls of this bridge, in memory, and what happens to them. Pure: an operation is given an
 * event and the time, changes the state, and leaves its effects in the step. Whoever runs them
 * carries the effects out in order, at once, before it runs the next operation.
 *
 * Everything here is idempotent: an event that comes late, twice, or for a call that is gone
 * changes nothing. Every state has a deadline or an owner who must act:
 *
 *     call ENQUEUING           enqueue time-out: refused, or hung up when it was answered at once
 *     call WAITING, TALKING    the routing service (task), the parties; at last the call limit
 *     call ENDING              the deadlines of its legs
 *     leg  TRYING, RINGING     the worker's: ring time-out. The caller's: the call
 *     leg  CONNECTED           the call
 *     leg  ENDING              SIP says how it ended; else forgotten after cancel_timeout_us
 *
 * One thread.
 */
#ifndef BRIDGE_OPERATIONS_BRIDGE_H
#define BRIDGE_OPERATIONS_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/bridge/domain/call.h"
#include "services/bridge/domain/conference.h"
#include "services/bridge/domain/leg.h"
#include "services/bridge/operations/effect.h"

struct bridge;

struct bridge_options {
    const char *media_address;           /* what SDP says; copied */
    size_t calls_max;                    /* beyond it an INVITE is refused with 503 */
    int64_t enqueue_timeout_us;          /* for a caller who hears nothing yet */
    int64_t enqueue_answered_timeout_us; /* for one who was answered and has wait audio */
    int64_t ring_timeout_us;             /* when the instruction does not say */
    int64_t cancel_timeout_us; /* longer than SIP's own timers (32 s, RFC 3261 timer B and F) */
    int64_t call_limit_us;     /* no call is longer */
};

/* 127.0.0.1; 5,000 calls; 10 s, 60 s, 30 s, 40 s, 12 h. */
struct bridge_options bridge_default_options(void);

struct bridge *bridge_new(const struct bridge_options *options);
/* Calls that are left vanish without a word. */
struct bridge *bridge_free(struct bridge *bridge);

/* What happens. */

void bridge_handle_signalling(
    struct bridge *bridge,
    struct step *step,
    const struct signalling_event *event);
void bridge_handle_instruction(
    struct bridge *bridge,
    struct step *step,
    const struct instruction *instruction);
/* Copies it. Calls that exist stay as they are. */
void bridge_set_telephony(struct bridge *bridge, const struct telephony *telephony);
/* Calls go on either way: the waiting keep their audio, talks their talk. */
void bridge_set_link(struct bridge *bridge, bool up);
/* Answers to EFFECT_OPEN_STREAM of this leg; `port` is where its audio is received. */
void bridge_stream_opened(struct bridge *bridge, struct step *step, int64_t number, int port);
void bridge_stream_refused(struct bridge *bridge, struct step *step, int64_t number);
/* Does what is due at step->now_us. */
void bridge_run_deadlines(struct bridge *bridge, struct step *step);
/* INT64_MAX: none. */
int64_t bridge_next_deadline_us(const struct bridge *bridge);
/* By the API. False when there is no such call, or it is ending already. */
bool bridge_hang_up_call(struct bridge *bridge, struct step *step, const char *call_id);
/* From now on INVITEs are refused with 503; calls go on. */
void bridge_drain(struct bridge *bridge);
/* Drains, and ends every call, with a Reason that says so. */
void bridge_end_all(struct bridge *bridge, struct step *step);

/* Questions. What is returned lives until the next operation. */

const struct call *bridge_find_call(const struct bridge *bridge, const char *call_id);
const struct conference *bridge_find_conference(const struct bridge *bridge, const char *id);
const struct leg *bridge_find_leg(const struct bridge *bridge, int64_t number);
/* Oldest first. */
const struct call_list *bridge_calls(const struct bridge *bridge);
const struct conference_list *bridge_conferences(const struct bridge *bridge);
/* Also those that are ending. */
size_t bridge_call_count(const struct bridge *bridge);
/* Every call that has not been reported as ended, for the link's hello; in the arena. */
const struct call_snapshot *bridge_snapshot(
    const struct bridge *bridge,
    struct arena *arena,
    size_t *ret_count);

#endif
