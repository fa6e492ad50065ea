#include <criterion/criterion.h>

#include "common/rpc/outbox.h"
#include "common/rpc/payload.h"

Test(outbox, keeps_order_and_gives_back_references)
{
    struct rpc_outbox outbox;
    struct rpc_payload *first = rpc_payload_copy("first", 5);
    struct rpc_payload *second = rpc_payload_copy("second", 6);

    rpc_outbox_init(&outbox, 2, 100);
    cr_assert(rpc_outbox_push(&outbox, first));
    cr_assert(rpc_outbox_push(&outbox, second));
    cr_assert_eq(outbox.bytes, 11);
    cr_assert_eq(rpc_outbox_take(&outbox), first);
    cr_assert_eq(rpc_outbox_take(&outbox), second);
    cr_assert_null(rpc_outbox_take(&outbox));
    cr_assert_eq(outbox.bytes, 0);
    for (int i = 0; i < 2; i++) {
        rpc_payload_unref(first);
        rpc_payload_unref(second);
    }
}

Test(outbox, is_full_by_messages_or_by_bytes)
{
    struct rpc_outbox outbox;
    struct rpc_payload *payload = rpc_payload_copy("0123456789", 10);

    rpc_outbox_init(&outbox, 3, 1000);
    for (int i = 0; i < 3; i++) {
        cr_assert(rpc_outbox_push(&outbox, payload));
    }
    cr_assert_not(rpc_outbox_push(&outbox, payload));
    rpc_outbox_clear(&outbox);

    rpc_outbox_init(&outbox, 1000, 25);
    cr_assert(rpc_outbox_push(&outbox, payload));
    cr_assert(rpc_outbox_push(&outbox, payload));
    cr_assert_not(rpc_outbox_push(&outbox, payload));
    rpc_outbox_clear(&outbox);
    rpc_payload_unref(payload);
}

Test(outbox, takes_one_message_of_any_size)
{
    struct rpc_outbox outbox;
    struct rpc_payload *payload = rpc_payload_copy("0123456789", 10);

    rpc_outbox_init(&outbox, 1, 5);
    cr_assert(rpc_outbox_push(&outbox, payload));
    rpc_outbox_clear(&outbox);
    rpc_payload_unref(payload);
}
