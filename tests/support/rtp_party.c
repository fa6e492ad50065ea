#include "tests/support/rtp_party.h"

#include <arpa/inet.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "services/bridge/media/prompt.h"
#include "services/bridge/media/rtp.h"

enum {
    RATE_HZ = 8000,
    AMPLITUDE = 8000, /* -15 dBFS as a sine */
    MEASURED = RATE_HZ * 2 / 5,
    HEARD_MAX = RATE_HZ * 120,
    PACKET_MAX = RATE_HZ * 60 / 1000,
    LONGEST_HEARD = 4 * PACKET_MAX,
    STALE_US = 200 * 1000,
    EVENT_STEP_MS = 20,
    EVENT_PAUSE_MS = 60,
    END_PACKETS = 3,
};

static const double silence_dbfs = -96.0;
static const double syllables_hz = 3.0;

struct pressed_key {
    uint8_t code;
    unsigned duration_ms;
};

struct rtp_party {
    struct rtp_stage *stage;
    struct rtp_party_options options;
    int socket;
    uint16_t port;
    bool has_peer;
    struct sockaddr_in peer;

    int64_t due_us;
    double phase;
    double syllable;
    size_t speech_at;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;

    struct pressed_key keys[RTP_PARTY_DIGITS];
    size_t key_count;
    unsigned key_ms; /* how long the first key has been down; 0: not yet */
    unsigned ends_sent;
    unsigned pause_ms;
    uint32_t event_timestamp;

    struct rtp_party_report report;
    bool heard_any;
    uint32_t heard_ssrc;
    uint16_t expected;
    uint32_t first_timestamp;
    uint32_t last_event_timestamp;
    bool event_seen;
    size_t heard_end;
    size_t heard_capacity;
    int16_t *heard;
    int64_t heard_us;

    TAILQ_ENTRY(rtp_party) link;
};

struct rtp_stage {
    pthread_t thread;
    pthread_mutex_t mutex;
    int epoll;
    int stop;
    bool stopping;
    TAILQ_HEAD(, rtp_party) parties;
};

static void require(bool condition, const char *what)
{
    if (!condition) {
        perror(what);
        abort();
    }
}

/* --- sending --- */

/* Something like speech: a pitch with overtones, swelling and pausing as syllables do. */
static double voice_sample(struct rtp_party *party)
{
    double swell = sin(party->syllable);
    double sum = 0;

    for (int overtone = 1; overtone <= 5; overtone++) {
        sum += sin(party->phase * overtone) / overtone;
    }
    party->syllable = fmod(party->syllable + 2 * M_PI * syllables_hz / RATE_HZ, 2 * M_PI);
    return swell > 0 ? swell * sum : 0;
}

static int16_t next_sample(struct rtp_party *party)
{
    const struct rtp_party_options *options = &party->options;

    if (options->speech) {
        size_t at = party->speech_at++ % media_prompt_count(options->speech);

        return media_prompt_samples(options->speech)[at];
    }
    if (options->tone_hz <= 0) {
        return 0;
    }

    double sample = options->voice ? voice_sample(party) : sin(party->phase);

    party->phase = fmod(party->phase + 2 * M_PI * options->tone_hz / RATE_HZ, 2 * M_PI);
    return (int16_t)lround(AMPLITUDE * sample);
}

static void next_samples(struct rtp_party *party, int16_t *ret_samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ret_samples[i] = next_sample(party);
    }
}

static void send_bytes(struct rtp_party *party, const void *bytes, size_t size)
{
    /* A peer that has gone refuses; a phone does not mind either. */
    (void)sendto(
        party->socket, bytes, size, MSG_DONTWAIT, (const struct sockaddr *)&party->peer,
        sizeof(party->peer));
    party->report.packets_out++;
}

static void send_packet(
    struct rtp_party *party,
    struct rtp_packet *packet,
    const uint8_t *payload,
    size_t size)
{
    uint8_t bytes[RTP_HEADER_SIZE + PACKET_MAX];

    packet->sequence = party->sequence++;
    packet->ssrc = party->ssrc;
    rtp_print_header(packet, bytes);
    memcpy(bytes + RTP_HEADER_SIZE, payload, size);
    send_bytes(party, bytes, RTP_HEADER_SIZE + size);
}

static void send_audio(struct rtp_party *party)
{
    size_t count = party->options.ptime_ms * RATE_HZ / 1000;
    int16_t samples[PACKET_MAX];
    uint8_t payload[PACKET_MAX];
    struct rtp_packet packet = {
        .payload_type = party->options.payload_type, .timestamp = party->timestamp};

    next_samples(party, samples, count);
    codec_encode(party->options.codec, samples, count, payload);
    if (!party->options.mute) {
        send_packet(party, &packet, payload, count);
    }
}

/* One step of the key that is down. RFC 4733: updates with a growing duration, the end three times.
 */
