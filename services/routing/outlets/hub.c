#include "services/routing/outlets/hub.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/rpc/payload.h"
#include "services/routing/operations/step.h"
#include "services/routing/outlets/link_wire.h"

enum {
    RING_PUBLICATIONS_BYTES =
        4 * 1024 * 1024, /* of one workspace; beyond it watchers read the store */
    TICK_US = 1000 * 1000
};

int topic_compare(struct topic *one, struct topic *other)
{
    return strcmp(one->workspace_id, other->workspace_id);
}

RB_GENERATE(topic_tree, topic, by_id, topic_compare)

int64_t hub_mono_us(const struct hub *hub)
{
    return clock_mono_us(hub->options.clock);
}

struct shards *hub_shards(struct hub *hub)
{
    return atomic_load(&hub->shards);
}

void hub_set_shards(struct hub *hub, struct shards *shards)
{
    atomic_store(&hub->shards, shards);
}

struct topic *hub_topic(struct hub *hub, const char *workspace_id)
{
    char *id = mem_strdup(workspace_id);
    struct topic key = {.workspace_id = id};
    struct topic *topic = RB_FIND(topic_tree, &hub->topics, &key);

    if (topic) {
        free(id);
        return topic;
    }
    topic = mem_new(struct topic);
    topic->workspace_id = id;
    TAILQ_INIT(&topic->ring);
    LIST_INIT(&topic->watches);
    LIST_INIT(&topic->sessions);
    RB_INSERT(topic_tree, &hub->topics, topic);
    return topic;
}

/* --- publications --- */

static void publication_free(struct publication *publication)
{
    rpc_payload_unref(publication->watch_payload);
    arena_free(publication->arena); /* the publication lives in it */
}

static void drop_oldest(struct topic *topic)
{
    struct publication *oldest = TAILQ_FIRST(&topic->ring);

    TAILQ_REMOVE(&topic->ring, oldest, by_age);
    topic->ring_bytes -= oldest->bytes;
    publication_free(oldest);
}

static void trim_ring(struct topic *topic)
{
    while (topic->ring_bytes > RING_PUBLICATIONS_BYTES) {
        drop_oldest(topic);
    }
}

static void run_publication(struct hub *hub, struct hub_message *message)
{
    struct publication *publication = (struct publication *)message;

    link_publish(hub, publication);
    if (publication->event_count == 0) {
        publication_free(publication);
        return;
    }

    struct topic *topic = hub_topic(hub, publication->workspace_id);

    TAILQ_INSERT_TAIL(&topic->ring, publication, by_age);
    topic->ring_bytes += publication->bytes;
    topic->newest_sequence = publication->events[publication->event_count - 1].sequence;
    watch_publish(hub, topic, publication);
    session_publish(hub, topic, publication);
    trim_ring(topic);
}

static const struct store_event *copy_events(
    struct publication *publication,
    const struct store_event *events)
{
    struct arena *arena = publication->arena;
    struct store_event *copies =
        arena_new_array(arena, struct store_event, publication->event_count);

    for (size_t i = 0; i < publication->event_count; i++) {
        copies[i] = (struct store_event){
            .workspace_id = publication->workspace_id,
            .sequence = events[i].sequence,
            .time_us = events[i].time_us,
            .type = arena_strdup(arena, events[i].type),
            .task_id = arena_strdup(arena, events[i].task_id),
            .worker_id = arena_strdup(arena, events[i].worker_id),
            .reservation_id = arena_strdup(arena, events[i].reservation_id),
            .payload = arena_dup(arena, events[i].payload, events[i].payload_size),
            .payload_size = events[i].payload_size,
        };
    }
    return copies;
}

void hub_publish(void *context, const struct step *step, const struct store_event *events)
{
    struct hub *hub = context;
    struct arena *arena = arena_new();
    struct publication *publication = arena_new_object(arena, struct publication);

    publication->message.run = run_publication;
    publication->arena = arena;
    publication->workspace_id = arena_strdup(arena, step->workspace_id);
    publication->event_count = step->event_count;
    publication->events = copy_events(publication, events);
    publication->effect_count = step->effect_count;
    publication->effects = effects_copy(arena, step->effects, step->effect_count);
    publication->bytes = arena_used(arena);
    hub_post(hub, &publication->message);
}

