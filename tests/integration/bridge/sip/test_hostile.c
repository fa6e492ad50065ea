/* Messages that are meant to hurt. The agent must live, and answer an OPTIONS at the end; under
 * AddressSanitizer it must not read or leak what it may not.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/integration/bridge/sip/stage.h"

static void expect_alive(struct stage *stage)
{
    struct peer peer;

    peer_open(&peer, stage);
    peer_request(&peer, &(struct peer_request){.method = "OPTIONS", .cseq = 1, .branch = "alive"});
    peer_expect(&peer, "SIP/2.0 200");
    peer_close(&peer);
}

Test(hostile, an_ack_of_an_answer_that_could_not_be_sent)
{
    static const char *const vias[] = {
        "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKhurt",
        "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKhurt;maddr=nowhere.invalid",
        "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKhurt;maddr=224.0.0.1",
        "SIP/2.0/UDP 127.0.0.1:0;branch=z9hG4bKhurt",
        "SIP/2.0/UDP 127.0.0.1:99999;branch=z9hG4bKhurt",
        "SIP/2.0/UDP nowhere.invalid;branch=z9hG4bKhurt;received=255.255.255.255;rport=1",
        "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKhurt;comp=sigcomp",
    };

    for (size_t i = 0; i < sizeof(vias) / sizeof(vias[0]); i++) {
        struct stage *stage = stage_new();
        struct peer peer;
        struct scene scene;

        peer_open(&peer, stage);
        peer_request(&peer, &(struct peer_request){.method = "INVITE", .cseq = 1, .via = vias[i]});
        expect_alive(stage); /* it came behind the INVITE */
        if (stage_next(stage, &scene)) {
            stage_refuse(stage, scene.leg, &(struct signalling_reason){.status = 486});
        }
        peer_request(&peer, &(struct peer_request){.method = "ACK", .cseq = 1, .via = vias[i]});
        expect_alive(stage);
        stage_expect_idle(stage);
        peer_close(&peer);
        stage_free(stage);
    }
}

Test(hostile, an_answer_to_a_connection_that_is_gone)
{
    for (int refused = 0; refused < 2; refused++) {
        struct stage *stage = stage_new();
        struct peer gone;
        struct peer other;
        struct scene scene;
        char via[STAGE_WORD_SIZE];

        peer_connect(&gone, stage);
        peer_request(
            &gone, &(struct peer_request){
                       .method = "INVITE", .cseq = 1, .branch = "tcp", .body = PEER_OFFER});
        scene = stage_expect(stage, SIGNALLING_INVITED);
        peer_close(&gone);
        peer_connect(&other, stage);
        (void)snprintf(via, sizeof(via), "SIP/2.0/TCP 127.0.0.1:%d;branch=z9hG4bKtcp", gone.port);
        if (refused) {
            stage_refuse(stage, scene.leg, &(struct signalling_reason){.status = 486});
        } else {
            stage_answer(stage, scene.leg);
        }
        peer_request(&other, &(struct peer_request){.method = "ACK", .cseq = 1, .via = via});
        expect_alive(stage);
        if (!refused) {
            (void)stage_expect(stage, SIGNALLING_HUNG_UP);
        }
        stage_expect_idle(stage);
        peer_close(&other);
        stage_free(stage);
    }
}