static void send_key(struct rtp_party *party)
{
    const struct pressed_key *key = &party->keys[0];
    uint8_t payload[RTP_EVENT_SIZE];
    bool begins = party->key_ms == 0;

    if (begins) {
        party->event_timestamp = party->timestamp;
    }
    party->key_ms += EVENT_STEP_MS;

    bool ends = party->key_ms >= key->duration_ms;
    struct rtp_packet packet = {
        .marker = begins,
        .payload_type = (uint8_t)party->options.event_payload_type,
        .timestamp = party->event_timestamp,
    };
    const struct rtp_event event = {
        .code = key->code,
        .end = ends,
        .volume = 10,
        .duration = (uint16_t)((ends ? key->duration_ms : party->key_ms) * (RATE_HZ / 1000)),
    };

    rtp_event_print(&event, payload);
    for (int i = 0; i < (ends ? END_PACKETS : 1); i++) {
        send_packet(party, &packet, payload, sizeof(payload));
    }
    if (ends) {
        party->key_ms = 0;
        party->pause_ms = EVENT_PAUSE_MS;
        party->key_count--;
        memmove(party->keys, party->keys + 1, party->key_count * sizeof(party->keys[0]));
    }
}

static void speak(struct rtp_party *party, int64_t now_us)
{
    if (party->due_us > now_us) {
        return;
    }
    /* Far behind, as a stopped process is: go on from here. */
    party->due_us = now_us - party->due_us > 1000000 ? now_us : party->due_us;
    party->due_us += party->options.ptime_ms * INT64_C(1000);
    if (!party->has_peer) {
        return;
    }
    if (party->key_count > 0 && party->pause_ms == 0) {
        send_key(party);
    } else {
        party->pause_ms -= party->pause_ms < EVENT_STEP_MS ? party->pause_ms : EVENT_STEP_MS;
        send_audio(party);
    }
    party->timestamp += party->options.ptime_ms * RATE_HZ / 1000;
}

/* --- hearing --- */

static void hear_samples(struct rtp_party *party, const struct rtp_packet *packet)
{
    size_t at = packet->timestamp - party->first_timestamp;
    size_t end = at + packet->payload_size;

    if (end > HEARD_MAX || packet->payload_size > LONGEST_HEARD) {
        return;
    }
    if (end > party->heard_capacity) {
        size_t capacity = end * 2;

        party->heard = mem_realloc_array(party->heard, capacity, sizeof(*party->heard));
        memset(
            party->heard + party->heard_capacity, 0,
            (capacity - party->heard_capacity) * sizeof(*party->heard));
        party->heard_capacity = capacity;
    }
    codec_decode(party->options.codec, packet->payload, packet->payload_size, party->heard + at);
    party->heard_end = end > party->heard_end ? end : party->heard_end;
}

static void measure_gap(struct rtp_party *party, int64_t now_us)
{
    int64_t gap_us = now_us - party->heard_us;
    struct rtp_party_report *report = &party->report;

    if (party->heard_us != 0) {
        report->longest_gap_us = gap_us > report->longest_gap_us ? gap_us : report->longest_gap_us;
        report->shortest_gap_us =
            gap_us < report->shortest_gap_us ? gap_us : report->shortest_gap_us;
    }
    party->heard_us = now_us;
}

static void hear_event(struct rtp_party *party, const struct rtp_packet *packet)
{
    struct rtp_event event;
    size_t length = strlen(party->report.digits);

    if (!rtp_event_parse(packet->payload, packet->payload_size, &event) || !event.end ||
        (party->event_seen && party->last_event_timestamp == packet->timestamp)) {
        return;
    }
    party->event_seen = true;
    party->last_event_timestamp = packet->timestamp;
    party->report.digit_ms = event.duration / (RATE_HZ / 1000);
    if (length + 1 < RTP_PARTY_DIGITS) {
        party->report.digits[length] = rtp_event_digit(event.code);
    }
}

static void follow(struct rtp_party *party, const struct rtp_packet *packet)
{
    int16_t ahead = (int16_t)(packet->sequence - party->expected);

    if (!party->heard_any || packet->ssrc != party->heard_ssrc) {
        party->heard_any = true;
        party->heard_ssrc = packet->ssrc;
        party->report.sources++;
        party->first_timestamp = packet->timestamp - (uint32_t)party->heard_end;
        ahead = 0;
    }
    if (ahead < 0) {
        party->report.out_of_order++;
        party->report.missing -= party->report.missing > 0 ? 1 : 0;
        return;
    }
    party->report.missing += (uint64_t)ahead;
    party->expected = (uint16_t)(packet->sequence + 1);
}

