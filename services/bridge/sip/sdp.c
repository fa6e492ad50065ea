/* The library's parser does the syntax; what it finds is copied into fixed bounds, and whatever
 * does not fit them is refused rather than cut.
 */
#include "services/bridge/sip/sdp.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <sofia-sip/sdp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "services/bridge/domain/session_description.h"

enum {
    PTIME_MAX_MS = 1000,
    PORT_MAX = 65535,
    CLOCK_RATE_HZ = 8000, /* of G.711 and of telephone-event beside it */
    /* RFC 3551 keeps this number free: it stands for "none of ours" in an m= line that must name
     * something. */
    PAYLOAD_TYPE_RESERVED = 19,
};

static const char *const encodings[CODEC_COUNT] = {
    [CODEC_PCMU] = "PCMU",
    [CODEC_PCMA] = "PCMA",
};

static const char *const direction_names[] = {
    [DIRECTION_SENDRECV] = "sendrecv",
    [DIRECTION_SENDONLY] = "sendonly",
    [DIRECTION_RECVONLY] = "recvonly",
    [DIRECTION_INACTIVE] = "inactive",
};

static void parser_free_at_exit(sdp_parser_t **parser)
{
    sdp_parser_free(*parser);
}

static void home_unref_at_exit(su_home_t **home)
{
    (void)su_home_unref(*home);
}

static bool is_audio(const sdp_media_t *media)
{
    return media->m_type == sdp_media_audio && media->m_proto == sdp_proto_rtp;
}

static const sdp_media_t *find_audio(const sdp_session_t *session)
{
    const sdp_media_t *refused = NULL;

    for (const sdp_media_t *media = session->sdp_media; media; media = media->m_next) {
        if (is_audio(media) && media->m_port > 0) {
            return media;
        }
        if (is_audio(media) && !refused) {
            refused = media;
        }
    }
    return refused;
}

static bool copy_token(char target[SESSION_TOKEN_SIZE], const char *token)
{
    size_t length = token ? strlen(token) : 0;

    if (length == 0 || length >= SESSION_TOKEN_SIZE || token[0] == '/') {
        return false;
    }
    memcpy(target, token, length + 1);
    return true;
}

static bool copy_other(struct session_other_media *other, const sdp_media_t *media)
{
    if (!copy_token(other->media, media->m_type_name) ||
        !copy_token(other->protocol, media->m_proto_name)) {
        return false;
    }
    if (media->m_rtpmaps) {
        (void)snprintf(
            other->format, sizeof(other->format), "%u", (unsigned)media->m_rtpmaps->rm_pt);
        return true;
    }
    /* Without a format the line is wrong, but it is not ours to judge: the answer refuses it. RTP's
     * are numbers, so that even the refusal needs one. */
    const char *none = strncmp(media->m_proto_name, "RTP/", 4) == 0 ? "0" : "*";

    return copy_token(
        other->format, media->m_format && media->m_format->l_text ? media->m_format->l_text : none);
}

static bool is_mono(const sdp_rtpmap_t *map)
{
    return map->rm_rate == CLOCK_RATE_HZ &&
           (!map->rm_params || !*map->rm_params || strcmp(map->rm_params, "1") == 0);
}

static bool has_codec(const struct session_description *description, enum codec codec)
{
    for (size_t i = 0; i < description->format_count; i++) {
        if (description->formats[i].codec == codec) {
            return true;
        }
    }
    return false;
}

static void copy_format(struct session_description *description, const sdp_rtpmap_t *map)
{
    if (!map->rm_encoding || !is_mono(map)) {
        return;
    }
    if (strcasecmp(map->rm_encoding, "telephone-event") == 0 &&
        description->telephone_event_payload_type < 0) {
        description->telephone_event_payload_type = (int)map->rm_pt;
        return;
    }
    for (int codec = 0; codec < CODEC_COUNT; codec++) {
        if (strcasecmp(map->rm_encoding, encodings[codec]) == 0 &&
            !has_codec(description, (enum codec)codec)) {
            description->formats[description->format_count++] = (struct session_format){
                .codec = (enum codec)codec,
                .payload_type = (int)map->rm_pt,
            };
        }
    }
}

