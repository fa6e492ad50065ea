/* Messages from other threads: made there, with everything they point to, and freed where they are
 * taken. */
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "services/bridge/calls/state.h"

static struct message *message_new(enum message_kind kind)
{
    struct message *message = mem_new(struct message);

    message->kind = kind;
    return message;
}

struct message *message_free(struct message *message)
{
    if (message) {
        arena_free(message->arena);
        free(message);
    }
    return NULL;
}

/* Consumes the message. */
static void post(struct calls *calls, struct message *message)
{
    if (!mailbox_post(calls->mailbox, &message->node)) {
        message_free(message);
    }
}

void calls_post_instruction(struct calls *calls, const struct instruction *instruction)
{
    struct message *message = message_new(MESSAGE_INSTRUCTION);
    struct arena *arena = arena_new();

    message->arena = arena;
    message->instruction = (struct instruction){
        .kind = instruction->kind,
        .workspace_id = arena_strdup(arena, instruction->workspace_id),
        .call_id = arena_strdup(arena, instruction->call_id),
        .task_id = arena_strdup(arena, instruction->task_id),
        .reservation_id = arena_strdup(arena, instruction->reservation_id),
        .worker_id = arena_strdup(arena, instruction->worker_id),
        .contact_uri = arena_strdup(arena, instruction->contact_uri),
        .ring_timeout_us = instruction->ring_timeout_us,
        .reason = arena_strdup(arena, instruction->reason),
        .sip_status = instruction->sip_status,
    };
    post(calls, message);
}

static const struct trunk *copy_trunks(struct arena *arena, const struct telephony *telephony)
{
    struct trunk *trunks = arena_new_array(arena, struct trunk, telephony->trunk_count);

    for (size_t i = 0; i < telephony->trunk_count; i++) {
        const struct trunk *from = &telephony->trunks[i];
        const char **addresses = arena_new_array(arena, const char *, from->source_address_count);
        for (size_t j = 0; j < from->source_address_count; j++) {
            addresses[j] = arena_strdup(arena, from->source_addresses[j]);
        }
        trunks[i] = (struct trunk){
            .workspace_id = arena_strdup(arena, from->workspace_id),
            .id = arena_strdup(arena, from->id),
            .source_addresses = addresses,
            .source_address_count = from->source_address_count,
        };
    }
    return trunks;
}

static const struct inbound_route *copy_routes(
    struct arena *arena,
    const struct telephony *telephony)
{
    struct inbound_route *routes =
        arena_new_array(arena, struct inbound_route, telephony->route_count);

    for (size_t i = 0; i < telephony->route_count; i++) {
        const struct inbound_route *from = &telephony->routes[i];
        routes[i] = (struct inbound_route){
            .workspace_id = arena_strdup(arena, from->workspace_id),
            .id = arena_strdup(arena, from->id),
            .trunk_id = arena_strdup(arena, from->trunk_id),
            .called_number = arena_strdup(arena, from->called_number),
            .answer = from->answer,
        };
    }
    return routes;
}

void calls_post_telephony(struct calls *calls, const struct telephony *telephony)
{
    struct message *message = message_new(MESSAGE_TELEPHONY);
    struct arena *arena = arena_new();

    message->arena = arena;
    message->telephony = (struct telephony){
        .trunks = copy_trunks(arena, telephony),
        .trunk_count = telephony->trunk_count,
        .routes = copy_routes(arena, telephony),
        .route_count = telephony->route_count,
    };
    post(calls, message);
}

void calls_post_link_state(struct calls *calls, bool up)
{
    struct message *message = message_new(MESSAGE_LINK_STATE);

    message->up = up;
    post(calls, message);
}

void calls_handle_media(void *context, const struct media_event *event)
{
    struct message *message = message_new(MESSAGE_MEDIA);

    message->media = *event;
    post(context, message);
}

void calls_post_drain(struct calls *calls)
{
    post(calls, message_new(MESSAGE_DRAIN));
}

void calls_post_end_all(struct calls *calls, void (*on_idle)(void *context), void *context)
{
    struct message *message = message_new(MESSAGE_END_ALL);

    message->on_idle = on_idle;
    message->idle_context = context;
    post(calls, message);
}

void calls_post_query(struct calls *calls, const struct calls_query *query)
{
    struct message *message = message_new(MESSAGE_QUERY);

    message->arena = arena_new();
    message->query = *query;
    message->query.id = arena_strdup(message->arena, query->id);
    post(calls, message);
}
