/* Offer and answer: see the header for the rules, RFC 3264 sections 5, 6 and 8 for their reasons.
 */
#include "services/bridge/domain/offer_answer.h"

#include <stdio.h>
#include <string.h>

enum {
    PTIME_MIN_MS = 10,
    PTIME_MAX_MS = 60,
};

static const int static_payload_types[CODEC_COUNT] = {
    [CODEC_PCMU] = 0,
    [CODEC_PCMA] = 8,
};

static bool sends(enum media_direction direction)
{
    return direction == DIRECTION_SENDRECV || direction == DIRECTION_SENDONLY;
}

static bool receives(enum media_direction direction)
{
    return direction == DIRECTION_SENDRECV || direction == DIRECTION_RECVONLY;
}

static enum media_direction direction_of(bool send, bool receive)
{
    if (send) {
        return receive ? DIRECTION_SENDRECV : DIRECTION_SENDONLY;
    }
    return receive ? DIRECTION_RECVONLY : DIRECTION_INACTIVE;
}

static bool has_audio(const struct session_description *description)
{
    return description->audio_index < description->media_count && description->port > 0;
}

/* RFC 3264, 8.4: the address 0.0.0.0 is the old way to say "send me nothing". */
static bool wants_media(const struct session_description *description)
{
    return receives(description->direction) && strcmp(description->address, "0.0.0.0") != 0 &&
           strcmp(description->address, "::") != 0;
}

static int usable_ptime(int ptime_ms)
{
    return ptime_ms >= PTIME_MIN_MS && ptime_ms <= PTIME_MAX_MS && ptime_ms % 10 == 0
               ? ptime_ms
               : OFFER_PTIME_MS;
}

static const struct session_format *find_format(
    const struct session_description *description,
    enum codec codec)
{
    for (size_t i = 0; i < description->format_count; i++) {
        if (description->formats[i].codec == codec) {
            return &description->formats[i];
        }
    }
    return NULL;
}

static bool codec_is_ours(const struct local_media *local, enum codec codec)
{
    for (size_t i = 0; i < local->codec_count; i++) {
        if (local->codecs[i] == codec) {
            return true;
        }
    }
    return false;
}

static bool same_formats(
    const struct session_description *one,
    const struct session_description *other)
{
    if (one->format_count != other->format_count) {
        return false;
    }
    for (size_t i = 0; i < one->format_count; i++) {
        if (one->formats[i].codec != other->formats[i].codec ||
            one->formats[i].payload_type != other->formats[i].payload_type) {
            return false;
        }
    }
    return true;
}

static bool same_media_lines(
    const struct session_description *one,
    const struct session_description *other)
{
    if (one->media_count != other->media_count || one->audio_index != other->audio_index) {
        return false;
    }
    for (size_t i = 0; i < one->media_count; i++) {
        if (i != one->audio_index &&
            (strcmp(one->others[i].media, other->others[i].media) != 0 ||
             strcmp(one->others[i].protocol, other->others[i].protocol) != 0 ||
             strcmp(one->others[i].format, other->others[i].format) != 0)) {
            return false;
        }
    }
    return true;
}

static bool same_stream(
    const struct session_description *one,
    const struct session_description *other)
{
    return strcmp(one->address, other->address) == 0 && one->port == other->port &&
           one->direction == other->direction && one->ptime_ms == other->ptime_ms &&
           one->telephone_event_payload_type == other->telephone_event_payload_type &&
           same_formats(one, other);
}

/* RFC 3264, 8: the version grows by one when, and only when, the description changes. */
static void set_version(
    struct session_description *description,
    const struct session_description *previous)
{
    if (!previous) {
        description->version = 1;
        return;
    }

    bool same = same_stream(description, previous) && same_media_lines(description, previous);

    description->version = previous->version + (same ? 0 : 1);
}

static void begin(const struct local_media *local, struct session_description *ret)
{
    *ret = (struct session_description){
        .session_id = local->session_id,
        .port = local->port,
        .telephone_event_payload_type = -1,
    };
    (void)snprintf(ret->address, sizeof(ret->address), "%s", local->address);
}

