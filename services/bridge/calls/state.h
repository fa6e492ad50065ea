/* The inside of calls. Inside this folder only. */
#ifndef BRIDGE_CALLS_STATE_H
#define BRIDGE_CALLS_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "common/mailbox/mailbox.h"
#include "services/bridge/calls/calls.h"

struct arena;

/* What the media engine calls a leg's stream, or a conference. */
struct media_name {
    int64_t number; /* ours: of the leg, or of the conference */
    uint64_t media_id;
    UT_hash_handle hh;
};

struct calls {
    struct bridge *bridge;
    struct calls_options options;
    struct calls_peers peers;
    struct mailbox *mailbox;
    struct arena *arena; /* of the step that runs; steps never overlap */
    struct media_name *streams;
    struct media_name *conferences;
    void (*on_idle)(void *context);
    void *idle_context;
    int64_t refusals_second; /* monotonic; refusals are logged a few per second, */
    int refusals_logged;     /* of this second, */
    int64_t refusals_silent; /* and the others counted until the next line */
};

/* message.c: what other threads post. */

enum message_kind {
    MESSAGE_INSTRUCTION,
    MESSAGE_TELEPHONY,
    MESSAGE_LINK_STATE,
    MESSAGE_MEDIA,
    MESSAGE_QUERY,
    MESSAGE_DRAIN,
    MESSAGE_END_ALL,
};

struct message {
    struct mailbox_node node;
    enum message_kind kind;
    struct arena *arena; /* of the texts; NULL: none */
    union {
        struct instruction instruction;
        struct telephony telephony;
        bool up;
        struct media_event media;
        struct calls_query query;
        struct {
            void (*on_idle)(void *context);
            void *idle_context;
        };
    };
};

struct message *message_free(struct message *message);

/* media_names.c */

void media_names_add(struct media_name **names, int64_t number, uint64_t media_id);
bool media_names_find(const struct media_name *names, int64_t number, uint64_t *ret_media_id);
/* The leg of a stream; 0: none. Time grows with the number of streams: for rare events. */
int64_t media_names_find_number(const struct media_name *names, uint64_t media_id);
void media_names_remove(struct media_name **names, int64_t number);
void media_names_clear(struct media_name **names);

/* carry_out.c: does what the step's effects say, in order, and those that come of it. */
void calls_carry_out(struct calls *calls, struct step *step);

/* note.c: the log and the metrics. */
void calls_take_note(struct calls *calls, const struct note *note);
void calls_note_media_failure(const struct calls *calls, const char *what, const struct error *err);
void calls_note_media_event(const struct calls *calls, const struct media_event *event);

/* view.c */

struct calls_view *calls_view_new(void);
void calls_view_snapshot(const struct calls *calls, struct calls_view *view);
void calls_view_calls(
    const struct calls *calls,
    const struct calls_query *query,
    struct calls_view *view);
void calls_view_conferences(
    const struct calls *calls,
    const struct calls_query *query,
    struct calls_view *view);

#endif
