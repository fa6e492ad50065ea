/* Deadlines: what time brings about. Each object embeds those it needs; all workspaces of a thread
 * share one tree in the order (time, kind, workspace, id). A deadline is derived from rows and
 * never stored; firing re-checks the row, so a stale one does nothing.
 */
#ifndef ROUTING_DOMAIN_DEADLINE_H
#define ROUTING_DOMAIN_DEADLINE_H

#include <bsd/sys/tree.h>
#include <stdint.h>

struct engine;
struct record;

/* In the order in which those of the same microsecond fire. */
enum deadline_kind {
    DEADLINE_TASK_STATE,  /* TTL, assigned limit, wrap-up limit, retention */
    DEADLINE_TASK_TARGET, /* the workflow target's time-out */
    DEADLINE_RESERVATION, /* not answered, or not set up, in time */
    DEADLINE_RETRY,       /* an ended reservation no longer keeps its worker from the task */
    DEADLINE_BRIDGE,      /* a bridge that did not come back after a restart */
    DEADLINE_REQUEST,     /* a request_id may be forgotten */
};

struct deadline {
    enum deadline_kind kind;
    int64_t time_us; /* 0: not armed */
    struct engine *engine;
    struct record *record;
    RB_ENTRY(deadline) by_time;
};

RB_HEAD(deadline_tree, deadline);
RB_PROTOTYPE(deadline_tree, deadline, by_time, deadline_compare)

int deadline_compare(struct deadline *one, struct deadline *other);

void deadline_init(
    struct deadline *deadline,
    enum deadline_kind kind,
    struct engine *engine,
    struct record *record);
/* Arms it for a time, moves it, or, with 0, disarms it. */
void deadline_set(struct deadline *deadline, int64_t time_us);

#endif
