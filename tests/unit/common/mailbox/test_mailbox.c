#include <criterion/criterion.h>
#include <poll.h>

#include "common/clock/clock.h"
#include "common/mailbox/mailbox.h"

struct letter {
    int number;
    struct mailbox_node node;
};

static bool readable(const struct mailbox *mailbox)
{
    struct pollfd ready = {.fd = mailbox_descriptor(mailbox), .events = POLLIN};

    return poll(&ready, 1, 0) == 1;
}

static int number_of(struct mailbox_node *node)
{
    return MAILBOX_MESSAGE(node, struct letter, node)->number;
}

Test(mailbox, hands_over_what_was_posted_oldest_first)
{
    CLEANUP(mailbox_free_at_exit) struct mailbox *mailbox = mailbox_new();
    struct letter letters[3] = {{.number = 1}, {.number = 2}, {.number = 3}};

    for (int i = 0; i < 3; i++) {
        cr_assert(mailbox_post(mailbox, &letters[i].node));
    }

    struct mailbox_node *node = mailbox_take_all(mailbox);

    for (int i = 1; i <= 3; i++) {
        cr_assert_eq(number_of(node), i);
        node = node->next;
    }
    cr_assert_null(node);
    cr_assert_null(mailbox_take_all(mailbox));
}

Test(mailbox, descriptor_is_readable_only_after_a_post_to_an_emptied_mailbox)
{
    CLEANUP(mailbox_free_at_exit) struct mailbox *mailbox = mailbox_new();
    struct letter letters[2] = {{.number = 1}, {.number = 2}};

    cr_assert_null(mailbox_take_all(mailbox));
    cr_assert_not(readable(mailbox));

    cr_assert(mailbox_post(mailbox, &letters[0].node));
    cr_assert(readable(mailbox));
    cr_assert_eq(number_of(mailbox_take_all(mailbox)), 1);
    cr_assert_null(mailbox_take_all(mailbox));
    cr_assert_not(readable(mailbox), "an old ring must not keep the owner spinning");

    cr_assert(mailbox_post(mailbox, &letters[1].node));
    cr_assert(readable(mailbox));
}

Test(mailbox, rings_for_what_was_posted_while_the_owner_was_busy)
{
    CLEANUP(mailbox_free_at_exit) struct mailbox *mailbox = mailbox_new();
    struct letter letter = {.number = 1};

    /* Not armed yet: no ring is needed, but waiting must see the message. */
    cr_assert(mailbox_post(mailbox, &letter.node));
    cr_assert_not(readable(mailbox));
    cr_assert_eq(mailbox_wait(mailbox, INT64_MAX), MAILBOX_READY);
    cr_assert_eq(number_of(mailbox_take_all(mailbox)), 1);
}

Test(mailbox, wait_ends_at_its_deadline)
{
    CLEANUP(mailbox_free_at_exit) struct mailbox *mailbox = mailbox_new();
    int64_t deadline_us = clock_mono_us(clock_system()) + 2000;

    cr_assert_eq(mailbox_wait(mailbox, 0), MAILBOX_DEADLINE);
    cr_assert_eq(mailbox_wait(mailbox, deadline_us), MAILBOX_DEADLINE);
    cr_assert_geq(clock_mono_us(clock_system()), deadline_us);
}

Test(mailbox, refuses_posts_once_closed_and_still_hands_over_the_rest)
{
    CLEANUP(mailbox_free_at_exit) struct mailbox *mailbox = mailbox_new();
    struct letter letters[3] = {{.number = 1}, {.number = 2}, {.number = 3}};

    cr_assert(mailbox_post(mailbox, &letters[0].node));
    cr_assert(mailbox_post(mailbox, &letters[1].node));
    mailbox_close(mailbox);
    mailbox_close(mailbox);
    cr_assert_not(mailbox_post(mailbox, &letters[2].node));

    cr_assert_eq(mailbox_wait(mailbox, INT64_MAX), MAILBOX_READY);
    cr_assert_not(mailbox_finished(mailbox));

    struct mailbox_node *node = mailbox_take_all(mailbox);

    cr_assert_eq(number_of(node), 1);
    cr_assert_eq(number_of(node->next), 2);
    cr_assert_null(node->next->next);
    cr_assert(mailbox_finished(mailbox));
    cr_assert_null(mailbox_take_all(mailbox));
    cr_assert_eq(mailbox_wait(mailbox, INT64_MAX), MAILBOX_CLOSED);
}

Test(mailbox, closing_wakes_a_polling_owner)
{
    CLEANUP(mailbox_free_at_exit) struct mailbox *mailbox = mailbox_new();

    cr_assert_null(mailbox_take_all(mailbox));
    mailbox_close(mailbox);
    cr_assert(readable(mailbox));
    cr_assert(mailbox_finished(mailbox));
}
