/* Workflows (rows 35 and 37). */
#include <string.h>

#include "services/routing/domain/limits.h"
#include "services/routing/domain/workflow_document.h"
#include "services/routing/operations/check.h"
#include "services/routing/operations/define.h"
#include "services/routing/operations/walk.h"

/* Reads the document; every queue in it must exist. */
static bool read_document(
    struct work *work,
    const char *text,
    const struct value *json,
    struct workflow_document **ret_document,
    struct error *err)
{
    CLEANUP(workflow_document_free_at_exit) struct workflow_document *document = NULL;
    const char *const *queues = NULL;
    size_t count = 0;

    if (!text_or_empty(text)[0] || !json) {
        return FAIL_FIELD(
            err, REASON_FIELD_REQUIRED, "workflow.configuration",
            "workflow.configuration is required");
    }
    if (strlen(text) > WORKFLOW_DOCUMENT_BYTES_MAX) {
        return FAIL_FIELD(
            err, REASON_FIELD_TOO_LONG, "workflow.configuration",
            "workflow.configuration has %zu bytes; at most %d are allowed", strlen(text),
            WORKFLOW_DOCUMENT_BYTES_MAX);
    }
    if (!workflow_document_new(json, work->engines->keys, &document, err)) {
        return false;
    }
    count = workflow_document_queues(document, work->step->arena, &queues);
    for (size_t i = 0; i < count; i++) {
        if (!work_find(work, ROW_TASK_QUEUE, queues[i], "workflow.configuration", err)) {
            return false;
        }
    }
    *ret_document = STEAL(document);
    return true;
}

static bool check_clocks(
    const struct workflow_row *wanted,
    bool reservation,
    bool wrap_up,
    struct error *err)
{
    return (!reservation ||
            check_duration(
                "workflow.task_reservation_timeout", wanted->task_reservation_timeout_us,
                RESERVATION_TIMEOUT_MAX_US, err)) &&
           (!wrap_up || check_duration(
                            "workflow.wrap_up_timeout", wanted->wrap_up_timeout_us,
                            WRAP_UP_TIMEOUT_MAX_US, err));
}

static bool check_instruction(int32_t instruction, struct error *err)
{
    return check_range(
        "workflow.default_instruction", instruction, 0, DEFAULT_INSTRUCTION_ACCEPT, err);
}

/* 0, never sent, is read as NONE. */
static int32_t read_instruction(int32_t instruction)
{
    return instruction ? instruction : DEFAULT_INSTRUCTION_NONE;
}

static bool check_create(
    struct work *work,
    const struct create_request *request,
    struct workflow_document **ret_document,
    struct error *err)
{
    const struct workflow_row *wanted = request->row;
    bool reservation = (request->given & ROW_MASK(WORKFLOW_FIELD_task_reservation_timeout_us)) != 0;
    bool wrap_up = (request->given & ROW_MASK(WORKFLOW_FIELD_wrap_up_timeout_us)) != 0;

    return check_new_id(work, ROW_WORKFLOW, request->id, "workflow_id", err) &&
           check_name("workflow.display_name", wanted->display_name, err) &&
           check_clocks(wanted, reservation, wrap_up, err) &&
           check_instruction(wanted->default_instruction, err) &&
           check_room(work, ROW_WORKFLOW, WORKFLOWS_MAX, err) &&
           read_document(work, wanted->configuration, request->json, ret_document, err);
}

static bool create_workflow(
    struct work *work,
    const struct create_request *request,
    struct error *err)
{
    CLEANUP(workflow_document_free_at_exit) struct workflow_document *document = NULL;
    struct workflow_row row = *(const struct workflow_row *)request->row;
    struct workflow *workflow = NULL;
    bool repeated = false;

