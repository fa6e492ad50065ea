/* Carries effects out: signalling, media, link, log. */
#include <assert.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "services/bridge/calls/state.h"

static void open_stream(struct calls *calls, struct step *step, int64_t leg)
{
    struct error err;
    uint64_t stream = 0;
    uint16_t port = 0;

    if (!media_stream_open(calls->peers.media, &stream, &port, &err)) {
        calls_note_media_failure(calls, "open_stream", &err);
        bridge_stream_refused(calls->bridge, step, leg);
        return;
    }
    media_names_add(&calls->streams, leg, stream);
    bridge_stream_opened(calls->bridge, step, leg, port);
}

static void close_stream(struct calls *calls, int64_t leg, uint64_t stream)
{
    media_stream_close(calls->peers.media, stream);
    media_names_remove(&calls->streams, leg);
}

static void set_remote(
    const struct calls *calls,
    uint64_t stream,
    const struct agreed_media *agreed)
{
    struct error err;
    const struct media_remote remote = {
        .address = agreed->address,
        .port = (uint16_t)agreed->port,
        .codec = agreed->codec == CODEC_PCMU ? MEDIA_PCMU : MEDIA_PCMA,
        .payload_type = (uint8_t)agreed->payload_type,
        .event_payload_type = agreed->telephone_event_payload_type,
        .ptime_ms = (uint16_t)agreed->ptime_ms,
        .send = agreed->send,
        .receive = agreed->receive,
    };

    if (!media_stream_set_remote(calls->peers.media, stream, &remote, &err)) {
        calls_note_media_failure(calls, "set_remote", &err);
    }
}

static void play(const struct calls *calls, uint64_t stream)
{
    struct error err;

    if (calls->peers.wait_audio &&
        !media_stream_play(calls->peers.media, stream, calls->peers.wait_audio, true, &err)) {
        calls_note_media_failure(calls, "play", &err);
    }
}

static void carry_out_stream(struct calls *calls, const struct effect *effect)
{
    uint64_t stream = 0;

    if (!media_names_find(calls->streams, effect->leg, &stream)) {
        return;
    }
    if (effect->kind == EFFECT_SET_REMOTE) {
        set_remote(calls, stream, &effect->agreed);
    } else if (effect->kind == EFFECT_PLAY_WAIT_AUDIO) {
        play(calls, stream);
    } else if (effect->kind == EFFECT_STOP_PLAYING) {
        media_stream_stop_playing(calls->peers.media, stream);
    } else {
        close_stream(calls, effect->leg, stream);
    }
}

static void set_plan(struct calls *calls, const struct effect *effect, uint64_t conference)
{
    struct error err;
    struct media_member members[MEDIA_MEMBERS_MAX] = {{0}};
    size_t count = effect->member_count;

    assert(count <= MEDIA_MEMBERS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!media_names_find(calls->streams, effect->members[i].leg, &members[i].stream_id)) {
            return;
        }
        members[i].hears = effect->members[i].hears;
    }
    if (!media_conference_set_plan(calls->peers.media, conference, members, count, &err)) {
        calls_note_media_failure(calls, "set_plan", &err);
    }
}

static void carry_out_conference(struct calls *calls, const struct effect *effect)
{
    uint64_t conference = 0;

    if (effect->kind == EFFECT_OPEN_CONFERENCE) {
        conference = media_conference_open(calls->peers.media);
        media_names_add(&calls->conferences, effect->conference, conference);
        return;
    }
    if (!media_names_find(calls->conferences, effect->conference, &conference)) {
        return;
    }
    if (effect->kind == EFFECT_SET_PLAN) {
        set_plan(calls, effect, conference);
    } else {
        media_conference_close(calls->peers.media, conference);
        media_names_remove(&calls->conferences, effect->conference);
    }
}

static void carry_out_signalling(const struct calls *calls, const struct effect *effect)
{
    const struct signalling_commands *commands = calls->peers.signalling;
    void *sip = calls->peers.sip;

    if (effect->kind == EFFECT_PROGRESS) {
        commands->progress(sip, effect->leg, effect->status, effect->description);
    } else if (effect->kind == EFFECT_ANSWER) {
        commands->answer(sip, effect->leg, effect->description);
    } else if (effect->kind == EFFECT_REFUSE) {
        commands->refuse(sip, effect->leg, &effect->reason);
    } else if (effect->kind == EFFECT_DIAL) {
        commands->dial(sip, &effect->dial);
    } else if (effect->kind == EFFECT_CANCEL) {
        commands->cancel(sip, effect->leg, &effect->reason);
    } else if (effect->kind == EFFECT_HANG_UP) {
        commands->hang_up(sip, effect->leg, &effect->reason);
    } else {
        commands->answer_reoffer(sip, effect->leg, effect->status, effect->description);
    }
}

static void carry_out(struct calls *calls, struct step *step, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_OPEN_STREAM:
        open_stream(calls, step, effect->leg);
        break;
    case EFFECT_SET_REMOTE:
    case EFFECT_PLAY_WAIT_AUDIO:
    case EFFECT_STOP_PLAYING:
    case EFFECT_CLOSE_STREAM:
        carry_out_stream(calls, effect);
        break;
    case EFFECT_OPEN_CONFERENCE:
    case EFFECT_SET_PLAN:
    case EFFECT_CLOSE_CONFERENCE:
        carry_out_conference(calls, effect);
        break;
    case EFFECT_PROGRESS:
    case EFFECT_ANSWER:
    case EFFECT_REFUSE:
    case EFFECT_DIAL:
    case EFFECT_CANCEL:
    case EFFECT_HANG_UP:
    case EFFECT_ANSWER_REOFFER:
        carry_out_signalling(calls, effect);
        break;
    case EFFECT_REPORT:
        calls->peers.link_commands->report(calls->peers.link, &effect->report);
        break;
    case EFFECT_NOTE:
        calls_take_note(calls, &effect->note);
        break;
    }
}

void calls_carry_out(struct calls *calls, struct step *step)
{
    /* An effect may append others: its answer is the next operation. */
    for (const struct effect *effect = step->first; effect; effect = effect->next) {
        carry_out(calls, step, effect);
    }
}
