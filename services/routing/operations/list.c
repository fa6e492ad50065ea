/* list_<kind>s: pages of resources, in the order of ids. */
#include <string.h>

#include "common/base/arena.h"
#include "services/routing/domain/limits.h"
#include "services/routing/operations/define.h"
#include "services/routing/operations/requests.h"

/* One page under way. */
struct page {
    struct work *work;
    const struct list_request *request;
    size_t size;
};

static bool begin_page(
    struct page *page,
    struct work *work,
    const struct list_request *request,
    struct error *err)
{
    *page = (struct page){.work = work, .request = request, .size = (size_t)request->page_size};
    if (request->page_size < 0) {
        return FAIL_FIELD(err, REASON_FIELD_INVALID, "page_size", "page_size must not be negative");
    }
    if (page->size == 0) {
        page->size = PAGE_SIZE_DEFAULT;
    }
    if (page->size > PAGE_SIZE_MAX) {
        page->size = PAGE_SIZE_MAX;
    }
    /* What is not on the page is part of the answer as well. */
    work_depends_on_all(work);
    return true;
}

/* Adds one; false when the page is full: then its last one is where the next page starts. */
static bool add_to_page(struct page *page, const struct record *record)
{
    struct step *step = page->work->step;

    if (step->view_count == page->size) {
        return false;
    }
    work_reply(page->work, record);
    return true;
}

static void fill_page(struct page *page, struct record_tree *tree)
{
    const char *last_id = text_or_empty(page->request->after);
    struct record *record = record_find_after(tree, last_id);

    for (; record; record = RB_NEXT(record_tree, tree, record)) {
        bool wanted = record->kind != ROW_TASK || page->request->state == 0 ||
                      ((struct task *)record)->row.state == page->request->state;

        if (!wanted) {
            continue;
        }
        if (!add_to_page(page, record)) {
            page->work->step->next_page = arena_strdup(page->work->step->arena, last_id);
            return;
        }
        last_id = record->id;
    }
}

static bool list(
    struct work *work,
    struct record_tree *tree,
    const struct list_request *request,
    struct error *err)
{
    struct page page;

    if (!begin_page(&page, work, request, err)) {
        return false;
    }
    fill_page(&page, tree);
    return true;
}

#define DEFINE_LIST(kinds, KIND)                                                                   \
    static bool list_##kinds(                                                                      \
        struct work *work, const struct list_request *request, struct error *err)                  \
    {                                                                                              \
        return list(work, &work->engine->records[ROW_##KIND], request, err);                       \
    }                                                                                              \
    DEFINE_OPERATION(list_##kinds, true)

DEFINE_LIST(activities, ACTIVITY)
DEFINE_LIST(task_channels, TASK_CHANNEL)
DEFINE_LIST(workers, WORKER)
DEFINE_LIST(task_queues, TASK_QUEUE)
DEFINE_LIST(workflows, WORKFLOW)
DEFINE_LIST(tasks, TASK)
DEFINE_LIST(trunks, TRUNK)
DEFINE_LIST(inbound_routes, INBOUND_ROUTE)

static const struct reservation *next_by_id(const struct task *task, const char *last_id)
{
    const struct reservation *reservation = NULL;
    const struct reservation *best = NULL;

    TAILQ_FOREACH(reservation, &task->reservations, by_task)
    {
        const char *id = reservation->row.id;

        if (strcmp(id, last_id) > 0 && (!best || strcmp(id, best->row.id) < 0)) {
            best = reservation;
        }
    }
    return best;
}

/* A task's reservations are few; they stand in the order in which they were made. */
static void fill_page_of_task(struct page *page, const struct task *task)
{
    const char *last_id = text_or_empty(page->request->after);
    const struct reservation *reservation = NULL;

    while ((reservation = next_by_id(task, last_id))) {
        if (!add_to_page(page, &reservation->record)) {
            page->work->step->next_page = arena_strdup(page->work->step->arena, last_id);
            return;
        }
        last_id = reservation->row.id;
    }
}

static bool list_reservations(
    struct work *work,
    const struct list_request *request,
    struct error *err)
{
    struct page page;
    const char *worker_id = text_or_empty(request->worker_id);
    bool by_worker = worker_id[0] != '\0';
    struct record *parent = by_worker ? work_find(work, ROW_WORKER, worker_id, NULL, err)
                                      : work_find(work, ROW_TASK, request->task_id, NULL, err);

    if (!parent || !begin_page(&page, work, request, err)) {
        return false;
    }
    if (by_worker) {
        fill_page(&page, &((struct worker *)parent)->reservations);
    } else {
        fill_page_of_task(&page, (struct task *)parent);
    }
    return true;
}
DEFINE_OPERATION(list_reservations, true)

static bool run_list_workspaces(
    struct engines *engines,
    struct engine *engine,
    const void *request,
    struct step *step,
    struct error *err)
{
    const struct list_request *list_request = request;
    const char *last_id = text_or_empty(list_request->after);
    struct work work = {.engines = engines, .step = step, .now_us = step->now_us};
    struct page page;

    (void)engine;
    engine = engines_find_after(engines, last_id);
    step->depends_on_batch = engines->open_batch; /* one may have been deleted just now */
    for (; engine; engine = engines_find_after(engines, last_id)) {
        work.engine = engine;
        if (!begin_page(&page, &work, list_request, err)) {
            return false;
        }
        if (!add_to_page(&page, &engine->record)) {
            step->next_page = arena_strdup(step->arena, last_id);
            break;
        }
        last_id = engine->workspace_id;
    }
    return true;
}

const struct operation operation_list_workspaces = {
    .name = "list_workspaces",
    .run = run_list_workspaces,
    .reads_only = true,
};

static void reply_all(struct work *work, enum row_kind kind)
{
    struct record *record = NULL;

    RB_FOREACH(record, record_tree, &work->engine->records[kind])
    {
        work_reply(work, record);
    }
}

static bool run_list_telephony(
    struct engines *engines,
    struct engine *engine,
    const void *request,
    struct step *step,
    struct error *err)
{
    struct work work = {.engines = engines, .step = step, .now_us = step->now_us};

    (void)engine;
    (void)request;
    (void)err;
    for (engine = engines_find_after(engines, ""); engine;
         engine = engines_find_after(engines, engine->workspace_id)) {
        work.engine = engine;
        work_depends_on_all(&work);
        reply_all(&work, ROW_TRUNK);
        reply_all(&work, ROW_INBOUND_ROUTE);
    }
    return true;
}

const struct operation operation_list_telephony = {
    .name = "list_telephony",
    .run = run_list_telephony,
    .reads_only = true,
};

static bool get_worker_snapshot(
    struct work *work,
    const struct snapshot_request *request,
    struct error *err)
{
    struct worker *worker =
        (struct worker *)work_find(work, ROW_WORKER, request->worker_id, NULL, err);
    const struct reservation *reservation = NULL;

    if (!worker) {
        return false;
    }
    work_depends_on_all(work); /* the sequence in the reply is that of the newest event */
    work_reply(work, &worker->record);
    reply_all(work, ROW_ACTIVITY);
    TAILQ_FOREACH(reservation, &worker->live, by_live)
    {
        work_reply(work, &reservation->record);
    }
    TAILQ_FOREACH(reservation, &worker->live, by_live)
    {
        work_reply(work, &reservation->task->record);
    }
    return true;
}
DEFINE_OPERATION(get_worker_snapshot, true)
