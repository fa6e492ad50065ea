#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "services/bridge/domain/offer_answer.h"

static const enum codec both_laws[] = {CODEC_PCMU, CODEC_PCMA};
static const enum codec a_law[] = {CODEC_PCMA};

static struct local_media local_media(void)
{
    return (struct local_media){
        .session_id = 77,
        .address = "192.0.2.1",
        .port = 30000,
        .codecs = both_laws,
        .codec_count = 2,
    };
}

static struct session_description offer_of(
    enum media_direction direction,
    const char *address,
    int port)
{
    struct session_description offer = {
        .session_id = 1,
        .version = 1,
        .port = port,
        .direction = direction,
        .formats = {{CODEC_PCMA, 8}, {CODEC_PCMU, 0}},
        .format_count = 2,
        .telephone_event_payload_type = 96,
        .ptime_ms = 20,
        .media_count = 1,
        .audio_index = 0,
    };

    (void)snprintf(offer.address, sizeof(offer.address), "%s", address);
    return offer;
}

struct direction_row {
    const char *address;
    enum media_direction offered;
    enum media_direction answered;
    bool on_hold;
    bool we_send;
    bool they_send;
};

static const struct direction_row direction_rows[] = {
    {"192.0.2.9", DIRECTION_SENDRECV, DIRECTION_SENDRECV, false, true,  true },
    {"192.0.2.9", DIRECTION_SENDONLY, DIRECTION_RECVONLY, false, false, true },
    {"192.0.2.9", DIRECTION_RECVONLY, DIRECTION_SENDONLY, false, true,  false},
    {"192.0.2.9", DIRECTION_INACTIVE, DIRECTION_INACTIVE, false, false, false},
    {"0.0.0.0",   DIRECTION_SENDRECV, DIRECTION_RECVONLY, false, false, true },
    {"0.0.0.0",   DIRECTION_SENDONLY, DIRECTION_RECVONLY, false, false, true },
    {"0.0.0.0",   DIRECTION_RECVONLY, DIRECTION_INACTIVE, false, false, false},
    {"0.0.0.0",   DIRECTION_INACTIVE, DIRECTION_INACTIVE, false, false, false},
    {"::",        DIRECTION_SENDRECV, DIRECTION_RECVONLY, false, false, true },
    {"192.0.2.9", DIRECTION_SENDRECV, DIRECTION_SENDONLY, true,  true,  false},
    {"192.0.2.9", DIRECTION_SENDONLY, DIRECTION_INACTIVE, true,  false, false},
    {"192.0.2.9", DIRECTION_RECVONLY, DIRECTION_SENDONLY, true,  true,  false},
};

Test(offer_answer, mirrors_the_direction_of_every_offer)
{
    for (size_t i = 0; i < sizeof(direction_rows) / sizeof(direction_rows[0]); i++) {
        const struct direction_row *row = &direction_rows[i];
        struct session_description offer = offer_of(row->offered, row->address, 4000);
        struct local_media local = local_media();
        struct session_description answer;
        struct agreed_media agreed;

        local.on_hold = row->on_hold;
        cr_assert_eq(answer_make(&local, &offer, NULL, &answer), ANSWER_MADE, "row %zu", i);
        cr_assert_eq(answer.direction, row->answered, "row %zu: %d", i, answer.direction);
        cr_assert(offer_answer_agree(&answer, &offer, false, &agreed));
        cr_assert_eq(agreed.send, row->we_send, "row %zu", i);
        cr_assert_eq(agreed.receive, row->they_send, "row %zu", i);
    }
}

