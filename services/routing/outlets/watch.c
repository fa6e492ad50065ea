/* Watches: a cursor over a workspace's events. It reads the store until it has reached the ring of
 * the newest ones, and from then on gets each publication as it comes.
 *
 *     OPENING (is there such a workspace?) -> CATCHING_UP (pages from the store) <-> LIVE
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/rpc/method.h"
#include "common/rpc/payload.h"
#include "common/rpc/stream.h"
#include "cordboard/routing/v1/event_service.pb-c.h"
#include "services/routing/operations/operations.h"
#include "services/routing/operations/requests.h"
#include "services/routing/operations/step.h"
#include "services/routing/outlets/hub.h"
#include "services/routing/outlets/resource_filter.h"
#include "services/routing/shard/shard.h"

enum {
    FIELD_EVENTS = 1, /* of WatchEventsResponse */
    FIELD_SEQUENCE = 2,
    PAGE_EVENTS = 200,
    PAGE_BYTES = 256 * 1024, /* a client takes 4 MiB at once, unless it says otherwise */
    FULL_ENOUGH = 4          /* messages queued: no further page before some have left */
};

enum watch_state {
    WATCH_OPENING,
    WATCH_CATCHING_UP,
    WATCH_LIVE,
};

struct watch {
    struct hub *hub;
    struct rpc_stream *stream; /* a reference of ours */
    char *workspace_id;
    struct resource_filter filter;
    enum watch_state state;
    bool closed;
    bool reading;      /* a page or the opening command is under way: it holds the watch */
    int64_t cursor;    /* everything up to here was sent or does not concern it */
    int64_t published; /* when the page under way was asked for: it contains all up to here */
    bool read_all;     /* the newest page was the last one */
    int64_t last_sent_mono_us;
    struct command opening;
    struct get_request opening_request;
    LIST_ENTRY(watch) by_topic;
};

/* A message about one watch; extra data by kind. */
struct watch_message {
    struct hub_message message;
    struct watch *watch;
    bool ok;
    struct error err;
    int64_t sequence;
    struct packed_response events; /* a page, packed on the reader's thread */
    size_t count;
    bool more; /* the page ended before the events did */
    int64_t first_sequence;
    int64_t last_sequence;
};

static void post(struct watch *watch, void (*run)(struct hub *, struct hub_message *))
{
    struct watch_message *message = mem_new(struct watch_message);

    message->message.run = run;
    message->watch = watch;
    hub_post(watch->hub, &message->message);
}

/* Frees the watch when nothing can reach it any more. */
static void release(struct watch *watch)
{
    if (!watch->closed || watch->reading) {
        return;
    }
    rpc_stream_unref(watch->stream);
    resource_filter_deinit(&watch->filter);
    free(watch->workspace_id);
    free(watch);
}

static void send_payload(struct watch *watch, struct rpc_payload *payload)
{
    (void)rpc_stream_send(watch->stream, payload);
    watch->last_sent_mono_us = hub_mono_us(watch->hub);
}

/* --- live --- */

static struct rpc_payload *pack_all(const struct publication *publication)
{
    struct packed_response response = {.bytes = NULL};

    for (size_t i = 0; i < publication->event_count; i++) {
        packed_add_event(&response, FIELD_EVENTS, &publication->events[i]);
    }
    packed_add_number(
        &response, FIELD_SEQUENCE, publication->events[publication->event_count - 1].sequence);
    return packed_finish(&response);
}

/* Sends those events of the publication that are new and pass the filter. */
static void send_some(struct watch *watch, const struct publication *publication)
{
    struct packed_response response = {.bytes = NULL};
    size_t count = 0;

    for (size_t i = 0; i < publication->event_count; i++) {
        const struct store_event *event = &publication->events[i];

        if (event->sequence > watch->cursor && resource_filter_passes(&watch->filter, event)) {
            packed_add_event(&response, FIELD_EVENTS, event);
            count++;
        }
    }
    if (count == 0) {
        return;
    }
    packed_add_number(
        &response, FIELD_SEQUENCE, publication->events[publication->event_count - 1].sequence);

    struct rpc_payload *payload = packed_finish(&response);

    send_payload(watch, payload);
    rpc_payload_unref(payload);
}

static void deliver(struct watch *watch, struct publication *publication)
{
    int64_t first = publication->events[0].sequence;
    int64_t last = publication->events[publication->event_count - 1].sequence;

    if (last <= watch->cursor) {
        return;
    }
    if (resource_filter_empty(&watch->filter) && first > watch->cursor) {
        if (!publication->watch_payload) {
            publication->watch_payload = pack_all(publication);
        }
        send_payload(watch, publication->watch_payload);
    } else {
        send_some(watch, publication);
    }
    watch->cursor = last;
}

