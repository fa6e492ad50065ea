/* A conference: the room in which caller and worker talk, named after the task. Who hears whom is a
 * row of bits per participant; in an ordinary conference everybody hears all the others.
 */
#ifndef BRIDGE_DOMAIN_CONFERENCE_H
#define BRIDGE_DOMAIN_CONFERENCE_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

struct call;
struct leg;

enum {
    CONFERENCE_PARTICIPANTS_MAX = 64, /* a bit each in participant.hears */
};

/* One leg in a conference. */
struct participant {
    struct leg *leg;
    int64_t join_wall_us;
    bool ends_conference; /* end rule: its exit ends the conference for all */
    uint64_t hears;       /* bit i: hears participants[i] */
};

struct conference {
    char *id;       /* that of the task */
    int64_t number; /* never used twice in this process */
    struct call *call;
    int64_t create_wall_us;
    struct participant participants[CONFERENCE_PARTICIPANTS_MAX];
    size_t participant_count;
    UT_hash_handle by_id;
    TAILQ_ENTRY(conference) link;
};

TAILQ_HEAD(conference_list, conference);

struct conference *conference_new(const char *id, int64_t number, struct call *call);
struct conference *conference_free(struct conference *conference);

/* False when it is full, or the leg is in it already. */
bool conference_join(
    struct conference *conference,
    struct leg *leg,
    bool ends_conference,
    int64_t now_wall_us);
/* Takes the leg out; true when by the end rules nobody is to stay. False for a leg that is not in
 * it. */
bool conference_leave(struct conference *conference, const struct leg *leg);

#endif
