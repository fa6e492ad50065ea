/* A call: what a person experiences from INVITE to BYE. It has the caller's leg, and one leg for
 * each worker that was dialled and is not over yet.
 *
 *     ENQUEUING --enqueue--> WAITING --join--> TALKING --end--> ENDING --finish--> ENDED
 *         |                   |   ^----part------'                ^
 *         `-------------------`----------------end----------------'
 *
 * ENQUEUING: the routing service makes a task. WAITING: no worker yet; one may be ringing. TALKING:
 * caller and worker are in the conference. ENDING: the caller's leg is over and CALL_ENDED was
 * reported; a dialled leg still owes us its end. The caller's leg owns the call: when it ends, the
 * call does.
 *
 * Read any field. Only call_apply writes `state`.
 */
#ifndef BRIDGE_DOMAIN_CALL_H
#define BRIDGE_DOMAIN_CALL_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "services/bridge/domain/deadline.h"
#include "services/bridge/domain/link.h"

struct conference;
struct leg;

#define CALL_STATES(STATE)                                                                         \
    STATE(ENQUEUING)                                                                               \
    STATE(WAITING)                                                                                 \
    STATE(TALKING)                                                                                 \
    STATE(ENDING)                                                                                  \
    STATE(ENDED)

enum call_state {
#define STATE(name) CALL_##name,
    CALL_STATES(STATE)
#undef STATE
    CALL_STATE_COUNT,
};

enum call_event {
    CALL_ENQUEUE, /* its task is durable */
    CALL_JOIN,    /* a worker answered */
    CALL_PART,    /* the worker was taken out, the caller stays */
    CALL_END,     /* the caller's leg is over */
    CALL_FINISH,  /* so are all others */
    CALL_EVENT_COUNT,
};

TAILQ_HEAD(leg_list, leg);

struct call {
    char *id;
    int64_t number; /* counts calls of this process, oldest first */
    enum call_state state;
    char *workspace_id;
    char *trunk_id;
    char *inbound_route_id;
    enum route_answer answer;
    char *called_number;
    char *caller_number; /* "" when withheld */
    char *caller_display_name;
    char *dialog_key; /* Call-ID and From tag of the INVITE: the same again is a merged request;
                       * NULL once the dialog is over */
    char *task_id;    /* "" before it is enqueued */
    bool reported;    /* the routing service was told of it, and must be told of its end */
    char *last_reservation_id; /* the last one that was dialled: a repeat is not dialled again */

    struct leg *caller;            /* in legs until the call is freed */
    struct leg *worker;            /* in legs; dialled or talking. NULL when there is none */
    struct leg_list legs;          /* the caller's first */
    struct conference *conference; /* while TALKING */

    int64_t create_wall_us;
    int64_t limit_mono_us; /* no call goes beyond it */
    struct deadline deadline;
    UT_hash_handle by_id;
    UT_hash_handle by_dialog;
    TAILQ_ENTRY(call) link;
};

TAILQ_HEAD(call_list, call);

/* Copies the id. Every text is "" and the answer AFTER_TASK. */
struct call *call_new(const char *id);
/* Frees what legs are left, too. Not while it is in an index or the deadlines. */
struct call *call_free(struct call *call);
/* Replaces one of the call's texts. */
void call_set_text(char **field, const char *text);

/* Takes over the leg. */
void call_add_leg(struct call *call, struct leg *leg);
/* Takes it out and frees it; not the caller's. */
void call_remove_leg(struct call *call, struct leg *leg);
/* Whether every leg is over. */
bool call_quiet(const struct call *call);

/* Moves the call and returns true, or changes nothing. */
bool call_apply(struct call *call, enum call_event event);
const char *call_state_name(enum call_state state); /* "WAITING" */

#endif
