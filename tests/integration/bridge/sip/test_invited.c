#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/integration/bridge/sip/stage.h"

/* A call that has come in; the tag we gave it. */
static struct scene invited(struct stage *stage, struct peer *peer)
{
    peer_request(
        peer, &(struct peer_request){
                  .method = "INVITE", .cseq = 1, .branch = "invite", .body = PEER_OFFER});
    peer_expect(peer, "SIP/2.0 100");
    return stage_expect(stage, SIGNALLING_INVITED);
}

static void tag_of_last(const struct peer *peer, char tag[STAGE_WORD_SIZE])
{
    char to[STAGE_WORD_SIZE];

    peer_header(peer, "To:", to);
    cr_assert_not_null(strstr(to, ";tag="), "no tag in %s", to);
    (void)snprintf(tag, STAGE_WORD_SIZE, "%s", strstr(to, ";tag=") + 5);
}

static void ack(struct peer *peer, const char *tag, const char *branch)
{
    peer_request(
        peer, &(struct peer_request){.method = "ACK", .cseq = 1, .branch = branch, .to_tag = tag});
}

/* The same, answered and acknowledged. */
static int64_t talking(struct stage *stage, struct peer *peer, char tag[STAGE_WORD_SIZE])
{
    struct scene scene = invited(stage, peer);

    stage_answer(stage, scene.leg);
    peer_expect(peer, "SIP/2.0 200");
    tag_of_last(peer, tag);
    ack(peer, tag, "ack");
    (void)stage_expect(stage, SIGNALLING_ACKNOWLEDGED);
    return scene.leg;
}