static int ptime_of(const sdp_media_t *media)
{
    const sdp_attribute_t *attribute = sdp_attribute_find(media->m_attributes, "ptime");

    if (!attribute || !attribute->a_value) {
        return 0;
    }

    long value = strtol(attribute->a_value, NULL, 10);

    return value > 0 && value <= PTIME_MAX_MS ? (int)value : 0;
}

static enum media_direction direction_of(const sdp_media_t *media)
{
    switch (media->m_mode) {
    case sdp_sendrecv:
        return DIRECTION_SENDRECV;
    case sdp_sendonly:
        return DIRECTION_SENDONLY;
    case sdp_recvonly:
        return DIRECTION_RECVONLY;
    default:
        return DIRECTION_INACTIVE;
    }
}

/* Numeric and of one host: we do not look names up for media. */
static bool copy_address(char target[SESSION_ADDRESS_SIZE], const sdp_connection_t *connection)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    int family = connection && connection->c_addrtype == sdp_addr_ip6 ? AF_INET6 : AF_INET;

    if (!connection || !connection->c_address || connection->c_mcast ||
        strlen(connection->c_address) >= SESSION_ADDRESS_SIZE ||
        inet_pton(family, connection->c_address, bytes) != 1) {
        return false;
    }
    return inet_ntop(family, bytes, target, SESSION_ADDRESS_SIZE) != NULL;
}

static bool copy_audio(struct session_description *description, const sdp_media_t *media)
{
    const sdp_connection_t *connection =
        media->m_connections ? media->m_connections : media->m_session->sdp_connection;

    if (media->m_port > PORT_MAX || !copy_address(description->address, connection)) {
        return false;
    }
    description->port = (int)media->m_port;
    description->direction = direction_of(media);
    description->ptime_ms = ptime_of(media);
    for (const sdp_rtpmap_t *map = media->m_rtpmaps; map; map = map->rm_next) {
        copy_format(description, map);
    }
    return true;
}

static int64_t to_number(uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

static const char *copy_session(
    const sdp_session_t *session,
    struct session_description *description)
{
    const sdp_media_t *audio = find_audio(session);

    description->session_id = to_number(session->sdp_origin->o_id);
    description->version = to_number(session->sdp_origin->o_version);
    description->telephone_event_payload_type = -1;
    description->audio_index = SESSION_MEDIA_MAX;
    for (const sdp_media_t *media = session->sdp_media; media; media = media->m_next) {
        size_t index = description->media_count++;

        if (index == SESSION_MEDIA_MAX) {
            return "too many media streams";
        }
        if (media == audio) {
            description->audio_index = index;
        } else if (!copy_other(&description->others[index], media)) {
            return "a media line is too long";
        }
    }
    if (!audio) {
        description->audio_index = description->media_count;
        return NULL;
    }
    return copy_audio(description, audio) ? NULL : "the address of the audio is not numeric";
}

static bool is_token_character(char c)
{
    return c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]", c);
}

/* An m= line has nothing but tokens (RFC 4566, 9), with single spaces between them, and single
 * slashes in its port and its protocol. At anything else the parser may allocate without end. */
static bool is_media_line(const char *line, size_t length)
{
    int word = 0; /* 0: the kind of media, 1: the port, 2: the protocol, then the formats */
    bool token = false;

    for (size_t i = 2; i < length; i++) {
        bool was_token = token;

        token = is_token_character(line[i]);
        if (!token &&
            (!was_token || (line[i] != ' ' && (line[i] != '/' || word < 1 || word > 2)))) {
            return false;
        }
        word += line[i] == ' ';
    }
    return token || line[length - 1] == ' '; /* phones leave a space at the end */
}

static bool is_line(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)line[i];

        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    /* The parser passes over blanks at the beginning. */
    while (length > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        length--;
    }
    return length < 2 || line[0] != 'm' || is_media_line(line, length);
}

