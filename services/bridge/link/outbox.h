/* Reports that the routing service has not acknowledged yet, by workspace, numbered as it wants
 * them: the first one after the last acknowledged. Pure; lives on the link's thread.
 */
#ifndef BRIDGE_LINK_OUTBOX_H
#define BRIDGE_LINK_OUTBOX_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/bridge/domain/link.h"

struct arena;

/* A report and everything it points to, in one arena. */
struct kept_report {
    struct arena *arena;
    struct report report;
    TAILQ_ENTRY(kept_report) by_number;
};

TAILQ_HEAD(kept_report_list, kept_report);

/* What the two sides of the link have told each other about one workspace. */
struct outbox_workspace {
    char *workspace_id;
    int64_t acknowledged; /* number of the last report that took effect; 0: none */
    size_t offered;       /* reports at the head of the list that were ever sent */
    size_t sent;          /* of those, how many on this stream */
    struct kept_report_list reports;
    struct kept_report *next; /* the first one not sent on this stream */
    int64_t last_instruction; /* newest one seen */
    bool confirmed;           /* the routing service said on this stream where it stands */
    bool ack_due;             /* and not acknowledged to the routing service yet */
    RB_ENTRY(outbox_workspace) by_id;
};

RB_HEAD(outbox_tree, outbox_workspace);
int outbox_compare(struct outbox_workspace *one, struct outbox_workspace *other);
RB_PROTOTYPE(outbox_tree, outbox_workspace, by_id, outbox_compare)

struct outbox {
    struct outbox_tree workspaces;
    size_t report_count;
};

void outbox_init(struct outbox *outbox);
void outbox_deinit(struct outbox *outbox);

/* A copy of a report on the heap; kept_report_free it, or give it to an outbox. */
struct kept_report *kept_report_new(const struct report *report);
void kept_report_free(struct kept_report *kept);

struct outbox_workspace *outbox_workspace(struct outbox *outbox, const char *workspace_id);
/* Takes the report. */
void outbox_add(struct outbox *outbox, struct kept_report *kept);
/* The routing service has everything up to the number: drops it. The first one on a stream counts
 * even when it is lower than what was acknowledged before. */
void outbox_acknowledge(struct outbox *outbox, const char *workspace_id, int64_t number);
/* A new stream: everything has to be sent again. */
void outbox_restart(struct outbox *outbox);
/* The routing service has said all it knows of us: in the other workspaces it knows nothing. */
void outbox_confirm(struct outbox *outbox);
/* The next report to send, with its number; NULL when all were sent. Counts it as sent. */
const struct report *outbox_next(struct outbox *outbox, int64_t *ret_number);

#endif
