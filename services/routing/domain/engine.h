/* The engine's memory: all workspaces that one thread owns, and everything in each. Only that
 * thread touches it. Operations (operations/) change it; this header is where things are found.
 */
#ifndef ROUTING_DOMAIN_ENGINE_H
#define ROUTING_DOMAIN_ENGINE_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "services/routing/domain/objects.h"

struct value_keys;

RB_HEAD(engine_tree, engine);
RB_HEAD(worker_name_tree, worker);
RB_HEAD(call_tree, task);

/* All workspaces of one thread. */
struct engines {
    struct value_keys *keys; /* borrowed */
    struct engine_tree tree;
    struct deadline_tree deadlines;
    /* Number of the batch that the changes of the next step will be in; the owner sets it. */
    int64_t open_batch;
};

/* One workspace. */
struct engine {
    struct engines *engines;
    RB_ENTRY(engine) by_id;
    char *workspace_id;
    bool exists; /* a deleted workspace leaves its event sequence behind, for a later namesake */
    struct record record;
    struct workspace_row row;
    struct record progress_record;
    struct progress_row progress;

    /* By kind and id: activities, task channels, workers, queues, workflows, tasks, reservations,
     * trunks, routes, bridges, requests. */
    struct record_tree records[ROW_KIND_COUNT];
    size_t counts[ROW_KIND_COUNT];
    char *swept[ROW_KIND_COUNT]; /* id where the last sweep stopped; NULL at the end */
    struct worker_name_tree worker_names;
    struct call_tree calls;

    int64_t batch; /* newest batch that changed anything in it: NOT_FOUND depends on it */

    /* Of the step under way: what it changed, and what matching has to look at. */
    struct record_list touched;
    struct worker_list dirty_workers;
    struct task_list dirty_tasks;
};

struct engines *engines_new(struct value_keys *keys);
struct engines *engines_free(struct engines *engines);

/* The workspace; NULL when it does not exist. */
struct engine *engines_find(struct engines *engines, const char *workspace_id);
/* Its memory, made when there is none yet. */
struct engine *engines_obtain(struct engines *engines, const char *workspace_id);
/* Workspaces in the order of their ids: the first one behind `after` ("" for the first of all);
 * NULL at the end. */
struct engine *engines_find_after(struct engines *engines, const char *after);

/* When the next deadline is due: false when there is none. The workspace is whose step has to run
 * it (run_deadline.h); valid until the next step. */
bool engines_next_deadline(
    const struct engines *engines,
    int64_t *ret_time_us,
    const char **ret_workspace_id);

/* NULL when there is none. */
struct activity *engine_find_activity(struct engine *engine, const char *id);
struct task_channel *engine_find_task_channel(struct engine *engine, const char *id);
struct worker *engine_find_worker(struct engine *engine, const char *id);
struct worker *engine_find_worker_named(struct engine *engine, const char *display_name);
struct task_queue *engine_find_task_queue(struct engine *engine, const char *id);
struct workflow *engine_find_workflow(struct engine *engine, const char *id);
struct task *engine_find_task(struct engine *engine, const char *id);
struct task *engine_find_task_of_call(
    struct engine *engine,
    const char *bridge_id,
    const char *call_id);
/* The bridge's next call behind this one ("" for its first). */
struct task *engine_find_call_after(
    struct engine *engine,
    const char *bridge_id,
    const char *call_id);
struct reservation *engine_find_reservation(struct engine *engine, const char *id);
struct trunk *engine_find_trunk(struct engine *engine, const char *id);
struct inbound_route *engine_find_inbound_route(struct engine *engine, const char *id);
struct bridge *engine_find_bridge(struct engine *engine, const char *id);
struct request *engine_find_request(struct engine *engine, const char *id);

/* A worker takes another name: the index by names follows. */
void engine_rename_worker(struct engine *engine, struct worker *worker, const char *display_name);

/* Puts a new object into its tree, and takes it out. */
void engine_add(struct engine *engine, struct record *record);
void engine_remove(struct engine *engine, struct record *record);

DEFINE_CLEANUP(struct engines *, engines_free)

#endif
