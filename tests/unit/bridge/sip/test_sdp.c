#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "services/bridge/domain/session_description.h"
#include "services/bridge/sip/sdp.h"

#define HEAD "v=0\r\no=alice 17 18 IN IP4 192.0.2.9\r\ns=-\r\n"
#define SESSION HEAD "c=IN IP4 192.0.2.9\r\nt=0 0\r\n"

static enum description_result parse(const char *text, struct session_description *description)
{
    const char *why = NULL;
    enum description_result result = description_parse(text, strlen(text), description, &why);

    cr_assert_eq(result == DESCRIPTION_PARSED, why == NULL);
    return result;
}

static struct session_description parsed(const char *text)
{
    struct session_description description;

    cr_assert_eq(parse(text, &description), DESCRIPTION_PARSED, "%s", text);
    return description;
}

Test(sdp, reads_what_a_phone_offers)
{
    struct session_description description = parsed(
        SESSION "m=audio 4000 RTP/AVP 9 8 0 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\n"
                "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:30\r\n");

    cr_assert_eq(description.session_id, 17);
    cr_assert_eq(description.version, 18);
    cr_assert_str_eq(description.address, "192.0.2.9");
    cr_assert_eq(description.port, 4000);
    cr_assert_eq(description.format_count, 2);
    cr_assert_eq(description.formats[0].codec, CODEC_PCMA);
    cr_assert_eq(description.formats[1].codec, CODEC_PCMU);
    cr_assert_eq(description.formats[1].payload_type, 0, "a static type needs no rtpmap");
    cr_assert_eq(description.telephone_event_payload_type, 101);
    cr_assert_eq(description.ptime_ms, 30);
    cr_assert_eq(description.direction, DIRECTION_SENDRECV);
    cr_assert_eq(description.media_count, 1);
    cr_assert_eq(description.audio_index, 0);
}

Test(sdp, takes_a_codec_by_its_name_and_not_by_its_number)
{
    struct session_description description = parsed(
        SESSION "m=audio 4000 RTP/AVP 0 96 97 98\r\na=rtpmap:0 opus/48000/2\r\n"
                "a=rtpmap:96 pcmu/8000/1\r\na=rtpmap:97 PCMA/16000\r\na=rtpmap:98 PCMU/8000\r\n");

    cr_assert_eq(description.format_count, 1);
    cr_assert_eq(description.formats[0].codec, CODEC_PCMU);
    cr_assert_eq(description.formats[0].payload_type, 96);
    cr_assert_eq(description.telephone_event_payload_type, -1);
}

Test(sdp, media_level_goes_before_session_level)
{
    struct session_description description =
        parsed(SESSION "a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 198.51.100.1\r\n");

    cr_assert_str_eq(description.address, "198.51.100.1");
    cr_assert_eq(description.direction, DIRECTION_SENDONLY);

    description = parsed(SESSION "a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\na=inactive\r\n");
    cr_assert_str_eq(description.address, "192.0.2.9");
    cr_assert_eq(description.direction, DIRECTION_INACTIVE);

    description = parsed(HEAD "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:DB8::1\r\n"
                              "a=recvonly\r\n");
    cr_assert_str_eq(description.address, "2001:db8::1");
    cr_assert_eq(description.direction, DIRECTION_RECVONLY);
}

Test(sdp, keeps_the_address_of_an_old_hold)
{
    struct session_description description =
        parsed(HEAD "c=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n");

    cr_assert_str_eq(description.address, "0.0.0.0");
    cr_assert_eq(description.direction, DIRECTION_SENDRECV);
}

Test(sdp, finds_the_audio_among_other_media)
{
    struct session_description description = parsed(
        SESSION "m=video 5000 RTP/AVP 31\r\nm=audio 5100 RTP/SAVP 0\r\nm=audio 0 RTP/AVP 0\r\n"
                "m=audio 5200 UDP/TLS/RTP/SAVPF 0\r\nm=audio 4000 RTP/AVP 8\r\n"
                "m=image 5300 udptl t38\r\n");

    cr_assert_eq(description.media_count, 6);
    cr_assert_eq(description.audio_index, 4);
    cr_assert_eq(description.port, 4000);
    cr_assert_str_eq(description.others[0].media, "video");
    cr_assert_str_eq(description.others[0].format, "31");
    cr_assert_str_eq(description.others[1].protocol, "RTP/SAVP");
    cr_assert_str_eq(description.others[3].protocol, "UDP/TLS/RTP/SAVPF");
    cr_assert_str_eq(description.others[5].format, "t38");
}

