#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/integration/bridge/sip/stage.h"

struct talk {
    struct stage *stage;
    struct peer peer;
    int64_t leg;
    char tag[STAGE_WORD_SIZE];
};

static void say(struct talk *talk, const char *method, int cseq, const char *body)
{
    char branch[STAGE_WORD_SIZE];

    (void)snprintf(branch, sizeof(branch), "%s-%d", method, cseq);
    peer_request(
        &talk->peer,
        &(struct peer_request){
            .method = method, .cseq = cseq, .branch = branch, .to_tag = talk->tag, .body = body});
}

static void talk_begin(struct talk *talk)
{
    char to[STAGE_WORD_SIZE];

    talk->stage = stage_new();
    peer_open(&talk->peer, talk->stage);
    peer_request(
        &talk->peer, &(struct peer_request){
                         .method = "INVITE", .cseq = 1, .branch = "first", .body = PEER_OFFER});
    talk->leg = stage_expect(talk->stage, SIGNALLING_INVITED).leg;
    stage_answer(talk->stage, talk->leg);
    peer_expect(&talk->peer, "SIP/2.0 200");
    peer_header(&talk->peer, "To:", to);
    (void)snprintf(talk->tag, sizeof(talk->tag), "%s", strstr(to, ";tag=") + 5);
}

static void talk_confirm(struct talk *talk)
{
    say(talk, "ACK", 1, NULL);
    (void)stage_expect(talk->stage, SIGNALLING_ACKNOWLEDGED);
}

static void talk_end(struct talk *talk)
{
    say(talk, "BYE", 100, NULL);
    (void)stage_expect(talk->stage, SIGNALLING_HUNG_UP);
    stage_expect_idle(talk->stage);
    stage_expect_nothing(talk->stage);
    peer_close(&talk->peer);
    stage_free(talk->stage);
}

Test(inside, a_reinvite_is_offered_answered_and_acknowledged)
{
    struct talk talk;

    talk_begin(&talk);
    talk_confirm(&talk);
    say(&talk, "INVITE", 2, PEER_OFFER "a=sendonly\r\n");

    struct scene scene = stage_expect(talk.stage, SIGNALLING_REOFFERED);

    cr_assert_eq(scene.leg, talk.leg);
    cr_assert(scene.described);
    cr_assert_eq(scene.description.direction, DIRECTION_SENDONLY);
    stage_answer_reoffer(talk.stage, talk.leg, 200);
    peer_expect(&talk.peer, "SIP/2.0 200");
    cr_assert(peer_text_has(&talk.peer, "m=audio 30000"));
    peer_expect(&talk.peer, "SIP/2.0 200");
    say(&talk, "ACK", 2, NULL);
    scene = stage_expect(talk.stage, SIGNALLING_ACKNOWLEDGED);
    cr_assert_not(scene.described);
    talk_end(&talk);
}

Test(inside, a_reinvite_without_an_offer_gets_ours_and_answers_in_its_ack)
{
    struct talk talk;

    talk_begin(&talk);
    talk_confirm(&talk);
    say(&talk, "INVITE", 2, NULL);

    struct scene scene = stage_expect(talk.stage, SIGNALLING_REOFFERED);

    cr_assert_not(scene.described);
    stage_answer_reoffer(talk.stage, talk.leg, 200);
    peer_expect(&talk.peer, "SIP/2.0 200");
    say(&talk, "ACK", 2, PEER_OFFER);
    scene = stage_expect(talk.stage, SIGNALLING_ACKNOWLEDGED);
    cr_assert(scene.described);
    talk_end(&talk);
}

Test(inside, a_refused_reinvite_leaves_the_session_as_it_was)
{
    struct talk talk;

    talk_begin(&talk);
    talk_confirm(&talk);
    say(&talk, "INVITE", 2, PEER_OFFER);
    (void)stage_expect(talk.stage, SIGNALLING_REOFFERED);
    stage_answer_reoffer(talk.stage, talk.leg, 488);
    peer_expect(&talk.peer, "SIP/2.0 488");
    say(&talk, "ACK", 2, NULL);
    stage_expect_nothing(talk.stage);
    say(&talk, "INVITE", 3, PEER_OFFER);
    (void)stage_expect(talk.stage, SIGNALLING_REOFFERED);
    stage_answer_reoffer(talk.stage, talk.leg, 491);
    peer_expect(&talk.peer, "SIP/2.0 491");
    talk_end(&talk);
}

