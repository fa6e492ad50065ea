#include "services/bridge/media/rtp.h"

static uint16_t read_16(const uint8_t *bytes)
{
    return (uint16_t)((bytes[0] << 8) | bytes[1]);
}

static uint32_t read_32(const uint8_t *bytes)
{
    return ((uint32_t)read_16(bytes) << 16) | read_16(bytes + 2);
}

static void write_16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static void write_32(uint8_t *bytes, uint32_t value)
{
    write_16(bytes, (uint16_t)(value >> 16));
    write_16(bytes + 2, (uint16_t)value);
}

/* RFC 5761, 4: RTCP's packet types 192 to 223 look like RTP payload types 64 to 95 with or without
 * the marker; those are not to be used for RTP on a shared port. */
static bool looks_like_rtcp(uint8_t second_byte)
{
    return second_byte >= 192 && second_byte <= 223;
}

/* Moves `*offset` over the header extension; false when it runs past `size`. */
static bool skip_extension(const uint8_t *bytes, size_t size, size_t *offset)
{
    enum {
        EXTENSION_HEADER = 4
    };

    if (size - *offset < EXTENSION_HEADER) {
        return false;
    }

    size_t length = (size_t)read_16(bytes + *offset + 2) * 4;

    *offset += EXTENSION_HEADER;
    if (size - *offset < length) {
        return false;
    }
    *offset += length;
    return true;
}

enum rtp_verdict rtp_parse(const uint8_t *bytes, size_t size, struct rtp_packet *ret_packet)
{
    if (size < RTP_HEADER_SIZE) {
        return RTP_TOO_SHORT;
    }
    if (bytes[0] >> 6 != 2) {
        return RTP_BAD_VERSION;
    }
    if (looks_like_rtcp(bytes[1])) {
        return RTP_IS_RTCP;
    }

    bool padded = bytes[0] & 0x20;
    bool extended = bytes[0] & 0x10;
    size_t offset = RTP_HEADER_SIZE + (size_t)(bytes[0] & 0x0f) * 4;

    if (offset > size) {
        return RTP_BAD_CSRC;
    }
    if (extended && !skip_extension(bytes, size, &offset)) {
        return RTP_BAD_EXTENSION;
    }

    size_t padding = padded ? bytes[size - 1] : 0;

    if (padded && (padding == 0 || padding > size - offset)) {
        return RTP_BAD_PADDING;
    }

    *ret_packet = (struct rtp_packet){
        .marker = bytes[1] & 0x80,
        .payload_type = bytes[1] & 0x7f,
        .sequence = read_16(bytes + 2),
        .timestamp = read_32(bytes + 4),
        .ssrc = read_32(bytes + 8),
        .payload = bytes + offset,
        .payload_size = size - offset - padding,
    };
    return RTP_VALID;
}

void rtp_print_header(const struct rtp_packet *packet, uint8_t ret_header[RTP_HEADER_SIZE])
{
    ret_header[0] = 2 << 6;
    ret_header[1] = (uint8_t)((packet->marker ? 0x80 : 0) | packet->payload_type);
    write_16(ret_header + 2, packet->sequence);
    write_32(ret_header + 4, packet->timestamp);
    write_32(ret_header + 8, packet->ssrc);
}

bool rtp_event_parse(const uint8_t *payload, size_t size, struct rtp_event *ret_event)
{
    if (size < RTP_EVENT_SIZE) {
        return false;
    }
    *ret_event = (struct rtp_event){
        .code = payload[0],
        .end = payload[1] & 0x80,
        .volume = payload[1] & 0x3f,
        .duration = read_16(payload + 2),
    };
    return true;
}

void rtp_event_print(const struct rtp_event *event, uint8_t ret_payload[RTP_EVENT_SIZE])
{
    ret_payload[0] = event->code;
    ret_payload[1] = (uint8_t)((event->end ? 0x80 : 0) | event->volume);
    write_16(ret_payload + 2, event->duration);
}

char rtp_event_digit(uint8_t code)
{
    static const char digits[] = "0123456789*#ABCD!";

    if (code >= sizeof(digits)) {
        return '\0';
    }
    return digits[code];
}