/* What is no text is no SDP. The parser's own bounds are not trusted with it. */
static bool is_text(const char *text, size_t length)
{
    const char *line = text;
    const char *end = text + length;

    while (line < end) {
        const char *next = line;

        while (next < end && *next != '\r' && *next != '\n') {
            next++;
        }
        if (!is_line(line, (size_t)(next - line))) {
            return false;
        }
        line = next + 1;
    }
    return length > 0 && length <= DESCRIPTION_TEXT_MAX;
}

enum description_result description_parse(
    const char *text,
    size_t length,
    struct session_description *ret_description,
    const char **ret_why)
{
    struct session_description description = {0};

    if (!is_text(text, length)) {
        *ret_why = "the session description is not text";
        return DESCRIPTION_MALFORMED;
    }

    CLEANUP(home_unref_at_exit) su_home_t *home = su_home_new(sizeof(*home));
    CLEANUP(parser_free_at_exit)
    sdp_parser_t *parser = sdp_parse(home, text, (issize_t)length, sdp_f_c_missing);
    const sdp_session_t *session = sdp_session(parser);

    if (!session || !session->sdp_origin) {
        *ret_why = "the session description is malformed";
        return DESCRIPTION_MALFORMED;
    }

    const char *why = copy_session(session, &description);

    if (why) {
        *ret_why = why;
        return DESCRIPTION_UNUSABLE;
    }
    *ret_description = description;
    return DESCRIPTION_PARSED;
}

struct printer {
    char *text;
    size_t length;
};

static void print(struct printer *printer, const char *format, ...) PRINTF_LIKE(2, 3);

static void print(struct printer *printer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);

    int length = vsnprintf(
        printer->text + printer->length, DESCRIPTION_TEXT_SIZE - printer->length, format,
        arguments);

    va_end(arguments);
    printer->length += (size_t)length;
    /* The bounds of a description make it at most a quarter of the room. */
    if (printer->length >= DESCRIPTION_TEXT_SIZE) {
        abort();
    }
}

static void print_formats(struct printer *printer, const struct session_description *description)
{
    for (size_t i = 0; i < description->format_count; i++) {
        print(printer, " %d", description->formats[i].payload_type);
    }
    if (description->telephone_event_payload_type >= 0) {
        print(printer, " %d", description->telephone_event_payload_type);
    } else if (description->format_count == 0) {
        print(printer, " %d", PAYLOAD_TYPE_RESERVED);
    }
}

static void print_audio(struct printer *printer, const struct session_description *description)
{
    int event = description->telephone_event_payload_type;

    print(printer, "m=audio %d RTP/AVP", description->port);
    print_formats(printer, description);
    print(printer, "\r\n");
    for (size_t i = 0; i < description->format_count; i++) {
        print(
            printer, "a=rtpmap:%d %s/%d\r\n", description->formats[i].payload_type,
            encodings[description->formats[i].codec], CLOCK_RATE_HZ);
    }
    if (event >= 0) {
        print(printer, "a=rtpmap:%d telephone-event/%d\r\n", event, CLOCK_RATE_HZ);
        print(printer, "a=fmtp:%d 0-15\r\n", event);
    }
    if (description->ptime_ms > 0) {
        print(printer, "a=ptime:%d\r\n", description->ptime_ms);
    }
    print(printer, "a=%s\r\n", direction_names[description->direction]);
}

/* NOLINTBEGIN(readability-non-const-parameter): it is written, through the printer */
void description_print(
    const struct session_description *description,
    char text[DESCRIPTION_TEXT_SIZE])
/* NOLINTEND(readability-non-const-parameter) */
{
    struct printer printer = {.text = text};
    const char *address = *description->address ? description->address : "0.0.0.0";
    const char *family = strchr(address, ':') ? "IP6" : "IP4";

    print(
        &printer, "v=0\r\no=- %" PRId64 " %" PRId64 " IN %s %s\r\n", description->session_id,
        description->version, family, address);
    print(&printer, "s=-\r\nc=IN %s %s\r\nt=0 0\r\n", family, address);
    for (size_t i = 0; i < description->media_count; i++) {
        const struct session_other_media *other = &description->others[i];

        if (i == description->audio_index) {
            print_audio(&printer, description);
        } else {
            print(&printer, "m=%s 0 %s %s\r\n", other->media, other->protocol, other->format);
        }
    }
}