Test(inside, an_update_with_an_offer_is_offered_one_without_is_answered_at_once)
{
    struct talk talk;

    talk_begin(&talk);
    talk_confirm(&talk);
    say(&talk, "UPDATE", 2, NULL);
    peer_expect(&talk.peer, "SIP/2.0 200");
    stage_expect_nothing(talk.stage);
    say(&talk, "UPDATE", 3, PEER_OFFER "a=inactive\r\n");

    struct scene scene = stage_expect(talk.stage, SIGNALLING_REOFFERED);

    cr_assert_eq(scene.description.direction, DIRECTION_INACTIVE);
    stage_answer_reoffer(talk.stage, talk.leg, 200);
    peer_expect(&talk.peer, "SIP/2.0 200");
    cr_assert(peer_text_has(&talk.peer, "m=audio 30000"));
    talk_end(&talk);
}

Test(inside, a_reinvite_before_our_ack_or_during_another_is_put_off)
{
    struct talk talk;
    char word[STAGE_WORD_SIZE];

    talk_begin(&talk);
    say(&talk, "INVITE", 2, PEER_OFFER);
    peer_expect(&talk.peer, "SIP/2.0 500");
    peer_header(&talk.peer, "Retry-After:", word);
    cr_assert_str_neq(word, "");
    say(&talk, "ACK", 2, NULL);
    talk_confirm(&talk);
    say(&talk, "INVITE", 3, PEER_OFFER);
    (void)stage_expect(talk.stage, SIGNALLING_REOFFERED);
    say(&talk, "INVITE", 4, PEER_OFFER);
    peer_expect(&talk.peer, "SIP/2.0 500");
    say(&talk, "UPDATE", 5, PEER_OFFER);
    peer_expect(&talk.peer, "SIP/2.0 500");
    stage_expect_nothing(talk.stage);
    stage_answer_reoffer(talk.stage, talk.leg, 200);
    peer_expect(&talk.peer, "SIP/2.0 200");
    say(&talk, "ACK", 3, NULL);
    (void)stage_expect(talk.stage, SIGNALLING_ACKNOWLEDGED);
    talk_end(&talk);
}

Test(inside, a_bye_during_a_reinvite_ends_both)
{
    struct talk talk;

    talk_begin(&talk);
    talk_confirm(&talk);
    say(&talk, "INVITE", 2, PEER_OFFER);
    (void)stage_expect(talk.stage, SIGNALLING_REOFFERED);
    say(&talk, "BYE", 3, NULL);
    peer_expect(&talk.peer, "SIP/2.0 200");
    peer_expect(&talk.peer, "SIP/2.0 487");
    (void)stage_expect(talk.stage, SIGNALLING_HUNG_UP);
    stage_answer_reoffer(talk.stage, talk.leg, 200);
    stage_expect_idle(talk.stage);
    peer_close(&talk.peer);
    stage_free(talk.stage);
}

Test(inside, a_hang_up_during_a_reinvite_ends_both)
{
    struct talk talk;

    talk_begin(&talk);
    talk_confirm(&talk);
    say(&talk, "INVITE", 2, PEER_OFFER);
    (void)stage_expect(talk.stage, SIGNALLING_REOFFERED);
    stage_hang_up(talk.stage, talk.leg);
    peer_expect(&talk.peer, "SIP/2.0 487");
    say(&talk, "ACK", 2, NULL);
    peer_expect(&talk.peer, "BYE ");
    peer_reply(&talk.peer, "200 OK", NULL, NULL, NULL);
    stage_expect_idle(talk.stage);
    stage_expect_nothing(talk.stage);
    peer_close(&talk.peer);
    stage_free(talk.stage);
}

Test(inside, a_reinvite_taken_back_is_answered_487)
{
    struct talk talk;

    talk_begin(&talk);
    talk_confirm(&talk);
    say(&talk, "INVITE", 2, PEER_OFFER);
    (void)stage_expect(talk.stage, SIGNALLING_REOFFERED);
    peer_request(
        &talk.peer, &(struct peer_request){
                        .method = "CANCEL", .cseq = 2, .branch = "INVITE-2", .to_tag = talk.tag});
    peer_expect(&talk.peer, "SIP/2.0 487");
    say(&talk, "ACK", 2, NULL);
    stage_answer_reoffer(talk.stage, talk.leg, 200);
    stage_expect_nothing(talk.stage);
    talk_end(&talk);
}