static void hear(struct rtp_party *party, int64_t now_us)
{
    uint8_t bytes[2048];
    struct sockaddr_in source;
    socklen_t source_size = sizeof(source);
    struct rtp_packet packet;
    ssize_t size = recvfrom(
        party->socket, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&source,
        &source_size);

    if (size < 0 || rtp_parse(bytes, (size_t)size, &packet) != RTP_VALID) {
        return;
    }
    if (!party->has_peer) {
        party->has_peer = true;
        party->peer = source;
    }
    party->report.packets_in++;
    follow(party, &packet);
    if (packet.payload_type == party->options.event_payload_type) {
        hear_event(party, &packet);
    } else if (packet.payload_type == party->options.payload_type) {
        measure_gap(party, now_us);
        hear_samples(party, &packet);
    } else {
        party->report.foreign_events++;
    }
}

/* --- the stage --- */

static int64_t now(void)
{
    return clock_mono_us(clock_system());
}

static int until_next(struct rtp_stage *stage)
{
    struct rtp_party *party = NULL;
    int64_t now_us = now();
    int64_t due_us = now_us + 20000;

    TAILQ_FOREACH(party, &stage->parties, link)
    {
        due_us = party->due_us < due_us ? party->due_us : due_us;
    }
    return due_us > now_us ? (int)((due_us - now_us + 999) / 1000) : 0;
}

static void *run(void *argument)
{
    struct rtp_stage *stage = argument;
    struct epoll_event events[64];
    struct rtp_party *party = NULL;

    (void)pthread_mutex_lock(&stage->mutex);
    while (!stage->stopping) {
        int wait_ms = until_next(stage);

        (void)pthread_mutex_unlock(&stage->mutex);
        int count = epoll_wait(stage->epoll, events, 64, wait_ms);
        (void)pthread_mutex_lock(&stage->mutex);

        int64_t now_us = now();

        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr) {
                hear(events[i].data.ptr, now_us);
            }
        }
        TAILQ_FOREACH(party, &stage->parties, link)
        {
            speak(party, now_us);
        }
    }
    (void)pthread_mutex_unlock(&stage->mutex);
    return NULL;
}

struct rtp_stage *rtp_stage_start(void)
{
    struct rtp_stage *stage = mem_new(struct rtp_stage);
    struct epoll_event event = {.events = EPOLLIN};

    TAILQ_INIT(&stage->parties);
    (void)pthread_mutex_init(&stage->mutex, NULL);
    stage->epoll = epoll_create1(EPOLL_CLOEXEC);
    stage->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    require(stage->epoll >= 0 && stage->stop >= 0, "rtp_stage");
    (void)epoll_ctl(stage->epoll, EPOLL_CTL_ADD, stage->stop, &event);
    require(pthread_create(&stage->thread, NULL, run, stage) == 0, "rtp_stage thread");
    return stage;
}

struct rtp_stage *rtp_stage_stop(struct rtp_stage *stage)
{
    struct rtp_party *party = NULL;

    if (!stage) {
        return NULL;
    }
    (void)pthread_mutex_lock(&stage->mutex);
    stage->stopping = true;
    (void)pthread_mutex_unlock(&stage->mutex);
    (void)eventfd_write(stage->stop, 1);
    (void)pthread_join(stage->thread, NULL);
    while ((party = TAILQ_FIRST(&stage->parties)) != NULL) {
        TAILQ_REMOVE(&stage->parties, party, link);
        (void)close(party->socket);
        media_prompt_unref(party->options.speech);
        free(party->heard);
        free(party);
    }
    (void)close(stage->epoll);
    (void)close(stage->stop);
    (void)pthread_mutex_destroy(&stage->mutex);
    free(stage);
    return NULL;
}

struct rtp_party *rtp_party_open(struct rtp_stage *stage, const struct rtp_party_options *options)
{
    struct rtp_party *party = mem_new(struct rtp_party);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options->port)};
    socklen_t size = sizeof(address);
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = party}};
    const char *host = options->address ? options->address : "127.0.0.1";

    party->stage = stage;
    party->options = *options;
    if (options->event_payload_type == 0) {
        party->options.event_payload_type = 101;
    }
    if (options->ptime_ms == 0) {
        party->options.ptime_ms = 20;
    }
    if (options->speech) {
        media_prompt_ref(options->speech);
    }
    party->report.shortest_gap_us = INT64_MAX;
    party->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    require(inet_pton(AF_INET, host, &address.sin_addr) == 1, host);
    require(
        bind(party->socket, (struct sockaddr *)&address, sizeof(address)) == 0, "bind rtp_party");
    (void)getsockname(party->socket, (struct sockaddr *)&address, &size);
    party->port = ntohs(address.sin_port);
    party->ssrc = (uint32_t)(0x10000U * party->port) ^ (uint32_t)now();

    (void)pthread_mutex_lock(&stage->mutex);
    party->due_us = now() + party->port % 20 * INT64_C(1000); /* spread over a frame */
    TAILQ_INSERT_TAIL(&stage->parties, party, link);
    require(epoll_ctl(stage->epoll, EPOLL_CTL_ADD, party->socket, &event) == 0, "epoll rtp_party");
    (void)pthread_mutex_unlock(&stage->mutex);
    return party;
}

