#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/integration/bridge/sip/stage.h"

enum {
    LEG = 7,
    LONG_US = 60000000,
};

static const char contact_of_phone[] = "Contact: <sip:phone@127.0.0.1:%d%s>\r\n";

static void dial_peer(struct stage *stage, struct peer *peer, int64_t ring_timeout_us)
{
    char uri[STAGE_WORD_SIZE];

    (void)snprintf(uri, sizeof(uri), "sip:ada@127.0.0.1:%d", peer->port);
    stage_dial(stage, LEG, uri, ring_timeout_us);
    peer_expect(peer, "INVITE sip:ada@127.0.0.1");
}

static void reply(struct peer *peer, const char *status, const char *tag, const char *body)
{
    char contact[STAGE_WORD_SIZE];

    (void)snprintf(
        contact, sizeof(contact), contact_of_phone, peer->port, peer->tcp ? ";transport=tcp" : "");
    peer_reply(peer, status, tag, contact, body);
}

/* Of the INVITE that was heard last; replies to it can be made again and again. */
static struct peer copy_of(const struct peer *peer)
{
    return *peer;
}

Test(dialled, rings_is_answered_and_hung_up_by_the_phone)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char word[STAGE_WORD_SIZE];

    peer_open(&peer, stage);
    dial_peer(stage, &peer, LONG_US);
    cr_assert(peer_text_has(&peer, "m=audio 30000"));
    peer_header(&peer, "From:", word);
    cr_assert_not_null(strstr(word, "\"Ada \\\"L\\\"\" <sip:+4930123@127.0.0.1"), "%s", word);
    reply(&peer, "100 Trying", NULL, NULL);
    reply(&peer, "180 Ringing", "phone", NULL);

    struct scene scene = stage_expect(stage, SIGNALLING_PROGRESS);

    cr_assert_eq(scene.leg, LEG);
    cr_assert_eq(scene.status, 180);
    cr_assert_not(scene.described);
    reply(&peer, "183 Session Progress", "phone", PEER_OFFER);
    scene = stage_expect(stage, SIGNALLING_PROGRESS);
    cr_assert_eq(scene.status, 183);
    cr_assert(scene.described);
    reply(&peer, "200 OK", "phone", PEER_OFFER);
    scene = stage_expect(stage, SIGNALLING_ANSWERED);
    cr_assert(scene.described);
    cr_assert_eq(scene.description.port, 4000);

    struct peer invite = copy_of(&peer);

    peer_expect(&peer, "ACK sip:phone@127.0.0.1");
    reply(&invite, "200 OK", "phone", PEER_OFFER); /* our ACK was lost */
    peer_expect(&peer, "ACK sip:phone@127.0.0.1");
    stage_expect_nothing(stage);

    char call_id[STAGE_WORD_SIZE];
    char from[STAGE_WORD_SIZE];

    peer_header(&peer, "Call-ID:", call_id);
    peer_header(&peer, "From:", from);
    peer_say(
        &peer,
        "BYE %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKbye\r\n"
        "From: <sip:ada@127.0.0.1>;tag=phone\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 9 BYE\r\n"
        "Content-Length: 0\r\n\r\n",
        agent_contact(stage_agent(stage)), peer.port, from, call_id);
    peer_expect(&peer, "SIP/2.0 200");
    scene = stage_expect(stage, SIGNALLING_HUNG_UP);
    cr_assert_eq(scene.status, 0);
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(dialled, fails_with_the_phones_status_whatever_it_is)
{
    static const struct {
        const char *line;
        int status;
    } rows[] = {
        {"486 Busy Here",    486},
        {"603 Decline",      603},
        {"302 Moved",        302},
        {"404 Not Found",    404},
        {"401 Unauthorized", 401},
        {"407 Proxy Auth",   407},
        {"480 Away",         480},
        {"500 Server Error", 500},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage *stage = stage_new();
        struct peer peer;

        peer_open(&peer, stage);
        dial_peer(stage, &peer, LONG_US);
        reply(&peer, rows[i].line, "phone", NULL);

        struct scene scene = stage_expect(stage, SIGNALLING_FAILED);

        cr_assert_eq(scene.status, rows[i].status, "%s: %d", rows[i].line, scene.status);
        cr_assert_str_eq(scene.phrase, rows[i].line + 4);
        peer_expect(&peer, "ACK ");
        stage_cancel(stage, LEG);
        stage_expect_nothing(stage);
        peer_close(&peer);
        stage_free(stage);
    }
}

