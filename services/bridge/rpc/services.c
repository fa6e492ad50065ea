#include "services/bridge/rpc/services.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/rpc/call.h"
#include "cordboard/bridge/v1/call_service.pb-c.h"
#include "cordboard/bridge/v1/conference_service.pb-c.h"
#include "services/bridge/calls/calls.h"
#include "services/bridge/rpc/print.h"

enum {
    PAGE_SIZE_DEFAULT = 50,
    PAGE_SIZE_MAX = 1000
};

/* --- one --- */

/* The id in "calls/{call}"; NULL, with the call failed, when the name is not one. */
static const char *id_of(struct rpc_call *call, const char *name, const char *collection)
{
    size_t length = strlen(collection);
    struct error err;

    if (strncmp(name, collection, length) == 0 && name[length] == '/' && name[length + 1] != '\0' &&
        !strchr(name + length + 1, '/')) {
        return name + length + 1;
    }
    (void)FAIL_FIELD(
        &err, REASON_NAME_INVALID, "name", "name: '%.200s' is not a name of the form %s/*", name,
        collection);
    rpc_call_fail(call, &err);
    return NULL;
}

static void fail_missing(struct rpc_call *call, const char *what)
{
    struct error err;

    (void)FAIL(&err, REASON_NOT_FOUND, "there is no such %s at this bridge, or it has ended", what);
    rpc_call_fail(call, &err);
}

static void answer_call(void *context, struct calls_view *view)
{
    struct rpc_call *call = context;

    if (view->call_count > 0) {
        rpc_call_reply(call, &call_print(rpc_call_arena(call), &view->calls[0])->base);
    } else {
        fail_missing(call, "call");
    }
    calls_view_free(view);
}

static void answer_conference(void *context, struct calls_view *view)
{
    struct rpc_call *call = context;

    if (view->conference_count > 0) {
        rpc_call_reply(call, &conference_print(rpc_call_arena(call), &view->conferences[0])->base);
    } else {
        fail_missing(call, "conference");
    }
    calls_view_free(view);
}

static void ask(struct rpc_call *call, struct calls_query query)
{
    const struct bridge_rpc *rpc = rpc_call_context(call);

    query.context = call;
    calls_post_query(rpc->calls, &query);
}

static void get_call(struct rpc_call *call, const ProtobufCMessage *request)
{
    const char *id =
        id_of(call, ((const Cordboard__Bridge__V1__GetCallRequest *)request)->name, "calls");

    if (id) {
        ask(call, (struct calls_query){
                      .kind = CALLS_QUERY_CALLS, .id = id, .limit = 1, .handler = answer_call});
    }
}

static void hang_up_call(struct rpc_call *call, const ProtobufCMessage *request)
{
    const char *id =
        id_of(call, ((const Cordboard__Bridge__V1__HangUpCallRequest *)request)->name, "calls");

    if (id) {
        ask(call,
            (struct calls_query){.kind = CALLS_QUERY_HANG_UP, .id = id, .handler = answer_call});
    }
}

static void get_conference(struct rpc_call *call, const ProtobufCMessage *request)
{
    const char *id = id_of(
        call, ((const Cordboard__Bridge__V1__GetConferenceRequest *)request)->name, "conferences");

    if (id) {
        ask(call, (struct calls_query){
                      .kind = CALLS_QUERY_CONFERENCES,
                      .id = id,
                      .limit = 1,
                      .handler = answer_conference});
    }
}

/* --- pages --- */

/* A page token is the number of the page's last call or conference, in digits. */
static bool read_page(
    int32_t page_size,
    const char *page_token,
    struct calls_query *query,
    struct error *err)
{
    char *end = NULL;

    if (page_size < 0) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, "page_size", "page_size: must not be negative");
    }
    query->limit = page_size == 0              ? PAGE_SIZE_DEFAULT
                   : page_size > PAGE_SIZE_MAX ? PAGE_SIZE_MAX
                                               : (size_t)page_size;
    if (page_token[0] == '\0') {
        return true;
    }
    errno = 0;
    query->after = strtoll(page_token, &end, 10);
    if (errno != 0 || *end != '\0' || query->after <= 0) {
        return FAIL_FIELD(
            err, REASON_PAGE_TOKEN_INVALID, "page_token",
            "page_token: not a token that a list method gave");
    }
    return true;
}

