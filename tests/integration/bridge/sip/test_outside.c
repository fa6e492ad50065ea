#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/error/error.h"
#include "tests/integration/bridge/sip/stage.h"

#define CONTACT "Contact: <sip:alice@127.0.0.1>\r\n"

struct row {
    struct peer_request request;
    const char *answer;
    const char *with; /* what else the answer says; NULL: anything */
};

static const struct row rows[] = {
    {{.method = "OPTIONS"},                                                                     "SIP/2.0 200", "Allow: INVITE"           },
    {{.method = "REGISTER"},                                                                    "SIP/2.0 405", "Allow: INVITE"           },
    {{.method = "MESSAGE"},                                                                     "SIP/2.0 405", NULL                      },
    {{.method = "SUBSCRIBE"},                                                                   "SIP/2.0 405", NULL                      },
    {{.method = "REFER"},                                                                       "SIP/2.0 405", NULL                      },
    {{.method = "UPDATE"},                                                                      "SIP/2.0 405", NULL                      },
    {{.method = "FROBNICATE"},                                                                  "SIP/2.0 501", "Allow: INVITE"           },
    {{.method = "CANCEL"},                                                                      "SIP/2.0 481", NULL                      },
    {{.method = "BYE", .to_tag = "gone"},                                                       "SIP/2.0 481", NULL                      },
    {{.method = "INVITE", .to_tag = "gone", .body = PEER_OFFER},                                "SIP/2.0 481", NULL                      },
    {{.method = "OPTIONS", .uri = "tel:+4930"},                                                 "SIP/2.0 416", NULL                      },
    {{.method = "INVITE", .uri = "urn:service:sos"},                                            "SIP/2.0 416", NULL                      },
    {{.method = "INVITE", .headers = CONTACT "Require: foo, 100rel\r\n"},
     "SIP/2.0 420",                                                                                            "Unsupported: foo, 100rel"},
    {{.method = "INVITE", .headers = "Subject: none\r\n"},                                      "SIP/2.0 400", "Warning: 399"            },
    {{.method = "INVITE", .headers = "Contact: <urn:foo:bar>\r\n"},                             "SIP/2.0 400", "bad Contact"             },
    {{.method = "INVITE", .headers = "Contact: *\r\n"},                                         "SIP/2.0 400", NULL                      },
    {{.method = "INVITE", .headers = CONTACT "Record-Route: <urn:foo:bar>\r\n"},
     "SIP/2.0 400",                                                                                            NULL                      },
    {{.method = "INVITE", .headers = CONTACT "Record-Route: <sip:a;lr>, <http://b>\r\n"},
     "SIP/2.0 400",                                                                                            NULL                      },
    {{.method = "INVITE", .headers = CONTACT "Content-Type: text/plain\r\n", .body = "hello"},
     "SIP/2.0 4",                                                                                              NULL                      },
    {{.method = "INVITE", .headers = CONTACT "Content-Encoding: gzip\r\n", .body = PEER_OFFER},
     "SIP/2.0 415",                                                                                            "Accept: application/sdp" },
    {{.method = "INVITE", .body = "v=0\r\nnonsense\r\n"},                                       "SIP/2.0 400", "Warning: 399"            },
    {{.method = "INVITE",
      .body = "v=0\r\no=- 1 1 IN IP4 a.b\r\nc=IN IP4 a.b\r\nm=audio 1 RTP/AVP 0\r\n"},
     "SIP/2.0 488",                                                                                            "not numeric"             },
    {{.method = "INVITE", .uri = "sip:%00@127.0.0.1"},                                          "SIP/2.0 484", NULL                      },
    {{.method = "INVITE", .uri = "sip:%0d%0aX@127.0.0.1"},                                      "SIP/2.0 484", NULL                      },
    {{.method = "INVITE", .uri = "sip:%ff@127.0.0.1"},                                          "SIP/2.0 484", NULL                      },
    {{.method = "INVITE", .via = "SIP/2.0/UDP 127.0.0.1;branch=old"},                           "SIP/2.0 400", NULL                      },
    {{.method = "INVITE", .via = "SIP/2.0/UDP 127.0.0.1"},                                      "SIP/2.0 400", NULL                      },
    {{.method = "INVITE", .via = "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK"},                       "SIP/2.0 400", NULL                      },
};