Test(offer_answer, takes_the_first_codec_of_the_offer_that_is_ours_with_its_payload_type)
{
    struct session_description offer = offer_of(DIRECTION_SENDRECV, "192.0.2.9", 4000);
    struct local_media local = local_media();
    struct session_description answer;

    cr_assert_eq(answer_make(&local, &offer, NULL, &answer), ANSWER_MADE);
    cr_assert_eq(answer.format_count, 1);
    cr_assert_eq(answer.formats[0].codec, CODEC_PCMA);
    cr_assert_eq(answer.formats[0].payload_type, 8);

    offer.formats[0] = (struct session_format){CODEC_PCMU, 97};
    offer.formats[1] = (struct session_format){CODEC_PCMA, 8};
    cr_assert_eq(answer_make(&local, &offer, NULL, &answer), ANSWER_MADE);
    cr_assert_eq(answer.formats[0].codec, CODEC_PCMU);
    cr_assert_eq(answer.formats[0].payload_type, 97);

    local.codecs = a_law;
    local.codec_count = 1;
    cr_assert_eq(answer_make(&local, &offer, NULL, &answer), ANSWER_MADE);
    cr_assert_eq(answer.formats[0].codec, CODEC_PCMA);
}

Test(offer_answer, takes_telephone_event_under_the_number_offered_or_not_at_all)
{
    struct session_description offer = offer_of(DIRECTION_SENDRECV, "192.0.2.9", 4000);
    struct local_media local = local_media();
    struct session_description answer;
    struct agreed_media agreed;

    cr_assert_eq(answer_make(&local, &offer, NULL, &answer), ANSWER_MADE);
    cr_assert_eq(answer.telephone_event_payload_type, 96);

    offer.telephone_event_payload_type = -1;
    cr_assert_eq(answer_make(&local, &offer, NULL, &answer), ANSWER_MADE);
    cr_assert_eq(answer.telephone_event_payload_type, -1);
    cr_assert(offer_answer_agree(&answer, &offer, false, &agreed));
    cr_assert_eq(agreed.telephone_event_payload_type, -1);
}

Test(offer_answer, refuses_an_offer_without_audio_or_without_a_codec_of_ours)
{
    struct session_description offer = offer_of(DIRECTION_SENDRECV, "192.0.2.9", 0);
    struct local_media local = local_media();
    struct session_description answer = {.port = 1234};

    cr_assert_eq(answer_make(&local, &offer, NULL, &answer), ANSWER_NO_AUDIO);
    offer.port = 4000;
    offer.audio_index = offer.media_count;
    cr_assert_eq(answer_make(&local, &offer, NULL, &answer), ANSWER_NO_AUDIO);
    offer.audio_index = 0;
    offer.format_count = 0;
    cr_assert_eq(answer_make(&local, &offer, NULL, &answer), ANSWER_NO_COMMON_CODEC);
    cr_assert_eq(answer.port, 1234, "nothing may be written");
}

Test(offer_answer, keeps_every_media_line_in_its_place)
{
    struct session_description offer = offer_of(DIRECTION_SENDRECV, "192.0.2.9", 4000);
    struct local_media local = local_media();
    struct session_description answer;

    offer.media_count = 3;
    offer.audio_index = 1;
    offer.others[0] = (struct session_other_media){"video", "RTP/AVP", "31"};
    offer.others[2] = (struct session_other_media){"image", "udptl", "t38"};

    cr_assert_eq(answer_make(&local, &offer, NULL, &answer), ANSWER_MADE);
    cr_assert_eq(answer.media_count, 3);
    cr_assert_eq(answer.audio_index, 1);
    cr_assert_str_eq(answer.others[0].media, "video");
    cr_assert_str_eq(answer.others[2].protocol, "udptl");
    cr_assert_str_eq(answer.others[2].format, "t38");

    struct session_description again;

    offer_make(&local, &answer, &again);
    cr_assert_eq(again.media_count, 3);
    cr_assert_eq(again.audio_index, 1);
    cr_assert_str_eq(again.others[0].media, "video");
}

Test(offer_answer, raises_the_version_exactly_when_something_changes)
{
    struct session_description offer = offer_of(DIRECTION_SENDRECV, "192.0.2.9", 4000);
    struct local_media local = local_media();
    struct session_description first;
    struct session_description second;
    struct session_description third;

    cr_assert_eq(answer_make(&local, &offer, NULL, &first), ANSWER_MADE);
    cr_assert_eq(first.version, 1);
    cr_assert_eq(first.session_id, 77);
    cr_assert_eq(answer_make(&local, &offer, &first, &second), ANSWER_MADE);
    cr_assert_eq(second.version, 1, "a refresh changes nothing");

    offer.direction = DIRECTION_SENDONLY;
    cr_assert_eq(answer_make(&local, &offer, &second, &third), ANSWER_MADE);
    cr_assert_eq(third.version, 2);

    offer_make(&local, &third, &first);
    cr_assert_eq(first.version, 3);
}

