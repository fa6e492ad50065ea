/* What workers do with reservations (row 58): accept, reject, wrap up, complete. */
#include "services/routing/domain/reservation.h"

#include <string.h>

#include "services/routing/operations/check.h"
#include "services/routing/operations/define.h"
#include "services/routing/operations/reservation_life.h"
#include "services/routing/operations/task_life.h"

static bool belongs(const char *id, const char *wanted)
{
    return !text_or_empty(wanted)[0] || strcmp(id, wanted) == 0;
}

static struct reservation *find(
    struct work *work,
    const struct reservation_verb_request *request,
    struct error *err)
{
    struct reservation *reservation =
        (struct reservation *)work_find(work, ROW_RESERVATION, request->id, NULL, err);

    if (!reservation) {
        return NULL;
    }
    if (!belongs(reservation->row.task_id, request->task_id) ||
        !belongs(reservation->row.worker_id, request->worker_id)) {
        FAIL(err, REASON_NOT_FOUND, "reservation %s does not exist there", request->id);
        return NULL;
    }
    return check_etag(&reservation->record, request->etag, err) ? reservation : NULL;
}

static const char *state_of(const struct reservation *reservation)
{
    return reservation_state_name((enum reservation_state)reservation->row.state);
}

/* One that is still to be answered. */
static struct reservation *find_pending(
    struct work *work,
    const struct reservation_verb_request *request,
    struct error *err)
{
    struct reservation *reservation = find(work, request, err);

    if (!reservation) {
        return NULL;
    }
    if (reservation->row.state != RESERVATION_PENDING) {
        FAIL(
            err, REASON_RESERVATION_NOT_PENDING, "reservation %s is %s", reservation->row.id,
            state_of(reservation));
        return NULL;
    }
    /* Its deadline has come, even if the step that says so has not run yet. */
    if (work->now_us >= reservation->row.expire_time_us) {
        FAIL(err, REASON_RESERVATION_EXPIRED, "reservation %s expired", reservation->row.id);
        return NULL;
    }
    return reservation;
}

static bool accept_reservation(
    struct work *work,
    const struct reservation_verb_request *request,
    struct error *err)
{
    struct reservation *reservation = find_pending(work, request, err);

    if (!reservation) {
        return false;
    }
    if (reservation->row.setup_state != SETUP_NONE) {
        return FAIL(
            err, REASON_RESERVATION_NOT_PENDING,
            "reservation %s was accepted already: its worker is being dialled",
            reservation->row.id);
    }
    if (reservation->task->row.call_live && !reservation_contact_uri(reservation)) {
        return FAIL(
            err, REASON_CONTACT_MISSING,
            "worker %s has no contact_uri in its attributes, so its phone cannot be dialled",
            reservation->row.worker_id);
    }
    reservation_take(work, reservation);
    work_reply(work, &reservation->record);
    return true;
}
DEFINE_OPERATION(accept_reservation, false)

static bool reject_reservation(
    struct work *work,
    const struct reservation_verb_request *request,
    struct error *err)
{
    struct reservation *reservation = find_pending(work, request, err);
    const char *activity_id = text_or_empty(request->activity_id);

    if (!reservation ||
        (activity_id[0] && !work_find(work, ROW_ACTIVITY, activity_id, "activity", err))) {
        return false;
    }
    if (activity_id[0]) {
        worker_move(work, reservation->worker, activity_id);
    }
    reservation_fail(work, reservation, RESERVATION_REJECTED, "rejected");
    work_reply(work, &reservation->record);
    return true;
}
DEFINE_OPERATION(reject_reservation, false)

static struct reservation *find_for_verb(
    struct work *work,
    const struct reservation_verb_request *request,
    enum reservation_state state,
    const char *verb,
    struct error *err)
{
    struct reservation *reservation = find(work, request, err);

    if (reservation &&
        !reservation_state_can_become((enum reservation_state)reservation->row.state, state)) {
        FAIL(
            err, REASON_STATE_FORBIDS, "reservation %s cannot be %s because it is %s",
            reservation->row.id, verb, state_of(reservation));
        return NULL;
    }
    return reservation;
}

static bool wrap_up_reservation(
    struct work *work,
    const struct reservation_verb_request *request,
    struct error *err)
{
    struct reservation *reservation =
        find_for_verb(work, request, RESERVATION_WRAPPING, "wrapped up", err);

    if (!reservation) {
        return false;
    }
    task_wrap_up(work, reservation->task, "");
    work_reply(work, &reservation->record);
    return true;
}
DEFINE_OPERATION(wrap_up_reservation, false)

static bool complete_reservation(
    struct work *work,
    const struct reservation_verb_request *request,
    struct error *err)
{
    struct reservation *reservation =
        find_for_verb(work, request, RESERVATION_COMPLETED, "completed", err);

    if (!reservation) {
        return false;
    }
    task_complete(work, reservation->task, "");
    work_reply(work, &reservation->record);
    return true;
}
DEFINE_OPERATION(complete_reservation, false)
