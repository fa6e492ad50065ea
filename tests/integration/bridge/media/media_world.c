#include "tests/integration/bridge/media/media_world.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "common/clock/clock.h"
#include "common/error/error.h"

enum {
    EVENTS_MAX = 4096
};

static struct {
    pthread_mutex_t mutex;
    size_t count;
    struct media_event list[EVENTS_MAX];
} record = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void keep_event(void *context, const struct media_event *event)
{
    (void)context;
    (void)pthread_mutex_lock(&record.mutex);
    if (record.count < EVENTS_MAX) {
        record.list[record.count++] = *event;
    }
    (void)pthread_mutex_unlock(&record.mutex);
}

struct media_options world_options(void)
{
    struct media_options options = media_default_options();

    options.first_port = (uint16_t)(10000 + getpid() % 40 * 1000);
    options.last_port = (uint16_t)(options.first_port + 999);
    options.on_event = keep_event;
    return options;
}

void world_start(struct world *world, const struct media_options *options)
{
    struct error err;

    cr_assert(media_start(options, &world->media, &err), "%s", err.message);
    world->stage = rtp_stage_start();
}

void world_stop(struct world *world)
{
    world->media = media_stop(world->media);
    world->stage = rtp_stage_stop(world->stage);
}

struct media_remote world_remote(const struct rtp_party *party, enum media_codec codec)
{
    return (struct media_remote){
        .address = "127.0.0.1",
        .port = rtp_party_port(party),
        .codec = codec,
        .payload_type = codec == MEDIA_PCMA ? 8 : 0,
        .event_payload_type = 101,
        .ptime_ms = 20,
        .send = true,
        .receive = true,
    };
}

void world_set_remote(struct world *world, uint64_t stream_id, const struct media_remote *remote)
{
    struct error err;

    cr_assert(media_stream_set_remote(world->media, stream_id, remote, &err), "%s", err.message);
}

void world_add_caller(
    struct world *world,
    struct caller *caller,
    const struct rtp_party_options *options)
{
    struct error err;

    cr_assert(
        media_stream_open(world->media, &caller->stream_id, &caller->port, &err), "%s",
        err.message);
    caller->party = rtp_party_open(world->stage, options);
    caller->tone_hz = options->tone_hz;
    rtp_party_call(caller->party, "127.0.0.1", caller->port);

    struct media_remote remote = world_remote(caller->party, options->codec);

    if (options->event_payload_type != 0) {
        remote.event_payload_type = options->event_payload_type;
    }
    world_set_remote(world, caller->stream_id, &remote);
}

uint64_t world_confer(struct world *world, const struct caller *callers, size_t count)
{
    struct media_member members[MEDIA_MEMBERS_MAX];
    struct error err;
    uint64_t id = media_conference_open(world->media);

    for (size_t i = 0; i < count; i++) {
        members[i] = (struct media_member){
            .stream_id = callers[i].stream_id, .hears = media_hears_others(i, count)};
    }
    cr_assert(media_conference_set_plan(world->media, id, members, count, &err), "%s", err.message);
    return id;
}

struct media_statistics world_statistics(struct world *world, uint64_t stream_id)
{
    struct media_statistics statistics;

    cr_assert(media_stream_get_statistics(world->media, stream_id, &statistics));
    return statistics;
}

bool hears(const struct caller *listener, const struct caller *speaker)
{
    return rtp_party_waits_to_hear(listener->party, speaker->tone_hz, HEARD_DBFS, SOON_MS);
}

bool does_not_hear(const struct caller *listener, const struct caller *speaker)
{
    return rtp_party_waits_for_silence(listener->party, speaker->tone_hz, UNHEARD_DBFS, SOON_MS);
}

/* With the lock held. */
static struct media_event *find_event(uint64_t stream_id, enum media_event_type type)
{
    for (size_t i = 0; i < record.count; i++) {
        if (record.list[i].stream_id == stream_id && record.list[i].type == type) {
            return &record.list[i];
        }
    }
    return NULL;
}

bool world_has_event(uint64_t stream_id, enum media_event_type type)
{
    (void)pthread_mutex_lock(&record.mutex);
    bool found = find_event(stream_id, type) != NULL;

    (void)pthread_mutex_unlock(&record.mutex);
    return found;
}

static bool take_event(
    uint64_t stream_id,
    enum media_event_type type,
    struct media_event *ret_event)
{
    (void)pthread_mutex_lock(&record.mutex);
    struct media_event *event = find_event(stream_id, type);

    if (event) {
        *ret_event = *event;
        record.count--;
        memmove(event, event + 1, (size_t)(&record.list[record.count] - event) * sizeof(*event));
    }
    (void)pthread_mutex_unlock(&record.mutex);
    return event != NULL;
}

bool world_wait_for_event(
    uint64_t stream_id,
    enum media_event_type type,
    struct media_event *ret_event)
{
    int64_t deadline_us = clock_mono_us(clock_system()) + SOON_MS * INT64_C(1000);

    do {
        if (take_event(stream_id, type, ret_event)) {
            return true;
        }
        (void)poll(NULL, 0, 5); /* between two looks */
    } while (clock_mono_us(clock_system()) < deadline_us);
    return false;
}
