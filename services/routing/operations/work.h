/* One step's work on one workspace: what every operation uses to look things up, to change them and
 * to tell about it. Operations check everything first, then change; work_done ends each of them.
 */
#ifndef ROUTING_OPERATIONS_WORK_H
#define ROUTING_OPERATIONS_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "services/routing/domain/engine.h"
#include "services/routing/operations/requests.h"
#include "services/routing/operations/step.h"

struct work {
    struct engines *engines;
    struct engine *engine;
    struct step *step;
    int64_t now_us;
    const char *actor; /* of the events that follow */
};

/* Fails with NOT_FOUND when the workspace does not exist. */
MUST_USE bool work_begin(
    struct work *work,
    struct engines *engines,
    struct engine *engine,
    struct step *step,
    struct error *err);

/* Lets matching look at what changed, records changes and sequence; always true. */
bool work_done(struct work *work);

/* Reading: the reply may not leave before what it shows is durable. */
void work_depends(struct work *work, const struct record *record);
/* Everything in the workspace: for "there is none". */
void work_depends_on_all(struct work *work);
/* The record with this id. When there is none: NULL and NOT_FOUND, in the field `path` when it is a
 * reference within a request (NULL for the resource itself). */
struct record *work_find(
    struct work *work,
    enum row_kind kind,
    const char *id,
    const char *path,
    struct error *err);
/* Adds a view to the reply. */
void work_reply(struct work *work, const struct record *record);

/* Changing: to be called for each record that changes, before or after; once a step counts. */
void work_touch(struct work *work, struct record *record);
/* A new object of the kind with the row's contents; its id, times and version are set. Added to the
 * engine's tree where its kind has one. */
struct record *work_create(struct work *work, enum row_kind kind, const void *row, const char *id);
/* Records that it is gone, takes it out of its tree and frees it; whatever links to it has been
 * undone. */
void work_delete(struct work *work, struct record *record);
/* Records that a row without a live object is gone, or is there. */
void work_record(struct work *work, enum row_kind kind, const void *row, bool deleted);

/* What could match now: derives the object's indexes and lets matching look at it. */
void work_worker_changed(struct work *work, struct worker *worker);
void work_task_changed(struct work *work, struct task *task);
/* They are going: matching forgets them. */
void work_forget_worker(struct work *work, struct worker *worker);
void work_forget_task(struct work *work, struct task *task);

/* Telling. The resource is what the event is about; the sentence explains it. */
struct event *work_tell(
    struct work *work,
    const char *type,
    const struct record *resource,
    const char *format,
    ...) PRINTF_LIKE(4, 5);
struct event *work_tell_task(
    struct work *work,
    const char *type,
    const struct task *task,
    const char *format,
    ...) PRINTF_LIKE(4, 5);
struct event *work_tell_reservation(
    struct work *work,
    const char *type,
    const struct reservation *reservation,
    const char *format,
    ...) PRINTF_LIKE(4, 5);

/* "task channel", "workflow": for messages. */
const char *kind_words(enum row_kind kind);
/* NULL is "". */
const char *text_or_empty(const char *text);

#endif
