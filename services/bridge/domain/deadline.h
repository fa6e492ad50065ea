/* Deadlines: what happens when nobody else acts. One per object that waits, embedded in it, in one
 * ordered set. Monotonic microseconds.
 */
#ifndef BRIDGE_DOMAIN_DEADLINE_H
#define BRIDGE_DOMAIN_DEADLINE_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

/* What it is embedded in. */
enum deadline_kind {
    DEADLINE_OF_CALL,
    DEADLINE_OF_LEG,
};

struct deadline {
    enum deadline_kind kind;
    bool set;
    int64_t due_us;
    uint64_t order; /* of setting: keeps equal times apart, oldest first */
    RB_ENTRY(deadline) entry;
};

RB_HEAD(deadline_tree, deadline);

struct deadlines {
    struct deadline_tree tree;
    uint64_t set_count;
};

void deadlines_init(struct deadlines *deadlines);
/* Sets it, or moves it. */
void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, int64_t due_us);
void deadlines_clear(struct deadlines *deadlines, struct deadline *deadline);
/* The earliest one, or NULL. */
struct deadline *deadlines_first(const struct deadlines *deadlines);

#endif
