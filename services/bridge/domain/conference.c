/* The conference: its participants and who hears whom. */
#include "services/bridge/domain/conference.h"

#include <stdlib.h>

#include "common/base/mem.h"

struct conference *conference_new(const char *id, int64_t number, struct call *call)
{
    struct conference *conference = mem_new(struct conference);

    conference->id = mem_strdup(id);
    conference->number = number;
    conference->call = call;
    return conference;
}

struct conference *conference_free(struct conference *conference)
{
    if (conference) {
        free(conference->id);
        free(conference);
    }
    return NULL;
}

static size_t find(const struct conference *conference, const struct leg *leg)
{
    size_t i = 0;

    while (i < conference->participant_count && conference->participants[i].leg != leg) {
        i++;
    }
    return i;
}

/* Everybody hears all the others. */
static void rewire(struct conference *conference)
{
    size_t count = conference->participant_count;
    uint64_t all = count == CONFERENCE_PARTICIPANTS_MAX ? UINT64_MAX : (UINT64_C(1) << count) - 1;

    for (size_t i = 0; i < count; i++) {
        conference->participants[i].hears = all & ~(UINT64_C(1) << i);
    }
}

bool conference_join(
    struct conference *conference,
    struct leg *leg,
    bool ends_conference,
    int64_t now_wall_us)
{
    size_t count = conference->participant_count;

    if (count == CONFERENCE_PARTICIPANTS_MAX || find(conference, leg) < count) {
        return false;
    }
    conference->participants[count] = (struct participant){
        .leg = leg,
        .join_wall_us = now_wall_us,
        .ends_conference = ends_conference,
    };
    conference->participant_count++;
    rewire(conference);
    return true;
}

bool conference_leave(struct conference *conference, const struct leg *leg)
{
    size_t i = find(conference, leg);

    if (i == conference->participant_count) {
        return false;
    }

    bool over = conference->participants[i].ends_conference;

    conference->participant_count--;
    for (; i < conference->participant_count; i++) {
        conference->participants[i] = conference->participants[i + 1];
    }
    rewire(conference);
    return over || conference->participant_count == 0;
}
