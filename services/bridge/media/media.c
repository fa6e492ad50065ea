/* The directory: what the callers see. It turns ids into streams, conferences and the threads they
 * live on, under one lock that no media thread ever takes, and posts commands.
 *
 * A closed stream comes back through the mailbox `closed`: its port then begins to rest.
 */
#include "services/bridge/media/media.h"

#include <assert.h>
#include <bsd/sys/tree.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "services/bridge/media/address.h"
#include "services/bridge/media/loop.h"
#include "services/bridge/media/port_pool.h"
#include "services/bridge/media/stream_remote.h"

enum {
    THREADS_MAX = 64,
    BIND_TRIES = 16, /* ports of the pool that somebody else may hold, before we give up */
};

struct stream_record {
    uint64_t id;
    struct stream *stream;
    size_t loop;            /* where its commands go */
    uint64_t conference_id; /* 0: none */
    RB_ENTRY(stream_record) entry;
};

struct conference_record {
    uint64_t id;
    struct conference *conference;
    size_t loop;
    size_t count;
    uint64_t members[MEDIA_MEMBERS_MAX]; /* stream ids */
    RB_ENTRY(conference_record) entry;
};

static int compare_streams(const struct stream_record *one, const struct stream_record *other)
{
    return (one->id > other->id) - (one->id < other->id);
}

static int compare_conferences(
    const struct conference_record *one,
    const struct conference_record *other)
{
    return (one->id > other->id) - (one->id < other->id);
}

RB_HEAD(stream_records, stream_record);
RB_HEAD(conference_records, conference_record);
/* NOLINTBEGIN: generated */
#define MAYBE_UNUSED static __attribute__((unused))
RB_GENERATE_INTERNAL(stream_records, stream_record, entry, compare_streams, MAYBE_UNUSED)
RB_GENERATE_INTERNAL(
    conference_records,
    conference_record,
    entry,
    compare_conferences,
    MAYBE_UNUSED)
/* NOLINTEND */

struct media {
    char *address;
    struct stream_settings settings;
    size_t loop_count;
    struct media_loop *loops[THREADS_MAX];

    pthread_mutex_t mutex;     /* guards what follows, and the order of commands over all loops */
    size_t loads[THREADS_MAX]; /* streams and conferences of each loop */
    struct port_pool *ports;
    int64_t last_return_us;
    struct mailbox *closed;
    uint64_t last_id;
    struct stream_records streams;
    struct conference_records conferences;
    size_t stream_count;
    size_t conference_count;
};

struct media_options media_default_options(void)
{
    return (struct media_options){
        .bind_address = "127.0.0.1",
        .first_port = 20000,
        .last_port = 29999,
        .port_cooldown_us = 30 * INT64_C(1000000),
        .thread_count = 1,
        .realtime = true,
        .watchdog_us = 5 * INT64_C(1000000),
        .relatch_us = 3 * INT64_C(1000000),
    };
}

uint64_t media_hears_others(size_t index, size_t count)
{
    uint64_t all = count < MEDIA_MEMBERS_MAX ? (UINT64_C(1) << count) - 1 : UINT64_MAX;

    return all & ~(UINT64_C(1) << index);
}

const char *media_address(const struct media *media)
{
    return media->address;
}

/* --- start and stop --- */

static bool check_addresses(
    const struct media_options *options,
    struct media *media,
    struct error *err)
{
    const char *said =
        options->advertised_address ? options->advertised_address : options->bind_address;
    union address advertised;

    if (!address_parse(options->bind_address, 0, &media->settings.bind_address)) {
        return FAIL(
            err, REASON_CONFIG_INVALID, "media bind address %s is not numeric",
            options->bind_address);
    }
    if (!address_parse(said, 0, &advertised)) {
        return FAIL(err, REASON_CONFIG_INVALID, "media advertised address %s is not numeric", said);
    }
    if (address_unspecified(&advertised)) {
        return FAIL(
            err, REASON_CONFIG_INVALID,
            "media is bound to all addresses (%s): say which one to advertise", said);
    }
    media->address = mem_strdup(said);
    return true;
}

