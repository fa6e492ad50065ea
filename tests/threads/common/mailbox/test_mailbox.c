/* Four senders, one owner, both ways of waiting: nothing is lost, nothing comes twice, each
 * sender's messages keep their order, and closing under fire leaves each message either taken or
 * refused. */
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/mailbox/mailbox.h"

enum {
    SENDERS = 4,
    LETTERS = 20000
};

struct letter {
    struct mailbox_node node;
    int sender;
    int number;
};

struct sender {
    struct mailbox *mailbox;
    pthread_t thread;
    int id;
    int posted;
};

static void require(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static void *send_all(void *context)
{
    struct sender *sender = context;

    for (int i = 0; i < LETTERS; i++) {
        struct letter *letter = mem_new(struct letter);

        letter->sender = sender->id;
        letter->number = i;
        if (!mailbox_post(sender->mailbox, &letter->node)) {
            free(letter);
            break;
        }
        sender->posted++;
    }
    return NULL;
}

/* Takes what is there; returns how many, and checks the order of each sender. */
static int drain(struct mailbox *mailbox, int next[SENDERS])
{
    int count = 0;
    struct mailbox_node *node;

    while ((node = mailbox_take_all(mailbox)) != NULL) {
        while (node) {
            struct letter *letter = MAILBOX_MESSAGE(node, struct letter, node);

            node = node->next;
            require(letter->number == next[letter->sender]++, "one sender's order is kept");
            free(letter);
            count++;
        }
    }
    return count;
}

static void start(struct sender senders[SENDERS], struct mailbox *mailbox)
{
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.mailbox = mailbox, .id = i};
        require(
            pthread_create(&senders[i].thread, NULL, send_all, &senders[i]) == 0, "thread starts");
    }
}

static int join(struct sender senders[SENDERS])
{
    int posted = 0;

    for (int i = 0; i < SENDERS; i++) {
        (void)pthread_join(senders[i].thread, NULL);
        posted += senders[i].posted;
    }
    return posted;
}

static void owner_that_waits(void)
{
    CLEANUP(mailbox_free_at_exit) struct mailbox *mailbox = mailbox_new();
    struct sender senders[SENDERS];
    int next[SENDERS] = {0};
    int taken = 0;

    start(senders, mailbox);
    while (taken < SENDERS * LETTERS) {
        require(mailbox_wait(mailbox, INT64_MAX) == MAILBOX_READY, "wakes because of a message");
        taken += drain(mailbox, next);
    }
    require(join(senders) == taken, "all arrived");
}

static void owner_that_polls(void)
{
    CLEANUP(mailbox_free_at_exit) struct mailbox *mailbox = mailbox_new();
    struct pollfd ready = {.fd = mailbox_descriptor(mailbox), .events = POLLIN};
    struct sender senders[SENDERS];
    int next[SENDERS] = {0};
    int taken = drain(mailbox, next);

    start(senders, mailbox);
    while (taken < SENDERS * LETTERS) {
        require(poll(&ready, 1, 10000) == 1, "a post rings");
        taken += drain(mailbox, next);
    }
    require(join(senders) == taken, "all arrived");
}

static void closing_under_fire(void)
{
    CLEANUP(mailbox_free_at_exit) struct mailbox *mailbox = mailbox_new();
    struct sender senders[SENDERS];
    int next[SENDERS] = {0};
    int taken = 0;

    start(senders, mailbox);
    require(mailbox_wait(mailbox, INT64_MAX) == MAILBOX_READY, "the first has come");
    mailbox_close(mailbox);
    while (mailbox_wait(mailbox, INT64_MAX) != MAILBOX_CLOSED) {
        taken += drain(mailbox, next);
    }
    require(join(senders) == taken, "what was not refused was taken");
}

int main(void)
{
    owner_that_waits();
    owner_that_polls();
    closing_under_fire();
    return 0;
}
