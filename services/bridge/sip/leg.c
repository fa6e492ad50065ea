/* A leg's life, and how the owner hears of it. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "services/bridge/sip/stack.h"

enum {
    TIMER_RESOLUTION_US = 1000,
};

/* NOLINTBEGIN(readability-function-size): uthash's macros are long */

struct agent_leg *agent_leg_new(struct agent *agent, int64_t id, enum leg_phase phase)
{
    struct agent_leg *leg = mem_new(struct agent_leg);

    leg->agent = agent;
    leg->id = id;
    leg->phase = phase;
    leg->contact = agent->contact;
    HASH_ADD(by_id, agent->legs_by_id, id, sizeof(leg->id), leg);
    TAILQ_INSERT_TAIL(&agent->legs, leg, link);
    agent->live_count++;
    agent->busy_count++;
    agent->leg_count++;
    return leg;
}

struct agent_leg *agent_leg_find(const struct agent *agent, int64_t id)
{
    struct agent_leg *leg;

    HASH_FIND(by_id, agent->legs_by_id, &id, sizeof(id), leg);
    return leg;
}

void agent_leg_forget(struct agent_leg *leg)
{
    if (leg->over) {
        return;
    }
    HASH_DELETE(by_id, leg->agent->legs_by_id, leg);
    leg->agent->live_count--;
    leg->over = true;
}

/* NOLINTEND(readability-function-size) */

void agent_leg_stop_timer(struct agent_leg *leg)
{
    if (leg->timer) {
        (void)su_timer_reset(leg->timer);
    }
}

void agent_leg_set_timer(struct agent_leg *leg, int64_t after_us, su_timer_f when_due)
{
    su_duration_t after_ms = (su_duration_t)(after_us / TIMER_RESOLUTION_US) + 1;

    if (!leg->timer) {
        leg->timer = su_timer_create(su_root_task(leg->agent->root), 0);
    }
    (void)su_timer_set_interval(leg->timer, when_due, leg, after_ms);
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macros are long */
static void die(struct agent_leg *leg)
{
    struct agent *agent = leg->agent;

    if (leg->merge_key) {
        HASH_DELETE(by_merge_key, agent->legs_by_merge_key, leg);
        free(leg->merge_key);
        leg->merge_key = NULL;
    }
    agent->leg_count--;
    TAILQ_REMOVE(&agent->legs, leg, link);
    TAILQ_INSERT_TAIL(&agent->dead, leg, link);
}

static void handle_memory_over(struct agent *agent, su_timer_t *timer, struct agent_leg *leg)
{
    (void)agent;
    (void)timer;
    die(leg);
}

/* Each of these leaves the transaction to the library, which finishes it alone and frees it. The
 * client transactions come last: destroying one may free the message that is being handled. */
static void let_go(struct agent_leg *leg)
{
    if (leg->waiting) {
        nta_msg_discard(leg->agent->nta, leg->waiting);
        leg->waiting = NULL;
    }
    nta_incoming_destroy(leg->invite);
    nta_incoming_destroy(leg->change);
    nta_leg_destroy(leg->dialog);
    nta_outgoing_destroy(leg->bye);
    nta_outgoing_destroy(leg->dial);
    leg->invite = NULL;
    leg->change = NULL;
    leg->dialog = NULL;
    leg->bye = NULL;
    leg->dial = NULL;
    free(leg->bye_reason);
    leg->bye_reason = NULL;
}

void agent_leg_end(struct agent_leg *leg)
{
    if (leg->phase == LEG_ENDED) {
        return;
    }
    agent_leg_forget(leg);
    agent_leg_stop_timer(leg);
    leg->phase = LEG_ENDED;
    leg->agent->busy_count--;
    let_go(leg);
    if (leg->merge_key) {
        /* RFC 3261, 17.2.1: as long as a copy of the INVITE may still be on its way. */
        agent_leg_set_timer(leg, 64 * leg->agent->t1_us, handle_memory_over);
    } else {
        die(leg);
    }
}

void agent_free_dead_legs(struct agent *agent)
{
    struct agent_leg *leg;
    struct agent_leg *next;

    TAILQ_FOREACH_SAFE(leg, &agent->dead, link, next)
    {
        su_timer_destroy(leg->timer);
        free(leg);
    }
    TAILQ_INIT(&agent->dead);
}

void agent_free_all_legs(struct agent *agent)
{
    struct agent_leg *leg;
    struct agent_leg *next;

    TAILQ_FOREACH_SAFE(leg, &agent->legs, link, next)
    {
        bool remembered = leg->phase == LEG_ENDED || leg->merge_key;

        agent_leg_end(leg);
        if (remembered) {
            die(leg);
        }
    }
    agent_free_dead_legs(agent);
}

/* Only events that end a leg, or say as little, are caused by commands. */
static void keep_for_later(struct agent *agent, const struct signalling_event *event)
{
    struct agent_news *news = mem_new(struct agent_news);

    assert(!event->description);
    news->kind = event->kind;
    news->leg = event->leg;
    news->status = event->status;
    (void)snprintf(news->phrase, sizeof(news->phrase), "%s", event->phrase ? event->phrase : "");
    STAILQ_INSERT_TAIL(&agent->news, news, link);
}

void agent_tell_news(struct agent *agent)
{
    struct agent_news *news;

    while ((news = STAILQ_FIRST(&agent->news))) {
        struct signalling_event event = {
            .kind = news->kind,
            .leg = news->leg,
            .status = news->status,
            .phrase = news->phrase,
        };

        STAILQ_REMOVE_HEAD(&agent->news, link);
        if (!agent->deaf) {
            agent->owner.handle_event(agent->owner.context, &event);
        }
        free(news);
    }
}

void agent_emit(struct agent *agent, const struct signalling_event *event)
{
    if (agent->commands_running > 0) {
        keep_for_later(agent, event);
        return;
    }
    agent_tell_news(agent);
    if (!agent->deaf) {
        agent->owner.handle_event(agent->owner.context, event);
    }
}

void agent_emit_end(
    struct agent_leg *leg,
    enum signalling_event_kind kind,
    int status,
    const char *phrase)
{
    struct signalling_event event = {
        .kind = kind,
        .leg = leg->id,
        .status = status,
        .phrase = phrase ? phrase : "",
    };

    if (!leg->over) {
        agent_leg_forget(leg);
        agent_emit(leg->agent, &event);
    }
}