static char *page_token(struct arena *arena, bool more, int64_t last)
{
    return more ? arena_printf(arena, "%lld", (long long)last) : arena_strdup(arena, "");
}

static void answer_calls(void *context, struct calls_view *view)
{
    struct rpc_call *call = context;
    struct arena *arena = rpc_call_arena(call);
    Cordboard__Bridge__V1__ListCallsResponse response =
        CORDBOARD__BRIDGE__V1__LIST_CALLS_RESPONSE__INIT;

    response.calls = arena_new_array(arena, Cordboard__Bridge__V1__Call *, view->call_count);
    for (size_t i = 0; i < view->call_count; i++) {
        response.calls[response.n_calls++] = call_print(arena, &view->calls[i]);
    }
    response.next_page_token = page_token(
        arena, view->more, view->call_count > 0 ? view->calls[view->call_count - 1].number : 0);
    rpc_call_reply(call, &response.base);
    calls_view_free(view);
}

static void list_calls(struct rpc_call *call, const ProtobufCMessage *base)
{
    const Cordboard__Bridge__V1__ListCallsRequest *request =
        (const Cordboard__Bridge__V1__ListCallsRequest *)base;
    struct calls_query query = {.kind = CALLS_QUERY_CALLS, .handler = answer_calls};
    struct error err;

    if (!read_page(request->page_size, request->page_token, &query, &err)) {
        rpc_call_fail(call, &err);
        return;
    }
    ask(call, query);
}

static void answer_conferences(void *context, struct calls_view *view)
{
    struct rpc_call *call = context;
    struct arena *arena = rpc_call_arena(call);
    size_t count = view->conference_count;
    Cordboard__Bridge__V1__ListConferencesResponse response =
        CORDBOARD__BRIDGE__V1__LIST_CONFERENCES_RESPONSE__INIT;

    response.conferences = arena_new_array(arena, Cordboard__Bridge__V1__Conference *, count);
    for (size_t i = 0; i < count; i++) {
        response.conferences[response.n_conferences++] =
            conference_print(arena, &view->conferences[i]);
    }
    response.next_page_token =
        page_token(arena, view->more, count > 0 ? view->conferences[count - 1].number : 0);
    rpc_call_reply(call, &response.base);
    calls_view_free(view);
}

static void list_conferences(struct rpc_call *call, const ProtobufCMessage *base)
{
    const Cordboard__Bridge__V1__ListConferencesRequest *request =
        (const Cordboard__Bridge__V1__ListConferencesRequest *)base;
    struct calls_query query = {.kind = CALLS_QUERY_CONFERENCES, .handler = answer_conferences};
    struct error err;

    if (!read_page(request->page_size, request->page_token, &query, &err)) {
        rpc_call_fail(call, &err);
        return;
    }
    ask(call, query);
}

/* --- tables --- */

static const struct rpc_method call_methods[] = {
    {.name = "GetCall",    .unary = get_call    },
    {.name = "ListCalls",  .unary = list_calls  },
    {.name = "HangUpCall", .unary = hang_up_call},
};

static const struct rpc_method conference_methods[] = {
    {.name = "GetConference",   .unary = get_conference  },
    {.name = "ListConferences", .unary = list_conferences},
};

void bridge_services(struct bridge_rpc *rpc, struct rpc_service ret_services[BRIDGE_SERVICE_COUNT])
{
    ret_services[0] = (struct rpc_service){
        .descriptor = &cordboard__bridge__v1__call_service__descriptor,
        .methods = call_methods,
        .method_count = sizeof(call_methods) / sizeof(call_methods[0]),
        .context = rpc,
    };
    ret_services[1] = (struct rpc_service){
        .descriptor = &cordboard__bridge__v1__conference_service__descriptor,
        .methods = conference_methods,
        .method_count = sizeof(conference_methods) / sizeof(conference_methods[0]),
        .context = rpc,
    };
}