Test(dialled, fails_at_once_when_nobody_listens)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char uri[STAGE_WORD_SIZE];

    peer_open(&peer, stage);
    (void)snprintf(uri, sizeof(uri), "sip:ada@127.0.0.1:%d", peer.port);
    peer_close(&peer);
    stage_dial(stage, LEG, uri, LONG_US);

    struct scene scene = stage_expect(stage, SIGNALLING_FAILED);

    cr_assert_eq(scene.status, 503);
    (void)snprintf(uri, sizeof(uri), "sip:ada@127.0.0.1:%d;transport=tcp", peer.port);
    stage_dial(stage, LEG + 1, uri, LONG_US);
    scene = stage_expect(stage, SIGNALLING_FAILED);
    cr_assert_eq(scene.status, 503);
    stage_expect_idle(stage);
    stage_free(stage);
}

Test(dialled, fails_when_nobody_answers_the_invite)
{
    struct stage *stage = stage_new();
    struct peer peer;

    peer_open(&peer, stage);
    dial_peer(stage, &peer, LONG_US);

    struct scene scene = stage_expect(stage, SIGNALLING_FAILED);

    cr_assert_eq(scene.status, 408);
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(dialled, refuses_what_is_no_sip_address)
{
    static const char *const rows[] = {
        "",
        "ada",
        "tel:+4930",
        "urn:foo:bar",
        "sip:",
        "sip:@",
        "http://a.b/c",
        "mailto:ada@b.c",
        "<sip:a@b>",
        "sip:a b@c",
        "\r\n",
        "*",
        "sip:ada@[::1",
    };
    struct stage *stage = stage_new();

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        stage_dial(stage, LEG, rows[i], LONG_US);

        struct scene scene = stage_expect(stage, SIGNALLING_FAILED);

        cr_assert(scene.status == 400 || scene.status == 503, "'%s': %d", rows[i], scene.status);
    }
    stage_expect_idle(stage);
    stage_free(stage);
}

Test(dialled, fails_when_the_name_or_the_transport_is_not_there)
{
    static const char *const rows[] = {
        "sips:ada@127.0.0.1",
        "sip:ada@127.0.0.1:9;transport=tls",
        "sip:ada@127.0.0.1:9;transport=ws",
        "sip:ada@[2001:db8::1]",
        "sip:ada@nowhere.invalid",
        "sip:ada@nowhere.invalid:5060",
        "sip:ada@-.-",
    };
    struct stage *stage = stage_new();

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        stage_dial(stage, LEG + (int)i, rows[i], LONG_US);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scene scene = stage_expect(stage, SIGNALLING_FAILED);

        cr_assert_geq(scene.status, 400, "%s", rows[scene.leg - LEG]);
    }
    stage_expect_idle(stage);
    stage_free(stage);
}

Test(dialled, a_name_given_up_while_it_is_looked_up)
{
    struct stage *stage = stage_new();

    for (int i = 0; i < 10; i++) {
        stage_dial(stage, LEG + i, "sip:ada@nowhere.example", LONG_US);
        stage_cancel(stage, LEG + i);
        (void)stage_expect(stage, SIGNALLING_FAILED);
    }
    stage_expect_idle(stage);
    stage_free(stage);
}

Test(dialled, a_phone_over_tcp_gets_everything_over_its_connection)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char uri[STAGE_WORD_SIZE];

    peer_listen(&peer);
    (void)snprintf(uri, sizeof(uri), "sip:ada@127.0.0.1:%d;transport=tcp", peer.port);
    stage_dial(stage, LEG, uri, LONG_US);
    peer_accept(&peer);
    peer_expect(&peer, "INVITE ");
    cr_assert(peer_text_has(&peer, "SIP/2.0/TCP"));
    cr_assert(peer_text_has(&peer, ";transport=tcp>"));
    reply(&peer, "200 OK", "phone", PEER_OFFER);
    (void)stage_expect(stage, SIGNALLING_ANSWERED);
    peer_expect(&peer, "ACK ");
    peer_close(&peer); /* the phone is gone; the BYE must not wait for it */
    stage_hang_up(stage, LEG);
    stage_expect_idle(stage);
    stage_free(stage);
}

