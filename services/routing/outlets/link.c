/* The bridge link, routing's end: bridges attach, their reports become commands, instructions go
 * out after the commit that made them. A bridge that has been silent for longer than its lease is
 * lost.
 *
 * On hello each workspace is attached by a command of its own. Until the engine has run it nothing
 * of that workspace goes to the bridge: the attachment sends again, in order, what was not
 * acknowledged, and a newer instruction must not overtake it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/base/text_set.h"
#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/rpc/method.h"
#include "common/rpc/stream.h"
#include "cordboard/routing/v1/bridge_link_service.pb-c.h"
#include "services/routing/operations/operations.h"
#include "services/routing/operations/requests.h"
#include "services/routing/operations/step.h"
#include "services/routing/outlets/hub.h"
#include "services/routing/outlets/link_wire.h"
#include "services/routing/shard/shard.h"
#include "services/routing/wire/name.h"
#include "services/routing/wire/time.h"

enum {
    HEARTBEATS_PER_LEASE = 3
};

/* One attachment: a stream. */
struct link {
    struct hub *hub;
    struct rpc_stream *stream; /* a reference of ours */
    _Atomic size_t holders;    /* the hub until closed, and each command under way */
    _Atomic int64_t last_heard_mono_us;
    bool greeted; /* hello was read; on the stream's loop */
    bool closed;  /* hub's thread, from here on */
    int64_t last_sent_mono_us;
    struct arena *hello_arena;
    const struct link_hello *hello;
    size_t attaching; /* attach commands not answered yet */
};

/* Something about one link for the hub. */
struct link_message {
    struct hub_message message;
    struct link *link;
};

/* A bridge that attached once, by its id. */
struct peer {
    char *bridge_id;
    struct link *link; /* NULL while it is away */
    bool lost;
    int64_t last_heard_mono_us; /* once it is away */
    struct text_set pending;    /* workspaces whose attachment is under way */
    LIST_ENTRY(peer) by_hub;
};

LIST_HEAD(peer_list, peer);

/* A handful: looked through from the start. */
struct link_hub {
    struct peer_list peers;
};

struct link_hub *link_hub_new(void)
{
    return mem_new(struct link_hub);
}

struct link_hub *link_hub_free(struct link_hub *links)
{
    struct peer *peer = NULL;

    while (!LIST_EMPTY(&links->peers)) {
        peer = LIST_FIRST(&links->peers);
        LIST_REMOVE(peer, by_hub);
        text_set_clear(&peer->pending);
        free(peer->bridge_id);
        free(peer);
    }
    free(links);
    return NULL;
}

static struct peer *find_peer(const struct link_hub *links, const char *bridge_id)
{
    struct peer *peer = NULL;

    LIST_FOREACH(peer, &links->peers, by_hub)
    {
        if (strcmp(peer->bridge_id, bridge_id) == 0) {
            break;
        }
    }
    return peer;
}

static struct peer *obtain_peer(struct link_hub *links, const char *bridge_id)
{
    struct peer *peer = find_peer(links, bridge_id);

    if (!peer) {
        peer = mem_new(struct peer);
        peer->bridge_id = mem_strdup(bridge_id);
        LIST_INSERT_HEAD(&links->peers, peer, by_hub);
    }
    return peer;
}

static void release(struct link *link)
{
    if (atomic_fetch_sub(&link->holders, 1) > 1) {
        return;
    }
    rpc_stream_unref(link->stream);
    arena_free(link->hello_arena);
    free(link);
}

static void send_message(struct link *link, const ProtobufCMessage *message)
{
    (void)rpc_stream_send_message(link->stream, message);
    link->last_sent_mono_us = hub_mono_us(link->hub);
}

/* --- commands --- */

/* A command of the link's, and what happens with its answer on the hub's thread. */
struct link_command {
    struct hub_message message;
    struct hub *hub;
    struct link *link;   /* held; NULL when there is none */
    struct arena *arena; /* holds the command itself */
    char *bridge_id;     /* in the arena */
    struct command command;
    int64_t report_number;
    bool ok;
    struct error err;
    const struct link_answer *answer; /* in the arena; what was copied out of the step */
};