Test(invited, tells_the_owner_who_calls_whom_from_where)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char word[STAGE_WORD_SIZE];

    peer_open(&peer, stage);

    struct scene scene = invited(stage, &peer);

    cr_assert_geq(scene.leg, SIGNALLING_FIRST_INBOUND_LEG);
    cr_assert_str_eq(scene.called_number, "+4930555");
    cr_assert_str_eq(scene.caller_number, "+49301234");
    cr_assert_str_eq(scene.caller_display_name, "Alice");
    cr_assert_str_eq(scene.source_address, "127.0.0.1");
    cr_assert_eq(scene.source_port, peer.port);
    cr_assert_str_eq(scene.from_tag, "peer");
    (void)snprintf(word, sizeof(word), "call-%d", peer.port);
    cr_assert_str_eq(scene.sip_call_id, word);
    (void)snprintf(word, sizeof(word), "sip:alice@127.0.0.1:%d", peer.port);
    cr_assert_str_eq(scene.contact_uri, word);
    cr_assert(scene.described);
    cr_assert_eq(scene.description.formats[0].codec, CODEC_PCMA);

    stage_refuse(stage, scene.leg, &(struct signalling_reason){.status = 486});
    peer_expect(&peer, "SIP/2.0 486");
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, is_answered_acknowledged_and_hung_up_by_the_caller)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char tag[STAGE_WORD_SIZE];
    char contact[STAGE_WORD_SIZE];

    peer_open(&peer, stage);

    struct scene scene = invited(stage, &peer);

    stage_progress(stage, scene.leg, 180, false);
    peer_expect(&peer, "SIP/2.0 180");
    stage_progress(stage, scene.leg, 183, true);
    peer_expect(&peer, "SIP/2.0 183");
    cr_assert(peer_text_has(&peer, "m=audio 30000"));
    stage_answer(stage, scene.leg);
    peer_expect(&peer, "SIP/2.0 200");
    cr_assert(peer_text_has(&peer, "m=audio 30000"));
    peer_header(&peer, "Contact:", contact);
    cr_assert_not_null(strstr(contact, agent_contact(stage_agent(stage))), "%s", contact);
    tag_of_last(&peer, tag);
    peer_expect(&peer, "SIP/2.0 200"); /* repeated until it is acknowledged */
    stage_expect_nothing(stage);
    ack(&peer, tag, "ack");
    scene = stage_expect(stage, SIGNALLING_ACKNOWLEDGED);
    cr_assert_not(scene.described);

    peer_request(
        &peer, &(struct peer_request){.method = "BYE", .cseq = 2, .branch = "bye", .to_tag = tag});
    peer_expect(&peer, "SIP/2.0 200");
    scene = stage_expect(stage, SIGNALLING_HUNG_UP);
    cr_assert_eq(scene.status, 0);
    stage_hang_up(stage, scene.leg); /* too late, and harmless */
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, follows_the_route_of_its_proxies)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char headers[STAGE_WORD_SIZE * 2];
    char tag[STAGE_WORD_SIZE];
    char word[STAGE_WORD_SIZE];

    peer_open(&peer, stage);
    (void)snprintf(
        headers, sizeof(headers),
        "Contact: <sip:alice@192.0.2.9>\r\n"
        "Record-Route: <sip:127.0.0.1:%d;lr>, <sip:192.0.2.7;lr>\r\n",
        peer.port);
    peer_request(
        &peer, &(struct peer_request){
                   .method = "INVITE", .cseq = 1, .branch = "routed", .headers = headers});

    struct scene scene = stage_expect(stage, SIGNALLING_INVITED);

    stage_answer(stage, scene.leg);
    peer_expect(&peer, "SIP/2.0 200");
    cr_assert(peer_text_has(&peer, "Record-Route: <sip:127.0.0.1"));
    cr_assert(peer_text_has(&peer, "<sip:192.0.2.7;lr>"));
    tag_of_last(&peer, tag);
    ack(&peer, tag, "ack");
    (void)stage_expect(stage, SIGNALLING_ACKNOWLEDGED);
    stage_hang_up(stage, scene.leg);
    peer_expect(&peer, "BYE sip:alice@192.0.2.9");
    (void)snprintf(word, sizeof(word), "Route: <sip:127.0.0.1:%d;lr>", peer.port);
    cr_assert(peer_text_has(&peer, word));
    cr_assert(peer_text_has(&peer, "<sip:192.0.2.7;lr>"));
    peer_reply(&peer, "200 OK", NULL, NULL, NULL);
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, takes_the_answer_from_the_ack_when_the_invite_had_no_offer)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char tag[STAGE_WORD_SIZE];

    peer_open(&peer, stage);
    peer_request(&peer, &(struct peer_request){.method = "INVITE", .cseq = 1, .branch = "late"});

    struct scene scene = stage_expect(stage, SIGNALLING_INVITED);

    cr_assert_not(scene.described);
    stage_answer(stage, scene.leg);
    peer_expect(&peer, "SIP/2.0 200");
    tag_of_last(&peer, tag);
    peer_request(
        &peer, &(struct peer_request){
                   .method = "ACK", .cseq = 1, .branch = "ack", .to_tag = tag, .body = PEER_OFFER});
    scene = stage_expect(stage, SIGNALLING_ACKNOWLEDGED);
    cr_assert(scene.described);
    cr_assert_eq(scene.description.port, 4000);
    stage_hang_up(stage, scene.leg);
    peer_expect(&peer, "BYE ");
    peer_reply(&peer, "200 OK", NULL, NULL, NULL);
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, is_refused_with_words_and_causes)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char word[STAGE_WORD_SIZE];

    peer_open(&peer, stage);

    struct scene scene = invited(stage, &peer);

    stage_refuse(
        stage, scene.leg,
        &(struct signalling_reason){
            .status = 503, .text = "No route", .q850_cause = 3, .retry_after_s = 30});
    peer_expect(&peer, "SIP/2.0 503 No route");
    peer_header(&peer, "Reason:", word);
    cr_assert_str_eq(word, "Q.850;cause=3");
    peer_header(&peer, "Retry-After:", word);
    cr_assert_str_eq(word, "30");
    peer_header(&peer, "Warning:", word);
    cr_assert_not_null(strstr(word, "399 "));
    cr_assert_not_null(strstr(word, "\"No route\""));
    tag_of_last(&peer, word);
    ack(&peer, word, "invite");
    stage_expect_idle(stage);
    stage_expect_nothing(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, is_canceled_before_it_is_answered)
{
    struct stage *stage = stage_new();
    struct peer peer;

    peer_open(&peer, stage);

    struct scene scene = invited(stage, &peer);

    stage_progress(stage, scene.leg, 180, false);
    peer_request(&peer, &(struct peer_request){.method = "CANCEL", .cseq = 1, .branch = "invite"});
    peer_expect(&peer, "SIP/2.0 200");
    peer_expect(&peer, "SIP/2.0 487");
    (void)stage_expect(stage, SIGNALLING_CANCELED);
    stage_answer(stage, scene.leg); /* crossed it; nothing may come of it */
    stage_expect_idle(stage);
    stage_expect_nothing(stage);
    cr_assert_not(peer_hears(&peer, "SIP/2.0 200", 50));
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, goes_on_when_the_cancel_crosses_the_answer)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char tag[STAGE_WORD_SIZE];

    peer_open(&peer, stage);

    struct scene scene = invited(stage, &peer);

    stage_answer(stage, scene.leg);
    peer_expect(&peer, "SIP/2.0 200");
    tag_of_last(&peer, tag);
    peer_request(&peer, &(struct peer_request){.method = "CANCEL", .cseq = 1, .branch = "invite"});
    peer_expect(&peer, "SIP/2.0 481");
    stage_expect_nothing(stage);
    ack(&peer, tag, "ack");
    (void)stage_expect(stage, SIGNALLING_ACKNOWLEDGED);
    peer_request(
        &peer, &(struct peer_request){.method = "BYE", .cseq = 2, .branch = "bye", .to_tag = tag});
    (void)stage_expect(stage, SIGNALLING_HUNG_UP);
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, is_ended_when_the_answer_is_never_acknowledged)
{
    struct stage *stage = stage_new();
    struct peer peer;

    peer_open(&peer, stage);

    struct scene scene = invited(stage, &peer);

    stage_answer(stage, scene.leg);
    scene = stage_expect(stage, SIGNALLING_HUNG_UP);
    cr_assert_eq(scene.status, 408);
    peer_expect(&peer, "BYE ");
    peer_reply(&peer, "200 OK", NULL, NULL, NULL);
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, hung_up_before_the_ack_waits_for_it_with_the_bye)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char tag[STAGE_WORD_SIZE];
    char word[STAGE_WORD_SIZE];

    peer_open(&peer, stage);

    struct scene scene = invited(stage, &peer);

    stage_answer(stage, scene.leg);
    peer_expect(&peer, "SIP/2.0 200");
    tag_of_last(&peer, tag);
    stage_hang_up(stage, scene.leg);
    cr_assert_not(peer_hears(&peer, "BYE ", 100));
    ack(&peer, tag, "ack");
    peer_expect(&peer, "BYE ");
    peer_header(&peer, "Reason:", word);
    cr_assert_str_eq(word, "SIP;cause=200;text=\"Call completed elsewhere\"");
    cr_assert(peer_text_has(&peer, "Reason: Q.850;cause=26"));
    peer_reply(&peer, "200 OK", NULL, NULL, NULL);
    stage_expect_idle(stage);
    stage_expect_nothing(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, may_be_ended_by_a_bye_before_it_is_answered)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char tag[STAGE_WORD_SIZE];

    peer_open(&peer, stage);

    struct scene scene = invited(stage, &peer);

    stage_progress(stage, scene.leg, 180, false);
    peer_expect(&peer, "SIP/2.0 180");
    tag_of_last(&peer, tag);
    peer_request(
        &peer, &(struct peer_request){.method = "BYE", .cseq = 2, .branch = "bye", .to_tag = tag});
    peer_expect(&peer, "SIP/2.0 200");
    peer_expect(&peer, "SIP/2.0 487");
    (void)stage_expect(stage, SIGNALLING_CANCELED);
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, crossing_byes_end_it_once)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char tag[STAGE_WORD_SIZE];

    peer_open(&peer, stage);
    stage_hang_up(stage, talking(stage, &peer, tag));
    peer_expect(&peer, "BYE ");
    peer_request(
        &peer, &(struct peer_request){.method = "BYE", .cseq = 2, .branch = "bye", .to_tag = tag});
    peer_expect(&peer, "SIP/2.0 200");
    stage_expect_nothing(stage);
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, forgets_a_dead_peer_that_does_not_answer_the_bye)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char tag[STAGE_WORD_SIZE];

    peer_open(&peer, stage);
    stage_hang_up(stage, talking(stage, &peer, tag));
    peer_expect(&peer, "BYE ");
    peer_expect(&peer, "BYE ");
    stage_expect_idle(stage);
    stage_expect_nothing(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, retransmissions_make_no_second_call)
{
    struct stage *stage = stage_new();
    struct peer peer;

    peer_open(&peer, stage);

    struct scene scene = invited(stage, &peer);

    for (int i = 0; i < 3; i++) {
        peer_request(
            &peer, &(struct peer_request){
                       .method = "INVITE", .cseq = 1, .branch = "invite", .body = PEER_OFFER});
        peer_expect(&peer, "SIP/2.0 100");
    }
    stage_refuse(stage, scene.leg, &(struct signalling_reason){.status = 486});
    peer_expect(&peer, "SIP/2.0 486");
    peer_request(
        &peer, &(struct peer_request){
                   .method = "INVITE", .cseq = 1, .branch = "invite", .body = PEER_OFFER});
    peer_expect(&peer, "SIP/2.0 486");
    stage_expect_nothing(stage);
    cr_assert_eq(stage_statistics(stage).invites, 1);
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, a_merged_copy_is_refused_during_the_call_and_shortly_after)
{
    struct stage *stage = stage_new();
    struct peer peer;

    peer_open(&peer, stage);

    struct scene scene = invited(stage, &peer);

    peer_request(
        &peer, &(struct peer_request){
                   .method = "INVITE", .cseq = 1, .branch = "other-way", .body = PEER_OFFER});
    peer_expect(&peer, "SIP/2.0 482");
    stage_refuse(stage, scene.leg, &(struct signalling_reason){.status = 486});
    peer_expect(&peer, "SIP/2.0 486");
    peer_request(
        &peer, &(struct peer_request){
                   .method = "INVITE", .cseq = 1, .branch = "third-way", .body = PEER_OFFER});
    peer_expect(&peer, "SIP/2.0 482");
    stage_expect_nothing(stage);
    /* The same caller again is another call. */
    peer_request(
        &peer, &(struct peer_request){
                   .method = "INVITE", .cseq = 2, .branch = "again", .body = PEER_OFFER});
    scene = stage_expect(stage, SIGNALLING_INVITED);
    stage_refuse(stage, scene.leg, &(struct signalling_reason){.status = 486});
    peer_close(&peer);
    stage_free(stage);
}

Test(invited, is_refused_or_ended_when_the_agent_stops)
{
    struct stage *stage = stage_new();
    struct peer waiting;
    struct peer talker;
    char tag[STAGE_WORD_SIZE];

    peer_open(&waiting, stage);
    peer_open(&talker, stage);
    (void)invited(stage, &waiting);
    (void)talking(stage, &talker, tag);
    stage_free(stage);
    peer_expect(&waiting, "SIP/2.0 503");
    peer_expect(&talker, "BYE ");
    peer_close(&waiting);
    peer_close(&talker);
}
