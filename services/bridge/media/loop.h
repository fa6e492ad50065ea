/* A media thread: its streams and conferences, their sockets, and the clock that drives them.
 * Private to this folder.
 *
 * Time goes in steps of 5 ms; a step serves a quarter of the conferences and of the streams that
 * are alone, so that the packets of a frame are spread and not sent all at once. Each step first
 * takes what has arrived: a thread that woke for each packet would spend a third more on waking
 * than it saves in waiting, which is 2.5 ms on average. Others reach the loop by commands alone.
 *
 * Moving a stream: the directory posts RELEASE to the loop that has it, and from then on its
 * commands to the new one; the old loop lets go and posts ADOPT. A command that names a stream not
 * yet adopted waits, and all behind it wait too, so their order is kept. Commands are posted in one
 * order over all loops (the directory holds its lock), so a RELEASE never waits for a command that
 * waits for it.
 */
#ifndef BRIDGE_MEDIA_LOOP_H
#define BRIDGE_MEDIA_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/mailbox/mailbox.h"
#include "services/bridge/media/conference.h"
#include "services/bridge/media/stream.h"

struct error;
struct media_loop;

enum command_type {
    COMMAND_ADOPT_STREAM,     /* stream */
    COMMAND_RELEASE_STREAM,   /* stream, to */
    COMMAND_CLOSE_STREAM,     /* stream (owned) */
    COMMAND_SET_REMOTE,       /* stream, remote */
    COMMAND_PLAY,             /* stream, prompt (owned; NULL stops), prompt_loops */
    COMMAND_OPEN_CONFERENCE,  /* conference */
    COMMAND_SET_PLAN,         /* conference, members, count */
    COMMAND_CLOSE_CONFERENCE, /* conference (owned) */
};

struct command {
    struct mailbox_node node;
    enum command_type type;
    struct stream *stream;
    struct conference *conference;
    struct media_loop *to;
    struct stream_remote remote;
    struct media_prompt *prompt;
    bool prompt_loops;
    size_t count;
    struct conference_member members[]; /* `count` of them */
};

struct loop_counters {
    _Atomic uint64_t ticks;
    _Atomic uint64_t late_ticks;
    _Atomic uint64_t skipped_frames;
};

struct command *command_new(enum command_type type);
struct command *command_new_plan(struct conference *conference, size_t count);
struct command *command_free(struct command *command);

/* Closed streams come back through `closed`. */
MUST_USE bool media_loop_start(
    struct mailbox *closed,
    bool realtime,
    struct media_loop **ret_loop,
    struct error *err);
/* Ends the thread. Streams and conferences stay as they are: their owner frees them. Loops post to
 * each other, so all must have ended before any is freed. */
void media_loop_end(struct media_loop *loop);
struct media_loop *media_loop_free(struct media_loop *loop);

/* Any thread; consumes the command. */
void media_loop_post(struct media_loop *loop, struct command *command);
const struct loop_counters *media_loop_counters(const struct media_loop *loop);
int64_t media_loop_cpu_us(const struct media_loop *loop);

#endif