static bool check_numbers(
    const struct media_options *options,
    const struct port_pool *ports,
    struct error *err)
{
    if (options->thread_count < 1 || options->thread_count > THREADS_MAX) {
        return FAIL(
            err, REASON_CONFIG_INVALID, "%zu media threads; 1 to %d are possible",
            options->thread_count, THREADS_MAX);
    }
    if (port_pool_size(ports) == 0 || options->first_port < 1024) {
        return FAIL(
            err, REASON_CONFIG_INVALID,
            "media ports %u to %u: a range above 1023 with an even port and the one after it",
            options->first_port, options->last_port);
    }
    if (options->port_cooldown_us < 0 || options->watchdog_us <= 0 || options->relatch_us <= 0) {
        return FAIL(err, REASON_CONFIG_INVALID, "media times must be positive");
    }
    return true;
}

/* Its port begins to rest. Several threads close: their times may cross by a little, the pool's
 * may not. */
static void reap_stream(struct media *media, struct stream *stream)
{
    if (stream->closed_us > media->last_return_us) {
        media->last_return_us = stream->closed_us;
    }
    port_pool_return(media->ports, stream->port, media->last_return_us);
    stream_free(stream);
}

static void reap(struct media *media)
{
    struct mailbox_node *node = NULL;

    while ((node = mailbox_take_all(media->closed)) != NULL) {
        for (struct mailbox_node *next = NULL; node; node = next) {
            next = node->next;
            reap_stream(media, MAILBOX_MESSAGE(node, struct stream, node));
        }
    }
}

/* All threads have ended: what they had is ours. */
static void free_records(struct media *media)
{
    struct stream_record *stream = NULL;
    struct conference_record *conference = NULL;

    while ((stream = RB_ROOT(&media->streams)) != NULL) {
        RB_REMOVE(stream_records, &media->streams, stream);
        stream_free(stream->stream);
        free(stream);
    }
    while ((conference = RB_ROOT(&media->conferences)) != NULL) {
        RB_REMOVE(conference_records, &media->conferences, conference);
        free(conference->conference);
        free(conference);
    }
}

struct media *media_stop(struct media *media)
{
    if (!media) {
        return NULL;
    }
    for (size_t i = 0; i < media->loop_count; i++) {
        media_loop_end(media->loops[i]);
    }
    for (size_t i = 0; i < media->loop_count; i++) {
        media_loop_free(media->loops[i]);
    }
    free_records(media);
    reap(media);
    mailbox_free(media->closed);
    port_pool_free(media->ports);
    (void)pthread_mutex_destroy(&media->mutex);
    free(media->address);
    free(media);
    return NULL;
}

static void media_stop_at_exit(struct media **media)
{
    media_stop(*media);
}

bool media_start(const struct media_options *options, struct media **ret_media, struct error *err)
{
    CLEANUP(media_stop_at_exit) struct media *media = mem_new(struct media);
    struct port_pool_options ports = {
        .first = options->first_port,
        .last = options->last_port,
        .cooldown_us = options->port_cooldown_us,
        .seed = ((uint64_t)arc4random() << 32) | arc4random(),
    };

    (void)pthread_mutex_init(&media->mutex, NULL);
    media->ports = port_pool_new(&ports);
    media->closed = mailbox_new();
    media->last_return_us = INT64_MIN;
    media->settings.watchdog_us = options->watchdog_us;
    media->settings.relatch_us = options->relatch_us;
    media->settings.on_event = options->on_event;
    media->settings.event_context = options->event_context;
    if (!check_addresses(options, media, err) || !check_numbers(options, media->ports, err)) {
        return false;
    }
    for (; media->loop_count < options->thread_count; media->loop_count++) {
        if (!media_loop_start(
                media->closed, options->realtime, &media->loops[media->loop_count], err)) {
            return false;
        }
    }
    *ret_media = STEAL(media);
    return true;
}

