/* A leg: our side of one SIP dialog with one party of a call, the caller or a worker.
 *
 *     IDLE --invite, dial--> TRYING --progress--> RINGING --answer--> CONNECTED --hang up--> ENDED
 *                               |                    |
 *                               |--------------------|--fail--> ENDED   (refused, busy, canceled)
 *                               `--------------------`--give up--> ENDING --fail--> ENDED
 *
 * A leg that comes in (INBOUND) is answered and refused by us; one that we dial (OUTBOUND) by its
 * peer. ENDING: we gave a dialled leg up and SIP still owes us how that ended; until then an answer
 * may cross. Events come in any order: one that does not fit the state changes nothing.
 *
 * Read any field. Only leg_apply writes `state`.
 */
#ifndef BRIDGE_DOMAIN_LEG_H
#define BRIDGE_DOMAIN_LEG_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "services/bridge/domain/deadline.h"
#include "services/bridge/domain/session_description.h"

struct call;

enum leg_direction {
    LEG_INBOUND,
    LEG_OUTBOUND,
};

#define LEG_STATES(STATE)                                                                          \
    STATE(IDLE)                                                                                    \
    STATE(TRYING)                                                                                  \
    STATE(RINGING)                                                                                 \
    STATE(CONNECTED)                                                                               \
    STATE(ENDING)                                                                                  \
    STATE(ENDED)

enum leg_state {
#define STATE(name) LEG_##name,
    LEG_STATES(STATE)
#undef STATE
    LEG_STATE_COUNT,
};

enum leg_event {
    LEG_INVITE,   /* it came in */
    LEG_DIAL,     /* we dialled it */
    LEG_PROGRESS, /* 18x, sent or received */
    LEG_ANSWER,   /* 2xx, sent or received */
    LEG_FAIL,     /* another final status, sent or received */
    LEG_GIVE_UP,  /* we sent CANCEL, and wait for what comes of it */
    LEG_HANG_UP,  /* BYE, sent or received, or the dialog died */
    LEG_EVENT_COUNT,
};

struct leg {
    int64_t number; /* as signalling.h names it */
    struct call *call;
    enum leg_direction direction;
    enum leg_state state;
    bool rang;

    char *reservation_id; /* why a worker is dialled; NULL for the caller's leg */
    char *worker_id;      /* likewise */
    char *remote_uri;
    char *sip_call_id; /* "" while it is not known */
    int64_t ring_timeout_us;
    int64_t start_us; /* monotonic: invited or dialled */

    int64_t session_id;        /* of what we say in SDP, */
    const char *media_address; /* and where we receive; borrowed from the bridge */
    int media_port;            /* once the stream is open */
    bool stream_open;          /* the media has a stream for it, which must be closed */
    bool offer_pending;        /* our offer went out in a 2xx; the answer comes with the ACK */
    bool agreed;               /* offer and answer have met; `codec` is what is spoken */
    enum codec codec;
    struct session_description local;  /* what we said last; session_id 0: nothing yet */
    struct session_description remote; /* what the peer said last; media_count 0: nothing yet */

    int64_t answer_wall_us; /* 0 before */
    struct deadline deadline;
    UT_hash_handle by_number;
    TAILQ_ENTRY(leg) link; /* in the call's legs */
};

struct leg *leg_new(struct call *call, int64_t number, enum leg_direction direction);
/* Not while it is in a call's list, an index or the deadlines. */
struct leg *leg_free(struct leg *leg);

/* The party as the public API names it: "caller", or the worker's id. */
const char *leg_party(const struct leg *leg);
/* Whether the party could still be in a talk: not given up and not over. */
bool leg_alive(const struct leg *leg);

/* Moves the leg and returns true, or changes nothing: a late or repeated event. */
bool leg_apply(struct leg *leg, enum leg_event event);
const char *leg_state_name(enum leg_state state); /* "RINGING" */

#endif