/* In the manner of RFC 4475: what a message may be, and what it may not. */
static const char *const torture[] = {
    /* folded and odd, yet valid */
    "INVITE sip:vivekg@127.0.0.1;unknownparam SIP/2.0\r\nTO :\r\n sip:vivekg@127.0.0.1 ;   x=1\r\n"
    "from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = "
    "98asjd8\r\n"
    "MaX-fOrWaRdS: 0068\r\nCall-ID: wsinv.ndaksdj@192.0.2.1\r\nCSeq  : 0009\r\n  INVITE\r\n"
    "Via  : SIP  /   2.0\r\n /UDP\r\n    127.0.0.1;branch=z9hG4bK390skdjuw\r\n"
    "s :\r\nNewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
    "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@127.0.0.1>;newparam=newvalue\r\n\r\n",
    /* every character a token may have */
    "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?"
    ",/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK-.!%66*_+`'~\r\nTo: \"BEL:\\\x07 NUL:\\\x01\" "
    "<sip:a@b>"
    "\r\nFrom: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"x\""
    ";tag=_token~1'+`*%!-.\r\nCall-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n"
    "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\nMax-Forwards: 255\r\n\r\n",
    /* a body shorter than it says */
    "INVITE sip:user@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKlen\r\n"
    "To: sip:j@a\r\nFrom: sip:caller@a;tag=1\r\nCall-ID: clerr\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:caller@127.0.0.1>\r\nContent-Type: application/sdp\r\nContent-Length: "
    "9999\r\n\r\n"
    "v=0\r\n",
    /* negative and huge numbers */
    "INVITE sip:user@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKneg\r\n"
    "To: sip:j@a\r\nFrom: sip:caller@a;tag=1\r\nCall-ID: ncl\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:caller@127.0.0.1>\r\nContent-Length: -999\r\n\r\n",
    "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKscalar\r\n"
    "Max-Forwards: 300\r\nTo: <sip:u@a>\r\nFrom: <sip:u@a>;tag=2\r\nCall-ID: s\r\n"
    "CSeq: 36893488147419103232 REGISTER\r\nContact: <sip:u@a>;expires=280297596632815\r\n"
    "Content-Length: 0\r\n\r\n",
    "SIP/2.0 503 Service Unavailable\r\nVia: SIP/2.0/UDP "
    "127.0.0.1;branch=z9hG4bKhuge;received=1\r\n"
    "To: <sip:u@a>\r\nFrom: <sip:u@a>;tag=3\r\nCall-ID: b\r\nCSeq: 9292394834772304023312 "
    "OPTIONS\r\n"
    "Warning: 1812 overture \"In Progress\"\r\nRetry-After: 949302838503028349304023988\r\n\r\n",
    "SIP/2.0 4294967301 better not break the receiver\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx"
    "\r\nTo: <sip:u@a>\r\nFrom: <sip:u@a>;tag=3\r\nCall-ID: b\r\nCSeq: 35 INVITE\r\n\r\n",
    /* quotes that never end, commas that are none, dates that are none */
    "INVITE sip:user@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKq\r\n"
    "To: \"Mr. J. User <sip:j@a>\r\nFrom: sip:caller@a;tag=1\r\nCall-ID: q\r\nCSeq: 1 "
    "INVITE\r\n\r\n",
    "INVITE <sip:user@127.0.0.1> SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKr\r\n"
    "To: sip:j@a\r\nFrom: sip:caller@a;tag=1\r\nCall-ID: r\r\nCSeq: 1 INVITE\r\n\r\n",
    "INVITE sip:user@127.0.0.1; lr SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKs,;,,\r\n"
    "To: sip:j@a;tag=\r\nFrom: sip:caller@a;tag=1\r\nCall-ID: s\r\nCSeq: 1 INVITE\r\n\r\n",
    "INVITE sip:user@127.0.0.1 SIP/7.0\r\nVia: SIP/7.0/UDP 127.0.0.1;branch=z9hG4bKv\r\n"
    "To: sip:j@a\r\nFrom: sip:caller@a;tag=1\r\nCall-ID: v\r\nCSeq: 1 INVITE\r\n\r\n",
    "INVITE sip:user@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKd\r\n"
    "To: sip:j@a\r\nFrom: sip:caller@a;tag=1\r\nCall-ID: d\r\nCSeq: 1 INVITE\r\n"
    "Date: Fri, 01 Jan 2010 16:00:00 EST\r\nExpires: 0 0l@company.com\r\n\r\n",
    /* one header twice, or none at all */
    "INVITE sip:user@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKt\r\n"
    "To: sip:j@a\r\nTo: sip:k@a\r\nFrom: sip:caller@a;tag=1\r\nFrom: sip:other@a;tag=2\r\n"
    "Call-ID: t\r\nCall-ID: u\r\nCSeq: 1 INVITE\r\nCSeq: 2 INVITE\r\nContent-Length: 1\r\n"
    "Content-Length: 2\r\n\r\nab",
    "INVITE sip:user@127.0.0.1 SIP/2.0\r\nCSeq: 193942 INVITE\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKu\r\n\r\n",
    "OPTIONS sip:user@127.0.0.1 SIP/2.0\r\nCSeq: 1 INVITE\r\nTo: sip:j@a\r\nFrom: sip:c@a;tag=1\r\n"
    "Call-ID: w\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKw\r\n\r\n",
    "INVITE sip:user@127.0.0.1 SIP/2.0\r\n\r\n",
    "INVITE sip:user@127.0.0.1 SIP/2.0",
    "INVITE",
    "\r\n\r\n",
    "\r\n",
    "SIP/2.0",
    "SIP/2.0 200 OK\r\n\r\n",
    /* no empty line at the end */
    "INVITE sip:user@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=x;maddr=nowhere.invalid"
    "\r\nTo: sip:j@a\r\nFrom: sip:caller@a;tag=1\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"
    "Contact: <urn:foo:bar>\r\n",
    /* bodies in parts, without an end */
    "INVITE sip:user@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKmp\r\n"
    "To: sip:j@a\r\nFrom: sip:caller@a;tag=1\r\nCall-ID: mp\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:caller@127.0.0.1>\r\nContent-Type: multipart/mixed;boundary=\"b\"\r\n\r\n"
    "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b",
    /* escapes and nothing in a URI */
    "INVITE sip:%@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKe\r\n"
    "To: <sip:>\r\nFrom: <>;tag=1\r\nCall-ID: e\r\nCSeq: 1 INVITE\r\nContact: <sip:@>\r\n"
    "Route: <sip:%zz;lr>\r\nRecord-Route: <>\r\n\r\n",
    "REFER sip:user@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKf\r\n"
    "To: <sip:a@b>\r\nFrom: <sip:a@b>;tag=1\r\nCall-ID: f\r\nCSeq: 1 REFER\r\n"
    "Refer-To: <sip:x?Replaces=%00%ff%>\r\nReplaces: ;;;\r\n\r\n",
};

