/* Offer and answer on one leg, and what the media is told of it. */
#include <string.h>

#include "common/base/arena.h"
#include "services/bridge/operations/state.h"
#include "services/bridge/operations/step.h"

enum {
    ANY_PORT = 9 /* the discard port, where no port is opened yet */
};

static const enum codec preferences[CODEC_COUNT][CODEC_COUNT] = {
    [CODEC_PCMU] = {CODEC_PCMU, CODEC_PCMA},
    [CODEC_PCMA] = {CODEC_PCMA, CODEC_PCMU},
};

static struct local_media local_media(const struct leg *leg, enum codec first)
{
    return (struct local_media){
        .session_id = leg->session_id,
        .address = leg->media_address,
        .port = leg->media_port,
        .codecs = preferences[first],
        .codec_count = CODEC_COUNT,
    };
}

static const struct session_description *previous(const struct leg *leg)
{
    return leg->local.session_id != 0 ? &leg->local : NULL;
}

/* Our sockets are of one family. */
static bool same_family(const char *a, const char *b)
{
    return (strchr(a, ':') != NULL) == (strchr(b, ':') != NULL);
}

bool session_acceptable(const char *media_address, const struct session_description *offer)
{
    const struct local_media anywhere = {
        .session_id = 1,
        .address = "127.0.0.1",
        .port = ANY_PORT,
        .codecs = preferences[CODEC_PCMA],
        .codec_count = CODEC_COUNT,
    };
    struct session_description answer;

    return same_family(media_address, offer->address) &&
           answer_make(&anywhere, offer, NULL, &answer) == ANSWER_MADE;
}

/* Has the media follow what both sides said; false when that does not fit together. */
static bool agree(struct step *step, struct leg *leg, bool we_offered)
{
    struct agreed_media agreed;

    if (!offer_answer_agree(&leg->local, &leg->remote, we_offered, &agreed) ||
        (agreed.send && !same_family(leg->media_address, agreed.address))) {
        return false;
    }
    leg->agreed = true;
    leg->codec = agreed.codec;
    agreed.address = arena_strdup(step->arena, agreed.address);
    step_emit(step, EFFECT_SET_REMOTE, leg)->agreed = agreed;
    return true;
}

bool session_answer(struct step *step, struct leg *leg, const struct session_description *offer)
{
    struct local_media local = local_media(leg, CODEC_PCMA);
    struct session_description old_local = leg->local;
    struct session_description old_remote = leg->remote;
    struct session_description answer;

    if (answer_make(&local, offer, previous(leg), &answer) != ANSWER_MADE) {
        return false;
    }
    leg->local = answer;
    leg->remote = *offer;
    if (!agree(step, leg, false)) {
        leg->local = old_local;
        leg->remote = old_remote;
        return false;
    }
    return true;
}

void session_offer(struct leg *leg, enum codec first)
{
    struct local_media local = local_media(leg, first);
    struct session_description offer;

    offer_make(&local, previous(leg), &offer);
    leg->local = offer;
}

bool session_take_answer(
    struct step *step,
    struct leg *leg,
    const struct session_description *answer)
{
    leg->remote = *answer;
    return agree(step, leg, true);
}
