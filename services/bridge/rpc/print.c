#include "services/bridge/rpc/print.h"

#include <string.h>

#include "common/base/arena.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "services/bridge/calls/calls.h"

enum {
    US_PER_SECOND = 1000000,
    NS_PER_US = 1000
};

/* protobuf-c has no const; what is packed is not changed. */
static void set_text(char **slot, const char *text)
{
    const char *value = text ? text : "";

    memcpy(slot, &value, sizeof(value));
}

static Google__Protobuf__Timestamp *print_time(struct arena *arena, int64_t time_us)
{
    Google__Protobuf__Timestamp *time = NULL;

    if (time_us == 0) {
        return NULL;
    }
    time = arena_new_object(arena, Google__Protobuf__Timestamp);
    google__protobuf__timestamp__init(time);
    time->seconds = time_us / US_PER_SECOND;
    time->nanos = (int32_t)(time_us % US_PER_SECOND * NS_PER_US);
    return time;
}

/* The caller is "caller", a worker its resource name. */
static void set_party(struct arena *arena, char **slot, const char *workspace_id, const char *party)
{
    set_text(
        slot, strcmp(party, "caller") == 0
                  ? party
                  : arena_printf(arena, "workspaces/%s/workers/%s", workspace_id, party));
}

static void set_call_state(Cordboard__Bridge__V1__Call__State *slot, enum call_state state)
{
    static const Cordboard__Bridge__V1__Call__State states[CALL_STATE_COUNT] = {
        [CALL_ENQUEUING] = CORDBOARD__BRIDGE__V1__CALL__STATE__ENQUEUING,
        [CALL_WAITING] = CORDBOARD__BRIDGE__V1__CALL__STATE__WAITING,
        [CALL_TALKING] = CORDBOARD__BRIDGE__V1__CALL__STATE__TALKING,
        [CALL_ENDING] = CORDBOARD__BRIDGE__V1__CALL__STATE__ENDING,
        [CALL_ENDED] = CORDBOARD__BRIDGE__V1__CALL__STATE__ENDING,
    };

    *slot = states[state];
}

static void set_leg_state(Cordboard__Bridge__V1__Call__Leg__State *slot, enum leg_state state)
{
    static const Cordboard__Bridge__V1__Call__Leg__State states[LEG_STATE_COUNT] = {
        [LEG_IDLE] = CORDBOARD__BRIDGE__V1__CALL__LEG__STATE__TRYING,
        [LEG_TRYING] = CORDBOARD__BRIDGE__V1__CALL__LEG__STATE__TRYING,
        [LEG_RINGING] = CORDBOARD__BRIDGE__V1__CALL__LEG__STATE__RINGING,
        [LEG_CONNECTED] = CORDBOARD__BRIDGE__V1__CALL__LEG__STATE__CONNECTED,
        [LEG_ENDING] = CORDBOARD__BRIDGE__V1__CALL__LEG__STATE__ENDING,
        [LEG_ENDED] = CORDBOARD__BRIDGE__V1__CALL__LEG__STATE__ENDING,
    };

    *slot = states[state];
}

static Cordboard__Bridge__V1__Call__Leg *print_leg(
    struct arena *arena,
    const char *workspace_id,
    const struct leg_view *view)
{
    Cordboard__Bridge__V1__Call__Leg *leg =
        arena_new_object(arena, Cordboard__Bridge__V1__Call__Leg);

    cordboard__bridge__v1__call__leg__init(leg);
    set_party(arena, &leg->party, workspace_id, view->party);
    set_leg_state(&leg->state, view->state);
    set_text(&leg->sip_call_id, view->sip_call_id);
    set_text(&leg->remote_uri, view->remote_uri);
    leg->answer_time = print_time(arena, view->answer_wall_us);
    leg->received_level_dbfs = -127;
    if (view->has_statistics) {
        leg->received_packet_count = (int64_t)view->statistics.packets_in;
        leg->sent_packet_count = (int64_t)view->statistics.packets_out;
        leg->lost_packet_count = (int64_t)view->statistics.lost;
        leg->received_level_dbfs = view->statistics.level_in_dbfs;
    }
    return leg;
}

Cordboard__Bridge__V1__Call *call_print(struct arena *arena, const struct call_view *view)
{
    Cordboard__Bridge__V1__Call *call = arena_new_object(arena, Cordboard__Bridge__V1__Call);

    cordboard__bridge__v1__call__init(call);
    call->name = arena_printf(arena, "calls/%s", view->id);
    set_call_state(&call->state, view->state);
    call->workspace = arena_printf(arena, "workspaces/%s", view->workspace_id);
    if (view->task_id && view->task_id[0] != '\0') {
        call->task =
            arena_printf(arena, "workspaces/%s/tasks/%s", view->workspace_id, view->task_id);
    }
    set_text(&call->called_number, view->called_number);
    set_text(&call->caller_number, view->caller_number);
    call->create_time = print_time(arena, view->create_wall_us);
    call->n_legs = view->leg_count;
    call->legs = arena_new_array(arena, Cordboard__Bridge__V1__Call__Leg *, view->leg_count);
    for (size_t i = 0; i < view->leg_count; i++) {
        call->legs[i] = print_leg(arena, view->workspace_id, &view->legs[i]);
    }
    return call;
}

Cordboard__Bridge__V1__Conference *conference_print(
    struct arena *arena,
    const struct conference_view *view)
{
    Cordboard__Bridge__V1__Conference *conference =
        arena_new_object(arena, Cordboard__Bridge__V1__Conference);

    cordboard__bridge__v1__conference__init(conference);
    conference->name = arena_printf(arena, "conferences/%s", view->id);
    conference->call = arena_printf(arena, "calls/%s", view->call_id);
    conference->create_time = print_time(arena, view->create_wall_us);
    conference->n_participants = view->participant_count;
    conference->participants = arena_new_array(
        arena, Cordboard__Bridge__V1__Conference__Participant *, view->participant_count);
    for (size_t i = 0; i < view->participant_count; i++) {
        Cordboard__Bridge__V1__Conference__Participant *participant =
            arena_new_object(arena, Cordboard__Bridge__V1__Conference__Participant);

        cordboard__bridge__v1__conference__participant__init(participant);
        set_party(arena, &participant->party, view->workspace_id, view->participants[i].party);
        participant->join_time = print_time(arena, view->participants[i].join_wall_us);
        conference->participants[i] = participant;
    }
    return conference;
}