Test(outside, is_answered_as_the_rfc_says_and_the_owner_hears_of_nothing)
{
    struct stage *stage = stage_new();

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct peer_request request = rows[i].request;
        struct peer peer;

        peer_open(&peer, stage);
        request.cseq = 1;
        request.branch = "row";
        peer_request(&peer, &request);
        cr_assert(
            peer_hears(&peer, rows[i].answer, 2000), "row %zu: wanted %s, heard\n%s", i,
            rows[i].answer, peer.text);
        cr_assert(
            !rows[i].with || peer_text_has(&peer, rows[i].with), "row %zu:\n%s", i, peer.text);
        peer_close(&peer);
    }
    stage_expect_nothing(stage);
    stage_expect_idle(stage);
    cr_assert_gt(stage_statistics(stage).refused_at_door, 20);
    stage_free(stage);
}

Test(outside, an_invite_that_has_come_too_far_is_refused_an_options_is_not)
{
    struct stage *stage = stage_new();
    struct peer peer;

    peer_open(&peer, stage);
    for (int i = 0; i < 2; i++) {
        peer_say(
            &peer,
            "%s sip:1@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx%d\r\n"
            "From: <sip:a@b>;tag=1\r\nTo: <sip:1@127.0.0.1>\r\nCall-ID: far\r\nCSeq: 1 %s\r\n"
            "Max-Forwards: 0\r\n" CONTACT "Content-Length: 0\r\n\r\n",
            i ? "OPTIONS" : "INVITE", i, i ? "OPTIONS" : "INVITE");
        peer_expect(&peer, i ? "SIP/2.0 200" : "SIP/2.0 483");
    }
    stage_expect_nothing(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(outside, draining_refuses_new_calls_and_serves_old_ones)
{
    struct stage *stage = stage_new();
    struct peer old;
    struct peer fresh;
    char word[STAGE_WORD_SIZE];

    peer_open(&old, stage);
    peer_open(&fresh, stage);
    peer_request(&old, &(struct peer_request){.method = "INVITE", .cseq = 1, .branch = "old"});

    int64_t leg = stage_expect(stage, SIGNALLING_INVITED).leg;

    agent_set_draining(stage_agent(stage), true);
    peer_request(&fresh, &(struct peer_request){.method = "INVITE", .cseq = 1, .branch = "new"});
    peer_expect(&fresh, "SIP/2.0 503");
    peer_header(&fresh, "Retry-After:", word);
    cr_assert_str_neq(word, "");
    peer_request(&fresh, &(struct peer_request){.method = "OPTIONS", .cseq = 2, .branch = "o"});
    peer_expect(&fresh, "SIP/2.0 503");
    stage_expect_nothing(stage);
    stage_progress(stage, leg, 180, false);
    peer_expect(&old, "SIP/2.0 180");
    stage_refuse(stage, leg, &(struct signalling_reason){.status = 486});
    peer_expect(&old, "SIP/2.0 486");
    agent_set_draining(stage_agent(stage), false);
    peer_request(&fresh, &(struct peer_request){.method = "OPTIONS", .cseq = 3, .branch = "p"});
    peer_expect(&fresh, "SIP/2.0 200");
    peer_close(&old);
    peer_close(&fresh);
    stage_free(stage);
}

Test(outside, holds_no_more_calls_than_it_may)
{
    struct stage *stage = stage_new_with((struct agent_options){.legs_max = 1});
    struct peer first;
    struct peer second;

    peer_open(&first, stage);
    peer_open(&second, stage);
    peer_request(&first, &(struct peer_request){.method = "INVITE", .cseq = 1, .branch = "a"});

    int64_t leg = stage_expect(stage, SIGNALLING_INVITED).leg;

    peer_request(&second, &(struct peer_request){.method = "INVITE", .cseq = 1, .branch = "b"});
    peer_expect(&second, "SIP/2.0 503");
    stage_refuse(stage, leg, &(struct signalling_reason){.status = 486});
    peer_request(&second, &(struct peer_request){.method = "INVITE", .cseq = 2, .branch = "c"});
    leg = stage_expect(stage, SIGNALLING_INVITED).leg;
    stage_refuse(stage, leg, &(struct signalling_reason){.status = 486});
    /* Two are over and remembered: no more until that has passed. */
    peer_request(&second, &(struct peer_request){.method = "INVITE", .cseq = 3, .branch = "d"});
    peer_expect(&second, "SIP/2.0 503");
    cr_assert_eq(stage_statistics(stage).legs_remembered, 2);
    stage_expect_nothing(stage);
    peer_close(&first);
    peer_close(&second);
    stage_free(stage);
}

Test(outside, a_call_refused_at_once_leaves_nothing_behind)
{
    struct stage *stage = stage_new();

    stage_refuse_all(stage);
    for (int i = 0; i < 100; i++) {
        struct peer peer;
        struct agent_statistics now;

        peer_open(&peer, stage);
        peer_request(
            &peer, &(struct peer_request){
                       .method = "INVITE", .cseq = 1, .branch = "stranger", .body = PEER_OFFER});
        cr_assert(peer_hears(&peer, "SIP/2.0 ", 5000));
        cr_assert(peer_text_has(&peer, "SIP/2.0 403 No trunk"), "%s", peer.text);
        peer_request(
            &peer, &(struct peer_request){
                       .method = "ACK", .cseq = 1, .branch = "stranger", .to_tag = "x"});
        peer_close(&peer);
        now = stage_statistics(stage);
        cr_assert_eq(now.legs + now.legs_remembered + now.legs_finishing, 0);
        cr_assert_eq(now.server_transactions, 0);
        cr_assert_eq(now.dialogs, 0);
        cr_assert_eq(now.invites, i + 1);
    }
    stage_free(stage);
}

Test(outside, a_call_over_tcp_is_answered_and_ended_over_it)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char to[STAGE_WORD_SIZE];

    peer_connect(&peer, stage);
    peer_request(
        &peer,
        &(struct peer_request){.method = "INVITE", .cseq = 1, .branch = "tcp", .body = PEER_OFFER});

    struct scene scene = stage_expect(stage, SIGNALLING_INVITED);

    cr_assert_eq(scene.source_port, peer.port);
    peer_expect(&peer, "SIP/2.0 100");
    stage_answer(stage, scene.leg);
    peer_expect(&peer, "SIP/2.0 200");
    cr_assert(peer_text_has(&peer, ";transport=tcp"));
    peer_header(&peer, "To:", to);
    peer_request(
        &peer, &(struct peer_request){
                   .method = "ACK", .cseq = 1, .branch = "ack", .to_tag = strstr(to, "tag=") + 4});
    (void)stage_expect(stage, SIGNALLING_ACKNOWLEDGED);
    stage_hang_up(stage, scene.leg);
    peer_expect(&peer, "BYE ");
    peer_reply(&peer, "200 OK", NULL, NULL, NULL);
    stage_expect_idle(stage);
    peer_close(&peer);
    stage_free(stage);
}

Test(outside, says_which_address_it_cannot_listen_on)
{
    static const char *const bad[] = {"",      "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x",
                                      ":5060", "[::1:5060", "a b:5060"};
    struct stage *stage = stage_new();
    struct agent *other = NULL;
    struct error err;
    char address[STAGE_WORD_SIZE];

    (void)snprintf(address, sizeof(address), "127.0.0.1:%d", stage_port(stage));
    cr_assert_not(agent_open(&(struct agent_options){.listen_address = address}, &other, &err));
    cr_assert_eq(err.reason, REASON_SIP_UNAVAILABLE);
    cr_assert_not_null(strstr(err.message, address), "%s", err.message);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_not(
            agent_open(&(struct agent_options){.listen_address = bad[i]}, &other, &err), "%s",
            bad[i]);
        cr_assert_eq(err.reason, REASON_CONFIG_INVALID);
    }
    cr_assert_not(agent_open(&(struct agent_options){.listen_address = "0.0.0.0:0"}, &other, &err));
    cr_assert_eq(err.reason, REASON_CONFIG_INVALID);
    cr_assert_null(other);
    stage_free(stage);
}