Test(sdp, says_when_there_is_no_audio_of_ours)
{
    struct session_description description = parsed(SESSION "m=video 5000 RTP/AVP 31\r\n");

    cr_assert_eq(description.audio_index, description.media_count);
    description = parsed(SESSION);
    cr_assert_eq(description.media_count, 0);
    cr_assert_eq(description.audio_index, 0);
    description = parsed(SESSION "m=audio 0 RTP/AVP 0\r\n");
    cr_assert_eq(description.audio_index, 0);
    cr_assert_eq(description.port, 0);
}

Test(sdp, refuses_what_is_no_description)
{
    static const char *const rows[] = {
        "",
        "hello",
        "v=1\r\n",
        "v=0\r\ns=-\r\n",
        SESSION "m=audio 4000 RTP/AVP 128\r\n",
        SESSION "m=audio 4000 RTP/AVP zero\r\n",
        SESSION "m=audio\r\n",
        SESSION "x=1\r\n",
        /* each of these made Sofia's parser allocate until there was no memory left */
        SESSION "m=video 4000 foo =\r\n",
        SESSION "m=video 4000 foo /A\r\n",
        SESSION "m=video 4000 foo \xff\xff\r\n",
        SESSION " \tm=video 4000 foo (\r\n",
        HEAD "c=IN IP4 192.0.2.9\x01\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct session_description description = {.port = 99};

        cr_assert_eq(parse(rows[i], &description), DESCRIPTION_MALFORMED, "row %zu", i);
        cr_assert_eq(description.port, 99);
    }
}

Test(sdp, refuses_what_it_could_not_answer)
{
    static const char *const rows[] = {
        HEAD "c=IN IP4 media.example.com\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
        HEAD "c=IN IP4 224.2.1.1/127\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
        HEAD "c=IN IP6 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
        HEAD "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
        SESSION "m=audio 70000 RTP/AVP 0\r\n",
        SESSION "m=abcdefghijabcdefghijabcdefghijabcdefghij 4000 RTP/AVP 0\r\n",
        SESSION "m=a 1 b c\r\nm=a 1 b c\r\nm=a 1 b c\r\nm=a 1 b c\r\nm=a 1 b c\r\nm=a 1 b c\r\n"
                "m=a 1 b c\r\nm=a 1 b c\r\nm=audio 4000 RTP/AVP 0\r\n",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct session_description description;

        cr_assert_eq(parse(rows[i], &description), DESCRIPTION_UNUSABLE, "row %zu", i);
    }
}

Test(sdp, prints_what_it_would_read_again)
{
    struct session_description description = {
        .session_id = 77,
        .version = 2,
        .address = "2001:db8::7",
        .port = 30000,
        .direction = DIRECTION_RECVONLY,
        .formats = {{CODEC_PCMU, 97}, {CODEC_PCMA, 8}},
        .format_count = 2,
        .telephone_event_payload_type = 101,
        .ptime_ms = 20,
        .media_count = 2,
        .audio_index = 1,
        .others = {{"video", "RTP/AVP", "31"}               },
    };
    char text[DESCRIPTION_TEXT_SIZE];

    description_print(&description, text);
    cr_assert_str_eq(
        text, "v=0\r\no=- 77 2 IN IP6 2001:db8::7\r\ns=-\r\nc=IN IP6 2001:db8::7\r\nt=0 0\r\n"
              "m=video 0 RTP/AVP 31\r\nm=audio 30000 RTP/AVP 97 8 101\r\na=rtpmap:97 PCMU/8000\r\n"
              "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
              "a=ptime:20\r\na=recvonly\r\n");

    struct session_description again = parsed(text);

    char text_again[DESCRIPTION_TEXT_SIZE];

    description_print(&again, text_again);
    cr_assert_str_eq(text_again, text);
    cr_assert_eq(again.audio_index, 1);
    cr_assert_eq(again.version, 2);
}
