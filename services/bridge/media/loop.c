#include "services/bridge/media/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"

enum {
    STEP_US = FRAME_US / STREAM_PHASES,
    /* So many steps late, each stream still gets its frames, at most two at once; what is older is
     * left out: a burst would only fill the peer's jitter buffer. */
    CATCH_UP_STEPS = 2 * STREAM_PHASES,
    EVENTS_AT_ONCE = 64,
    PACKETS_PER_STEP = 4, /* of a stream, on average, before a flood has to wait */
};

struct phase {
    TAILQ_HEAD(, conference) conferences;
    TAILQ_HEAD(, stream) alone;
    size_t load; /* streams of both kinds and empty conferences, to place the next one */
};

struct media_loop {
    pthread_t thread;
    clockid_t cpu_clock;
    struct mailbox *mailbox;
    struct mailbox *closed; /* the directory's */
    int wakes;              /* epoll: the timer and the mailbox */
    int sockets;            /* epoll: all streams; looked at in each step, never waited for */
    int timer;
    bool ticking;
    uint64_t step;
    size_t stream_count;
    struct phase phases[STREAM_PHASES];
    struct mailbox_node *waiting; /* commands, the first of which is not ready */
    struct mailbox_node **waiting_end;
    struct loop_counters counters;
};

/* --- commands --- */

struct command *command_new(enum command_type type)
{
    struct command *command = mem_new(struct command);

    command->type = type;
    return command;
}

struct command *command_new_plan(struct conference *conference, size_t count)
{
    struct command *command = mem_alloc(sizeof(*command) + count * sizeof(command->members[0]));

    command->type = COMMAND_SET_PLAN;
    command->conference = conference;
    command->count = count;
    return command;
}

struct command *command_free(struct command *command)
{
    if (!command) {
        return NULL;
    }
    media_prompt_unref(command->prompt);
    if (command->type == COMMAND_CLOSE_STREAM) {
        stream_free(command->stream);
    } else if (command->type == COMMAND_CLOSE_CONFERENCE) {
        free(command->conference);
    }
    free(command);
    return NULL;
}

void media_loop_post(struct media_loop *loop, struct command *command)
{
    if (!mailbox_post(loop->mailbox, &command->node)) {
        /* The engine stops: what it would have done no longer matters. */
        command_free(command);
    }
}

/* --- places --- */

static unsigned lightest_phase(const struct media_loop *loop)
{
    unsigned lightest = 0;

    for (unsigned i = 1; i < STREAM_PHASES; i++) {
        if (loop->phases[i].load < loop->phases[lightest].load) {
            lightest = i;
        }
    }
    return lightest;
}

static void stand_alone(struct media_loop *loop, struct stream *stream)
{
    stream->phase = lightest_phase(loop);
    TAILQ_INSERT_TAIL(&loop->phases[stream->phase].alone, stream, link);
    loop->phases[stream->phase].load++;
}

/* Takes the stream from where it stands: out of its conference, or from those who are alone. */
static void take_away(struct media_loop *loop, struct stream *stream)
{
    struct phase *phase = NULL;

    if (stream->conference) {
        phase = &loop->phases[stream->conference->phase];
        conference_remove(stream->conference, stream);
    } else {
        phase = &loop->phases[stream->phase];
        TAILQ_REMOVE(&phase->alone, stream, link);
    }
    phase->load--;
}

/* The clock runs only while there is somebody to serve. */
static void set_ticking(struct media_loop *loop, bool ticking)
{
    const struct timespec step = {.tv_nsec = ticking ? STEP_US * 1000L : 0};
    const struct itimerspec period = {.it_interval = step, .it_value = step};

    if (loop->ticking != ticking) {
        loop->ticking = ticking;
        (void)timerfd_settime(loop->timer, 0, &period, NULL);
    }
}

/* --- carrying out commands --- */