Test(inside, a_reinvite_whose_answer_is_never_acknowledged_ends_the_call)
{
    struct talk talk;

    talk_begin(&talk);
    talk_confirm(&talk);
    say(&talk, "INVITE", 2, PEER_OFFER);
    (void)stage_expect(talk.stage, SIGNALLING_REOFFERED);
    stage_answer_reoffer(talk.stage, talk.leg, 200);

    struct scene scene = stage_expect(talk.stage, SIGNALLING_HUNG_UP);

    cr_assert_eq(scene.status, 408);
    peer_expect(&talk.peer, "BYE ");
    peer_reply(&talk.peer, "200 OK", NULL, NULL, NULL);
    stage_expect_idle(talk.stage);
    peer_close(&talk.peer);
    stage_free(talk.stage);
}

Test(inside, follows_the_peers_new_contact)
{
    struct talk talk;
    struct peer moved;
    char contact[STAGE_WORD_SIZE];

    talk_begin(&talk);
    talk_confirm(&talk);
    peer_open(&moved, talk.stage);
    (void)snprintf(contact, sizeof(contact), "Contact: <sip:alice@127.0.0.1:%d>\r\n", moved.port);
    peer_request(
        &talk.peer, &(struct peer_request){
                        .method = "UPDATE",
                        .cseq = 2,
                        .branch = "move",
                        .to_tag = talk.tag,
                        .headers = contact,
                    });
    peer_expect(&talk.peer, "SIP/2.0 200");
    stage_hang_up(talk.stage, talk.leg);
    peer_expect(&moved, "BYE ");
    peer_reply(&moved, "200 OK", NULL, NULL, NULL);
    stage_expect_idle(talk.stage);
    peer_close(&moved);
    peer_close(&talk.peer);
    stage_free(talk.stage);
}

Test(inside, refuses_what_it_cannot_serve_and_goes_on)
{
    static const struct {
        const char *method;
        const char *headers;
        const char *body;
        const char *answer;
    } rows[] = {
        {"OPTIONS",    NULL,                                     NULL,                                                                   "SIP/2.0 200"},
        {"INFO",       NULL,                                     NULL,                                                                   "SIP/2.0 405"},
        {"REFER",      "Refer-To: <sip:x@y?Replaces=a%3Bb>\r\n", NULL,                                                                   "SIP/2.0 405"},
        {"MESSAGE",    NULL,                                     NULL,                                                                   "SIP/2.0 405"},
        {"PRACK",      "RAck: 1 1 INVITE\r\n",                   NULL,                                                                   "SIP/2.0 481"},
        {"FROBNICATE", NULL,                                     NULL,                                                                   "SIP/2.0 501"},
        {"INVITE",     "Contact: <urn:foo:bar>\r\n",             PEER_OFFER,                                                             "SIP/2.0 400"},
        {"INVITE",     "Contact: *\r\n",                         PEER_OFFER,                                                             "SIP/2.0 400"},
        {"UPDATE",     "Contact: <urn:foo:bar>\r\n",             NULL,                                                                   "SIP/2.0 400"},
        {"INVITE",     "Require: foo, bar\r\n",                  PEER_OFFER,                                                             "SIP/2.0 420"},
        {"INVITE",     NULL,                                     "hello",                                                                "SIP/2.0 400"},
        {"INVITE",     NULL,                                     "v=0\r\no=- 1 1 IN IP4 a.b\r\nc=IN IP4 a.b\r\nm=audio 1 RTP/AVP 0\r\n",
         "SIP/2.0 488"                                                                                                                                },
        {"OPTIONS",    NULL,                                     NULL,                                                                   "SIP/2.0 200"},
    };
    struct talk talk;

    talk_begin(&talk);
    talk_confirm(&talk);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char branch[STAGE_WORD_SIZE];

        (void)snprintf(branch, sizeof(branch), "row-%zu", i);
        peer_request(
            &talk.peer, &(struct peer_request){
                            .method = rows[i].method,
                            .cseq = 2 + (int)i,
                            .branch = branch,
                            .to_tag = talk.tag,
                            .headers = rows[i].headers,
                            .body = rows[i].body,
                        });
        cr_assert(peer_hears(&talk.peer, rows[i].answer, 2000), "row %zu: %s", i, talk.peer.text);
    }
    stage_expect_nothing(talk.stage);
    talk_end(&talk);
}

Test(inside, an_old_cseq_is_refused)
{
    struct talk talk;

    talk_begin(&talk);
    talk_confirm(&talk);
    say(&talk, "OPTIONS", 9, NULL);
    peer_expect(&talk.peer, "SIP/2.0 200");
    say(&talk, "BYE", 8, NULL);
    peer_expect(&talk.peer, "SIP/2.0 500");
    stage_expect_nothing(talk.stage);
    talk_end(&talk);
}