    if (!check_repeated(work, &request->key, "create_workflow", ROW_WORKFLOW, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    if (!check_create(work, request, &document, err)) {
        return false;
    }
    if (!(request->given & ROW_MASK(WORKFLOW_FIELD_task_reservation_timeout_us))) {
        row.task_reservation_timeout_us = RESERVATION_TIMEOUT_DEFAULT_US;
    }
    if (!(request->given & ROW_MASK(WORKFLOW_FIELD_wrap_up_timeout_us))) {
        row.wrap_up_timeout_us = WRAP_UP_TIMEOUT_DEFAULT_US;
    }
    row.default_instruction = read_instruction(row.default_instruction);
    row.version = 0;
    workflow = (struct workflow *)work_create(work, ROW_WORKFLOW, &row, request->id);
    workflow->document = STEAL(document);
    work_tell(
        work, "workflow.created", &workflow->record, "Workflow %s was created.", workflow->row.id);
    remember_request(work, &request->key, "create_workflow", workflow->row.id);
    work_reply(work, &workflow->record);
    return true;
}
DEFINE_OPERATION(create_workflow, false)

static bool check_update(
    struct work *work,
    const struct workflow *workflow,
    const struct update_request *request,
    struct workflow_document **ret_document,
    struct error *err)
{
    const struct workflow_row *wanted = request->row;
    uint64_t mask = request->mask;

    return check_mask(ROW_WORKFLOW, mask, err) &&
           check_etag(&workflow->record, request->etag, err) &&
           (!(mask & ROW_MASK(WORKFLOW_FIELD_display_name)) ||
            check_name("workflow.display_name", wanted->display_name, err)) &&
           check_clocks(
               wanted, mask & ROW_MASK(WORKFLOW_FIELD_task_reservation_timeout_us),
               mask & ROW_MASK(WORKFLOW_FIELD_wrap_up_timeout_us), err) &&
           check_instruction(wanted->default_instruction, err) &&
           (!(mask & ROW_MASK(WORKFLOW_FIELD_configuration)) ||
            read_document(work, wanted->configuration, request->json, ret_document, err));
}

static void set_settings(
    struct workflow *workflow,
    const struct workflow_row *wanted,
    uint64_t mask)
{
    if (mask & ROW_MASK(WORKFLOW_FIELD_display_name)) {
        row_set_text(&workflow->row.display_name, wanted->display_name);
    }
    if (mask & ROW_MASK(WORKFLOW_FIELD_task_reservation_timeout_us)) {
        workflow->row.task_reservation_timeout_us = wanted->task_reservation_timeout_us;
    }
    if (mask & ROW_MASK(WORKFLOW_FIELD_wrap_up_timeout_us)) {
        workflow->row.wrap_up_timeout_us = wanted->wrap_up_timeout_us;
    }
    if (mask & ROW_MASK(WORKFLOW_FIELD_default_instruction)) {
        workflow->row.default_instruction = read_instruction(wanted->default_instruction);
    }
}

/* Tasks go on by the new document from the same place when it still exists, else from the top. */
static void set_document(
    struct work *work,
    struct workflow *workflow,
    const char *text,
    struct workflow_document *document)
{
    walk_leave_lines(work, workflow);
    row_set_text(&workflow->row.configuration, text);
    workflow_document_free(workflow->document);
    workflow->document = document;
    walk_new_document(work, workflow);
}

static bool update_workflow(
    struct work *work,
    const struct update_request *request,
    struct error *err)
{
    CLEANUP(workflow_document_free_at_exit) struct workflow_document *document = NULL;
    const struct workflow_row *wanted = request->row;
    struct workflow *workflow = NULL;
    bool repeated = false;

    if (!check_repeated(work, &request->key, "update_workflow", ROW_WORKFLOW, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    workflow = (struct workflow *)work_find(work, ROW_WORKFLOW, request->id, NULL, err);
    if (!workflow || !check_update(work, workflow, request, &document, err)) {
        return false;
    }
    work_touch(work, &workflow->record);
    set_settings(workflow, wanted, request->mask);
    work_tell(
        work, "workflow.updated", &workflow->record, "Workflow %s was changed.", workflow->row.id);
    if (document) {
        set_document(work, workflow, wanted->configuration, STEAL(document));
    }
    remember_request(work, &request->key, "update_workflow", workflow->row.id);
    work_reply(work, &workflow->record);
    return true;
}
DEFINE_OPERATION(update_workflow, false)

static bool delete_workflow(
    struct work *work,
    const struct delete_request *request,
    struct error *err)
{
    struct workflow *workflow =
        (struct workflow *)work_find(work, ROW_WORKFLOW, request->id, NULL, err);
    struct record *record = NULL;

    if (!workflow || !check_etag(&workflow->record, request->etag, err)) {
        return false;
    }
    if (workflow->live_task_count) {
        return FAIL(
            err, REASON_RESOURCE_IN_USE, "%zu tasks that have not ended are in workflow %s",
            workflow->live_task_count, workflow->row.id);
    }
    RB_FOREACH(record, record_tree, &work->engine->records[ROW_INBOUND_ROUTE])
    {
        const struct inbound_route *route = (struct inbound_route *)record;

        if (strcmp(route->row.workflow_id, workflow->row.id) == 0) {
            return FAIL(
                err, REASON_RESOURCE_IN_USE, "inbound route %s names workflow %s", route->row.id,
                workflow->row.id);
        }
    }
    work_tell(
        work, "workflow.deleted", &workflow->record, "Workflow %s was deleted.", workflow->row.id);
    RB_FOREACH(record, record_tree, &work->engine->records[ROW_TASK])
    {
        if (((struct task *)record)->workflow == workflow) {
            ((struct task *)record)->workflow = NULL;
        }
    }
    work_delete(work, &workflow->record);
    return true;
}
DEFINE_OPERATION(delete_workflow, false)
