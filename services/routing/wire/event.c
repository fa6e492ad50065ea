#include "services/routing/wire/event.h"

#include <string.h>

#include "common/base/arena.h"
#include "services/routing/domain/view.h"
#include "services/routing/wire/name.h"
#include "services/routing/wire/resource.h"
#include "services/routing/wire/text.h"
#include "services/routing/wire/time.h"

/* Puts the view's message into its member of the event. */
static void place(Cordboard__Routing__V1__Event *to, const struct view *view, struct arena *arena)
{
    if (!view) {
        return;
    }

    void *message = resource_print(view, arena);

    switch ((int)view->kind) {
    case ROW_WORKSPACE:
        to->workspace = message;
        break;
    case ROW_ACTIVITY:
        to->activity = message;
        break;
    case ROW_TASK_CHANNEL:
        to->task_channel = message;
        break;
    case ROW_WORKER:
        to->worker = message;
        break;
    case ROW_TASK_QUEUE:
        to->task_queue = message;
        break;
    case ROW_WORKFLOW:
        to->workflow = message;
        break;
    case ROW_TASK:
        to->task = message;
        break;
    case ROW_RESERVATION:
        to->reservation = message;
        break;
    case ROW_TRUNK:
        to->trunk = message;
        break;
    case ROW_INBOUND_ROUTE:
        to->inbound_route = message;
        break;
    default:
        break;
    }
}

static Cordboard__Routing__V1__Event__Call *print_call(
    const char *workspace_id,
    const struct event_call *from,
    struct arena *arena)
{
    Cordboard__Routing__V1__Event__Call *call =
        arena_new_object(arena, Cordboard__Routing__V1__Event__Call);

    cordboard__routing__v1__event__call__init(call);
    message_set_text(&call->bridge, from->bridge_id);
    message_set_text(&call->call, from->call_id);
    message_set_text(
        &call->party, from->party && strcmp(from->party, "caller") != 0
                          ? name_print(arena, workspace_id, "workers", from->party)
                          : from->party);
    message_set_text(&call->cause, from->cause);
    call->sip_status = from->sip_status;
    call->bridge_time = time_print(arena, from->bridge_time_us);
    return call;
}

Cordboard__Routing__V1__Event *event_print(
    const char *workspace_id,
    const struct event *event,
    struct arena *arena)
{
    Cordboard__Routing__V1__Event *message = arena_new_object(arena, Cordboard__Routing__V1__Event);

    cordboard__routing__v1__event__init(message);
    message->name =
        arena_printf(arena, "workspaces/%s/events/%lld", workspace_id, (long long)event->sequence);
    message->sequence = event->sequence;
    message_set_text(&message->event_type, event->type);
    message->event_time = time_print(arena, event->time_us);
    message_set_text(&message->description, event->description);
    message_set_text(&message->actor, event->actor);
    place(message, event->task, arena);
    place(message, event->reservation, arena);
    place(message, event->worker, arena);
    place(message, event->former_activity, arena);
    place(message, event->resource, arena);
    if (event->resource) {
        message_set_text(&message->resource, resource_name(event->resource, arena));
    }
    if (message->workflow) {
        message_set_text(&message->workflow->configuration, ""); /* may be a megabyte */
    }
    if (event->call) {
        message->call = print_call(workspace_id, event->call, arena);
    }
    return message;
}
