/* A mailbox: messages from many threads to the one thread that owns an object.
 *
 * A message is any struct with a `struct mailbox_node` inside; posting hands the whole struct over,
 * and the owner finds it again with MAILBOX_MESSAGE. Messages of one sender arrive in the order
 * they were posted. Nothing is copied or allocated, and while the owner is busy neither side makes
 * a system call. The mailbox has no limit: a sender that outsiders drive limits itself first.
 *
 * An owner that polls descriptors watches mailbox_descriptor() for reading, and on each wake takes
 * until there is nothing left to take. An owner that does not poll uses mailbox_wait():
 *
 *     while (mailbox_wait(mailbox, deadline_mono_us) != MAILBOX_CLOSED) {
 *         struct mailbox_node *node = mailbox_take_all(mailbox);
 *         while (node) {
 *             struct command *command = MAILBOX_MESSAGE(node, struct command, node);
 *             node = node->next;
 *             run(command);
 *         }
 *     }
 */
#ifndef COMMON_MAILBOX_MAILBOX_H
#define COMMON_MAILBOX_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct mailbox;

struct mailbox_node {
    struct mailbox_node *next;
};

enum mailbox_wake {
    MAILBOX_READY,   /* there is something to take */
    MAILBOX_CLOSED,  /* closed, and everything posted before has been taken */
    MAILBOX_DEADLINE /* the time has come */
};

/* The struct of `type` whose member is the node that `pointer` points to. */
#define MAILBOX_MESSAGE(pointer, type, member)                                                     \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

struct mailbox *mailbox_new(void);
/* Messages still inside are not freed: take them first. No thread may post any more. */
struct mailbox *mailbox_free(struct mailbox *mailbox);

/* Any thread. Consumes the message and returns true, or, when the mailbox is closed, returns false
 * and leaves it with the caller. */
MUST_USE bool mailbox_post(struct mailbox *mailbox, struct mailbox_node *node);
/* Any thread, any number of times. Wakes the owner. */
void mailbox_close(struct mailbox *mailbox);

/* The remaining functions are for the owner alone. */

/* Everything posted so far, oldest first, linked by `next`; NULL when there is nothing. After a
 * NULL the descriptor becomes readable with the next post or close. */
struct mailbox_node *mailbox_take_all(struct mailbox *mailbox);
/* True once the mailbox is closed and empty: nothing will ever come. */
bool mailbox_finished(const struct mailbox *mailbox);
/* Blocks until there is something to take, the mailbox is finished, or the system's monotonic clock
 * reaches the deadline (INT64_MAX: never). */
enum mailbox_wake mailbox_wait(struct mailbox *mailbox, int64_t deadline_mono_us);
/* An eventfd to poll for reading; the mailbox reads it, the owner does not. */
int mailbox_descriptor(const struct mailbox *mailbox);

DEFINE_CLEANUP(struct mailbox *, mailbox_free)

#endif