/* --- catching up --- */

static void handle_page(void *context, const struct event_page *page, const struct error *err);

static void read_on(struct watch *watch)
{
    struct store_event_query query = {
        .workspace_id = watch->workspace_id,
        .after_sequence = watch->cursor,
        .limit = PAGE_EVENTS,
        .task_id = watch->filter.task_id,
        .worker_id = watch->filter.worker_id,
        .reservation_id = watch->filter.reservation_id,
    };

    watch->reading = true;
    watch->published = hub_topic(watch->hub, watch->workspace_id)->newest_sequence;
    hub_read_events(watch->hub, &query, handle_page, watch);
}

/* Whether the ring, and what is published from now on, is all that is missing. */
static bool caught_up(const struct watch *watch, const struct topic *topic)
{
    const struct publication *oldest = TAILQ_FIRST(&topic->ring);

    if (topic->newest_sequence == 0) {
        return watch->read_all; /* what is committed after the page will be published */
    }
    return watch->cursor >= topic->newest_sequence ||
           (oldest && oldest->events[0].sequence <= watch->cursor + 1);
}

/* Goes live when the ring reaches back far enough, else reads the next page. */
static void advance(struct watch *watch)
{
    struct topic *topic = hub_topic(watch->hub, watch->workspace_id);
    struct publication *publication = NULL;
    size_t bytes = 0;

    if (watch->closed || watch->reading) {
        return;
    }
    watch->state = WATCH_CATCHING_UP;
    if (rpc_stream_queued(watch->stream) >= FULL_ENOUGH) {
        return; /* until it has drained */
    }
    if (!caught_up(watch, topic)) {
        read_on(watch);
        return;
    }
    /* The ring may hold more than the stream's queue takes: the rest when this is on its way. */
    TAILQ_FOREACH(publication, &topic->ring, by_age)
    {
        if (bytes > PAGE_BYTES && rpc_stream_queued(watch->stream) > 0) {
            return;
        }
        if (publication->events[publication->event_count - 1].sequence > watch->cursor) {
            deliver(watch, publication);
            bytes += publication->bytes;
        }
    }
    watch->state = WATCH_LIVE;
}

static void finish_compacted(struct watch *watch, int64_t first_sequence)
{
    struct error err;

    (void)FAIL(
        &err, REASON_STREAM_COMPACTED, "events before %lld are no longer kept",
        (long long)first_sequence);
    error_add_metadata(&err, "first_sequence", "%lld", (long long)first_sequence);
    rpc_stream_finish(watch->stream, &err);
}

static void take_page(struct watch *watch, struct watch_message *message)
{
    if (!message->ok) {
        rpc_stream_finish(watch->stream, &message->err);
        return;
    }
    if (message->count > 0 && resource_filter_empty(&watch->filter) &&
        message->first_sequence != watch->cursor + 1) {
        finish_compacted(watch, message->first_sequence);
        return;
    }
    if (message->count > 0) {
        packed_add_number(&message->events, FIELD_SEQUENCE, message->last_sequence);

        struct rpc_payload *payload = packed_finish(&message->events);

        send_payload(watch, payload);
        rpc_payload_unref(payload);
        watch->cursor = message->last_sequence;
    }
    watch->read_all = !message->more;
    if (watch->read_all && watch->published > watch->cursor) {
        watch->cursor = watch->published; /* what is in between does not pass the filter */
    }
    advance(watch);
}

static void run_page(struct hub *hub, struct hub_message *base)
{
    struct watch_message *message = (struct watch_message *)base;
    struct watch *watch = message->watch;

    (void)hub;
    watch->reading = false;
    if (!watch->closed) {
        take_page(watch, message);
    }
    free(message->events.bytes);
    free(message);
    release(watch);
}

/* Reader's thread. */
static void handle_page(void *context, const struct event_page *page, const struct error *err)
{
    struct watch *watch = context;
    struct watch_message *message = mem_new(struct watch_message);

    message->message.run = run_page;
    message->watch = watch;
    message->ok = err == NULL;
    if (err) {
        message->err = *err;
    }
    message->more = page && page->count == PAGE_EVENTS;
    for (size_t i = 0; page && i < page->count; i++) {
        if (message->events.size > PAGE_BYTES) {
            message->more = true;
            break;
        }
        packed_add_event(&message->events, FIELD_EVENTS, &page->events[i]);
        message->first_sequence = i == 0 ? page->events[0].sequence : message->first_sequence;
        message->last_sequence = page->events[i].sequence;
        message->count++;
    }
    hub_post(watch->hub, &message->message);
}

/* --- opening --- */

