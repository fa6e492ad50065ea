/* get_<kind>: one resource. */
#include <string.h>

#include "services/routing/operations/define.h"
#include "services/routing/operations/requests.h"

static bool get(
    struct work *work,
    enum row_kind kind,
    const struct get_request *request,
    struct error *err)
{
    const struct record *record = work_find(work, kind, request->id, NULL, err);

    if (!record) {
        return false;
    }
    work_reply(work, record);
    return true;
}

#define DEFINE_GET(kind, KIND)                                                                     \
    static bool get_##kind(                                                                        \
        struct work *work, const struct get_request *request, struct error *err)                   \
    {                                                                                              \
        return get(work, ROW_##KIND, request, err);                                                \
    }                                                                                              \
    DEFINE_OPERATION(get_##kind, true)

DEFINE_GET(activity, ACTIVITY)
DEFINE_GET(task_channel, TASK_CHANNEL)
DEFINE_GET(worker, WORKER)
DEFINE_GET(task_queue, TASK_QUEUE)
DEFINE_GET(workflow, WORKFLOW)
DEFINE_GET(task, TASK)
DEFINE_GET(trunk, TRUNK)
DEFINE_GET(inbound_route, INBOUND_ROUTE)

static bool get_workspace(struct work *work, const struct get_request *request, struct error *err)
{
    (void)request;
    (void)err;
    work_reply(work, &work->engine->record);
    return true;
}
DEFINE_OPERATION(get_workspace, true)

static bool get_reservation(struct work *work, const struct get_request *request, struct error *err)
{
    const struct reservation *reservation =
        (struct reservation *)work_find(work, ROW_RESERVATION, request->id, NULL, err);
    const char *task_id = text_or_empty(request->task_id);

    if (!reservation) {
        return false;
    }
    if (task_id[0] && strcmp(task_id, reservation->row.task_id) != 0) {
        return FAIL(err, REASON_NOT_FOUND, "task %s has no reservation %s", task_id, request->id);
    }
    work_reply(work, &reservation->record);
    return true;
}
DEFINE_OPERATION(get_reservation, true)
