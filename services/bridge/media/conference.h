/* A conference: streams that hear each other as the plan says. Private to this folder; lives on one
 * media thread together with all its streams.
 *
 * Always mixed, at the tick. Two members with one codec could be relayed without decoding and
 * without waiting for the tick: the place for that is where the loop has received a packet, beside
 * conference_pass_on.
 */
#ifndef BRIDGE_MEDIA_CONFERENCE_H
#define BRIDGE_MEDIA_CONFERENCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "services/bridge/media/media.h"

struct stream;
struct stream_event;

struct conference_member {
    struct stream *stream;
    uint64_t hears; /* bit i: member i */
};

struct conference {
    uint64_t id;
    unsigned phase;
    size_t count;
    struct conference_member members[MEDIA_MEMBERS_MAX];
    TAILQ_ENTRY(conference) link; /* on its loop */
};

/* The streams know their place; `members` is copied. Those who were in it and no longer are must
 * have been removed before. */
void conference_set_members(
    struct conference *conference,
    const struct conference_member *members,
    size_t count);
void conference_remove(struct conference *conference, struct stream *stream);

/* Its turn comes soon. */
void conference_prefetch(const struct conference *conference);
/* One frame's worth of time: takes from all, mixes, sends to all. */
void conference_tick(struct conference *conference, int64_t now_us);
/* The same, late: nothing is sent. */
void conference_skip(struct conference *conference);
/* Passes a telephone event on to those who hear its sender. */
void conference_pass_on(
    struct conference *conference,
    const struct stream *from,
    const struct stream_event *event,
    int64_t now_us);

#endif
