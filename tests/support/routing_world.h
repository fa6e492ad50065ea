/* A world for tests of the routing engine: one thread's engines, a clock that only tests move, and
 * a store that keeps the rows of every step's changes, so that the world can be restarted.
 *
 * The first workspace is "acme" with queue "everyone" and workflow "main", which sends every task
 * there. Functions that must work assert that they do.
 */
#ifndef TESTS_SUPPORT_ROUTING_WORLD_H
#define TESTS_SUPPORT_ROUTING_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error/error.h"
#include "services/routing/domain/engine.h"
#include "services/routing/operations/operations.h"
#include "services/routing/operations/requests.h"
#include "services/routing/operations/step.h"

struct arena;
struct value;
struct value_keys;

#define WORLD_START_US INT64_C(1700000000000000)
#define WORLD_SECOND INT64_C(1000000)

struct world_rows {
    void **rows;
    size_t count;
};

struct world {
    struct value_keys *keys;
    struct engines *engines;
    struct engine *engine; /* acme */
    struct arena *arena;   /* requests, until the end of the world */
    struct step *step;     /* the last one */
    struct error err;      /* of the last refusal */
    int64_t now_us;
    uint64_t random;
    struct world_rows store[ROW_KIND_COUNT];
    int64_t last_sequence; /* of acme */
    char *trail;           /* types of all events of acme, each with a blank before it */
};

void world_init(struct world *world);
/* The same with nothing in it. */
void world_init_empty(struct world *world);
void world_deinit(struct world *world);

/* Runs one operation on a workspace ("acme" in the short form); false when refused, and then
 * world->err says why and nothing has changed. */
bool world_run_in(
    struct world *world,
    const char *workspace_id,
    const struct operation *operation,
    const void *request);
bool world_run(struct world *world, const struct operation *operation, const void *request);

/* Moves the clock, running each deadline at its time. */
void world_pass(struct world *world, int64_t duration_us);
/* Runs what is due at the present time. */
void world_run_due(struct world *world);

/* Forgets the engine and loads a new one from the store. */
void world_restart(struct world *world);

/* Text as a value, in the world's arena. */
const struct value *world_json(struct world *world, const char *text);

/* The events since the last call of this function, types only: "task.created workflow.entered". */
const char *world_events(struct world *world);

/* Makers. attributes and settings: JSON text or "". */
struct worker *world_worker(struct world *world, const char *id, const char *attributes);
void world_queue(struct world *world, const char *id, const char *target_workers);
bool world_try_workflow(struct world *world, const char *id, const char *configuration);
void world_workflow(struct world *world, const char *id, const char *configuration);
struct task *world_task(struct world *world, const char *id, const char *attributes);
struct task *world_task_of(
    struct world *world,
    const char *id,
    const char *workflow_id,
    const char *attributes,
    int32_t priority);
/* Number of the next report and a call through trunk "line" and route "in" (world_telephony makes
 * them, with workflow "main"). */
void world_telephony(struct world *world, bool accepts_by_itself);
struct task *world_call(struct world *world, const char *call_id);
bool world_report(
    struct world *world,
    const char *call_id,
    enum bridge_report_kind kind,
    const char *reservation_id,
    const char *cause);

/* Finders. */
struct task *world_find_task(struct world *world, const char *id);
/* The task's live reservation; NULL. */
struct reservation *world_offer(struct world *world, const char *task_id);

/* Verbs; true when done. */
bool world_accept(struct world *world, const struct reservation *reservation);
bool world_reject(struct world *world, const struct reservation *reservation);
bool world_task_verb(struct world *world, const struct operation *verb, const char *task_id);
bool world_set_activity(struct world *world, const char *worker_id, const char *activity_id);

/* The instruction of a kind that the last step made; NULL. */
const struct instruction_row *world_instruction(
    const struct world *world,
    enum instruction_kind kind);

#endif