uint16_t rtp_party_port(const struct rtp_party *party)
{
    return party->port;
}

static void lock(struct rtp_party *party)
{
    (void)pthread_mutex_lock(&party->stage->mutex);
}

static void unlock(struct rtp_party *party)
{
    (void)pthread_mutex_unlock(&party->stage->mutex);
}

void rtp_party_call(struct rtp_party *party, const char *address, uint16_t port)
{
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(port)};

    require(inet_pton(AF_INET, address, &peer.sin_addr) == 1, address);
    lock(party);
    party->peer = peer;
    party->has_peer = true;
    unlock(party);
}

void rtp_party_say(struct rtp_party *party, double tone_hz)
{
    lock(party);
    party->options.tone_hz = tone_hz;
    unlock(party);
}

void rtp_party_set_mute(struct rtp_party *party, bool mute)
{
    lock(party);
    party->options.mute = mute;
    unlock(party);
}

void rtp_party_dial(struct rtp_party *party, char digit, unsigned duration_ms)
{
    lock(party);
    for (uint8_t code = 0; rtp_event_digit(code) != '\0'; code++) {
        if (rtp_event_digit(code) == digit && party->key_count < RTP_PARTY_DIGITS) {
            party->keys[party->key_count++] =
                (struct pressed_key){.code = code, .duration_ms = duration_ms};
        }
    }
    unlock(party);
}

void rtp_party_send_raw(struct rtp_party *party, const void *bytes, size_t size)
{
    lock(party);
    send_bytes(party, bytes, size);
    unlock(party);
}

/* --- measuring --- */

static double to_dbfs(double rms)
{
    double dbfs = rms > 0 ? 20 * log10(rms / 32768) : silence_dbfs;

    return dbfs > silence_dbfs ? dbfs : silence_dbfs;
}

/* RMS of one frequency: correlation with its sine and cosine under a Hann window. */
static double tone_rms(const int16_t *samples, size_t count, double hz)
{
    double real = 0;
    double imaginary = 0;
    double weight = 0;

    for (size_t i = 0; i < count; i++) {
        double window = 0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)count);
        double angle = 2 * M_PI * hz * (double)i / RATE_HZ;

        real += window * samples[i] * cos(angle);
        imaginary += window * samples[i] * sin(angle);
        weight += window;
    }
    return 2 * hypot(real, imaginary) / weight / sqrt(2);
}

static double plain_rms(const int16_t *samples, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        sum += (double)samples[i] * samples[i];
    }
    return sqrt(sum / (double)count);
}

double rtp_party_level(struct rtp_party *party, double hz)
{
    int16_t samples[MEASURED];

    lock(party);
    bool enough = party->heard_end >= MEASURED && now() - party->heard_us < STALE_US;

    if (enough) {
        memcpy(samples, party->heard + party->heard_end - MEASURED, sizeof(samples));
    }
    unlock(party);
    if (!enough) {
        return silence_dbfs;
    }
    return to_dbfs(hz > 0 ? tone_rms(samples, MEASURED, hz) : plain_rms(samples, MEASURED));
}

static bool wait_for_level(
    struct rtp_party *party,
    double hz,
    double dbfs,
    int timeout_ms,
    bool above)
{
    int64_t deadline_us = now() + timeout_ms * INT64_C(1000);

    do {
        if ((rtp_party_level(party, hz) >= dbfs) == above) {
            return true;
        }
        (void)poll(NULL, 0, 10); /* between two looks */
    } while (now() < deadline_us);
    return false;
}

bool rtp_party_waits_to_hear(struct rtp_party *party, double hz, double dbfs, int timeout_ms)
{
    return wait_for_level(party, hz, dbfs, timeout_ms, true);
}

bool rtp_party_waits_for_silence(struct rtp_party *party, double hz, double dbfs, int timeout_ms)
{
    return wait_for_level(party, hz, dbfs, timeout_ms, false);
}

void rtp_party_get_report(struct rtp_party *party, struct rtp_party_report *ret_report)
{
    lock(party);
    *ret_report = party->report;
    ret_report->heard_ms = (int64_t)(party->heard_end / (RATE_HZ / 1000));
    unlock(party);
}

bool rtp_party_save(struct rtp_party *party, const char *path)
{
    SF_INFO info = {
        .samplerate = RATE_HZ, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);

    if (!file) {
        return false;
    }
    lock(party);
    sf_count_t count = (sf_count_t)party->heard_end;
    bool written = sf_writef_short(file, party->heard, count) == count;

    unlock(party);
    return sf_close(file) == 0 && written;
}
