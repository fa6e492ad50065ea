/* A record: what every live object of the engine has in common. It is the first member of each
 * object, and the object's row comes right with it, so that finding, paging, versioning, saving and
 * deleting are written once for all kinds.
 */
#ifndef ROUTING_DOMAIN_RECORD_H
#define ROUTING_DOMAIN_RECORD_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/routing/domain/row.h"

struct record {
    enum row_kind kind;
    bool touched;   /* by the step under way */
    int64_t batch;  /* number of the batch that last changed it; 0: since the start none */
    void *row;      /* struct <kind>_row */
    const char *id; /* in the row */
    RB_ENTRY(record) by_id;
    TAILQ_ENTRY(record) by_touch;
};

RB_HEAD(record_tree, record);
TAILQ_HEAD(record_list, record);
RB_PROTOTYPE(record_tree, record, by_id, record_compare)

/* By id, as strcmp. */
int record_compare(struct record *one, struct record *other);

/* Makes the record of a row: sets the row up as a copy of `from`. */
void record_init(struct record *record, enum row_kind kind, void *row, const void *from);
void record_deinit(struct record *record);

/* The one with this id; NULL. */
struct record *record_find(struct record_tree *tree, const char *id);
/* The first one behind this id; NULL. */
struct record *record_find_after(struct record_tree *tree, const char *id);

/* Version 0 and nothing else for kinds without one. */
int64_t record_version(const struct record *record);
/* Raises the version and sets the time of the last change, where the kind has them. */
void record_bump(struct record *record, int64_t now_us);

#endif
