/* A step: one command, timer or report applied to the engine, and all that came of it. The engine's
 * memory is changed at once; the changes become durable in a batch; only then do reply, events and
 * effects leave. The same steps give the same result, bit by bit.
 *
 * A step owns its arena and everything in it lives there: it can be handed from the engine's thread
 * to the committer's as a whole, and freed with one call.
 */
#ifndef ROUTING_OPERATIONS_STEP_H
#define ROUTING_OPERATIONS_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error/error.h"
#include "services/routing/domain/row.h"
#include "services/routing/domain/view.h"

struct arena;

/* One row as it is after the step; of several changes of one row the last counts. */
struct change {
    enum row_kind kind;
    bool deleted;
    const void *row; /* struct <kind>_row; of a deleted one only the key counts */
};

/* What has to be told to someone after the commit, besides events. */
enum effect_kind {
    EFFECT_INSTRUCTION,       /* a bridge has a new instruction */
    EFFECT_REPORT_ACK,        /* a bridge's reports up to a number are durable */
    EFFECT_TELEPHONY_CHANGED, /* trunks or routes changed: tell all bridges */
};

struct effect {
    enum effect_kind kind;
    const struct instruction_row *instruction; /* EFFECT_INSTRUCTION */
    const char *bridge_id;                     /* EFFECT_REPORT_ACK */
    int64_t report_number;                     /* EFFECT_REPORT_ACK */
};

struct step {
    struct arena *arena;
    const char *workspace_id;
    int64_t now_us;    /* engine time, microseconds since the epoch */
    uint64_t random;   /* state of the step's generator, seeded by the shard */
    const char *actor; /* who caused it, for its events: "client" unless the caller says "worker" */

    struct change *changes;
    size_t change_count;
    size_t change_capacity;
    struct event *events;
    size_t event_count;
    size_t event_capacity;
    struct effect *effects;
    size_t effect_count;
    size_t effect_capacity;

    /* The newest batch that the reply depends on: it may not leave before that batch is durable. A
     * step with changes depends on its own batch besides. */
    int64_t depends_on_batch;

    /* The reply. */
    bool ok;
    struct error error; /* when not ok; then nothing was changed */
    struct view *views; /* what the operation returns: one resource, or a page */
    size_t view_count;
    size_t view_capacity;
    const char *next_page; /* where the next page starts; NULL on the last one */
    int64_t sequence;      /* last event of the workspace contained in the reply */
    size_t mended;         /* sweep_workspace: faults found */
};

/* arena is consumed; workspace_id is copied. */
struct step *step_new(
    struct arena *arena,
    const char *workspace_id,
    int64_t now_us,
    uint64_t random);
struct step *step_free(struct step *step);

void step_add_change(
    struct step *step,
    enum row_kind kind,
    const void *row,
    bool deleted);                               /* copies */
struct event *step_add_event(struct step *step); /* a zeroed one to fill in */
struct effect *step_add_effect(struct step *step, enum effect_kind kind);
struct view *step_add_view(struct step *step);

/* Ten random bytes for a UUID, and so on: splitmix64. */
uint64_t step_random(struct step *step);

#endif