static void run_opened(struct hub *hub, struct hub_message *base)
{
    struct watch_message *message = (struct watch_message *)base;
    struct watch *watch = message->watch;
    struct error err;

    watch->reading = false;
    if (watch->closed) {
        /* released below */
    } else if (!message->ok) {
        rpc_stream_finish(watch->stream, &message->err);
    } else if (watch->cursor > message->sequence) {
        (void)FAIL_FIELD(
            &err, REASON_FIELD_INVALID, "after_sequence",
            "after_sequence: the newest event is %lld", (long long)message->sequence);
        rpc_stream_finish(watch->stream, &err);
    } else {
        watch->cursor = watch->cursor < 0 ? message->sequence : watch->cursor;
        LIST_INSERT_HEAD(&hub_topic(hub, watch->workspace_id)->watches, watch, by_topic);
        advance(watch);
    }
    free(message);
    release(watch);
}

/* Engine's or committer's thread. */
static void handle_opened(void *context, const struct step *step)
{
    struct watch *watch = context;
    struct watch_message *message = mem_new(struct watch_message);

    message->message.run = run_opened;
    message->watch = watch;
    message->ok = step->ok;
    message->sequence = step->sequence;
    if (!step->ok) {
        message->err = step->error;
    }
    hub_post(watch->hub, &message->message);
}

static bool read_request(
    struct watch *watch,
    const Cordboard__Routing__V1__WatchEventsRequest *request,
    struct error *err)
{
    if (!resource_filter_init(
            &watch->filter, request->parent, request->resource, &watch->workspace_id, err)) {
        return false;
    }
    if (request->after_sequence < -1) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, "after_sequence",
            "after_sequence: must be -1, 0 or the sequence of an event");
    }
    watch->cursor = request->after_sequence;
    return true;
}

static void open_watch(struct rpc_stream *stream, const ProtobufCMessage *request)
{
    const struct routing_rpc *rpc = rpc_call_context(rpc_stream_call(stream));
    struct watch *watch = mem_new(struct watch);
    struct error err;

    watch->hub = rpc->hub;
    watch->stream = rpc_stream_ref(stream);
    rpc_stream_set_data(stream, watch);
    if (!read_request(watch, (const Cordboard__Routing__V1__WatchEventsRequest *)request, &err)) {
        rpc_stream_finish(stream, &err);
        return;
    }
    watch->reading = true;
    watch->opening_request = (struct get_request){.id = "", .task_id = ""};
    watch->opening = (struct command){
        .operation = &operation_get_workspace,
        .workspace_id = watch->workspace_id,
        .request = &watch->opening_request,
        .answer = handle_opened,
        .context = watch,
    };
    shards_post(rpc->shards, &watch->opening);
}

/* --- from the server's threads --- */

static void run_drained(struct hub *hub, struct hub_message *base)
{
    struct watch *watch = ((struct watch_message *)base)->watch;

    (void)hub;
    if (watch->state == WATCH_CATCHING_UP) {
        advance(watch);
    }
    free(base);
}

static void handle_drained(struct rpc_stream *stream)
{
    post(rpc_stream_data(stream), run_drained);
}

static void run_closed(struct hub *hub, struct hub_message *base)
{
    struct watch *watch = ((struct watch_message *)base)->watch;

    (void)hub;
    watch->closed = true;
    if (watch->by_topic.le_prev) {
        LIST_REMOVE(watch, by_topic);
    }
    free(base);
    release(watch);
}

static void handle_closed(struct rpc_stream *stream, const struct error *err)
{
    (void)err;
    post(rpc_stream_data(stream), run_closed);
}

const struct rpc_stream_handler event_watch = {
    .open = open_watch,
    .drained = handle_drained,
    .closed = handle_closed,
};

/* --- from the hub --- */

void watch_publish(struct hub *hub, struct topic *topic, struct publication *publication)
{
    struct watch *watch = NULL;

    (void)hub;
    LIST_FOREACH(watch, &topic->watches, by_topic)
    {
        if (watch->state == WATCH_LIVE) {
            deliver(watch, publication);
        }
    }
}

static void send_heartbeat(struct watch *watch)
{
    struct packed_response response = {.bytes = NULL};

    packed_add_number(&response, FIELD_SEQUENCE, watch->cursor);

    struct rpc_payload *payload = packed_finish(&response);

    send_payload(watch, payload);
    rpc_payload_unref(payload);
}

void watch_tick(struct hub *hub, struct topic *topic)
{
    struct watch *watch = NULL;

    LIST_FOREACH(watch, &topic->watches, by_topic)
    {
        if (watch->state == WATCH_LIVE &&
            hub_mono_us(hub) - watch->last_sent_mono_us >= hub->options.heartbeat_us) {
            send_heartbeat(watch);
        }
    }
}