static void adopt(struct media_loop *loop, struct stream *stream)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = stream}};

    assert(stream);
    atomic_store_explicit(&stream->loop, loop, memory_order_relaxed);
    if (epoll_ctl(loop->sockets, EPOLL_CTL_ADD, stream->socket, &event) != 0) {
        stream_report_error(stream, errno, clock_mono_us(clock_system()));
    }
    stand_alone(loop, stream);
    loop->stream_count++;
    set_ticking(loop, true);
}

static void let_go(struct media_loop *loop, struct stream *stream)
{
    (void)epoll_ctl(loop->sockets, EPOLL_CTL_DEL, stream->socket, NULL);
    take_away(loop, stream);
    loop->stream_count--;
    set_ticking(loop, loop->stream_count > 0);
    atomic_store_explicit(&stream->loop, NULL, memory_order_relaxed);
}

static void release(struct media_loop *loop, const struct command *command)
{
    struct command *adoption = command_new(COMMAND_ADOPT_STREAM);

    adoption->stream = command->stream;
    let_go(loop, command->stream);
    media_loop_post(command->to, adoption);
}

static void close_stream(struct media_loop *loop, struct stream *stream)
{
    let_go(loop, stream);
    stream_close(stream, clock_mono_us(clock_system()));
    /* Only a directory that stops has closed its box, and then it knows the stream already. */
    (void)!mailbox_post(loop->closed, &stream->node);
}

static void set_plan(struct media_loop *loop, const struct command *command)
{
    struct conference *conference = command->conference;

    /* Out with all and in again: the plan is small, and this cannot leave anyone behind. */
    while (conference->count > 0) {
        struct stream *stream = conference->members[conference->count - 1].stream;

        take_away(loop, stream);
        stand_alone(loop, stream);
    }
    for (size_t i = 0; i < command->count; i++) {
        take_away(loop, command->members[i].stream);
    }
    conference_set_members(conference, command->members, command->count);
    loop->phases[conference->phase].load += command->count;
}

static void open_conference(struct media_loop *loop, struct conference *conference)
{
    conference->phase = lightest_phase(loop);
    TAILQ_INSERT_TAIL(&loop->phases[conference->phase].conferences, conference, link);
    loop->phases[conference->phase].load++;
}

static void close_conference(struct media_loop *loop, struct conference *conference)
{
    struct phase *phase = &loop->phases[conference->phase];

    while (conference->count > 0) {
        struct stream *stream = conference->members[conference->count - 1].stream;

        take_away(loop, stream);
        stand_alone(loop, stream);
    }
    TAILQ_REMOVE(&phase->conferences, conference, link);
    phase->load--;
    free(conference);
}

static void run_command(struct media_loop *loop, struct command *command)
{
    struct stream *stream = command->stream;

    switch (command->type) {
    case COMMAND_ADOPT_STREAM:
        adopt(loop, stream);
        return;
    case COMMAND_RELEASE_STREAM:
        release(loop, command);
        return;
    case COMMAND_CLOSE_STREAM:
        close_stream(loop, STEAL(command->stream));
        return;
    case COMMAND_SET_REMOTE:
        stream_set_remote(stream, &command->remote, clock_mono_us(clock_system()));
        return;
    case COMMAND_PLAY:
        stream_set_prompt(stream, STEAL(command->prompt), command->prompt_loops);
        return;
    case COMMAND_OPEN_CONFERENCE:
        open_conference(loop, command->conference);
        return;
    case COMMAND_SET_PLAN:
        set_plan(loop, command);
        return;
    case COMMAND_CLOSE_CONFERENCE:
        close_conference(loop, STEAL(command->conference));
        return;
    }
}

static bool ours(const struct media_loop *loop, const struct stream *stream)
{
    return !stream || atomic_load_explicit(&stream->loop, memory_order_relaxed) == loop;
}

static bool ready(const struct media_loop *loop, const struct command *command)
{
    bool all = ours(loop, command->stream);

    for (size_t i = 0; all && i < command->count; i++) {
        all = ours(loop, command->members[i].stream);
    }
    return all;
}