/* --- the directory; all with the lock held --- */

static void unlock_at_exit(pthread_mutex_t **mutex)
{
    (void)pthread_mutex_unlock(*mutex);
}

static pthread_mutex_t *lock(pthread_mutex_t *mutex)
{
    (void)pthread_mutex_lock(mutex);
    return mutex;
}

#define LOCK_SCOPE(media)                                                                          \
    CLEANUP(unlock_at_exit)                                                                        \
    __attribute__((unused)) pthread_mutex_t *locked = lock(&(media)->mutex)

static struct stream_record *find_stream(struct media *media, uint64_t id)
{
    struct stream_record key = {.id = id};

    return RB_FIND(stream_records, &media->streams, &key);
}

static struct conference_record *find_conference(struct media *media, uint64_t id)
{
    struct conference_record key = {.id = id};

    return RB_FIND(conference_records, &media->conferences, &key);
}

/* The plan's members are never without a record: closing a stream takes it out of the plan. */
static void set_conference_of(struct media *media, uint64_t stream_id, uint64_t conference_id)
{
    struct stream_record *record = find_stream(media, stream_id);

    assert(record);
    record->conference_id = conference_id;
}

static struct stream_record *get_stream(struct media *media, uint64_t id, struct error *err)
{
    struct stream_record *record = find_stream(media, id);

    if (!record) {
        (void)FAIL(err, REASON_NOT_FOUND, "there is no media stream %llu", (unsigned long long)id);
    }
    return record;
}

static size_t lightest_loop(const struct media *media)
{
    size_t lightest = 0;

    for (size_t i = 1; i < media->loop_count; i++) {
        if (media->loads[i] < media->loads[lightest]) {
            lightest = i;
        }
    }
    return lightest;
}

static void post(struct media *media, size_t loop, struct command *command)
{
    media_loop_post(media->loops[loop], command);
}

static void post_to_stream(
    struct media *media,
    const struct stream_record *record,
    struct command *command)
{
    command->stream = record->stream;
    post(media, record->loop, command);
}

/* --- streams --- */

static bool fail_for_want_of_ports(struct media *media, int64_t now_us, struct error *err)
{
    size_t resting = port_pool_resting(media->ports, now_us);

    (void)FAIL(
        err, REASON_MEDIA_PORTS_EXHAUSTED, "all %zu RTP ports are taken: %zu in use, %zu resting",
        port_pool_size(media->ports), port_pool_size(media->ports) - resting, resting);
    if (resting > 0) {
        err->retry_delay_ms = (port_pool_next_ready_us(media->ports) - now_us) / 1000 + 1;
    }
    return false;
}

/* Tries ports until one can be bound: another program may sit on one of ours. */
static struct stream *open_on_some_port(struct media *media, uint64_t id, struct error *err)
{
    int64_t now_us = clock_mono_us(clock_system());
    uint16_t port = 0;

    for (int i = 0; i < BIND_TRIES; i++) {
        if (!port_pool_take(media->ports, now_us, &port)) {
            (void)fail_for_want_of_ports(media, now_us, err);
            return NULL;
        }

        struct stream *stream = stream_open(id, port, &media->settings);

        if (stream) {
            return stream;
        }

        int reason = errno;

        media->last_return_us = now_us > media->last_return_us ? now_us : media->last_return_us;
        port_pool_return(media->ports, port, media->last_return_us);
        if (reason != EADDRINUSE) {
            (void)FAIL(
                err, REASON_MEDIA_UNAVAILABLE, "cannot open an RTP socket: %s",
                strerrordesc_np(reason));
            return NULL;
        }
    }
    (void)FAIL(
        err, REASON_MEDIA_UNAVAILABLE,
        "%d RTP ports in a row, the last one %u, are held by other programs", BIND_TRIES, port);
    return NULL;
}

bool media_stream_open(
    struct media *media,
    uint64_t *ret_stream_id,
    uint16_t *ret_port,
    struct error *err)
{
    LOCK_SCOPE(media);