/* --- responses with packed events --- */

static void packed_reserve(struct packed_response *response, size_t more)
{
    if (response->size + more > response->capacity) {
        response->capacity = (response->size + more) * 2;
        response->bytes = mem_realloc_array(response->bytes, response->capacity, 1);
    }
}

/* Base 128, least significant group first. */
static void packed_varint(struct packed_response *response, uint64_t number)
{
    packed_reserve(response, 10);
    while (number >= 0x80) {
        response->bytes[response->size++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    response->bytes[response->size++] = (uint8_t)number;
}

void packed_add_event(
    struct packed_response *response,
    uint32_t field,
    const struct store_event *event)
{
    packed_varint(response, field << 3 | 2); /* wire type 2: length-delimited */
    packed_varint(response, event->payload_size);
    packed_reserve(response, event->payload_size);
    memcpy(response->bytes + response->size, event->payload, event->payload_size);
    response->size += event->payload_size;
}

void packed_add_number(struct packed_response *response, uint32_t field, int64_t number)
{
    packed_varint(response, field << 3); /* wire type 0: varint */
    packed_varint(response, (uint64_t)number);
}

struct rpc_payload *packed_finish(struct packed_response *response)
{
    struct rpc_payload *payload = rpc_payload_copy(response->bytes, response->size);

    free(response->bytes);
    *response = (struct packed_response){.bytes = NULL};
    return payload;
}

/* --- the thread --- */

void hub_post(struct hub *hub, struct hub_message *message)
{
    if (!mailbox_post(hub->mailbox, &message->node)) {
        abort(); /* hub_stop's contract: nobody posts any more */
    }
}

static void tick(struct hub *hub)
{
    struct topic *topic = NULL;

    RB_FOREACH(topic, topic_tree, &hub->topics)
    {
        watch_tick(hub, topic);
        session_tick(hub, topic);
    }
    link_tick(hub);
}

static void *hub_run(void *context)
{
    struct hub *hub = context;

    while (mailbox_wait(hub->mailbox, hub->next_tick_mono_us) != MAILBOX_CLOSED) {
        struct mailbox_node *node = mailbox_take_all(hub->mailbox);

        while (node) {
            struct hub_message *message = MAILBOX_MESSAGE(node, struct hub_message, node);

            node = node->next;
            message->run(hub, message);
        }
        if (hub_mono_us(hub) >= hub->next_tick_mono_us) {
            hub->next_tick_mono_us = hub_mono_us(hub) + TICK_US;
            tick(hub);
        }
    }
    return NULL;
}

struct hub *hub_start(const struct hub_options *options)
{
    struct hub *hub = mem_new(struct hub);

    hub->options = *options;
    hub->mailbox = mailbox_new();
    hub->links = link_hub_new();
    RB_INIT(&hub->topics);
    history_start(&hub->history, options->store);
    hub->next_tick_mono_us = hub_mono_us(hub) + TICK_US;
    if (pthread_create(&hub->thread, NULL, hub_run, hub) != 0) {
        abort(); /* nothing works without it */
    }
    return hub;
}

static void topic_free(struct topic *topic)
{
    while (!TAILQ_EMPTY(&topic->ring)) {
        drop_oldest(topic);
    }
    free(topic->workspace_id);
    free(topic);
}

struct hub *hub_stop(struct hub *hub)
{
    struct topic *topic = NULL;

    if (!hub) {
        return NULL;
    }

    history_stop(&hub->history);
    mailbox_close(hub->mailbox);
    pthread_join(hub->thread, NULL);
    while ((topic = RB_MIN(topic_tree, &hub->topics)) != NULL) {
        RB_REMOVE(topic_tree, &hub->topics, topic);
        topic_free(topic);
    }
    link_hub_free(hub->links);
    mailbox_free(hub->mailbox);
    free(hub);
    return NULL;
}