static void handle_answer(void *context, const struct step *step)
{
    struct link_command *command = context;

    command->ok = step->ok;
    command->err = step->error;
    command->answer = link_answer_copy(command->arena, step);
    hub_post(command->hub, &command->message);
}

static struct link_command *new_command(
    struct hub *hub,
    struct link *link,
    struct arena *arena,
    const char *bridge_id,
    void (*run)(struct hub *, struct hub_message *))
{
    struct link_command *command = arena_new_object(arena, struct link_command);

    command->message.run = run;
    command->hub = hub;
    command->link = link;
    command->arena = arena;
    command->bridge_id = arena_strdup(arena, bridge_id);
    if (link) {
        atomic_fetch_add(&link->holders, 1);
    }
    return command;
}

static void post_command(
    struct link_command *command,
    const struct operation *operation,
    const char *workspace_id,
    const void *request)
{
    command->command = (struct command){
        .operation = operation,
        .workspace_id = arena_strdup(command->arena, workspace_id),
        .request = request,
        .answer = handle_answer,
        .context = command,
        .actor = "bridge",
    };
    shards_post(hub_shards(command->hub), &command->command);
}

static void free_command(struct link_command *command)
{
    struct link *link = command->link;

    arena_free(command->arena);
    if (link) {
        release(link);
    }
}

/* Every workspace, page after page: to attach the link to each, or, without one, to lose the bridge
 * in each. */
static void run_workspaces(struct hub *hub, struct hub_message *base);

static void list_workspaces(
    struct hub *hub,
    struct link *link,
    const char *bridge_id,
    const char *after)
{
    struct arena *arena = arena_new();
    struct link_command *command = new_command(hub, link, arena, bridge_id, run_workspaces);
    struct list_request *request = arena_new_object(arena, struct list_request);

    request->page_size = 1000;
    request->after = arena_strdup(arena, after);
    request->task_id = "";
    request->worker_id = "";
    post_command(command, &operation_list_workspaces, "", request);
}

/* --- telephony --- */

static void run_telephony(struct hub *hub, struct hub_message *base)
{
    struct link_command *command = (struct link_command *)base;
    struct peer *peer = NULL;

    LIST_FOREACH(peer, &hub->links->peers, by_hub)
    {
        bool wanted = !command->link || peer->link == command->link;

        if (command->ok && wanted && peer->link && !peer->link->closed) {
            send_message(peer->link, &command->answer->telephony->base);
        }
    }
    free_command(command);
}

/* link: for this one; NULL: for all that are attached then. */
static void send_telephony(struct hub *hub, struct link *link)
{
    struct link_command *command = new_command(hub, link, arena_new(), "", run_telephony);

    post_command(command, &operation_list_telephony, "", NULL);
}

/* --- attaching --- */

static void send_effect(struct link *link, const char *workspace_id, const struct effect *effect)
{
    if (effect->kind == EFFECT_INSTRUCTION) {
        link_send_instruction(link->stream, effect->instruction);
    } else if (effect->kind == EFFECT_REPORT_ACK) {
        link_send_report_ack(link->stream, workspace_id, effect->report_number);
    }
    link->last_sent_mono_us = hub_mono_us(link->hub);
}

static void attached_all(struct link *link)
{
    send_telephony(link->hub, link);
    rpc_stream_resume(link->stream);
}

static void run_attached(struct hub *hub, struct hub_message *base)
{
    struct link_command *command = (struct link_command *)base;
    struct link *link = command->link;
    struct peer *peer = find_peer(hub->links, command->bridge_id);

    if (peer && peer->link == link) {
        text_set_remove(&peer->pending, command->command.workspace_id);
        for (size_t i = 0; i < command->answer->effect_count; i++) {
            send_effect(link, command->command.workspace_id, &command->answer->effects[i]);
        }
        if (!command->ok && error_code(command->err.reason) != ERROR_NOT_FOUND) {
            rpc_stream_finish(link->stream, &command->err);
        } else if (--link->attaching == 0) {
            attached_all(link);
        }
    }
    free_command(command);
}

