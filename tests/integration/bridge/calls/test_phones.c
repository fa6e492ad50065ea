/* Phones on both sides, and what each of them hears. */
#include <criterion/criterion.h>

#include "tests/integration/bridge/calls/exchange.h"

enum {
    PATIENCE_MS = 5000,
    LOUD_DBFS = -30,
    QUIET_DBFS = -45,
};

static struct exchange *exchange;
static struct phone caller;
static struct phone worker;

static void open_phones(enum route_answer answer)
{
    exchange = exchange_new(answer);
    exchange_open_phone(exchange, &caller, CALLER_HZ);
    exchange_open_phone(exchange, &worker, WORKER_HZ);
}

static void close_phones(void)
{
    exchange_close_phone(&caller);
    exchange_close_phone(&worker);
    exchange_free(exchange);
}

static void hears(struct phone *phone, int hz)
{
    cr_assert(
        rtp_party_waits_to_hear(phone->voice, hz, LOUD_DBFS, PATIENCE_MS), "%d Hz at %.1f dBFS", hz,
        rtp_party_level(phone->voice, hz));
}

static void does_not_hear(struct phone *phone, int hz)
{
    cr_assert(
        rtp_party_waits_for_silence(phone->voice, hz, QUIET_DBFS, PATIENCE_MS),
        "%d Hz at %.1f dBFS", hz, rtp_party_level(phone->voice, hz));
}

/* The caller is answered and hears the wait audio. */
static void wait_for_worker(void)
{
    phone_invite(&caller, 1, "sendrecv");
    exchange_expect_report(exchange, REPORT_ENQUEUE_CALL);
    exchange_instruct(exchange, INSTRUCTION_CALL_ENQUEUED);
    phone_is_answered(&caller, 1);
    exchange_expect_report(exchange, REPORT_CALL_ANSWERED);
    hears(&caller, WAIT_HZ);
}

static void talk(void)
{
    wait_for_worker();
    exchange_dial(exchange, &worker, "r1");
    phone_rings(&worker);
    exchange_expect_report(exchange, REPORT_WORKER_RINGING);
    phone_answers(&worker);
    exchange_expect_report(exchange, REPORT_WORKER_JOINED);
}

Test(phones, hear_each_other_and_not_themselves)
{
    open_phones(ROUTE_ANSWER_AFTER_TASK);
    talk();
    hears(&caller, WORKER_HZ);
    hears(&worker, CALLER_HZ);
    does_not_hear(&caller, WAIT_HZ);
    does_not_hear(&caller, CALLER_HZ);
    does_not_hear(&worker, WORKER_HZ);
    phone_hang_up(&caller, 2);
    phone_takes(&worker, "BYE");
    cr_assert_str_eq(exchange_expect_report(exchange, REPORT_CALL_ENDED), "hang_up");
    close_phones();
}

Test(phones, are_both_let_go_when_the_routing_service_says_so)
{
    open_phones(ROUTE_ANSWER_AFTER_TASK);
    talk();
    exchange_instruct(exchange, INSTRUCTION_RELEASE_CALL);
    phone_takes(&worker, "BYE");
    phone_takes(&caller, "BYE");
    cr_assert_str_eq(exchange_expect_report(exchange, REPORT_CALL_ENDED), "released");
    close_phones();
}

Test(phones, the_second_one_takes_what_the_first_one_does_not)
{
    open_phones(ROUTE_ANSWER_AFTER_TASK);
    wait_for_worker();
    exchange_dial(exchange, &worker, "r1");
    phone_rings(&worker);
    exchange_expect_report(exchange, REPORT_WORKER_RINGING);
    phone_refuses(&worker, "486 Busy Here");
    cr_assert_str_eq(exchange_expect_report(exchange, REPORT_WORKER_FAILED), "busy");
    hears(&caller, WAIT_HZ);
    exchange_dial(exchange, &worker, "r2");
    phone_rings(&worker);
    exchange_expect_report(exchange, REPORT_WORKER_RINGING);
    phone_answers(&worker);
    exchange_expect_report(exchange, REPORT_WORKER_JOINED);
    hears(&caller, WORKER_HZ);
    hears(&worker, CALLER_HZ);
    phone_hang_up(&caller, 2);
    phone_takes(&worker, "BYE");
    exchange_expect_report(exchange, REPORT_CALL_ENDED);
    close_phones();
}