Test(offer_answer, offers_our_codecs_in_our_order_and_keeps_bound_payload_types)
{
    struct local_media local = local_media();
    struct session_description offer;
    struct session_description again;

    offer_make(&local, NULL, &offer);
    cr_assert_eq(offer.version, 1);
    cr_assert_eq(offer.format_count, 2);
    cr_assert_eq(offer.formats[0].codec, CODEC_PCMU);
    cr_assert_eq(offer.formats[0].payload_type, 0);
    cr_assert_eq(offer.formats[1].payload_type, 8);
    cr_assert_eq(offer.telephone_event_payload_type, OFFER_TELEPHONE_EVENT_PAYLOAD_TYPE);
    cr_assert_eq(offer.direction, DIRECTION_SENDRECV);
    cr_assert_eq(offer.media_count, 1);
    cr_assert_eq(offer.audio_index, 0);

    offer.formats[0].payload_type = 97;
    offer.telephone_event_payload_type = 96;
    local.on_hold = true;
    offer_make(&local, &offer, &again);
    cr_assert_eq(again.formats[0].payload_type, 97);
    cr_assert_eq(again.telephone_event_payload_type, 96);
    cr_assert_eq(again.direction, DIRECTION_SENDONLY);
    cr_assert_eq(again.version, 2);
}

Test(offer_answer, agrees_on_what_the_peers_answer_says)
{
    struct local_media local = local_media();
    struct session_description ours;
    struct session_description theirs = offer_of(DIRECTION_SENDRECV, "192.0.2.9", 4000);
    struct agreed_media agreed;

    offer_make(&local, NULL, &ours);
    cr_assert(offer_answer_agree(&ours, &theirs, true, &agreed));
    cr_assert_eq(agreed.codec, CODEC_PCMA);
    cr_assert_eq(agreed.payload_type, 8);
    cr_assert_eq(agreed.telephone_event_payload_type, 96);
    cr_assert_eq(agreed.port, 4000);
    cr_assert_str_eq(agreed.address, "192.0.2.9");
    cr_assert_eq(agreed.ptime_ms, 20);
    cr_assert(agreed.send);
    cr_assert(agreed.receive);
}

Test(offer_answer, does_not_agree_with_an_answer_that_does_not_fit_the_offer)
{
    struct local_media local = local_media();
    struct session_description ours;
    struct session_description theirs = offer_of(DIRECTION_SENDRECV, "192.0.2.9", 4000);
    struct agreed_media agreed;

    local.codecs = a_law;
    local.codec_count = 1;
    offer_make(&local, NULL, &ours);
    theirs.formats[0] = (struct session_format){CODEC_PCMU, 0};
    theirs.format_count = 1;
    cr_assert_not(offer_answer_agree(&ours, &theirs, true, &agreed), "a codec nobody offered");

    theirs.formats[0] = (struct session_format){CODEC_PCMA, 8};
    cr_assert(offer_answer_agree(&ours, &theirs, true, &agreed));
    theirs.port = 0;
    cr_assert_not(offer_answer_agree(&ours, &theirs, true, &agreed), "a refused stream");
}

Test(offer_answer, falls_back_to_20_ms_when_the_packet_time_makes_no_sense)
{
    static const struct {
        int offered;
        int answered;
    } rows[] = {
        {0,   20},
        {20,  20},
        {10,  10},
        {30,  30},
        {60,  60},
        {15,  20},
        {70,  20},
        {-10, 20}
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct session_description offer = offer_of(DIRECTION_SENDRECV, "192.0.2.9", 4000);
        struct local_media local = local_media();
        struct session_description answer;

        offer.ptime_ms = rows[i].offered;
        cr_assert_eq(answer_make(&local, &offer, NULL, &answer), ANSWER_MADE);
        cr_assert_eq(answer.ptime_ms, rows[i].answered, "row %zu", i);
    }
}
