/* rtp_party: one party's voice and ears as a program, for stories whose SIP is somebody else's.
 *
 *     rtp_party --port 40000 --tone 440 --hear 1000 --not 440 --seconds 20 --record heard.wav
 *
 * --voice sounds like speech of that pitch, which --hear finds like a tone. Answers to where it
 * first hears something from, unless --to names a peer. Prints `port=N` when it is ready, `heard
 * hz=H level=L after_ms=T` when a tone is first heard, and what it counted at the end, which is
 * after --seconds, on SIGTERM or SIGINT, or with --until-heard once all tones of
 * --hear were heard. Exit code 0: all of --hear were heard and none of --not; 1: not so; 2: usage.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock/clock.h"
#include "common/error/error.h"
#include "services/bridge/media/prompt.h"
#include "tests/support/rtp_party.h"

enum {
    TONES_MAX = 8,
    LOOK_MS = 20,
};

struct tone {
    double hz;
    bool wanted; /* else it must not be heard */
    bool heard;
};

struct orders {
    struct rtp_party_options party;
    char to[64];
    uint16_t to_port;
    const char *record;
    const char *dial;
    double level_dbfs;
    double seconds;
    bool until_heard;
    size_t tone_count;
    struct tone tones[TONES_MAX];
};

static volatile sig_atomic_t ended;

static void end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static void usage(const char *problem, const char *value)
{
    (void)fprintf(
        stderr,
        "rtp_party: %s %s\n"
        "  --bind ADDRESS  --port PORT  --to ADDRESS:PORT  --law ulaw|alaw  --seconds N\n"
        "  --tone HZ | --voice HZ | --speech FILE | --mute  --dial DIGITS\n"
        "  --hear HZ ...  --not HZ ...  --level DBFS  --until-heard  --record FILE\n",
        problem, value);
    exit(2);
}

static double number(const char *text)
{
    char *rest = NULL;
    double value = strtod(text, &rest);

    if (rest == text || *rest != '\0') {
        usage("not a number:", text);
    }
    return value;
}

static uint16_t port_number(const char *text)
{
    double value = number(text);

    if (value < 0 || value > UINT16_MAX) {
        usage("not a port:", text);
    }
    return (uint16_t)value;
}

static void add_tone(struct orders *orders, const char *text, bool wanted)
{
    if (orders->tone_count == TONES_MAX) {
        usage("too many tones:", text);
    }
    orders->tones[orders->tone_count++] = (struct tone){.hz = number(text), .wanted = wanted};
}

static void set_peer(struct orders *orders, const char *text)
{
    const char *colon = strrchr(text, ':');

    if (!colon || (size_t)(colon - text) >= sizeof(orders->to)) {
        usage("not ADDRESS:PORT:", text);
        return;
    }
    memcpy(orders->to, text, (size_t)(colon - text));
    orders->to_port = port_number(colon + 1);
}

static void set_law(struct orders *orders, const char *text)
{
    if (strcmp(text, "alaw") == 0) {
        orders->party.codec = MEDIA_PCMA;
        orders->party.payload_type = 8;
    } else if (strcmp(text, "ulaw") != 0) {
        usage("not a law:", text);
    }
}

static void load_speech(struct orders *orders, const char *path)
{
    struct error err;

    if (!media_prompt_load(path, &orders->party.speech, &err)) {
        usage("--speech", err.message);
    }
}

static const struct option names[] = {
    {"bind",        required_argument, NULL, 'b'},
    {"dial",        required_argument, NULL, 'd'},
    {"hear",        required_argument, NULL, 'h'},
    {"law",         required_argument, NULL, 'a'},
    {"level",       required_argument, NULL, 'l'},
    {"mute",        no_argument,       NULL, 'm'},
    {"not",         required_argument, NULL, 'n'},
    {"port",        required_argument, NULL, 'p'},
    {"record",      required_argument, NULL, 'r'},
    {"seconds",     required_argument, NULL, 's'},
    {"speech",      required_argument, NULL, 'f'},
    {"to",          required_argument, NULL, 't'},
    {"tone",        required_argument, NULL, 'o'},
    {"until-heard", no_argument,       NULL, 'u'},
    {"voice",       required_argument, NULL, 'v'},
    {NULL,          0,                 NULL, 0  },
};

/* Options about what it says. False: not one of them. */
static bool take_voice_option(struct orders *orders, int option)
{
    switch (option) {
    case 'a':
        set_law(orders, optarg);
        return true;
    case 'd':
        orders->dial = optarg;
        return true;
    case 'f':
        load_speech(orders, optarg);
        return true;
    case 'm':
        orders->party.mute = true;
        return true;
    case 'o':
        orders->party.tone_hz = number(optarg);
        return true;
    case 'v':
        orders->party.tone_hz = number(optarg);
        orders->party.voice = true;
        return true;
    default:
        return false;
    }
}