    reap(media);

    uint64_t id = media->last_id + 1;
    struct stream *stream = open_on_some_port(media, id, err);

    if (!stream) {
        return false;
    }

    struct stream_record *record = mem_new(struct stream_record);

    media->last_id = id;
    record->id = id;
    record->stream = stream;
    record->loop = lightest_loop(media);
    media->loads[record->loop]++;
    RB_INSERT(stream_records, &media->streams, record);
    media->stream_count++;
    post_to_stream(media, record, command_new(COMMAND_ADOPT_STREAM));
    *ret_stream_id = id;
    *ret_port = stream->port;
    return true;
}

bool media_stream_set_remote(
    struct media *media,
    uint64_t stream_id,
    const struct media_remote *remote,
    struct error *err)
{
    struct stream_remote checked;

    LOCK_SCOPE(media);

    const struct stream_record *record = get_stream(media, stream_id, err);

    if (!record || !stream_remote_check(remote, &media->settings.bind_address, &checked, err)) {
        return false;
    }

    struct command *command = command_new(COMMAND_SET_REMOTE);

    command->remote = checked;
    post_to_stream(media, record, command);
    return true;
}

bool media_stream_play(
    struct media *media,
    uint64_t stream_id,
    struct media_prompt *prompt,
    bool loop,
    struct error *err)
{
    LOCK_SCOPE(media);

    const struct stream_record *record = get_stream(media, stream_id, err);

    if (!record) {
        return false;
    }

    struct command *command = command_new(COMMAND_PLAY);

    command->prompt = media_prompt_ref(prompt);
    command->prompt_loops = loop;
    post_to_stream(media, record, command);
    return true;
}

void media_stream_stop_playing(struct media *media, uint64_t stream_id)
{
    LOCK_SCOPE(media);

    const struct stream_record *record = find_stream(media, stream_id);

    if (record) {
        post_to_stream(media, record, command_new(COMMAND_PLAY));
    }
}

bool media_stream_get_statistics(
    struct media *media,
    uint64_t stream_id,
    struct media_statistics *ret_statistics)
{
    LOCK_SCOPE(media);

    const struct stream_record *record = find_stream(media, stream_id);

    if (!record) {
        return false;
    }
    stream_read_counters(record->stream, ret_statistics);
    return true;
}

static void forget_member(struct conference_record *conference, uint64_t stream_id)
{
    for (size_t i = 0; i < conference->count; i++) {
        if (conference->members[i] == stream_id) {
            conference->members[i] = conference->members[--conference->count];
            return;
        }
    }
}

void media_stream_close(struct media *media, uint64_t stream_id)
{
    LOCK_SCOPE(media);

    struct stream_record *record = find_stream(media, stream_id);

    if (!record) {
        return;
    }
    if (record->conference_id != 0) {
        forget_member(find_conference(media, record->conference_id), stream_id);
    }
    post_to_stream(media, record, command_new(COMMAND_CLOSE_STREAM));
    media->loads[record->loop]--;
    RB_REMOVE(stream_records, &media->streams, record);
    media->stream_count--;
    free(record);
}

/* --- conferences --- */

uint64_t media_conference_open(struct media *media)
{
    LOCK_SCOPE(media);

    struct conference_record *record = mem_new(struct conference_record);
    struct command *command = command_new(COMMAND_OPEN_CONFERENCE);

    record->id = ++media->last_id;
    record->conference = mem_new(struct conference);
    record->conference->id = record->id;
    record->loop = lightest_loop(media);
    media->loads[record->loop]++;
    RB_INSERT(conference_records, &media->conferences, record);
    media->conference_count++;
    command->conference = record->conference;
    post(media, record->loop, command);
    return record->id;
}

static bool named_before(const struct media_member *members, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (members[i].stream_id == members[index].stream_id) {
            return true;
        }
    }
    return false;
}