/* RFC 3264, 8: m= lines keep their places for the life of the session. */
static void keep_media_lines(
    struct session_description *description,
    const struct session_description *like)
{
    description->media_count = like->media_count;
    description->audio_index = like->audio_index;
    memcpy(description->others, like->others, sizeof(description->others));
    if (like->audio_index < SESSION_MEDIA_MAX) {
        description->others[like->audio_index] = (struct session_other_media){0};
    }
}

/* RFC 3264, 8.3.2: a payload type that was bound once keeps its meaning. */
static int payload_type_for(enum codec codec, const struct session_description *previous)
{
    const struct session_format *bound = previous ? find_format(previous, codec) : NULL;

    return bound ? bound->payload_type : static_payload_types[codec];
}

void offer_make(
    const struct local_media *local,
    const struct session_description *previous,
    struct session_description *ret_offer)
{
    struct session_description offer;

    begin(local, &offer);
    offer.direction = direction_of(true, !local->on_hold);
    offer.ptime_ms = OFFER_PTIME_MS;
    offer.telephone_event_payload_type = previous && previous->telephone_event_payload_type >= 0
                                             ? previous->telephone_event_payload_type
                                             : OFFER_TELEPHONE_EVENT_PAYLOAD_TYPE;
    for (size_t i = 0; i < local->codec_count && i < SESSION_FORMATS_MAX; i++) {
        offer.formats[offer.format_count++] = (struct session_format){
            .codec = local->codecs[i],
            .payload_type = payload_type_for(local->codecs[i], previous),
        };
    }
    if (previous && previous->audio_index < previous->media_count) {
        keep_media_lines(&offer, previous);
    } else {
        offer.media_count = 1;
    }
    set_version(&offer, previous);
    *ret_offer = offer;
}

enum answer_result answer_make(
    const struct local_media *local,
    const struct session_description *offer,
    const struct session_description *previous,
    struct session_description *ret_answer)
{
    struct session_description answer;
    const struct session_format *chosen = NULL;

    if (!has_audio(offer)) {
        return ANSWER_NO_AUDIO;
    }
    for (size_t i = 0; i < offer->format_count && !chosen; i++) {
        if (codec_is_ours(local, offer->formats[i].codec)) {
            chosen = &offer->formats[i];
        }
    }
    if (!chosen) {
        return ANSWER_NO_COMMON_CODEC;
    }

    begin(local, &answer);
    keep_media_lines(&answer, offer);
    answer.direction = direction_of(wants_media(offer), sends(offer->direction) && !local->on_hold);
    answer.formats[0] = *chosen;
    answer.format_count = 1;
    answer.telephone_event_payload_type = offer->telephone_event_payload_type;
    answer.ptime_ms = usable_ptime(offer->ptime_ms);
    set_version(&answer, previous);
    *ret_answer = answer;
    return ANSWER_MADE;
}

/* The answer's first codec that the offer held; a careful peer sends only such ones. */
static const struct session_format *agreed_format(
    const struct session_description *offer,
    const struct session_description *answer)
{
    for (size_t i = 0; i < answer->format_count; i++) {
        if (find_format(offer, answer->formats[i].codec)) {
            return &answer->formats[i];
        }
    }
    return NULL;
}

bool offer_answer_agree(
    const struct session_description *ours,
    const struct session_description *theirs,
    bool we_offered,
    struct agreed_media *ret_agreed)
{
    if (!has_audio(ours) || !has_audio(theirs)) {
        return false;
    }

    const struct session_format *format =
        we_offered ? agreed_format(ours, theirs) : agreed_format(theirs, ours);

    if (!format) {
        return false;
    }
    *ret_agreed = (struct agreed_media){
        .address = theirs->address,
        .port = theirs->port,
        .codec = format->codec,
        .payload_type = format->payload_type,
        .telephone_event_payload_type =
            ours->telephone_event_payload_type >= 0 ? theirs->telephone_event_payload_type : -1,
        .ptime_ms = usable_ptime(theirs->ptime_ms),
        .send = sends(ours->direction) && wants_media(theirs),
        .receive = receives(ours->direction) && sends(theirs->direction),
    };
    return true;
}
