#include <criterion/criterion.h>
#include <string.h>

#include "services/bridge/media/rtp.h"

/* Version 2, marker, payload type 0, sequence 0x1234, timestamp 0x01020304, SSRC 0xa1b2c3d4. */
#define HEADER 0x80, 0x80, 0x12, 0x34, 0x01, 0x02, 0x03, 0x04, 0xa1, 0xb2, 0xc3, 0xd4

#define PARSE(packet, ...)                                                                         \
    parse((packet), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static enum rtp_verdict parse(struct rtp_packet *packet, const uint8_t *bytes, size_t size)
{
    return rtp_parse(bytes, size, packet);
}

Test(rtp, reads_the_fields_of_a_plain_packet)
{
    struct rtp_packet packet;
    const uint8_t bytes[] = {HEADER, 0x11, 0x22, 0x33};

    cr_assert_eq(rtp_parse(bytes, sizeof(bytes), &packet), RTP_VALID);
    cr_assert(packet.marker);
    cr_assert_eq(packet.payload_type, 0);
    cr_assert_eq(packet.sequence, 0x1234);
    cr_assert_eq(packet.timestamp, 0x01020304);
    cr_assert_eq(packet.ssrc, 0xa1b2c3d4);
    cr_assert_eq(packet.payload, bytes + 12);
    cr_assert_eq(packet.payload_size, 3);
}

Test(rtp, a_packet_may_carry_nothing)
{
    struct rtp_packet packet;

    cr_assert_eq(PARSE(&packet, HEADER), RTP_VALID);
    cr_assert_eq(packet.payload_size, 0);
}

Test(rtp, refuses_what_is_shorter_than_the_header)
{
    struct rtp_packet packet;
    const uint8_t bytes[] = {HEADER};

    for (size_t size = 0; size < 12; size++) {
        cr_assert_eq(rtp_parse(bytes, size, &packet), RTP_TOO_SHORT);
    }
}

Test(rtp, refuses_other_versions)
{
    struct rtp_packet packet;
    uint8_t bytes[] = {HEADER, 0x11};

    for (int version = 0; version < 4; version++) {
        bytes[0] = (uint8_t)(version << 6);
        cr_assert_eq(
            rtp_parse(bytes, sizeof(bytes), &packet), version == 2 ? RTP_VALID : RTP_BAD_VERSION);
    }
}

Test(rtp, tells_rtcp_on_the_same_port_by_its_packet_type)
{
    struct rtp_packet packet;
    uint8_t bytes[] = {HEADER, 0x11};

    for (int second = 0; second < 256; second++) {
        bool rtcp = second >= 192 && second <= 223;

        bytes[1] = (uint8_t)second;
        cr_assert_eq(rtp_parse(bytes, sizeof(bytes), &packet), rtcp ? RTP_IS_RTCP : RTP_VALID);
    }
}

Test(rtp, skips_contributing_sources_that_fit_and_refuses_those_that_do_not)
{
    struct rtp_packet packet;
    uint8_t bytes[] = {HEADER, 1, 1, 1, 1, 2, 2, 2, 2, 0x55};

    bytes[0] |= 2;
    cr_assert_eq(rtp_parse(bytes, sizeof(bytes), &packet), RTP_VALID);
    cr_assert_eq(packet.payload_size, 1);
    cr_assert_eq(packet.payload[0], 0x55);
    cr_assert_eq(rtp_parse(bytes, sizeof(bytes) - 1, &packet), RTP_VALID);
    cr_assert_eq(packet.payload_size, 0);
    cr_assert_eq(rtp_parse(bytes, sizeof(bytes) - 2, &packet), RTP_BAD_CSRC);
}

Test(rtp, skips_an_extension_that_fits_and_refuses_one_that_does_not)
{
    struct rtp_packet packet;
    uint8_t bytes[] = {HEADER, 0xbe, 0xde, 0x00, 0x01, 9, 9, 9, 9, 0x55};

    bytes[0] |= 0x10;
    cr_assert_eq(rtp_parse(bytes, sizeof(bytes), &packet), RTP_VALID);
    cr_assert_eq(packet.payload_size, 1);
    cr_assert_eq(packet.payload[0], 0x55);
    for (size_t size = 12; size < 20; size++) {
        cr_assert_eq(rtp_parse(bytes, size, &packet), RTP_BAD_EXTENSION);
    }
    bytes[14] = 0xff;
    cr_assert_eq(rtp_parse(bytes, sizeof(bytes), &packet), RTP_BAD_EXTENSION);
}

Test(rtp, takes_padding_away_and_refuses_padding_that_lies)
{
    struct rtp_packet packet;
    uint8_t bytes[] = {HEADER, 0x55, 0x66, 0, 0, 3};

    bytes[0] |= 0x20;
    cr_assert_eq(rtp_parse(bytes, sizeof(bytes), &packet), RTP_VALID);
    cr_assert_eq(packet.payload_size, 2);
    bytes[16] = 5;
    cr_assert_eq(rtp_parse(bytes, sizeof(bytes), &packet), RTP_VALID);
    cr_assert_eq(packet.payload_size, 0);
    bytes[16] = 6;
    cr_assert_eq(rtp_parse(bytes, sizeof(bytes), &packet), RTP_BAD_PADDING);
    bytes[16] = 0;
    cr_assert_eq(rtp_parse(bytes, sizeof(bytes), &packet), RTP_BAD_PADDING);
    /* The last byte of the header is no padding count. */
    cr_assert_eq(rtp_parse(bytes, 12, &packet), RTP_BAD_PADDING);
}

Test(rtp, leaves_the_output_alone_when_it_refuses)
{
    struct rtp_packet packet = {.sequence = 7};

    cr_assert_eq(PARSE(&packet, 0x40, 0x80), RTP_TOO_SHORT);
    cr_assert_eq(packet.sequence, 7);
}

Test(rtp, a_printed_header_reads_back)
{
    const struct rtp_packet packet = {
        .marker = true,
        .payload_type = 101,
        .sequence = 65535,
        .timestamp = 0xfedcba98,
        .ssrc = 0x01020304,
    };
    struct rtp_packet back;
    uint8_t header[RTP_HEADER_SIZE];

    rtp_print_header(&packet, header);
    cr_assert_eq(rtp_parse(header, sizeof(header), &back), RTP_VALID);
    cr_assert(back.marker);
    cr_assert_eq(back.payload_type, 101);
    cr_assert_eq(back.sequence, 65535);
    cr_assert_eq(back.timestamp, 0xfedcba98);
    cr_assert_eq(back.ssrc, 0x01020304);
}

Test(rtp, reads_the_telephone_event_of_the_rfc)
{
    /* RFC 4733, 2.5.2 (figure 5's last digit "1" packets): event 1, end, volume 10, 800 units. */
    const uint8_t payload[] = {1, 0x80 | 10, 0x03, 0x20};
    struct rtp_event event;
    uint8_t back[RTP_EVENT_SIZE];

    cr_assert(rtp_event_parse(payload, sizeof(payload), &event));
    cr_assert_eq(event.code, 1);
    cr_assert(event.end);
    cr_assert_eq(event.volume, 10);
    cr_assert_eq(event.duration, 800);
    rtp_event_print(&event, back);
    cr_assert_eq(memcmp(back, payload, sizeof(back)), 0);
}

Test(rtp, refuses_a_short_telephone_event)
{
    const uint8_t payload[] = {1, 0x80, 0x03};
    struct rtp_event event;

    cr_assert_not(rtp_event_parse(payload, sizeof(payload), &event));
}

Test(rtp, names_the_digits)
{
    cr_assert_eq(rtp_event_digit(0), '0');
    cr_assert_eq(rtp_event_digit(9), '9');
    cr_assert_eq(rtp_event_digit(10), '*');
    cr_assert_eq(rtp_event_digit(11), '#');
    cr_assert_eq(rtp_event_digit(15), 'D');
    cr_assert_eq(rtp_event_digit(16), '!');
    cr_assert_eq(rtp_event_digit(17), 0);
    cr_assert_eq(rtp_event_digit(255), 0);
}
