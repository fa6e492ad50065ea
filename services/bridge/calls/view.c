/* Views: copies of what the bridge holds, for other threads. */
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "services/bridge/calls/state.h"

struct calls_view *calls_view_new(void)
{
    struct calls_view *view = mem_new(struct calls_view);

    view->arena = arena_new();
    return view;
}

struct calls_view *calls_view_free(struct calls_view *view)
{
    if (view) {
        arena_free(view->arena);
        free(view);
    }
    return NULL;
}

void calls_view_snapshot(const struct calls *calls, struct calls_view *view)
{
    view->snapshots = bridge_snapshot(calls->bridge, view->arena, &view->snapshot_count);
}

static void view_leg(
    const struct calls *calls,
    const struct leg *leg,
    struct arena *arena,
    struct leg_view *ret_view)
{
    uint64_t stream = 0;

    *ret_view = (struct leg_view){
        .party = arena_strdup(arena, leg_party(leg)),
        .state = leg->state,
        .sip_call_id = arena_strdup(arena, leg->sip_call_id),
        .remote_uri = arena_strdup(arena, leg->remote_uri),
        .answer_wall_us = leg->answer_wall_us,
    };
    ret_view->has_statistics =
        media_names_find(calls->streams, leg->number, &stream) &&
        media_stream_get_statistics(calls->peers.media, stream, &ret_view->statistics);
}

static size_t count_legs(const struct call *call)
{
    const struct leg *leg = NULL;
    size_t count = 0;

    TAILQ_FOREACH(leg, &call->legs, link)
    {
        count++;
    }
    return count;
}

static void view_call(
    const struct calls *calls,
    const struct call *call,
    struct arena *arena,
    struct call_view *ret_view)
{
    struct leg_view *legs = arena_new_array(arena, struct leg_view, count_legs(call));
    const struct leg *leg = NULL;
    size_t count = 0;

    TAILQ_FOREACH(leg, &call->legs, link)
    {
        view_leg(calls, leg, arena, &legs[count++]);
    }
    *ret_view = (struct call_view){
        .id = arena_strdup(arena, call->id),
        .number = call->number,
        .state = call->state,
        .workspace_id = arena_strdup(arena, call->workspace_id),
        .task_id = arena_strdup(arena, call->task_id),
        .called_number = arena_strdup(arena, call->called_number),
        .caller_number = arena_strdup(arena, call->caller_number),
        .create_wall_us = call->create_wall_us,
        .legs = legs,
        .leg_count = count,
    };
}

static bool asks_for_one(const struct calls_query *query)
{
    return query->id && *query->id != '\0';
}

/* Room for what a list may return; a limit from outside allocates no more than there is. */
static size_t room(const struct calls *calls, const struct calls_query *query)
{
    size_t count = asks_for_one(query) ? 1 : bridge_call_count(calls->bridge);

    return asks_for_one(query) || query->limit > count ? count : query->limit;
}

void calls_view_calls(
    const struct calls *calls,
    const struct calls_query *query,
    struct calls_view *view)
{
    size_t size = room(calls, query);
    struct call_view *views = arena_new_array(view->arena, struct call_view, size);
    const struct call *call = NULL;

    view->calls = views;
    if (asks_for_one(query)) {
        call = bridge_find_call(calls->bridge, query->id);
        if (call) {
            view_call(calls, call, view->arena, &views[view->call_count++]);
        }
        return;
    }
    TAILQ_FOREACH(call, bridge_calls(calls->bridge), link)
    {
        if (call->number <= query->after) {
            continue;
        }
        if (view->call_count == size) {
            view->more = true;
            return;
        }
        view_call(calls, call, view->arena, &views[view->call_count++]);
    }
}

static void view_conference(
    const struct conference *conference,
    struct arena *arena,
    struct conference_view *ret_view)
{
    struct participant_view *participants =
        arena_new_array(arena, struct participant_view, conference->participant_count);

    for (size_t i = 0; i < conference->participant_count; i++) {
        participants[i].party = arena_strdup(arena, leg_party(conference->participants[i].leg));
        participants[i].join_wall_us = conference->participants[i].join_wall_us;
    }
    *ret_view = (struct conference_view){
        .id = arena_strdup(arena, conference->id),
        .number = conference->number,
        .workspace_id = arena_strdup(arena, conference->call->workspace_id),
        .call_id = arena_strdup(arena, conference->call->id),
        .create_wall_us = conference->create_wall_us,
        .participants = participants,
        .participant_count = conference->participant_count,
    };
}

void calls_view_conferences(
    const struct calls *calls,
    const struct calls_query *query,
    struct calls_view *view)
{
    size_t size = room(calls, query); /* a call has one conference at most */
    struct conference_view *views = arena_new_array(view->arena, struct conference_view, size);
    const struct conference *conference = NULL;

    view->conferences = views;
    if (asks_for_one(query)) {
        conference = bridge_find_conference(calls->bridge, query->id);
        if (conference) {
            view_conference(conference, view->arena, &views[view->conference_count++]);
        }
        return;
    }
    TAILQ_FOREACH(conference, bridge_conferences(calls->bridge), link)
    {
        if (conference->number <= query->after) {
            continue;
        }
        if (view->conference_count == size) {
            view->more = true;
            return;
        }
        view_conference(conference, view->arena, &views[view->conference_count++]);
    }
}
