/* Neighbours that write down what they are told. */
#include "tests/unit/bridge/calls/fakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/error/error.h"

static struct {
    char told[16384];
    char returned[16384];
    char call_id[UUID_TEXT_SIZE];
    uint64_t stream_count;
    int open_streams;
    bool exhausted;
} fakes;

#define TELL(...) tell(mem_printf(__VA_ARGS__))

/* Consumes the text. */
static void tell(char *text)
{
    size_t used = strlen(fakes.told);

    (void)snprintf(fakes.told + used, sizeof(fakes.told) - used, "%s", text);
    free(text);
}

const char *fakes_told(void)
{
    memcpy(fakes.returned, fakes.told, sizeof(fakes.told));
    fakes.told[0] = '\0';
    return fakes.returned;
}

void fakes_reset(void)
{
    memset(&fakes, 0, sizeof(fakes));
}

void fakes_exhaust_ports(void)
{
    fakes.exhausted = true;
}

int fakes_open_streams(void)
{
    return fakes.open_streams;
}

struct media *fakes_media(void)
{
    return (struct media *)&fakes;
}

const char *fakes_call_id(void)
{
    return fakes.call_id;
}

/* The caller's legs count from a high number. */
static int short_number(int64_t leg)
{
    return (int)(leg >= SIGNALLING_FIRST_INBOUND_LEG ? leg - SIGNALLING_FIRST_INBOUND_LEG : leg);
}

static const char *side(int64_t leg)
{
    return leg >= SIGNALLING_FIRST_INBOUND_LEG ? "in" : "out";
}

static void progress(
    void *sip,
    int64_t leg,
    int status,
    const struct session_description *description)
{
    (void)sip;
    (void)description;
    TELL("progress %s%d %d\n", side(leg), short_number(leg), status);
}

static void answer(void *sip, int64_t leg, const struct session_description *description)
{
    (void)sip;
    TELL("answer %s%d port %d\n", side(leg), short_number(leg), description->port);
}

static void refuse(void *sip, int64_t leg, const struct signalling_reason *reason)
{
    (void)sip;
    TELL("refuse %s%d %d\n", side(leg), short_number(leg), reason->status);
}

static void dial(void *sip, const struct signalling_dial *dial)
{
    (void)sip;
    TELL("dial out%d %s\n", short_number(dial->leg), dial->to_uri);
}

static void cancel(void *sip, int64_t leg, const struct signalling_reason *reason)
{
    (void)sip;
    (void)reason;
    TELL("cancel %s%d\n", side(leg), short_number(leg));
}

static void hang_up(void *sip, int64_t leg, const struct signalling_reason *reason)
{
    (void)sip;
    (void)reason;
    TELL("hang_up %s%d\n", side(leg), short_number(leg));
}

static void answer_reoffer(
    void *sip,
    int64_t leg,
    int status,
    const struct session_description *description)
{
    (void)sip;
    (void)description;
    TELL("answer_reoffer %s%d %d\n", side(leg), short_number(leg), status);
}

const struct signalling_commands fake_signalling = {
    .progress = progress,
    .answer = answer,
    .refuse = refuse,
    .dial = dial,
    .cancel = cancel,
    .hang_up = hang_up,
    .answer_reoffer = answer_reoffer,
};

static void report(void *link, const struct report *said)
{
    (void)link;
    TELL("report %d %s\n", (int)said->kind, said->cause);
    if (said->kind == REPORT_ENQUEUE_CALL) {
        (void)snprintf(fakes.call_id, sizeof(fakes.call_id), "%s", said->call_id);
    }
}

const struct link_commands fake_link = {.report = report};

/* The media engine. */

bool media_stream_open(
    struct media *media,
    uint64_t *ret_stream_id,
    uint16_t *ret_port,
    struct error *err)
{
    (void)media;
    if (fakes.exhausted) {
        return FAIL(err, REASON_MEDIA_PORTS_EXHAUSTED, "no port is left");
    }
    *ret_stream_id = 100 + ++fakes.stream_count;
    *ret_port = (uint16_t)(20000 + 2 * fakes.stream_count);
    fakes.open_streams++;
    TELL("open %d\n", (int)*ret_stream_id);
    return true;
}

bool media_stream_set_remote(
    struct media *media,
    uint64_t stream_id,
    const struct media_remote *remote,
    struct error *err)
{
    (void)media;
    (void)err;
    TELL(
        "remote %d %s:%d %s%s%s\n", (int)stream_id, remote->address, remote->port,
        remote->codec == MEDIA_PCMU ? "pcmu" : "pcma", remote->send ? " send" : "",
        remote->receive ? " receive" : "");
    return true;
}

bool media_stream_play(
    struct media *media,
    uint64_t stream_id,
    struct media_prompt *prompt,
    bool loop,
    struct error *err)
{
    (void)media;
    (void)prompt;
    (void)err;
    TELL("play %d%s\n", (int)stream_id, loop ? " loop" : "");
    return true;
}

void media_stream_stop_playing(struct media *media, uint64_t stream_id)
{
    (void)media;
    TELL("stop %d\n", (int)stream_id);
}

bool media_stream_get_statistics(
    struct media *media,
    uint64_t stream_id,
    struct media_statistics *ret_statistics)
{
    (void)media;
    *ret_statistics = (struct media_statistics){.packets_in = stream_id};
    return true;
}

void media_stream_close(struct media *media, uint64_t stream_id)
{
    (void)media;
    fakes.open_streams--;
    TELL("close %d\n", (int)stream_id);
}

uint64_t media_conference_open(struct media *media)
{
    (void)media;
    TELL("conference open\n");
    return 900;
}

bool media_conference_set_plan(
    struct media *media,
    uint64_t conference_id,
    const struct media_member *members,
    size_t count,
    struct error *err)
{
    (void)media;
    (void)err;
    TELL("plan %d", (int)conference_id);
    for (size_t i = 0; i < count; i++) {
        TELL(" %d:%x", (int)members[i].stream_id, (unsigned)members[i].hears);
    }
    TELL("\n");
    return true;
}

void media_conference_close(struct media *media, uint64_t conference_id)
{
    (void)media;
    TELL("conference %d close\n", (int)conference_id);
}

void media_get_load(struct media *media, struct media_load *ret_load)
{
    (void)media;
    *ret_load = (struct media_load){0};
}