Test(dialled, takes_no_headers_out_of_an_address)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char uri[STAGE_WORD_SIZE];

    peer_open(&peer, stage);
    (void)snprintf(
        uri, sizeof(uri), "sip:ada@127.0.0.1:%d?Subject=x&Route=%%3Csip:evil%%3E", peer.port);
    stage_dial(stage, LEG, uri, LONG_US);
    peer_expect(&peer, "INVITE ");
    cr_assert_not(peer_text_has(&peer, "Subject"));
    cr_assert_not(peer_text_has(&peer, "evil"));
    reply(&peer, "486 Busy Here", "phone", NULL);
    (void)stage_expect(stage, SIGNALLING_FAILED);
    peer_close(&peer);
    stage_free(stage);
}

Test(dialled, canceled_while_ringing_says_so_to_both_sides)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char word[STAGE_WORD_SIZE];

    peer_open(&peer, stage);
    dial_peer(stage, &peer, LONG_US);
    reply(&peer, "180 Ringing", "phone", NULL);
    (void)stage_expect(stage, SIGNALLING_PROGRESS);

    struct peer invite = copy_of(&peer);

    stage_cancel(stage, LEG);

    struct scene scene = stage_expect(stage, SIGNALLING_FAILED);

    cr_assert_eq(scene.status, 487);
    peer_expect(&peer, "CANCEL ");
    peer_header(&peer, "Reason:", word);
    cr_assert_str_eq(word, "SIP;cause=200;text=\"Call completed elsewhere\"");
    peer_reply(&peer, "200 OK", NULL, NULL, NULL);
    reply(&invite, "487 Request Terminated", "phone", NULL);
    peer_expect(&peer, "ACK ");
    stage_expect_idle(stage);
    stage_expect_nothing(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(dialled, holds_the_cancel_until_the_first_provisional_answer)
{
    struct stage *stage = stage_new();
    struct peer peer;

    peer_open(&peer, stage);
    dial_peer(stage, &peer, LONG_US);

    struct peer invite = copy_of(&peer);

    stage_cancel(stage, LEG);
    (void)stage_expect(stage, SIGNALLING_FAILED);
    cr_assert_not(peer_hears(&peer, "CANCEL ", 100));
    reply(&invite, "100 Trying", NULL, NULL);
    peer_expect(&peer, "CANCEL ");
    peer_reply(&peer, "200 OK", NULL, NULL, NULL);
    reply(&invite, "487 Request Terminated", "phone", NULL);
    peer_expect(&peer, "ACK ");
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(dialled, an_answer_that_crosses_the_cancel_is_acknowledged_and_ended)
{
    struct stage *stage = stage_new();
    struct peer peer;

    peer_open(&peer, stage);
    dial_peer(stage, &peer, LONG_US);
    reply(&peer, "180 Ringing", "phone", NULL);
    (void)stage_expect(stage, SIGNALLING_PROGRESS);

    struct peer invite = copy_of(&peer);

    stage_cancel(stage, LEG);
    (void)stage_expect(stage, SIGNALLING_FAILED);
    peer_expect(&peer, "CANCEL ");
    peer_reply(&peer, "481 Too late", NULL, NULL, NULL);
    reply(&invite, "200 OK", "phone", PEER_OFFER);
    peer_expect(&peer, "ACK sip:phone@");
    peer_expect(&peer, "BYE sip:phone@");
    peer_reply(&peer, "200 OK", NULL, NULL, NULL);
    stage_expect_idle(stage);
    stage_expect_nothing(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(dialled, a_phone_that_never_answers_the_cancel_is_forgotten)
{
    struct stage *stage = stage_new();
    struct peer peer;

    peer_open(&peer, stage);
    dial_peer(stage, &peer, LONG_US);
    reply(&peer, "180 Ringing", "phone", NULL);
    (void)stage_expect(stage, SIGNALLING_PROGRESS);
    stage_cancel(stage, LEG);
    (void)stage_expect(stage, SIGNALLING_FAILED);
    peer_expect(&peer, "CANCEL ");
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(dialled, gives_up_by_itself_when_its_time_to_ring_is_over)
{
    struct stage *stage = stage_new();
    struct peer peer;

    peer_open(&peer, stage);
    dial_peer(stage, &peer, 1000);
    reply(&peer, "180 Ringing", "phone", NULL);
    (void)stage_expect(stage, SIGNALLING_PROGRESS);

    struct scene scene = stage_expect(stage, SIGNALLING_FAILED);

    cr_assert_eq(scene.status, 408);
    peer_expect(&peer, "CANCEL ");
    peer_close(&peer);
    stage_free(stage);
}

Test(dialled, the_second_fork_that_answers_is_acknowledged_and_ended)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char word[STAGE_WORD_SIZE];

    peer_open(&peer, stage);
    dial_peer(stage, &peer, LONG_US);

    struct peer invite = copy_of(&peer);

    reply(&invite, "180 Ringing", "desk", NULL);
    (void)stage_expect(stage, SIGNALLING_PROGRESS);
    reply(&invite, "180 Ringing", "mobile", NULL);
    (void)stage_expect(stage, SIGNALLING_PROGRESS);
    reply(&invite, "200 OK", "mobile", PEER_OFFER);
    (void)stage_expect(stage, SIGNALLING_ANSWERED);
    peer_expect(&peer, "ACK ");
    reply(&invite, "200 OK", "desk", PEER_OFFER);
    peer_expect(&peer, "BYE ");
    peer_header(&peer, "To:", word);
    cr_assert_not_null(strstr(word, ";tag=desk"), "%s", word);
    peer_reply(&peer, "200 OK", NULL, NULL, NULL);
    stage_expect_nothing(stage);
    stage_hang_up(stage, LEG);
    while (peer_header(&peer, "To:", word), !strstr(word, ";tag=mobile")) {
        peer_expect(&peer, "BYE ");
    }
    peer_reply(&peer, "200 OK", NULL, NULL, NULL);
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(dialled, an_answer_without_a_usable_description_is_told_as_such)
{
    struct stage *stage = stage_new();
    struct peer peer;

    peer_open(&peer, stage);
    dial_peer(stage, &peer, LONG_US);
    reply(&peer, "200 OK", "phone", "hello");

    struct scene scene = stage_expect(stage, SIGNALLING_ANSWERED);

    cr_assert_not(scene.described);
    peer_expect(&peer, "ACK ");
    stage_hang_up(stage, LEG);
    peer_expect(&peer, "BYE ");
    peer_reply(&peer, "200 OK", NULL, NULL, NULL);
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(dialled, leaves_no_transaction_behind)
{
    struct stage *stage = stage_new();
    struct peer refuser;
    struct peer talker;
    struct peer canceled;
    char uri[STAGE_WORD_SIZE];

    peer_open(&refuser, stage);
    peer_open(&talker, stage);
    peer_open(&canceled, stage);
    dial_peer(stage, &refuser, LONG_US);
    reply(&refuser, "486 Busy Here", "phone", NULL);
    (void)stage_expect(stage, SIGNALLING_FAILED);
    dial_peer(stage, &talker, LONG_US);
    reply(&talker, "200 OK", "phone", PEER_OFFER);
    (void)stage_expect(stage, SIGNALLING_ANSWERED);
    stage_hang_up(stage, LEG);
    peer_expect(&talker, "BYE ");
    peer_reply(&talker, "200 OK", NULL, NULL, NULL);
    dial_peer(stage, &canceled, LONG_US);
    reply(&canceled, "180 Ringing", "phone", NULL);
    (void)stage_expect(stage, SIGNALLING_PROGRESS);
    stage_cancel(stage, LEG);
    (void)stage_expect(stage, SIGNALLING_FAILED);
    (void)snprintf(uri, sizeof(uri), "sip:nobody@127.0.0.1:%d;transport=tcp", refuser.port);
    stage_dial(stage, LEG, uri, LONG_US);
    (void)stage_expect(stage, SIGNALLING_FAILED);
    stage_expect_no_transactions(stage);
    stage_expect_idle(stage);
    peer_close(&refuser);
    peer_close(&talker);
    peer_close(&canceled);
    stage_free(stage);
}

/* A target that is no SIP address must never reach the library. */
Test(dialled, answers_with_a_foreign_contact_or_route_do_not_count)
{
    static const char *const rows[] = {
        "Contact: <urn:foo:bar>\r\n",
        "Contact: *\r\n",
        "Contact: <sip:>\r\n",
        "Contact: <tel:+4930>\r\n",
        "Contact: <sip:phone@127.0.0.1>\r\nRecord-Route: <urn:foo:bar>\r\n",
        "Contact: <sip:phone@127.0.0.1>\r\nRecord-Route: <sip:127.0.0.1;lr>, <http://x>\r\n",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage *stage = stage_new();
        struct peer peer;

        peer_open(&peer, stage);
        dial_peer(stage, &peer, LONG_US);
        peer_reply(&peer, "200 OK", "phone", rows[i], PEER_OFFER);

        struct scene scene = stage_expect(stage, SIGNALLING_FAILED);

        cr_assert_eq(scene.status, 408, "row %zu: %d", i, scene.status);
        stage_expect_idle(stage);
        peer_close(&peer);
        stage_free(stage);
    }
}