static void attach_workspace(struct link *link, const char *workspace_id)
{
    struct peer *peer = find_peer(link->hub->links, link->hello->bridge_id);
    struct arena *arena = arena_new();
    struct link_command *command =
        new_command(link->hub, link, arena, link->hello->bridge_id, run_attached);

    text_set_add(&peer->pending, workspace_id);
    link->attaching++;
    post_command(
        command, &operation_attach_bridge, workspace_id,
        link_attach_request(arena, link->hello, workspace_id));
}

static void run_hello(struct hub *hub, struct hub_message *base)
{
    struct link *link = ((struct link_message *)base)->link;
    struct peer *peer = obtain_peer(hub->links, link->hello->bridge_id);
    struct error err;

    free(base);
    if (link->closed) {
        release(link);
        return;
    }
    if (peer->link) {
        (void)FAIL(&err, REASON_STATE_FORBIDS, "bridge %s attached again", peer->bridge_id);
        rpc_stream_finish(peer->link->stream, &err);
    }
    text_set_clear(&peer->pending);
    peer->link = link;
    peer->lost = false;
    link_send_welcome(link->stream, hub->options.bridge_lease_us, HEARTBEATS_PER_LEASE);
    link->last_sent_mono_us = hub_mono_us(hub);
    link->attaching = 1; /* the listing itself, so that attached_all comes after the last page */
    list_workspaces(hub, link, peer->bridge_id, "");
    release(link);
}

/* --- all workspaces: attach to each, or lose the bridge in each --- */

static void run_lost(struct hub *hub, struct hub_message *base)
{
    struct link_command *command = (struct link_command *)base;
    struct peer *peer = find_peer(hub->links, command->bridge_id);

    if (!command->ok && error_code(command->err.reason) != ERROR_NOT_FOUND && peer && !peer->link) {
        peer->lost = false; /* the next tick tries again */
    }
    free_command(command);
}

static void lose_in_workspace(struct hub *hub, const char *bridge_id, const char *workspace_id)
{
    struct arena *arena = arena_new();
    struct link_command *command = new_command(hub, NULL, arena, bridge_id, run_lost);
    struct lose_bridge_request *request = arena_new_object(arena, struct lose_bridge_request);

    request->bridge_id = command->bridge_id;
    post_command(command, &operation_lose_bridge, workspace_id, request);
}

static void take_workspaces(struct hub *hub, const struct link_command *command)
{
    struct link *link = command->link;

    for (size_t i = 0; i < command->answer->workspace_count; i++) {
        if (link) {
            attach_workspace(link, command->answer->workspace_ids[i]);
        } else {
            lose_in_workspace(hub, command->bridge_id, command->answer->workspace_ids[i]);
        }
    }
    if (command->answer->next_page) {
        list_workspaces(hub, link, command->bridge_id, command->answer->next_page);
    } else if (link && --link->attaching == 0) {
        attached_all(link);
    }
}

static void run_workspaces(struct hub *hub, struct hub_message *base)
{
    struct link_command *command = (struct link_command *)base;
    struct peer *peer = find_peer(hub->links, command->bridge_id);
    bool wanted = peer && (command->link ? peer->link == command->link : peer->lost);

    if (wanted && command->ok) {
        take_workspaces(hub, command);
    } else if (wanted && command->link) {
        rpc_stream_finish(command->link->stream, &command->err);
    } else if (wanted) {
        peer->lost = false; /* the next tick tries again */
    }
    free_command(command);
}

/* --- reports and acknowledgments --- */

