/* Messages per second from two senders to one owner. The bound: the same number of messages pushed
 * onto an atomic pointer by one thread, which is what a hand-over costs with nobody at the other
 * end. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/mailbox/mailbox.h"

enum {
    SENDERS = 2,
    LETTERS = 2000000
};

struct sender {
    struct mailbox *mailbox;
    struct mailbox_node *letters;
};

static double per_second(int count, int64_t start_us)
{
    return count * 1e6 / (double)(clock_mono_us(clock_system()) - start_us);
}

static double measure_bound(struct mailbox_node *letters)
{
    _Atomic(struct mailbox_node *) top = NULL;
    int64_t start_us = clock_mono_us(clock_system());

    for (int i = 0; i < LETTERS; i++) {
        struct mailbox_node *next = atomic_load(&top);

        do {
            letters[i].next = next;
        } while (!atomic_compare_exchange_weak(&top, &next, &letters[i]));
    }
    return per_second(LETTERS, start_us);
}

static void *send_all(void *context)
{
    const struct sender *sender = context;

    for (int i = 0; i < LETTERS; i++) {
        if (!mailbox_post(sender->mailbox, &sender->letters[i])) {
            abort();
        }
    }
    return NULL;
}

static double measure(struct mailbox_node *letters)
{
    CLEANUP(mailbox_free_at_exit) struct mailbox *mailbox = mailbox_new();
    struct sender senders[SENDERS];
    pthread_t threads[SENDERS];
    int taken = 0;
    int64_t start_us = clock_mono_us(clock_system());

    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){mailbox, letters + (size_t)i * LETTERS};
        if (pthread_create(&threads[i], NULL, send_all, &senders[i]) != 0) {
            abort();
        }
    }
    while (taken < SENDERS * LETTERS) {
        (void)mailbox_wait(mailbox, INT64_MAX);
        for (struct mailbox_node *node = mailbox_take_all(mailbox); node; node = node->next) {
            taken++;
        }
    }

    double rate = per_second(taken, start_us);

    for (int i = 0; i < SENDERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return rate;
}

int main(void)
{
    struct mailbox_node *letters = mem_new_array(struct mailbox_node, (size_t)SENDERS * LETTERS);
    double bound = measure_bound(letters);
    double rate = measure(letters);

    printf("RESULT mailbox %.0f messages/s\n", rate);
    printf("RESULT mailbox.bound %.0f messages/s\n", bound);
    printf("RESULT mailbox.ratio %.3f share\n", rate / bound);
    free(letters);
    return 0;
}