static void run_waiting(struct media_loop *loop)
{
    while (loop->waiting) {
        struct command *command = MAILBOX_MESSAGE(loop->waiting, struct command, node);

        if (!ready(loop, command)) {
            return;
        }
        loop->waiting = command->node.next;
        run_command(loop, command);
        command_free(command);
    }
    loop->waiting_end = &loop->waiting;
}

static void take_command(struct media_loop *loop, struct command *command)
{
    if (command->type == COMMAND_ADOPT_STREAM) {
        run_command(loop, command);
        command_free(command);
    } else {
        command->node.next = NULL;
        *loop->waiting_end = &command->node;
        loop->waiting_end = &command->node.next;
    }
    run_waiting(loop);
}

static void take_commands(struct media_loop *loop)
{
    struct mailbox_node *node = NULL;

    while ((node = mailbox_take_all(loop->mailbox)) != NULL) {
        for (struct mailbox_node *next = NULL; node; node = next) {
            next = node->next;
            take_command(loop, MAILBOX_MESSAGE(node, struct command, node));
        }
    }
}

/* --- time --- */

static void tick_alone(struct stream *stream, int64_t now_us)
{
    int16_t unheard[FRAME_SAMPLES];

    (void)stream_take(stream, unheard);
    stream_send(stream, NULL, now_us);
    stream_watch(stream, now_us);
}

static void skip_phase(struct media_loop *loop, const struct phase *phase)
{
    struct conference *conference = NULL;
    struct stream *stream = NULL;
    int16_t lost[FRAME_SAMPLES];

    TAILQ_FOREACH(conference, &phase->conferences, link)
    {
        conference_skip(conference);
        stream_count(&loop->counters.skipped_frames, conference->count);
    }
    TAILQ_FOREACH(stream, &phase->alone, link)
    {
        (void)stream_take(stream, lost);
        stream_skip(stream);
        stream_count(&loop->counters.skipped_frames, 1);
    }
}

static void tick_phase(const struct phase *phase, int64_t now_us)
{
    struct conference *conference = NULL;
    struct stream *stream = NULL;

    TAILQ_FOREACH(conference, &phase->conferences, link)
    {
        const struct conference *next = TAILQ_NEXT(conference, link);

        if (next) {
            conference_prefetch(next);
        }
        conference_tick(conference, now_us);
    }
    TAILQ_FOREACH(stream, &phase->alone, link)
    {
        tick_alone(stream, now_us);
    }
}

static void receive(struct stream *stream, int64_t now_us)
{
    struct stream_event event;

    if (stream_receive(stream, now_us, &event) && stream->conference) {
        conference_pass_on(stream->conference, stream, &event, now_us);
    }
}

/* Takes what has arrived. Bounded, so that a flood does not stop the clock. */
static void receive_all(struct media_loop *loop)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t now_us = clock_mono_us(clock_system());
    size_t budget = loop->stream_count * PACKETS_PER_STEP + EVENTS_AT_ONCE;

    while (budget >= EVENTS_AT_ONCE) {
        int count = epoll_wait(loop->sockets, events, EVENTS_AT_ONCE, 0);

        for (int i = 0; i < count; i++) {
            receive(events[i].data.ptr, now_us);
        }
        if (count < 1) {
            return;
        }
        budget -= (size_t)count;
    }
}

static void run_steps(struct media_loop *loop)
{
    uint64_t steps = 0;

    if (read(loop->timer, &steps, sizeof(steps)) != (ssize_t)sizeof(steps)) {
        return; /* switched off in the meantime */
    }
    stream_count(&loop->counters.ticks, steps);
    stream_count(&loop->counters.late_ticks, steps - 1);
    receive_all(loop);
    for (; steps > 0; steps--) {
        struct phase *phase = &loop->phases[loop->step++ % STREAM_PHASES];

        if (steps > CATCH_UP_STEPS) {
            skip_phase(loop, phase);
        } else {
            tick_phase(phase, clock_mono_us(clock_system()));
        }
    }
}