Test(hostile, torture_over_udp_and_tcp)
{
    struct stage *stage = stage_new();

    for (size_t i = 0; i < sizeof(torture) / sizeof(torture[0]); i++) {
        struct peer udp;
        struct peer tcp;
        struct scene scene;

        peer_open(&udp, stage);
        peer_connect(&tcp, stage);
        peer_say_bytes(&udp, torture[i], strlen(torture[i]));
        peer_say_bytes(&tcp, torture[i], strlen(torture[i]));
        expect_alive(stage);
        while (stage_next(stage, &scene)) {
            if (scene.kind == SIGNALLING_INVITED) {
                stage_answer(stage, scene.leg);
            }
        }
        peer_close(&udp);
        peer_close(&tcp);
    }
    expect_alive(stage);
    stage_free(stage);
}

Test(hostile, a_message_larger_than_may_be_closes_its_connection)
{
    struct stage *stage = stage_new();
    struct peer peer;
    char filler[8192];

    peer_connect(&peer, stage);
    memset(filler, 'x', sizeof(filler));
    peer_say(&peer, "INVITE sip:user@127.0.0.1 SIP/2.0\r\nSubject: ");
    for (int i = 0; i < 64; i++) {
        peer_say_bytes(&peer, filler, sizeof(filler));
    }
    cr_assert_not(peer_hears(&peer, "SIP/2.0 2", 200));
    expect_alive(stage);
    peer_close(&peer);
    stage_free(stage);
}

struct random {
    uint64_t state;
};

static size_t random_below(struct random *random, size_t limit)
{
    random->state ^= random->state << 13;
    random->state ^= random->state >> 7;
    random->state ^= random->state << 17;
    return (size_t)(random->state % limit);
}

/* Changes, drops, doubles or moves some bytes. */
static size_t mutate(struct random *random, char *bytes, size_t size, size_t room)
{
    static const char odd[] = {'\0', '\r', '\n', '"', '<',  '>', ';', ',', '%',
                               '@',  ':',  ' ',  '=', '\\', '*', '/', 'a', (char)0xff};

    for (size_t left = 1 + random_below(random, 4); left > 0 && size > 20; left--) {
        size_t at = random_below(random, size);
        size_t length = 1 + random_below(random, 16);

        if (at + length > size || size + length > room) {
            continue;
        }
        switch (random_below(random, 4)) {
        case 0:
            bytes[at] = odd[random_below(random, sizeof(odd))];
            break;
        case 1:
            memmove(bytes + at, bytes + at + length, size - at - length);
            size -= length;
            break;
        case 2:
            memmove(bytes + at + length, bytes + at, size - at);
            size += length;
            break;
        default:
            bytes[at] = (char)random_below(random, 256);
            break;
        }
    }
    return size;
}

