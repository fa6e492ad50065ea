#include "services/bridge/link/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"

int outbox_compare(struct outbox_workspace *one, struct outbox_workspace *other)
{
    return strcmp(one->workspace_id, other->workspace_id);
}

RB_GENERATE(outbox_tree, outbox_workspace, by_id, outbox_compare)

static const char *copy_text(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : "";
}

struct kept_report *kept_report_new(const struct report *report)
{
    struct arena *arena = arena_new();
    struct kept_report *kept = arena_new_object(arena, struct kept_report);

    kept->arena = arena;
    kept->report = *report;
    kept->report.workspace_id = copy_text(arena, report->workspace_id);
    kept->report.call_id = copy_text(arena, report->call_id);
    kept->report.task_id = copy_text(arena, report->task_id);
    kept->report.reservation_id = copy_text(arena, report->reservation_id);
    kept->report.cause = copy_text(arena, report->cause);
    kept->report.trunk_id = copy_text(arena, report->trunk_id);
    kept->report.inbound_route_id = copy_text(arena, report->inbound_route_id);
    kept->report.called_number = copy_text(arena, report->called_number);
    kept->report.caller_number = copy_text(arena, report->caller_number);
    kept->report.caller_display_name = copy_text(arena, report->caller_display_name);
    kept->report.sip_call_id = copy_text(arena, report->sip_call_id);
    return kept;
}

void kept_report_free(struct kept_report *kept)
{
    arena_free(kept->arena); /* the report lives in it */
}

void outbox_init(struct outbox *outbox)
{
    *outbox = (struct outbox){.report_count = 0};
    RB_INIT(&outbox->workspaces);
}

static void drop_first(struct outbox *outbox, struct outbox_workspace *workspace)
{
    struct kept_report *kept = TAILQ_FIRST(&workspace->reports);

    if (workspace->next == kept) {
        workspace->next = TAILQ_NEXT(kept, by_number);
    }
    TAILQ_REMOVE(&workspace->reports, kept, by_number);
    outbox->report_count--;
    workspace->sent -= workspace->sent > 0 ? 1 : 0;
    workspace->offered -= workspace->offered > 0 ? 1 : 0;
    kept_report_free(kept);
}

void outbox_deinit(struct outbox *outbox)
{
    struct outbox_workspace *workspace = NULL;

    while ((workspace = RB_MIN(outbox_tree, &outbox->workspaces)) != NULL) {
        while (!TAILQ_EMPTY(&workspace->reports)) {
            drop_first(outbox, workspace);
        }
        RB_REMOVE(outbox_tree, &outbox->workspaces, workspace);
        free(workspace->workspace_id);
        free(workspace);
    }
}

struct outbox_workspace *outbox_workspace(struct outbox *outbox, const char *workspace_id)
{
    CLEANUP(mem_free_at_exit) char *id = mem_strdup(workspace_id);
    struct outbox_workspace key = {.workspace_id = id};
    struct outbox_workspace *workspace = RB_FIND(outbox_tree, &outbox->workspaces, &key);

    if (!workspace) {
        workspace = mem_new(struct outbox_workspace);
        workspace->workspace_id = STEAL(id);
        TAILQ_INIT(&workspace->reports);
        RB_INSERT(outbox_tree, &outbox->workspaces, workspace);
    }
    return workspace;
}

void outbox_add(struct outbox *outbox, struct kept_report *kept)
{
    struct outbox_workspace *workspace = outbox_workspace(outbox, kept->report.workspace_id);

    TAILQ_INSERT_TAIL(&workspace->reports, kept, by_number);
    workspace->next = workspace->next ? workspace->next : kept;
    outbox->report_count++;
}

/* The routing service remembers less than it once acknowledged: the workspace was made anew, or its
 * database was. Both counts go on from what it says. */
static void begin_anew(struct outbox_workspace *workspace, int64_t number)
{
    workspace->acknowledged = number;
    workspace->last_instruction = 0;
    workspace->ack_due = false;
    workspace->offered = 0;
    workspace->sent = 0;
    workspace->next = TAILQ_FIRST(&workspace->reports);
}

void outbox_acknowledge(struct outbox *outbox, const char *workspace_id, int64_t number)
{
    struct outbox_workspace *workspace = outbox_workspace(outbox, workspace_id);
    bool first = !workspace->confirmed;

    workspace->confirmed = true;
    if (first && number < workspace->acknowledged) {
        begin_anew(workspace, number);
        return;
    }
    /* Only what this process sent can have taken effect. What was acknowledged to an earlier
     * process of this bridge just moves the count. */
    while (workspace->offered > 0 && workspace->acknowledged < number) {
        drop_first(outbox, workspace);
        workspace->acknowledged++;
    }
    if (workspace->acknowledged < number) {
        workspace->acknowledged = number;
    }
}

void outbox_restart(struct outbox *outbox)
{
    struct outbox_workspace *workspace = NULL;

    RB_FOREACH(workspace, outbox_tree, &outbox->workspaces)
    {
        workspace->sent = 0;
        workspace->next = TAILQ_FIRST(&workspace->reports);
        workspace->confirmed = false;
    }
}

void outbox_confirm(struct outbox *outbox)
{
    struct outbox_workspace *workspace = NULL;

    RB_FOREACH(workspace, outbox_tree, &outbox->workspaces)
    {
        if (!workspace->confirmed) {
            workspace->confirmed = true;
            begin_anew(workspace, 0);
        }
    }
}

const struct report *outbox_next(struct outbox *outbox, int64_t *ret_number)
{
    struct outbox_workspace *workspace = NULL;

    RB_FOREACH(workspace, outbox_tree, &outbox->workspaces)
    {
        struct kept_report *kept = workspace->next;

        if (kept) {
            workspace->next = TAILQ_NEXT(kept, by_number);
            workspace->sent++;
            workspace->offered =
                workspace->offered > workspace->sent ? workspace->offered : workspace->sent;
            *ret_number = workspace->acknowledged + (int64_t)workspace->sent;
            return &kept->report;
        }
    }
    return NULL;
}