Test(outside, advertises_the_address_it_was_told)
{
    static const struct {
        const char *listen;
        const char *advertised;
        const char *contact; /* %d: the port */
    } cases[] = {
        {"127.0.0.1:0", NULL,                 "sip:127.0.0.1:%d"      },
        {"0.0.0.0:0",   "sip.example.com",    "sip:sip.example.com:%d"},
        {"127.0.0.1:0", "192.0.2.1:5070",     "sip:192.0.2.1:5070"    },
        {"[::1]:0",     "",                   "sip:[::1]:%d"          },
        {"[::1]:0",     "[2001:db8::1]:5060", "sip:[2001:db8::1]:5060"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(agent_free_at_exit) struct agent *agent = NULL;
        struct error err;
        char contact[STAGE_WORD_SIZE];
        char port[16];
        const char *mark = strstr(cases[i].contact, "%d");

        cr_assert(
            agent_open(
                &(struct agent_options){
                    .listen_address = cases[i].listen, .advertised_address = cases[i].advertised},
                &agent, &err),
            "%s", err.message);
        (void)snprintf(port, sizeof(port), "%d", agent_port(agent));
        (void)snprintf(
            contact, sizeof(contact), "%.*s%s",
            (int)(mark ? mark - cases[i].contact : (long)strlen(cases[i].contact)),
            cases[i].contact, mark ? port : "");
        cr_assert_str_eq(agent_contact(agent), contact);
    }
}
