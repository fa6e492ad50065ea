/* The engine with three media threads and two callers' threads, which open, move, play, read and
 * close at once while parties talk; ThreadSanitizer looks on. At the end the parties must still
 * hear each other. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/bridge/media/media.h"
#include "tests/support/rtp_party.h"

enum {
    CALLERS = 2, /* threads */
    PARTIES = 3, /* of each */
    ROUNDS = 300,
    TIMEOUT_MS = 10000,
};

static const double tones[PARTIES] = {440, 1000, 1700};
static struct media *media;
static struct media_prompt *prompt;
static _Atomic long events;

struct caller {
    pthread_t thread;
    struct rtp_party *parties[PARTIES];
    uint64_t streams[PARTIES];
};

static void count_event(void *context, const struct media_event *event)
{
    (void)context;
    (void)event;
    events++;
}

static void require(bool condition, const char *message)
{
    if (!condition) {
        (void)fprintf(stderr, "%s\n", message);
        exit(1);
    }
}

static void open_party(struct caller *caller, size_t index)
{
    struct error err = {.message = ""};
    struct media_remote remote = {
        .address = "127.0.0.1",
        .port = rtp_party_port(caller->parties[index]),
        .event_payload_type = 101,
        .ptime_ms = 20,
        .send = true,
        .receive = true,
    };
    uint16_t port = 0;

    require(media_stream_open(media, &caller->streams[index], &port, &err), err.message);
    require(media_stream_set_remote(media, caller->streams[index], &remote, &err), err.message);
    rtp_party_call(caller->parties[index], "127.0.0.1", port);
}

static void set_plan(const struct caller *caller, uint64_t conference, size_t count)
{
    struct error err = {.message = ""};
    struct media_member members[PARTIES];

    for (size_t i = 0; i < count; i++) {
        members[i] = (struct media_member){caller->streams[i], media_hears_others(i, count)};
    }
    require(media_conference_set_plan(media, conference, members, count, &err), err.message);
}

static void *call(void *context)
{
    struct caller *caller = context;
    struct error err = {.message = ""};
    struct media_statistics statistics;
    struct media_load load;

    for (size_t i = 0; i < PARTIES; i++) {
        open_party(caller, i);
    }
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t conference = media_conference_open(media);
        size_t one = (size_t)round % PARTIES;

        set_plan(caller, conference, PARTIES);
        require(
            media_stream_play(media, caller->streams[one], prompt, round % 2 == 0, &err),
            err.message);
        require(
            media_stream_get_statistics(media, caller->streams[one], &statistics), "statistics");
        set_plan(caller, conference, 2);
        media_get_load(media, &load);
        media_stream_stop_playing(media, caller->streams[one]);
        media_stream_close(media, caller->streams[one]);
        open_party(caller, one);
        media_conference_close(media, conference);
    }
    set_plan(caller, media_conference_open(media), PARTIES);
    return NULL;
}

static void check_hearing(const struct caller *caller)
{
    for (size_t i = 0; i < PARTIES; i++) {
        double other = tones[(i + 1) % PARTIES];

        require(
            rtp_party_waits_to_hear(caller->parties[i], other, -25, TIMEOUT_MS),
            "a party does not hear another");
    }
}

int main(void)
{
    struct media_options options = media_default_options();
    struct error err = {.message = ""};
    struct rtp_stage *stage = rtp_stage_start();
    struct caller callers[CALLERS];
    const int16_t click[100] = {1000};

    options.thread_count = 3;
    options.first_port = (uint16_t)(10000 + getpid() % 20 * 2000);
    options.last_port = (uint16_t)(options.first_port + 1999);
    options.port_cooldown_us = 0;
    options.on_event = count_event;
    prompt = media_prompt_new(click, 100);
    require(media_start(&options, &media, &err), err.message);
    for (size_t i = 0; i < CALLERS; i++) {
        for (size_t party = 0; party < PARTIES; party++) {
            const struct rtp_party_options voice = {.tone_hz = tones[party]};

            callers[i].parties[party] = rtp_party_open(stage, &voice);
        }
        require(pthread_create(&callers[i].thread, NULL, call, &callers[i]) == 0, "thread");
    }
    for (size_t i = 0; i < CALLERS; i++) {
        (void)pthread_join(callers[i].thread, NULL);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        check_hearing(&callers[i]);
    }
    media_stop(media);
    media_prompt_unref(prompt);
    rtp_stage_stop(stage);
    require(events > 0, "no event came");
    return 0;
}
