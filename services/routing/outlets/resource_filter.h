/* Which events a reader wants: those of a workspace, or of one task, worker or reservation in it.
 */
#ifndef ROUTING_OUTLETS_RESOURCE_FILTER_H
#define ROUTING_OUTLETS_RESOURCE_FILTER_H

#include <stdbool.h>

struct error;
struct store_event;

/* At most one is not "". On the heap. */
struct resource_filter {
    char *task_id;
    char *worker_id;
    char *reservation_id;
};

/* parent: "workspaces/w"; resource: "" or a name in it. The workspace's id goes to the caller, on
 * the heap. On failure there is nothing to free. */
bool resource_filter_init(
    struct resource_filter *filter,
    const char *parent,
    const char *resource,
    char **ret_workspace_id,
    struct error *err);
void resource_filter_deinit(struct resource_filter *filter);
bool resource_filter_empty(const struct resource_filter *filter);
bool resource_filter_passes(const struct resource_filter *filter, const struct store_event *event);

#endif