Test(phones, stop_ringing_at_once_when_the_caller_hangs_up)
{
    open_phones(ROUTE_ANSWER_AFTER_TASK);
    wait_for_worker();
    exchange_dial(exchange, &worker, "r1");
    phone_rings(&worker);
    exchange_expect_report(exchange, REPORT_WORKER_RINGING);

    struct peer invited = worker.peer;

    phone_hang_up(&caller, 2);
    phone_takes(&worker, "CANCEL");
    peer_reply(&invited, "487 Request Terminated", "phone", NULL, NULL);
    cr_assert_str_eq(exchange_expect_report(exchange, REPORT_CALL_ENDED), "hang_up");
    close_phones();
}

Test(phones, hear_early_media_where_the_route_says_so)
{
    open_phones(ROUTE_ANSWER_ON_WORKER);
    phone_invite(&caller, 1, "sendrecv");
    exchange_expect_report(exchange, REPORT_ENQUEUE_CALL);
    exchange_instruct(exchange, INSTRUCTION_CALL_ENQUEUED);
    peer_expect(&caller.peer, "SIP/2.0 183");
    hears(&caller, WAIT_HZ);
    exchange_dial(exchange, &worker, "r1");
    phone_rings(&worker);
    exchange_expect_report(exchange, REPORT_WORKER_RINGING);
    phone_answers(&worker);
    phone_is_answered(&caller, 1);
    exchange_expect_report(exchange, REPORT_CALL_ANSWERED);
    exchange_expect_report(exchange, REPORT_WORKER_JOINED);
    hears(&caller, WORKER_HZ);
    hears(&worker, CALLER_HZ);
    phone_hang_up(&caller, 2);
    phone_takes(&worker, "BYE");
    exchange_expect_report(exchange, REPORT_CALL_ENDED);
    close_phones();
}

Test(phones, hear_nothing_on_hold_and_each_other_after_it)
{
    open_phones(ROUTE_ANSWER_AFTER_TASK);
    talk();
    hears(&caller, WORKER_HZ);
    phone_invite(&caller, 2, "sendonly");
    phone_is_answered(&caller, 2);
    cr_assert(peer_text_has(&caller.peer, "a=recvonly"), "%s", caller.peer.text);
    does_not_hear(&caller, WORKER_HZ);
    hears(&worker, CALLER_HZ);
    phone_invite(&caller, 3, "sendrecv");
    phone_is_answered(&caller, 3);
    hears(&caller, WORKER_HZ);
    phone_hang_up(&caller, 4);
    phone_takes(&worker, "BYE");
    exchange_expect_report(exchange, REPORT_CALL_ENDED);
    close_phones();
}

Test(phones, of_strangers_and_of_callers_who_cancel_leave_nothing_behind)
{
    open_phones(ROUTE_ANSWER_AFTER_TASK);
    phone_invite(&caller, 1, "sendrecv");
    exchange_expect_report(exchange, REPORT_ENQUEUE_CALL);
    peer_request(
        &caller.peer, &(struct peer_request){.method = "CANCEL", .cseq = 1, .branch = "invite1"});
    peer_expect(&caller.peer, "SIP/2.0 487");
    cr_assert_str_eq(exchange_expect_report(exchange, REPORT_CALL_ENDED), "canceled");
    calls_post_telephony(exchange_calls(exchange), &(struct telephony){0});
    phone_invite(&worker, 1, "sendrecv");
    peer_expect(&worker.peer, "SIP/2.0 403");
    close_phones();
}
