#include "services/bridge/media/conference.h"

#include <string.h>

#include "services/bridge/media/mixer.h"
#include "services/bridge/media/stream.h"

_Static_assert((int)MEDIA_MEMBERS_MAX == (int)MIXER_MEMBERS, "a bit for each member");

void conference_set_members(
    struct conference *conference,
    const struct conference_member *members,
    size_t count)
{
    memcpy(conference->members, members, count * sizeof(*members));
    conference->count = count;
    for (size_t i = 0; i < count; i++) {
        struct conference_member *member = &conference->members[i];

        member->hears &= ~(UINT64_C(1) << i);
        member->stream->conference = conference;
        member->stream->member = i;
    }
}

/* Takes bit `index` out and moves the higher ones down. */
static uint64_t without_bit(uint64_t bits, size_t index)
{
    uint64_t lower = (UINT64_C(1) << index) - 1;

    return (bits & lower) | ((bits >> 1) & ~lower);
}

void conference_remove(struct conference *conference, struct stream *stream)
{
    size_t index = stream->member;

    stream->conference = NULL;
    conference->count--;
    memmove(
        &conference->members[index], &conference->members[index + 1],
        (conference->count - index) * sizeof(conference->members[0]));
    for (size_t i = 0; i < conference->count; i++) {
        struct conference_member *member = &conference->members[i];

        member->hears = without_bit(member->hears, index);
        member->stream->member = i;
    }
}

void conference_prefetch(const struct conference *conference)
{
    for (size_t i = 0; i < conference->count; i++) {
        stream_prefetch(conference->members[i].stream);
    }
}

void conference_tick(struct conference *conference, int64_t now_us)
{
    struct mixer mixer;
    int16_t spoken[MEDIA_MEMBERS_MAX][FRAME_SAMPLES];
    int16_t heard[FRAME_SAMPLES];

    mixer_begin(&mixer);
    for (size_t i = 0; i < conference->count; i++) {
        if (stream_take(conference->members[i].stream, spoken[i])) {
            mixer_add(&mixer, i, spoken[i]);
        }
    }
    for (size_t i = 0; i < conference->count; i++) {
        const struct conference_member *member = &conference->members[i];
        bool any = mixer_hear(&mixer, member->hears, heard);

        stream_send(member->stream, any ? heard : NULL, now_us);
        stream_watch(member->stream, now_us);
    }
}

void conference_skip(struct conference *conference)
{
    int16_t lost[FRAME_SAMPLES];

    for (size_t i = 0; i < conference->count; i++) {
        (void)stream_take(conference->members[i].stream, lost);
        stream_skip(conference->members[i].stream);
    }
}

void conference_pass_on(
    struct conference *conference,
    const struct stream *from,
    const struct stream_event *event,
    int64_t now_us)
{
    uint64_t sender = UINT64_C(1) << from->member;

    for (size_t i = 0; i < conference->count; i++) {
        const struct conference_member *member = &conference->members[i];

        if ((member->hears & sender) != 0) {
            stream_send_event(member->stream, event, now_us);
        }
    }
}