static size_t print_seed(struct random *random, const struct peer *peer, char text[2048])
{
    static const char *const lines[] = {
        "INVITE sip:+4930@127.0.0.1 SIP/2.0",
        "INVITE sip:+4930@127.0.0.1 SIP/2.0",
        "ACK sip:+4930@127.0.0.1 SIP/2.0",
        "CANCEL sip:+4930@127.0.0.1 SIP/2.0",
        "BYE sip:+4930@127.0.0.1 SIP/2.0",
        "OPTIONS sip:127.0.0.1 SIP/2.0",
        "SIP/2.0 180 Ringing",
        "SIP/2.0 200 OK",
    };
    static const char *const methods[] = {"INVITE", "INVITE",  "ACK",    "CANCEL",
                                          "BYE",    "OPTIONS", "INVITE", "INVITE"};
    size_t kind = random_below(random, sizeof(lines) / sizeof(lines[0]));
    int branch = (int)random_below(random, 40);

    return (size_t)snprintf(
        text, 2048,
        "%s\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;rport;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\n"
        "From: \"A\" <sip:a@example.com>;tag=t%d\r\nTo: <sip:+4930@127.0.0.1>\r\nCall-ID: c%d\r\n"
        "CSeq: 1 %s\r\nContact: <sip:a@127.0.0.1:%d>\r\nRecord-Route: <sip:127.0.0.1:9;lr>\r\n"
        "Supported: timer, 100rel\r\nSession-Expires: 90;refresher=uac\r\n"
        "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n" PEER_OFFER,
        lines[kind], peer->port, branch, branch, branch, methods[kind], peer->port,
        strlen(PEER_OFFER));
}

static void react(struct stage *stage, struct random *random)
{
    struct scene scene;

    while (stage_next(stage, &scene)) {
        if (scene.kind != SIGNALLING_INVITED) {
            continue;
        }
        if (random_below(random, 2)) {
            stage_answer(stage, scene.leg);
        } else {
            stage_refuse(stage, scene.leg, &(struct signalling_reason){.status = 486});
        }
    }
}

Test(hostile, ten_thousand_mutated_messages, .timeout = 100)
{
    struct stage *stage = stage_new();
    struct random random = {.state = 88172645463325252ULL};
    struct peer peer;
    char text[4096];

    peer_open(&peer, stage);
    for (int i = 0; i < 10000; i++) {
        size_t size = print_seed(&random, &peer, text);

        size = random_below(&random, 5) ? mutate(&random, text, size, sizeof(text)) : size;
        peer_say_bytes(&peer, text, size);
        if (i % 50 == 0) {
            expect_alive(stage);
            react(stage, &random);
            stage_expect_nothing(stage);
        }
    }
    expect_alive(stage);
    peer_close(&peer);
    stage_free(stage);
}

/* What a phone answers to our INVITE, mutated. */
Test(hostile, a_thousand_mutated_answers, .timeout = 100)
{
    struct stage *stage = stage_new();
    struct random random = {.state = 123456789123ULL};
    char uri[STAGE_WORD_SIZE];

    for (int i = 0; i < 250; i++) {
        static const char *const statuses[] = {"180 Ringing", "183 Progress", "200 OK",
                                               "200 OK",      "486 Busy",     "302 Moved"};
        struct peer peer;
        struct scene scene;
        char invite[STAGE_TEXT_SIZE];

        peer_open(&peer, stage);
        (void)snprintf(uri, sizeof(uri), "sip:a@127.0.0.1:%d", peer.port);
        stage_dial(stage, 1 + i, uri, 60000000);
        peer_expect(&peer, "INVITE ");
        (void)snprintf(invite, sizeof(invite), "%s", peer.text);
        for (int j = 0; j < 4; j++) {
            char text[4096];
            const char *via = strstr(invite, "Via:");
            const char *rest = strstr(invite, "Content-Type:");
            size_t size = (size_t)snprintf(
                text, sizeof(text),
                "SIP/2.0 %s\r\n%.*sContact: <sip:a@127.0.0.1:%d>\r\n"
                "Record-Route: <sip:127.0.0.1:%d;lr>\r\nContent-Type: "
                "application/sdp\r\n\r\n" PEER_OFFER,
                statuses[random_below(&random, 6)], (int)(rest - via), via, peer.port, peer.port);

            size = mutate(&random, text, size, sizeof(text));
            peer_say_bytes(&peer, text, size);
        }
        expect_alive(stage);
        stage_cancel(stage, 1 + i);
        stage_hang_up(stage, 1 + i);
        while (stage_next(stage, &scene)) {
        }
        peer_close(&peer);
    }
    expect_alive(stage);
    stage_free(stage);
}