static void run_reported(struct hub *hub, struct hub_message *base)
{
    struct link_command *command = (struct link_command *)base;

    (void)hub;
    if (!command->ok && !command->link->closed) {
        if (error_code(command->err.reason) == ERROR_NOT_FOUND) {
            /* The workspace is gone: nothing will ever come of the report. */
            link_send_report_ack(
                command->link->stream, command->command.workspace_id, command->report_number);
        } else {
            /* It must not be overtaken by the next one: the bridge attaches and sends it again. */
            rpc_stream_finish(command->link->stream, &command->err);
        }
    }
    free_command(command);
}

/* On the stream's loop: the engine gets reports in the order in which they came. */
static bool take_report(
    struct link *link,
    const Cordboard__Routing__V1__BridgeReport *report,
    struct error *err)
{
    struct arena *arena = arena_new();
    struct bridge_report_request *request = NULL;
    const char *workspace_id = NULL;

    if (!link_report_request(arena, link->hello, report, &workspace_id, &request, err)) {
        arena_free(arena);
        return false;
    }

    struct link_command *command =
        new_command(link->hub, link, arena, link->hello->bridge_id, run_reported);

    command->report_number = report->number;
    post_command(command, &operation_bridge_report, workspace_id, request);
    return true;
}

static void run_acknowledged(struct hub *hub, struct hub_message *base)
{
    (void)hub;
    free_command((struct link_command *)base); /* lost ones are sent again and acknowledged again */
}

static bool take_ack(
    struct link *link,
    const Cordboard__Routing__V1__AttachBridgeRequest__InstructionAck *ack,
    struct error *err)
{
    struct arena *arena = NULL;
    struct ack_instructions_request *request = NULL;
    struct name_parts parts;

    if (!name_parse(ack->workspace, "workspaces/*", "instruction_ack.workspace", &parts, err)) {
        return false;
    }
    arena = arena_new();
    request = arena_new_object(arena, struct ack_instructions_request);
    request->bridge_id = arena_strdup(arena, link->hello->bridge_id);
    request->number = ack->number;
    post_command(
        new_command(link->hub, link, arena, link->hello->bridge_id, run_acknowledged),
        &operation_ack_instructions, parts.ids[0], request);
    return true;
}

/* --- the stream, on its loop --- */

static void post_link(struct link *link, void (*run)(struct hub *, struct hub_message *))
{
    struct link_message *message = mem_new(struct link_message);

    message->message.run = run;
    message->link = link;
    hub_post(link->hub, &message->message);
}

static bool take_hello(
    struct link *link,
    const Cordboard__Routing__V1__AttachBridgeRequest *message,
    struct error *err)
{
    if (message->message_case != CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_REQUEST__MESSAGE_HELLO) {
        return FAIL_FIELD(
            err, REASON_FIELD_REQUIRED, "hello", "the first message of a bridge must be `hello`");
    }
    link->hello_arena = arena_new();
    link->hello = link_hello_copy(link->hello_arena, message->hello, err);
    if (!link->hello) {
        return false;
    }
    link->greeted = true;
    rpc_stream_pause(link->stream); /* until every workspace is attached */
    atomic_fetch_add(&link->holders, 1);
    post_link(link, run_hello);
    return true;
}

static bool take_message(
    struct link *link,
    const Cordboard__Routing__V1__AttachBridgeRequest *message,
    struct error *err)
{
    if (!link->greeted) {
        return take_hello(link, message, err);
    }
    switch ((int)message->message_case) {
    case CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_REQUEST__MESSAGE_REPORT:
        return take_report(link, message->report, err);
    case CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_REQUEST__MESSAGE_INSTRUCTION_ACK:
        return take_ack(link, message->instruction_ack, err);
    case CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_REQUEST__MESSAGE_HELLO:
        return FAIL_FIELD(err, REASON_STATE_FORBIDS, "hello", "hello was said already");
    default:
        return true; /* a heartbeat */
    }
}

