#include "services/routing/outlets/resource_filter.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/routing/store/store.h"
#include "services/routing/wire/name.h"

static bool read_resource(
    struct name_parts *parts,
    const char *resource,
    const char **ret_task_id,
    const char **ret_worker_id,
    const char **ret_reservation_id,
    struct error *err)
{
    if (resource[0] == '\0') {
        parts->ids[0][0] = '\0';
        return true;
    }
    if (name_parse(resource, "workspaces/*/tasks/*/reservations/*", "resource", parts, err)) {
        *ret_reservation_id = parts->ids[2];
    } else if (name_parse(resource, "workspaces/*/tasks/*", "resource", parts, err)) {
        *ret_task_id = parts->ids[1];
    } else if (name_parse(resource, "workspaces/*/workers/*", "resource", parts, err)) {
        *ret_worker_id = parts->ids[1];
    } else {
        return FAIL_FIELD(
            err, REASON_NAME_INVALID, "resource",
            "resource: '%.200s' is not the name of a task, worker or reservation", resource);
    }
    return true;
}

bool resource_filter_init(
    struct resource_filter *filter,
    const char *parent,
    const char *resource,
    char **ret_workspace_id,
    struct error *err)
{
    struct name_parts workspace;
    struct name_parts parts;
    const char *task_id = "";
    const char *worker_id = "";
    const char *reservation_id = "";

    if (!name_parse(parent, "workspaces/*", "parent", &workspace, err) ||
        !read_resource(&parts, resource, &task_id, &worker_id, &reservation_id, err)) {
        return false;
    }
    if (parts.ids[0][0] != '\0' && strcmp(parts.ids[0], workspace.ids[0]) != 0) {
        return FAIL_FIELD(
            err, REASON_NAME_INVALID, "resource", "resource: '%s' is not in %s", resource, parent);
    }
    filter->task_id = mem_strdup(task_id);
    filter->worker_id = mem_strdup(worker_id);
    filter->reservation_id = mem_strdup(reservation_id);
    *ret_workspace_id = mem_strdup(workspace.ids[0]);
    return true;
}

void resource_filter_deinit(struct resource_filter *filter)
{
    free(filter->task_id);
    free(filter->worker_id);
    free(filter->reservation_id);
    *filter = (struct resource_filter){.task_id = NULL};
}

bool resource_filter_empty(const struct resource_filter *filter)
{
    return filter->task_id[0] == '\0' && filter->worker_id[0] == '\0' &&
           filter->reservation_id[0] == '\0';
}

bool resource_filter_passes(const struct resource_filter *filter, const struct store_event *event)
{
    if (filter->task_id[0] != '\0') {
        return strcmp(filter->task_id, event->task_id) == 0;
    }
    if (filter->worker_id[0] != '\0') {
        return strcmp(filter->worker_id, event->worker_id) == 0;
    }
    return filter->reservation_id[0] == '\0' ||
           strcmp(filter->reservation_id, event->reservation_id) == 0;
}
