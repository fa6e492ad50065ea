/* How many participants of three-party conferences one core mixes: work done over the CPU time of
 * the media thread, at a load that this machine carries with ease. The bound is a thread that only
 * reads each packet from a connected socket and sends it on over another, no decoding, no mixing,
 * no jitter buffer, no clock: what the kernel asks for, with the same packets from the same
 * generator. Both are measured in turns, and the best round of each counts.
 *
 * Every mixed packet is compared with the exact sum of what the other two said. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/bridge/media/frame.h"
#include "services/bridge/media/g711.h"
#include "services/bridge/media/media.h"
#include "services/bridge/media/rtp.h"

enum {
    PARTICIPANTS = 600,
    ROOM = 3,
    ROUNDS = 3,     /* undisturbed ones */
    ROUNDS_MAX = 8, /* at most so many, to find them */
    WARM_UP_MS = 600,
    ROUND_MS = 3000,
    PHASES = 4,
    PACKET = RTP_HEADER_SIZE + FRAME_SAMPLES,
    FIRST_PORT = 32768,
};

/* Above this share of wrong mixes a round says nothing. */
static const double disturbed = 0.02;

struct peer {
    int socket;
    uint16_t sequence;
    uint32_t timestamp;
    uint8_t said;     /* the byte its frames are full of */
    uint8_t expected; /* what it must hear */
    uint64_t received;
    uint64_t wrong;
};

struct generator {
    pthread_t thread;
    atomic_bool stop;
    atomic_bool counting;
    struct peer peers[PARTICIPANTS];
};

struct relay {
    pthread_t thread;
    atomic_bool stop;
    _Atomic uint64_t packets; /* in and out */
    clockid_t cpu;
    int epoll;
    int sockets[PARTICIPANTS];
};

static struct generator generator;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void sleep_ms(int ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    (void)nanosleep(&pause, NULL);
}

static int64_t cpu_us(clockid_t clock)
{
    struct timespec used;

    (void)clock_gettime(clock, &used);
    return used.tv_sec * INT64_C(1000000) + used.tv_nsec / 1000;
}

/* And schedules it as the engine's threads are. */
static void name_thread(pthread_t thread, const char *name)
{
    const struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_RR)};

    (void)pthread_setname_np(thread, name);
    (void)pthread_setschedparam(thread, SCHED_RR, &lowest);
}

static int open_socket(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int opened = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (opened < 0 || bind(opened, (struct sockaddr *)&address, size) != 0 ||
        getsockname(opened, (struct sockaddr *)&address, &size) != 0) {
        die("socket");
    }
    *ret_port = ntohs(address.sin_port);
    return opened;
}

static void connect_to(int socket, uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };

    if (connect(socket, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        die("connect");
    }
}

/* --- the generator: every participant says one byte over and over --- */

static void speak(struct peer *peer)
{
    uint8_t bytes[PACKET];
    const struct rtp_packet packet = {
        .sequence = peer->sequence++, .timestamp = peer->timestamp, .ssrc = 7};

    rtp_print_header(&packet, bytes);
    memset(bytes + RTP_HEADER_SIZE, peer->said, FRAME_SAMPLES);
    peer->timestamp += FRAME_SAMPLES;
    (void)send(peer->socket, bytes, sizeof(bytes), 0);
}

static void listen_to(struct peer *peer, bool counting)
{
    uint8_t bytes[PACKET + 1];

    while (recv(peer->socket, bytes, sizeof(bytes), 0) == PACKET) {
        if (counting) {
            peer->received++;
            peer->wrong +=
                bytes[RTP_HEADER_SIZE] != peer->expected ||
                memcmp(bytes + RTP_HEADER_SIZE, bytes + RTP_HEADER_SIZE + 1, FRAME_SAMPLES - 1) !=
                    0;
        }
    }
}

static void wait_for_next_step(struct timespec *due)
{
    due->tv_nsec += FRAME_US / PHASES * 1000L;
    if (due->tv_nsec >= 1000000000L) {
        due->tv_nsec -= 1000000000L;
        due->tv_sec++;
    }
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, due, NULL);
}

static void *generate(void *context)
{
    struct timespec due;

    (void)context;
    (void)clock_gettime(CLOCK_MONOTONIC, &due);
    for (unsigned step = 0; !atomic_load(&generator.stop); step++) {
        for (size_t i = step % PHASES; i < PARTICIPANTS; i += PHASES) {
            listen_to(&generator.peers[i], atomic_load(&generator.counting));
            speak(&generator.peers[i]);
        }
        wait_for_next_step(&due);
    }
    return NULL;
}

