/* A stack that senders push onto with one compare-and-swap and the owner takes whole with one
 * exchange, then turns round. Two marker nodes say what an empty stack means:
 *
 *     NULL      empty, and the owner is awake: it will look again, nobody needs to wake it
 *     &armed    empty, and the owner may be asleep: the sender that replaces the marker wakes it
 *     &closed   on top of whatever was in it: nothing is pushed any more
 *
 * So the eventfd is written once per sleep and not once per message.
 */
#include "common/mailbox/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"

struct mailbox {
    _Atomic(struct mailbox_node *) top;
    struct mailbox_node armed;
    struct mailbox_node closed; /* its next: what was in the mailbox when it was closed */
    atomic_flag closing;
    int event;
};

struct mailbox *mailbox_new(void)
{
    struct mailbox *mailbox = mem_new(struct mailbox);

    atomic_init(&mailbox->top, NULL);
    atomic_flag_clear(&mailbox->closing);
    mailbox->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->event < 0) {
        abort(); /* out of descriptors or memory at start: as with memory, there is no way on */
    }
    return mailbox;
}

struct mailbox *mailbox_free(struct mailbox *mailbox)
{
    if (!mailbox) {
        return NULL;
    }

    (void)close(mailbox->event);
    free(mailbox);
    return NULL;
}

static void ring(const struct mailbox *mailbox)
{
    uint64_t one = 1;
    /* It can only fail by being full, and then the owner is being woken anyway. */
    ssize_t written = write(mailbox->event, &one, sizeof(one));

    (void)written;
}

bool mailbox_post(struct mailbox *mailbox, struct mailbox_node *node)
{
    struct mailbox_node *top = atomic_load(&mailbox->top);

    do {
        if (top == &mailbox->closed) {
            return false;
        }
        node->next = top == &mailbox->armed ? NULL : top;
    } while (!atomic_compare_exchange_weak(&mailbox->top, &top, node));

    /* The node is the owner's from here on. */
    if (top == &mailbox->armed) {
        ring(mailbox);
    }
    return true;
}

void mailbox_close(struct mailbox *mailbox)
{
    if (atomic_flag_test_and_set(&mailbox->closing)) {
        return;
    }

    struct mailbox_node *top = atomic_load(&mailbox->top);

    do {
        mailbox->closed.next = top == &mailbox->armed ? NULL : top;
    } while (!atomic_compare_exchange_weak(&mailbox->top, &top, &mailbox->closed));
    ring(mailbox);
}

static struct mailbox_node *reversed(struct mailbox_node *node)
{
    struct mailbox_node *first = NULL;

    while (node) {
        struct mailbox_node *next = node->next;

        node->next = first;
        first = node;
        node = next;
    }
    return first;
}

static struct mailbox_node *take(struct mailbox *mailbox)
{
    struct mailbox_node *top = atomic_load(&mailbox->top);

    do {
        if (!top || top == &mailbox->armed) {
            return NULL;
        }
        if (top == &mailbox->closed) {
            struct mailbox_node *rest = mailbox->closed.next;

            mailbox->closed.next = NULL;
            return rest;
        }
    } while (!atomic_compare_exchange_weak(&mailbox->top, &top, NULL));
    return top;
}

/* Makes the next post or close ring. False when something has come in the meantime. Old rings are
 * removed first: one that belongs to a message not yet seen is then found by the exchange. */
static bool arm(struct mailbox *mailbox)
{
    struct mailbox_node *top = NULL;
    uint64_t rings;
    ssize_t got = read(mailbox->event, &rings, sizeof(rings));

    (void)got;
    return atomic_compare_exchange_strong(&mailbox->top, &top, &mailbox->armed) ||
           top == &mailbox->armed;
}

struct mailbox_node *mailbox_take_all(struct mailbox *mailbox)
{
    struct mailbox_node *top;

    while (!(top = take(mailbox)) && !mailbox_finished(mailbox) && !arm(mailbox)) {
    }
    return reversed(top);
}

bool mailbox_finished(const struct mailbox *mailbox)
{
    return atomic_load(&mailbox->top) == &mailbox->closed && !mailbox->closed.next;
}

static bool is_empty(const struct mailbox *mailbox)
{
    const struct mailbox_node *top = atomic_load(&mailbox->top);

    return !top || top == &mailbox->armed || (top == &mailbox->closed && !top->next);
}

/* Sleeps until a ring, a signal or the deadline. False at the deadline. */
static bool sleep_until(const struct mailbox *mailbox, int64_t deadline_mono_us)
{
    struct pollfd ready = {.fd = mailbox->event, .events = POLLIN};
    struct timespec limit;
    bool endless = deadline_mono_us == INT64_MAX;

    if (!endless) {
        int64_t left_us = deadline_mono_us - clock_mono_us(clock_system());

        if (left_us <= 0) {
            return false;
        }
        limit.tv_sec = left_us / 1000000;
        limit.tv_nsec = left_us % 1000000 * 1000;
    }

    int result = ppoll(&ready, 1, endless ? NULL : &limit, NULL);

    assert(result >= 0 || errno == EINTR);
    (void)result;
    return true;
}

enum mailbox_wake mailbox_wait(struct mailbox *mailbox, int64_t deadline_mono_us)
{
    for (;;) {
        if (mailbox_finished(mailbox)) {
            return MAILBOX_CLOSED;
        }
        if (!is_empty(mailbox)) {
            return MAILBOX_READY;
        }
        if (arm(mailbox) && !sleep_until(mailbox, deadline_mono_us)) {
            return MAILBOX_DEADLINE;
        }
    }
}

int mailbox_descriptor(const struct mailbox *mailbox)
{
    return mailbox->event;
}