static bool take_ear_option(struct orders *orders, int option)
{
    switch (option) {
    case 'h':
        add_tone(orders, optarg, true);
        return true;
    case 'l':
        orders->level_dbfs = number(optarg);
        return true;
    case 'n':
        add_tone(orders, optarg, false);
        return true;
    case 'r':
        orders->record = optarg;
        return true;
    case 'u':
        orders->until_heard = true;
        return true;
    default:
        return false;
    }
}

static void take_place_option(struct orders *orders, int option)
{
    switch (option) {
    case 'b':
        orders->party.address = optarg;
        return;
    case 'p':
        orders->party.port = port_number(optarg);
        return;
    case 's':
        orders->seconds = number(optarg);
        return;
    case 't':
        set_peer(orders, optarg);
        return;
    default:
        usage("see above", "");
    }
}

static void parse(int argc, char **argv, struct orders *orders)
{
    int option = 0;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread so far */
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (!take_voice_option(orders, option) && !take_ear_option(orders, option)) {
            take_place_option(orders, option);
        }
    }
    if (optind < argc) {
        usage("not an option:", argv[optind]);
    }
}

/* Looks whether one of the tones is heard now. Returns whether all wanted ones have been. */
static bool listen_for_tones(struct rtp_party *party, struct orders *orders, int64_t start_us)
{
    bool all = true;

    for (size_t i = 0; i < orders->tone_count; i++) {
        struct tone *tone = &orders->tones[i];
        double level = tone->heard ? 0 : rtp_party_level(party, tone->hz);

        if (!tone->heard && level >= orders->level_dbfs) {
            tone->heard = true;
            printf(
                "heard hz=%g level=%.1f after_ms=%lld\n", tone->hz, level,
                (long long)(clock_mono_us(clock_system()) - start_us) / 1000);
        }
        all = all && (tone->heard || !tone->wanted);
    }
    return all;
}

static bool as_ordered(const struct orders *orders)
{
    bool fine = true;

    for (size_t i = 0; i < orders->tone_count; i++) {
        const struct tone *tone = &orders->tones[i];

        if (tone->heard != tone->wanted) {
            printf("%s hz=%g\n", tone->wanted ? "missed" : "unwanted", tone->hz);
            fine = false;
        }
    }
    return fine;
}

static void print_report(struct rtp_party *party)
{
    struct rtp_party_report report;

    rtp_party_get_report(party, &report);
    printf(
        "packets_in=%llu packets_out=%llu missing=%llu out_of_order=%llu sources=%llu "
        "heard_ms=%lld longest_gap_ms=%lld digits=%s\n",
        (unsigned long long)report.packets_in, (unsigned long long)report.packets_out,
        (unsigned long long)report.missing, (unsigned long long)report.out_of_order,
        (unsigned long long)report.sources, (long long)report.heard_ms,
        (long long)report.longest_gap_us / 1000, report.digits);
}

static void talk(struct rtp_party *party, struct orders *orders)
{
    const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
    int64_t start_us = clock_mono_us(clock_system());
    bool heard_all = false;

    while (!ended && !(heard_all && orders->until_heard) &&
           (double)(clock_mono_us(clock_system()) - start_us) < orders->seconds * 1e6) {
        (void)nanosleep(&look, NULL);
        heard_all = listen_for_tones(party, orders, start_us);
    }
}

int main(int argc, char **argv)
{
    const struct sigaction on_end = {.sa_handler = end};
    struct orders orders = {.level_dbfs = -30, .seconds = 60, .dial = ""};

    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    parse(argc, argv, &orders);
    (void)sigaction(SIGTERM, &on_end, NULL);
    (void)sigaction(SIGINT, &on_end, NULL);

    struct rtp_stage *stage = rtp_stage_start();
    struct rtp_party *party = rtp_party_open(stage, &orders.party);

    printf("port=%u\n", rtp_party_port(party));
    if (orders.to_port != 0) {
        rtp_party_call(party, orders.to, orders.to_port);
    }
    for (const char *digit = orders.dial; *digit != '\0'; digit++) {
        rtp_party_dial(party, *digit, 100);
    }
    talk(party, &orders);

    bool fine = as_ordered(&orders);

    print_report(party);
    if (orders.record && !rtp_party_save(party, orders.record)) {
        (void)fprintf(stderr, "rtp_party: cannot write %s\n", orders.record);
        fine = false;
    }
    rtp_stage_stop(stage);
    media_prompt_unref(orders.party.speech);
    return fine ? 0 : 1;
}
