/* Who is where: calls, legs and conferences by their names, and the questions about them. */
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "services/bridge/operations/state.h"

/* NOLINTBEGIN(readability-function-size): uthash's macros. */

void bridge_add_call(struct bridge *bridge, struct call *call)
{
    call->number = ++bridge->call_count_ever;
    bridge->call_count++;
    TAILQ_INSERT_TAIL(&bridge->calls, call, link);
    HASH_ADD_KEYPTR(by_id, bridge->calls_by_id, call->id, strlen(call->id), call);
    HASH_ADD_KEYPTR(
        by_dialog, bridge->calls_by_dialog, call->dialog_key, strlen(call->dialog_key), call);
}

void bridge_remove_call(struct bridge *bridge, struct call *call)
{
    bridge->call_count--;
    TAILQ_REMOVE(&bridge->calls, call, link);
    HASH_DELETE(by_id, bridge->calls_by_id, call);
    bridge_forget_dialog(bridge, call);
    deadlines_clear(&bridge->deadlines, &call->deadline);
}

void bridge_forget_dialog(struct bridge *bridge, struct call *call)
{
    if (call->dialog_key) {
        HASH_DELETE(by_dialog, bridge->calls_by_dialog, call);
        free(call->dialog_key);
        call->dialog_key = NULL;
    }
}

struct call *bridge_get_call(const struct bridge *bridge, const char *call_id)
{
    struct call *call = NULL;

    HASH_FIND(by_id, bridge->calls_by_id, call_id, strlen(call_id), call);
    return call;
}

struct call *bridge_get_call_of_dialog(const struct bridge *bridge, const char *dialog_key)
{
    struct call *call = NULL;

    HASH_FIND(by_dialog, bridge->calls_by_dialog, dialog_key, strlen(dialog_key), call);
    return call;
}

void bridge_add_leg(struct bridge *bridge, struct leg *leg)
{
    HASH_ADD(by_number, bridge->legs_by_number, number, sizeof(leg->number), leg);
    call_add_leg(leg->call, leg);
}

void bridge_forget_leg(struct bridge *bridge, struct leg *leg)
{
    HASH_DELETE(by_number, bridge->legs_by_number, leg);
    deadlines_clear(&bridge->deadlines, &leg->deadline);
}

struct leg *bridge_get_leg(const struct bridge *bridge, int64_t number)
{
    struct leg *leg = NULL;

    HASH_FIND(by_number, bridge->legs_by_number, &number, sizeof(number), leg);
    return leg;
}

void bridge_add_conference(struct bridge *bridge, struct conference *conference)
{
    TAILQ_INSERT_TAIL(&bridge->conferences, conference, link);
    HASH_ADD_KEYPTR(
        by_id, bridge->conferences_by_id, conference->id, strlen(conference->id), conference);
}

void bridge_remove_conference(struct bridge *bridge, struct conference *conference)
{
    TAILQ_REMOVE(&bridge->conferences, conference, link);
    HASH_DELETE(by_id, bridge->conferences_by_id, conference);
}

const struct conference *bridge_find_conference(const struct bridge *bridge, const char *id)
{
    struct conference *conference = NULL;

    HASH_FIND(by_id, bridge->conferences_by_id, id, strlen(id), conference);
    return conference;
}

/* NOLINTEND(readability-function-size) */

void bridge_settle(struct bridge *bridge, struct call *call)
{
    struct leg *leg = TAILQ_FIRST(&call->legs);

    while (leg) {
        struct leg *next = TAILQ_NEXT(leg, link);
        if (leg->state == LEG_ENDED && leg != call->caller) {
            bridge_forget_leg(bridge, leg);
            call_remove_leg(call, leg);
        }
        leg = next;
    }
    if (call_quiet(call) && call_apply(call, CALL_FINISH)) {
        bridge_forget_leg(bridge, call->caller);
        bridge_remove_call(bridge, call);
        call_free(call);
    }
}

const struct call *bridge_find_call(const struct bridge *bridge, const char *call_id)
{
    return bridge_get_call(bridge, call_id);
}

const struct leg *bridge_find_leg(const struct bridge *bridge, int64_t number)
{
    return bridge_get_leg(bridge, number);
}

const struct call_list *bridge_calls(const struct bridge *bridge)
{
    return &bridge->calls;
}

const struct conference_list *bridge_conferences(const struct bridge *bridge)
{
    return &bridge->conferences;
}

size_t bridge_call_count(const struct bridge *bridge)
{
    return bridge->call_count;
}

const struct call_snapshot *bridge_snapshot(
    const struct bridge *bridge,
    struct arena *arena,
    size_t *ret_count)
{
    struct call_snapshot *snapshots =
        arena_new_array(arena, struct call_snapshot, bridge->call_count);
    const struct call *call = NULL;
    size_t count = 0;

    TAILQ_FOREACH(call, &bridge->calls, link)
    {
        if (!call->reported || call->state == CALL_ENDING) {
            continue;
        }
        snapshots[count++] = (struct call_snapshot){
            .workspace_id = arena_strdup(arena, call->workspace_id),
            .call_id = arena_strdup(arena, call->id),
            .task_id = arena_strdup(arena, call->task_id),
            .reservation_id = call->worker ? arena_strdup(arena, call->worker->reservation_id) : "",
            .talking = call->state == CALL_TALKING,
        };
    }
    *ret_count = count;
    return snapshots;
}