static void start_generator(void)
{
    for (size_t i = 0; i < PARTICIPANTS; i++) {
        generator.peers[i].received = 0;
        generator.peers[i].wrong = 0;
    }
    atomic_store(&generator.stop, false);
    atomic_store(&generator.counting, false);
    if (pthread_create(&generator.thread, NULL, generate, NULL) != 0) {
        die("thread");
    }
    name_thread(generator.thread, "generator");
    sleep_ms(WARM_UP_MS);
}

static void stop_generator(void)
{
    atomic_store(&generator.stop, true);
    (void)pthread_join(generator.thread, NULL);
    for (size_t i = 0; i < PARTICIPANTS; i++) {
        (void)close(generator.peers[i].socket);
    }
}

/* A participant is 50 packets in and 50 out a second. Counting the packets and not the seconds, a
 * machine that is too busy to send them all distorts nothing. */
static double participants_per_core(uint64_t packets, int64_t used_us)
{
    return (double)packets / (2.0 * 50.0) / ((double)used_us / 1e6);
}

static uint64_t heard_by_all(void)
{
    uint64_t received = 0;

    for (size_t i = 0; i < PARTICIPANTS; i++) {
        received += generator.peers[i].received;
    }
    return received;
}

/* The share of mixes in which somebody is missing. A packet that comes too late to be mixed has its
 * listeners hear less; on a machine that is busy otherwise there are some. */
static double share_of_wrong_mixes(void)
{
    uint64_t received = heard_by_all();
    uint64_t wrong = 0;

    for (size_t i = 0; i < PARTICIPANTS; i++) {
        wrong += generator.peers[i].wrong;
    }
    return received > 0 ? (double)wrong / (double)received : 1.0;
}

/* --- the bound --- */

/* Everything that has arrived. */
static void relay_all(struct relay *relay)
{
    struct epoll_event events[64];
    uint8_t bytes[2048];
    int count = 0;

    while ((count = epoll_wait(relay->epoll, events, 64, 0)) > 0) {
        for (int i = 0; i < count; i++) {
            size_t from = events[i].data.u64;
            ssize_t size = recv(relay->sockets[from], bytes, sizeof(bytes), 0);

            if (size > 0) {
                (void)send(relay->sockets[from ^ 1], bytes, (size_t)size, 0);
                atomic_store(&relay->packets, atomic_load(&relay->packets) + 2);
            }
        }
    }
}

/* Looks every 5 ms, as the engine does: to wake for each packet costs both a third more. */
static void *relay_packets(void *context)
{
    struct relay *relay = context;
    struct timespec due;

    (void)clock_gettime(CLOCK_MONOTONIC, &due);
    while (!atomic_load(&relay->stop)) {
        wait_for_next_step(&due);
        relay_all(relay);
    }
    return NULL;
}

static double measure_relay(void)
{
    struct relay *relay = mem_new(struct relay);

    relay->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < PARTICIPANTS; i++) {
        struct peer *peer = &generator.peers[i];
        struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = i}};
        uint16_t ours = 0;
        uint16_t theirs = 0;

        relay->sockets[i] = open_socket(&ours);
        peer->socket = open_socket(&theirs);
        connect_to(relay->sockets[i], theirs);
        connect_to(peer->socket, ours);
        (void)epoll_ctl(relay->epoll, EPOLL_CTL_ADD, relay->sockets[i], &event);
    }
    if (pthread_create(&relay->thread, NULL, relay_packets, relay) != 0 ||
        pthread_getcpuclockid(relay->thread, &relay->cpu) != 0) {
        die("thread");
    }
    name_thread(relay->thread, "relay");

    start_generator();
    int64_t used_us = cpu_us(relay->cpu);
    uint64_t packets = atomic_load(&relay->packets);

    sleep_ms(ROUND_MS);
    used_us = cpu_us(relay->cpu) - used_us;
    packets = atomic_load(&relay->packets) - packets;
    stop_generator();
    atomic_store(&relay->stop, true);
    (void)pthread_join(relay->thread, NULL);
    for (size_t i = 0; i < PARTICIPANTS; i++) {
        (void)close(relay->sockets[i]);
    }
    (void)close(relay->epoll);
    free(relay);
    return participants_per_core(packets, used_us);
}

/* --- the engine --- */

