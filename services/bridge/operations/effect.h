/* Effects: what an operation wants done, in order. The operations say it, calls/ does it; nothing
 * here happens by itself. A step is one run of an operation: the time, chance, and memory it was
 * given, and the effects it left.
 *
 * Effects live in the step's arena, with everything they point to.
 */
#ifndef BRIDGE_OPERATIONS_EFFECT_H
#define BRIDGE_OPERATIONS_EFFECT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/uuid.h"
#include "services/bridge/domain/cause.h"
#include "services/bridge/domain/link.h"
#include "services/bridge/domain/offer_answer.h"
#include "services/bridge/domain/signalling.h"

struct arena;

enum effect_kind {
    /* Media. A stream is named by its leg, a conference by its number. */
    EFFECT_OPEN_STREAM, /* answered at once by bridge_stream_opened or bridge_stream_refused */
    EFFECT_SET_REMOTE,  /* agreed */
    EFFECT_PLAY_WAIT_AUDIO,
    EFFECT_STOP_PLAYING,
    EFFECT_CLOSE_STREAM,
    EFFECT_OPEN_CONFERENCE,
    EFFECT_SET_PLAN, /* members */
    EFFECT_CLOSE_CONFERENCE,

    /* Signalling, as struct signalling_commands. */
    EFFECT_PROGRESS,       /* status, description or NULL */
    EFFECT_ANSWER,         /* description */
    EFFECT_REFUSE,         /* reason */
    EFFECT_DIAL,           /* dial */
    EFFECT_CANCEL,         /* reason */
    EFFECT_HANG_UP,        /* reason */
    EFFECT_ANSWER_REOFFER, /* status, description or NULL */

    /* Link. */
    EFFECT_REPORT, /* report */

    /* Log and metrics. */
    EFFECT_NOTE, /* note */
};

/* Who hears whom, by leg: bit i of `hears` set means that this leg hears members[i]. */
struct plan_member {
    int64_t leg;
    uint64_t hears;
};

enum note_kind {
    NOTE_INVITE_REFUSED, /* cause */
    NOTE_INVITE_CANCELED,
    NOTE_INVITE_ANSWERED,
    NOTE_CALL_STARTED,
    NOTE_CALL_WAITING,
    NOTE_CALL_ENDED, /* text: the report's cause; cause, why, status */
    NOTE_WORKER_DIALED,
    NOTE_WORKER_RINGING,
    NOTE_WORKER_JOINED,
    NOTE_WORKER_FAILED,       /* text, status */
    NOTE_WORKER_LEFT,         /* text, status */
    NOTE_REOFFER_REFUSED,     /* status */
    NOTE_INSTRUCTION_IGNORED, /* text: which */
    NOTE_LEG_FORGOTTEN,       /* SIP never told its end */
    NOTE_KIND_COUNT,
};

/* Something worth a line in the log and a count. Texts may be "", never NULL. */
struct note {
    enum note_kind kind;
    const char *call_id;
    const char *sip_call_id; /* of the caller's leg */
    const char *workspace_id;
    const char *task_id;
    const char *reservation_id;
    const char *worker_id;
    const char *text;
    const char *why; /* the routing service's reason */
    enum cause cause;
    int status;
    int64_t took_us; /* CALL_ENDED: since its start; WORKER_JOINED: since it was dialled */

    /* INVITE_REFUSED. */
    const char *source_address;
    int source_port;
    const char *called_number;
};

struct effect {
    enum effect_kind kind;
    int64_t leg;
    int64_t conference;
    struct effect *next;
    union {
        struct agreed_media agreed;
        struct {
            const struct plan_member *members;
            size_t member_count;
        };
        struct {
            int status;
            const struct session_description *description;
        };
        struct signalling_reason reason;
        struct signalling_dial dial;
        struct report report;
        struct note note;
    };
};

struct step {
    int64_t now_us;                    /* monotonic */
    int64_t wall_us;                   /* since the epoch */
    uint8_t random[UUID_RANDOM_BYTES]; /* for the id of a new call */
    struct arena *arena;
    struct effect *first; /* effects, oldest first; more may come while they are carried out */
    struct effect *last;
};

#endif