static bool check_members(
    struct media *media,
    uint64_t conference_id,
    const struct media_member *members,
    size_t count,
    struct error *err)
{
    if (count > MEDIA_MEMBERS_MAX) {
        return FAIL(
            err, REASON_LIMIT_REACHED, "%zu members; a conference has at most %d", count,
            MEDIA_MEMBERS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        const struct stream_record *record = get_stream(media, members[i].stream_id, err);

        if (!record) {
            return false;
        }
        if (record->conference_id != 0 && record->conference_id != conference_id) {
            return FAIL(
                err, REASON_STATE_FORBIDS, "media stream %llu is in another conference",
                (unsigned long long)record->id);
        }
        if (named_before(members, i)) {
            return FAIL(
                err, REASON_FIELD_INVALID, "media stream %llu is named twice",
                (unsigned long long)record->id);
        }
    }
    return true;
}

/* The stream's commands go to the conference's thread from now on; see loop.h. */
static void move_stream(struct media *media, struct stream_record *record, size_t loop)
{
    if (record->loop == loop) {
        return;
    }

    struct command *command = command_new(COMMAND_RELEASE_STREAM);

    command->to = media->loops[loop];
    post_to_stream(media, record, command);
    media->loads[record->loop]--;
    media->loads[loop]++;
    record->loop = loop;
}

bool media_conference_set_plan(
    struct media *media,
    uint64_t conference_id,
    const struct media_member *members,
    size_t count,
    struct error *err)
{
    LOCK_SCOPE(media);

    struct conference_record *record = find_conference(media, conference_id);

    if (!record) {
        return FAIL(
            err, REASON_NOT_FOUND, "there is no media conference %llu",
            (unsigned long long)conference_id);
    }
    if (!check_members(media, conference_id, members, count, err)) {
        return false;
    }

    for (size_t i = 0; i < record->count; i++) {
        set_conference_of(media, record->members[i], 0);
    }

    struct command *command = command_new_plan(record->conference, count);

    for (size_t i = 0; i < count; i++) {
        struct stream_record *stream = find_stream(media, members[i].stream_id);

        assert(stream);
        move_stream(media, stream, record->loop);
        stream->conference_id = conference_id;
        record->members[i] = stream->id;
        command->members[i].stream = stream->stream;
        command->members[i].hears = members[i].hears;
    }
    record->count = count;
    post(media, record->loop, command);
    return true;
}

void media_conference_close(struct media *media, uint64_t conference_id)
{
    LOCK_SCOPE(media);

    struct conference_record *record = find_conference(media, conference_id);

    if (!record) {
        return;
    }
    for (size_t i = 0; i < record->count; i++) {
        set_conference_of(media, record->members[i], 0);
    }

    struct command *command = command_new(COMMAND_CLOSE_CONFERENCE);

    command->conference = record->conference;
    post(media, record->loop, command);
    media->loads[record->loop]--;
    RB_REMOVE(conference_records, &media->conferences, record);
    media->conference_count--;
    free(record);
}

/* --- load --- */

void media_get_load(struct media *media, struct media_load *ret_load)
{
    int64_t now_us = clock_mono_us(clock_system());
    struct media_load load = {.streams = 0};

    LOCK_SCOPE(media);
    reap(media);
    load.streams = media->stream_count;
    load.conferences = media->conference_count;
    load.ports_free = port_pool_ready(media->ports, now_us);
    load.ports_cooling = port_pool_resting(media->ports, now_us);
    for (size_t i = 0; i < media->loop_count; i++) {
        const struct loop_counters *counters = media_loop_counters(media->loops[i]);

        load.ticks += atomic_load_explicit(&counters->ticks, memory_order_relaxed);
        load.late_ticks += atomic_load_explicit(&counters->late_ticks, memory_order_relaxed);
        load.skipped_frames +=
            atomic_load_explicit(&counters->skipped_frames, memory_order_relaxed);
        load.cpu_us += media_loop_cpu_us(media->loops[i]);
    }
    *ret_load = load;
}