static void open_streams(struct media *media, uint64_t ids[PARTICIPANTS])
{
    struct error err;

    for (size_t i = 0; i < PARTICIPANTS; i++) {
        uint16_t ours = 0;
        struct media_remote remote = {
            .address = "127.0.0.1",
            .ptime_ms = 20,
            .event_payload_type = -1,
            .send = true,
            .receive = true,
        };

        generator.peers[i].socket = open_socket(&remote.port);
        if (!media_stream_open(media, &ids[i], &ours, &err) ||
            !media_stream_set_remote(media, ids[i], &remote, &err)) {
            (void)fprintf(stderr, "%s\n", err.message);
            exit(1);
        }
        connect_to(generator.peers[i].socket, ours);
    }
}

/* What a member of a room hears is the sum of what the others say. */
static void confer(struct media *media, const uint64_t ids[PARTICIPANTS])
{
    struct error err;

    for (size_t room = 0; room < PARTICIPANTS; room += ROOM) {
        struct media_member members[ROOM];
        int sum = 0;

        for (size_t i = 0; i < ROOM; i++) {
            members[i] = (struct media_member){
                .stream_id = ids[room + i], .hears = media_hears_others(i, ROOM)};
            generator.peers[room + i].said = (uint8_t)(0x90 + i * 9 + room % 7);
            sum += g711_ulaw_samples[generator.peers[room + i].said];
        }
        for (size_t i = 0; i < ROOM; i++) {
            struct peer *peer = &generator.peers[room + i];
            int16_t others = (int16_t)(sum - g711_ulaw_samples[peer->said]);

            g711_ulaw_encode(&others, 1, &peer->expected);
        }
        if (!media_conference_set_plan(media, media_conference_open(media), members, ROOM, &err)) {
            (void)fprintf(stderr, "%s\n", err.message);
            exit(1);
        }
    }
}

static uint64_t packets_of(struct media *media, const uint64_t ids[PARTICIPANTS])
{
    uint64_t packets = 0;

    for (size_t i = 0; i < PARTICIPANTS; i++) {
        struct media_statistics statistics = {.packets_in = 0};

        if (media_stream_get_statistics(media, ids[i], &statistics)) {
            packets += statistics.packets_in + statistics.packets_out;
        }
    }
    return packets;
}

static double measure_engine(double *ret_wrong)
{
    struct media_options options = media_default_options();
    struct media *media = NULL;
    struct media_load before;
    struct media_load after;
    uint64_t ids[PARTICIPANTS];
    struct error err;

    options.first_port = FIRST_PORT;
    options.last_port = UINT16_MAX;
    if (!media_start(&options, &media, &err)) {
        (void)fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    open_streams(media, ids);
    confer(media, ids);

    start_generator();
    uint64_t packets = packets_of(media, ids);

    media_get_load(media, &before);
    atomic_store(&generator.counting, true);
    sleep_ms(ROUND_MS);
    media_get_load(media, &after);
    packets = packets_of(media, ids) - packets;
    atomic_store(&generator.counting, false);
    stop_generator();
    media_stop(media);
    *ret_wrong = share_of_wrong_mixes();
    (void)fprintf(
        stderr,
        "# engine: %llu of %llu steps late, %llu frames skipped, %.1f %% of the mixes wrong\n",
        (unsigned long long)(after.late_ticks - before.late_ticks),
        (unsigned long long)(after.ticks - before.ticks),
        (unsigned long long)(after.skipped_frames - before.skipped_frames), *ret_wrong * 100);
    return participants_per_core(packets, after.cpu_us - before.cpu_us);
}

static void allow_many_sockets(void)
{
    struct rlimit files;

    (void)getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
}

int main(void)
{
    double bound = 0;
    double engine = 0;
    double least_wrong = 1;
    int good_rounds = 0;

    allow_many_sockets();
    for (int round = 0; round < ROUNDS_MAX && good_rounds < ROUNDS; round++) {
        double wrong = 1;
        double relayed = measure_relay();
        double mixed = measure_engine(&wrong);

        bound = relayed > bound ? relayed : bound;
        engine = mixed > engine ? mixed : engine;
        least_wrong = wrong < least_wrong ? wrong : least_wrong;
        good_rounds += wrong < disturbed;
    }
    if (least_wrong > disturbed) {
        (void)fprintf(
            stderr,
            "in the best round %.1f %% of the mixes were wrong: the engine mixes wrongly, or the "
            "machine is too busy to tell\n",
            least_wrong * 100);
        return 1;
    }
    printf("RESULT media_participants_per_core %.0f participants\n", engine);
    printf("RESULT media_participants_per_core.bound %.0f participants\n", bound);
    printf("RESULT media_participants_per_core.ratio %.3f ratio\n", engine / bound);
    return 0;
}