static void handle_message(struct rpc_stream *stream, const ProtobufCMessage *message)
{
    struct link *link = rpc_stream_data(stream);
    struct error err;

    atomic_store(&link->last_heard_mono_us, hub_mono_us(link->hub));
    if (!take_message(link, (const Cordboard__Routing__V1__AttachBridgeRequest *)message, &err)) {
        rpc_stream_finish(stream, &err);
    }
}

static void handle_open(struct rpc_stream *stream, const ProtobufCMessage *request)
{
    const struct routing_rpc *rpc = rpc_call_context(rpc_stream_call(stream));
    struct link *link = mem_new(struct link);

    (void)request;
    link->hub = rpc->hub;
    link->stream = rpc_stream_ref(stream);
    atomic_store(&link->holders, 1);
    atomic_store(&link->last_heard_mono_us, hub_mono_us(link->hub));
    rpc_stream_set_data(stream, link);
}

static void run_closed(struct hub *hub, struct hub_message *base)
{
    struct link *link = ((struct link_message *)base)->link;
    struct peer *peer = link->hello ? find_peer(hub->links, link->hello->bridge_id) : NULL;

    link->closed = true;
    if (peer && peer->link == link) {
        peer->link = NULL;
        peer->last_heard_mono_us = atomic_load(&link->last_heard_mono_us);
        text_set_clear(&peer->pending);
    }
    free(base);
    release(link);
}

static void handle_closed(struct rpc_stream *stream, const struct error *err)
{
    (void)err;
    post_link(rpc_stream_data(stream), run_closed);
}

const struct rpc_stream_handler bridge_link = {
    .bidi = true,
    .open = handle_open,
    .message = handle_message,
    .closed = handle_closed,
};

/* --- from the hub --- */

/* Nothing while a workspace is being attached: the attachment sends it. */
static void publish_effect(
    struct hub *hub,
    const struct publication *publication,
    const struct effect *effect)
{
    const char *bridge_id =
        effect->kind == EFFECT_INSTRUCTION ? effect->instruction->bridge_id : effect->bridge_id;
    const struct peer *peer = find_peer(hub->links, bridge_id);

    if (peer && peer->link && !peer->link->closed &&
        !text_set_has(&peer->pending, publication->workspace_id)) {
        send_effect(peer->link, publication->workspace_id, effect);
    }
}

void link_publish(struct hub *hub, const struct publication *publication)
{
    for (size_t i = 0; i < publication->effect_count; i++) {
        if (publication->effects[i].kind == EFFECT_TELEPHONY_CHANGED) {
            send_telephony(hub, NULL);
        } else {
            publish_effect(hub, publication, &publication->effects[i]);
        }
    }
}

static void lose(struct hub *hub, struct peer *peer)
{
    struct error err;

    peer->lost = true;
    if (peer->link) {
        (void)FAIL(&err, REASON_DEADLINE_EXCEEDED, "the bridge was silent for its whole lease");
        rpc_stream_finish(peer->link->stream, &err);
        peer->link = NULL;
        text_set_clear(&peer->pending);
    }
    list_workspaces(hub, NULL, peer->bridge_id, "");
}

static void tick_peer(struct hub *hub, struct peer *peer)
{
    int64_t now_us = hub_mono_us(hub);
    int64_t heard_us =
        peer->link ? atomic_load(&peer->link->last_heard_mono_us) : peer->last_heard_mono_us;

    if (!peer->lost && now_us - heard_us > hub->options.bridge_lease_us) {
        lose(hub, peer);
        return;
    }
    if (peer->link && now_us - peer->link->last_sent_mono_us >=
                          hub->options.bridge_lease_us / HEARTBEATS_PER_LEASE) {
        Cordboard__Routing__V1__AttachBridgeResponse heartbeat =
            CORDBOARD__ROUTING__V1__ATTACH_BRIDGE_RESPONSE__INIT;

        send_message(peer->link, &heartbeat.base);
    }
}

void link_tick(struct hub *hub)
{
    struct peer *peer = NULL;

    LIST_FOREACH(peer, &hub->links->peers, by_hub)
    {
        tick_peer(hub, peer);
    }
}
