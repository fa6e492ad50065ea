/* A world for the operations: simulated time, SIP, media and link, no Sofia and no socket. It
 * carries the effects out, writes them down as text, and checks after every step that they make
 * sense: each command fits its leg, nothing is opened twice or leaked, reports follow each other as
 * the protocol says, and everything that waits has a deadline. A broken rule fails the test.
 */
#ifndef TESTS_UNIT_BRIDGE_OPERATIONS_WORLD_H
#define TESTS_UNIT_BRIDGE_OPERATIONS_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "services/bridge/operations/bridge.h"

enum {
    WORLD_LEGS_MAX = 4096,
    WORLD_TRACE_SIZE = 16384,
    WORLD_RESERVATIONS_MAX = 4096,
    WORLD_CALLS_MAX = 2048,
};

/* What SIP and the media know of a leg. */
struct world_leg {
    int64_t number;
    char party[32];
    bool inbound;
    bool dialed;
    bool final; /* the INVITE has its final answer, whoever gave it */
    bool answered;
    bool canceled; /* by us, and not told the end yet */
    bool over;
    bool stream_open;
    bool playing;
    bool has_remote;
    int final_answers; /* of ours */
};

struct world_reservation {
    char id[32];
    char call_id[UUID_TEXT_SIZE];
    bool joined;
    bool gone; /* WORKER_FAILED or WORKER_LEFT was reported */
};

struct world_call {
    char id[UUID_TEXT_SIZE];
    bool answered;
    bool ended;
};

struct world {
    struct bridge *bridge;
    struct arena *arena;
    int64_t now_us;
    uint8_t chance;
    bool no_ports;
    int next_inbound;
    char call_id[UUID_TEXT_SIZE]; /* of the last ENQUEUE_CALL */
    struct world_leg legs[WORLD_LEGS_MAX];
    size_t leg_count;
    struct world_reservation reservations[WORLD_RESERVATIONS_MAX];
    size_t reservation_count;
    struct world_call calls[WORLD_CALLS_MAX];
    size_t call_count;
    int64_t open_conference; /* the last one opened; 0 when it was closed */
    size_t conferences_open;
    struct session_description said; /* the last description we sent */
    char trace[WORLD_TRACE_SIZE];
};

/* With a trunk `carrier` (192.0.2.0/24) and routes for +49301 (after task), +49302 (at once) and
 * +49303 (on worker). The link is up. */
struct world *world_new(const struct bridge_options *options);
/* Fails when anything is left: calls, streams, conferences, unanswered INVITEs, untold
 * reservations.
 */
void world_free_idle(struct world *world);
/* Without those checks. */
void world_free(struct world *world);

/* What has happened since the last call of this, one line each; fails when it is not `expected`. */
void world_expect(struct world *world, const char *expected);

/* Any event, as it is. */
void world_signal(struct world *world, const struct signalling_event *event);

/* From SIP. Legs are named by their party: "caller", "w1"; the newest of that name. */
int64_t world_invite(struct world *world, const char *called_number);
void world_invite_event(struct world *world, struct signalling_event *event);
void world_invite_late_offer(struct world *world, const char *called_number);
void world_cancel(struct world *world, const char *party);
void world_ack(struct world *world, const char *party, const struct session_description *answer);
void world_bye(struct world *world, const char *party, int status);
void world_ring(struct world *world, const char *party);
void world_answer(struct world *world, const char *party);
void world_answer_with(
    struct world *world,
    const char *party,
    const struct session_description *answer);
void world_fail(struct world *world, const char *party, int status);
void world_reoffer(struct world *world, const char *party, const struct session_description *offer);

/* From the link, about the last call. */
void world_enqueued(struct world *world);
void world_dial(struct world *world, const char *reservation, const char *worker);
void world_release_worker(struct world *world, const char *reservation);
void world_release_call(struct world *world, const char *reason, int status);

/* Lets time go by, deadline by deadline. */
void world_advance(struct world *world, int64_t by_us);
void world_hang_up(struct world *world);
void world_end_all(struct world *world);

struct world_leg *world_find_leg(struct world *world, const char *party);
/* A plain offer or answer with both laws. */
struct session_description world_session(enum media_direction direction);

/* The state of the last call: "WAITING"; "none" when it is gone. */
const char *world_state(const struct world *world);

/* Fails unless everything that waits has a deadline or an owner. After every step by itself. */
void world_check(struct world *world);
/* Fails unless the report may follow those before it. */
void world_check_report(struct world *world, const struct report *report);

#define SECONDS(count) ((count)*INT64_C(1000000))

#endif
