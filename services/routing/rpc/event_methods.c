#include "services/routing/rpc/event_methods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/rpc/message.h"
#include "cordboard/routing/v1/event_service.pb-c.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/stored_event.h"
#include "services/routing/outlets/outlets.h"
#include "services/routing/outlets/resource_filter.h"
#include "services/routing/rpc/page_token.h"
#include "services/routing/wire/name.h"

/* A sequence written in digits, as event names and page tokens have it. */
static bool parse_sequence(const char *text, int64_t *ret_sequence)
{
    char *end = NULL;

    errno = 0;
    *ret_sequence = strtoll(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

/* The event's message, in the call's arena; NULL when what is stored cannot be read. */
static Cordboard__Routing__V1__Event *unpack(struct arena *arena, const struct store_event *event)
{
    ProtobufCAllocator allocator = rpc_arena_allocator(arena);

    return cordboard__routing__v1__event__unpack(&allocator, event->payload_size, event->payload);
}

static void fail_unreadable(struct rpc_call *call)
{
    struct error err;

    (void)FAIL(&err, REASON_INTERNAL, "a stored event cannot be unpacked");
    rpc_call_fail(call, &err);
}

/* --- get --- */

struct pending_get {
    struct rpc_call *call;
    const char *name;
    int64_t sequence;
};

static void answer_get(void *context, const struct event_page *page, const struct error *err)
{
    const struct pending_get *pending = context;
    struct error missing;

    if (err) {
        rpc_call_fail(pending->call, err);
        return;
    }
    if (page->count == 0 || page->events[0].sequence != pending->sequence) {
        (void)FAIL(&missing, REASON_NOT_FOUND, "%s does not exist", pending->name);
        rpc_call_fail(pending->call, &missing);
        return;
    }

    Cordboard__Routing__V1__Event *event = unpack(rpc_call_arena(pending->call), &page->events[0]);

    if (event) {
        rpc_call_reply(pending->call, &event->base);
    } else {
        fail_unreadable(pending->call);
    }
}

void event_get(struct rpc_call *call, const ProtobufCMessage *request)
{
    const Cordboard__Routing__V1__GetEventRequest *asked =
        (const Cordboard__Routing__V1__GetEventRequest *)request;
    const struct routing_rpc *rpc = rpc_call_context(call);
    struct pending_get *pending = arena_new_object(rpc_call_arena(call), struct pending_get);
    struct name_parts parts;
    struct error err;

    if (!name_parse(asked->name, "workspaces/*/events/*", "name", &parts, &err)) {
        rpc_call_fail(call, &err);
        return;
    }
    if (!parse_sequence(parts.ids[1], &pending->sequence)) {
        (void)FAIL_FIELD(
            &err, REASON_NAME_INVALID, "name", "name: '%s' is not the sequence of an event",
            parts.ids[1]);
        rpc_call_fail(call, &err);
        return;
    }
    pending->call = call;
    pending->name = asked->name;

    struct store_event_query query = {
        .workspace_id = parts.ids[0],
        .after_sequence = pending->sequence - 1,
        .limit = 1,
        .task_id = "",
        .worker_id = "",
        .reservation_id = "",
    };

    hub_read_events(rpc->hub, &query, answer_get, pending);
}

/* --- list --- */

enum {
    PAGE_BYTES = 3 * 1024 * 1024 /* a client takes 4 MiB at once, unless it says otherwise */
};

struct pending_list {
    struct rpc_call *call;
    int64_t page_size;
    uint64_t scope;
};

/* How many events of the page the response can hold; the first one in any case. */
static size_t count_that_fits(const struct event_page *page, int64_t page_size)
{
    size_t bytes = 0;
    size_t count = 0;

    while (count < page->count && count < (size_t)page_size) {
        bytes += page->events[count].payload_size;
        if (bytes > PAGE_BYTES && count > 0) {
            break;
        }
        count++;
    }
    return count;
}

static void answer_list(void *context, const struct event_page *page, const struct error *err)
{
    const struct pending_list *pending = context;

    if (err) {
        rpc_call_fail(pending->call, err);
        return;
    }

    struct arena *arena = rpc_call_arena(pending->call);
    size_t count = count_that_fits(page, pending->page_size);
    bool more = count < page->count; /* one more than the page was read */
    Cordboard__Routing__V1__ListEventsResponse response =
        CORDBOARD__ROUTING__V1__LIST_EVENTS_RESPONSE__INIT;

    response.events = arena_new_array(arena, Cordboard__Routing__V1__Event *, count);
    for (size_t i = 0; i < count; i++) {
        response.events[i] = unpack(arena, &page->events[i]);
        if (!response.events[i]) {
            fail_unreadable(pending->call);
            return;
        }
    }
    response.n_events = count;
    if (more) {
        const char *after =
            arena_printf(arena, "%lld", (long long)page->events[count - 1].sequence);

        response.next_page_token =
            arena_strdup(arena, page_token_print(arena, pending->scope, after));
    }
    rpc_call_reply(pending->call, &response.base);
}

static bool list_query(
    const Cordboard__Routing__V1__ListEventsRequest *request,
    struct pending_list *pending,
    struct store_event_query *query,
    struct error *err)
{
    const char *after = NULL;
    struct arena *arena = rpc_call_arena(pending->call);

    if (request->page_size < 0) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, "page_size", "page_size: must not be negative");
    }
    pending->page_size = request->page_size == 0              ? PAGE_SIZE_DEFAULT
                         : request->page_size > PAGE_SIZE_MAX ? PAGE_SIZE_MAX
                                                              : request->page_size;
    pending->scope = page_token_hash(
        page_token_hash(page_token_hash(0, "event"), request->parent), request->resource);
    query->limit = pending->page_size + 1;
    if (!page_token_parse(request->page_token, pending->scope, arena, &after, err)) {
        return false;
    }
    if (after[0] != '\0' && !parse_sequence(after, &query->after_sequence)) {
        return FAIL_FIELD(
            err, REASON_PAGE_TOKEN_INVALID, "page_token",
            "page_token: not a token that a list method gave");
    }
    return true;
}

void event_list(struct rpc_call *call, const ProtobufCMessage *request)
{
    const Cordboard__Routing__V1__ListEventsRequest *asked =
        (const Cordboard__Routing__V1__ListEventsRequest *)request;
    const struct routing_rpc *rpc = rpc_call_context(call);
    struct pending_list *pending = arena_new_object(rpc_call_arena(call), struct pending_list);
    CLEANUP(resource_filter_deinit) struct resource_filter filter = {.task_id = NULL};
    CLEANUP(mem_free_at_exit) char *workspace_id = NULL;
    struct store_event_query query = {.after_sequence = 0};
    struct error err;

    pending->call = call;
    if (!list_query(asked, pending, &query, &err) ||
        !resource_filter_init(&filter, asked->parent, asked->resource, &workspace_id, &err)) {
        rpc_call_fail(call, &err);
        return;
    }
    query.workspace_id = workspace_id;
    query.task_id = filter.task_id;
    query.worker_id = filter.worker_id;
    query.reservation_id = filter.reservation_id;
    hub_read_events(rpc->hub, &query, answer_list, pending);
}