/* --- the loop --- */

static void serve(struct media_loop *loop, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == loop->mailbox) {
            take_commands(loop);
        } else {
            run_steps(loop);
        }
    }
}

static void *run(void *argument)
{
    struct media_loop *loop = argument;
    struct epoll_event events[2];

    take_commands(loop); /* a mailbox rings only after it was found empty once */
    while (!mailbox_finished(loop->mailbox)) {
        serve(loop, events, epoll_wait(loop->wakes, events, 2, -1));
    }
    return NULL;
}

static bool watch(const struct media_loop *loop, int descriptor, void *tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = tag}};

    return epoll_ctl(loop->wakes, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

DEFINE_CLEANUP(struct media_loop *, media_loop_free)

bool media_loop_start(
    struct mailbox *closed,
    bool realtime,
    struct media_loop **ret_loop,
    struct error *err)
{
    CLEANUP(media_loop_free_at_exit) struct media_loop *loop = mem_new(struct media_loop);

    loop->closed = closed;
    loop->mailbox = mailbox_new();
    loop->waiting_end = &loop->waiting;
    for (size_t i = 0; i < STREAM_PHASES; i++) {
        TAILQ_INIT(&loop->phases[i].conferences);
        TAILQ_INIT(&loop->phases[i].alone);
    }
    loop->wakes = epoll_create1(EPOLL_CLOEXEC);
    loop->sockets = epoll_create1(EPOLL_CLOEXEC);
    loop->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (loop->wakes < 0 || loop->sockets < 0 || loop->timer < 0 ||
        !watch(loop, loop->timer, &loop->timer) ||
        !watch(loop, mailbox_descriptor(loop->mailbox), loop->mailbox)) {
        return FAIL(
            err, REASON_MEDIA_UNAVAILABLE, "cannot set up a media thread: %s",
            strerrordesc_np(errno));
    }

    int reason = pthread_create(&loop->thread, NULL, run, loop);

    if (reason != 0) {
        return FAIL(
            err, REASON_MEDIA_UNAVAILABLE, "cannot start a media thread: %s",
            strerrordesc_np(reason));
    }
    (void)pthread_setname_np(loop->thread, "media");
    if (realtime) {
        /* Refused without CAP_SYS_NICE, and then we are scheduled like everybody else. Niceness
         * would not do: it counts only within a session or control group. */
        const struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_RR)};

        (void)pthread_setschedparam(loop->thread, SCHED_RR, &lowest);
    }
    (void)pthread_getcpuclockid(loop->thread, &loop->cpu_clock);
    *ret_loop = STEAL(loop);
    return true;
}

void media_loop_end(struct media_loop *loop)
{
    mailbox_close(loop->mailbox);
    (void)pthread_join(loop->thread, NULL);
}

static void free_commands(struct mailbox_node *node)
{
    while (node) {
        struct command *command = MAILBOX_MESSAGE(node, struct command, node);

        node = node->next;
        command_free(command);
    }
}

struct media_loop *media_loop_free(struct media_loop *loop)
{
    if (!loop) {
        return NULL;
    }
    free_commands(loop->waiting);
    free_commands(mailbox_take_all(loop->mailbox));
    mailbox_free(loop->mailbox);
    (void)close(loop->timer);
    (void)close(loop->sockets);
    (void)close(loop->wakes);
    free(loop);
    return NULL;
}

const struct loop_counters *media_loop_counters(const struct media_loop *loop)
{
    return &loop->counters;
}

int64_t media_loop_cpu_us(const struct media_loop *loop)
{
    struct timespec used = {.tv_sec = 0};

    (void)clock_gettime(loop->cpu_clock, &used);
    return used.tv_sec * INT64_C(1000000) + used.tv_nsec / 1000;
}
