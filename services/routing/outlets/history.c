/* Reading stored events without holding anybody up. */
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/routing/outlets/hub.h"

struct reading {
    struct mailbox_node node;
    struct arena *arena; /* holds the reading itself */
    struct store_event_query query;
    event_page_handler *handler;
    void *context;
};

enum {
    RETRY_DELAY_MS = 1000
};

/* What a client is told: where our database is, and how it fails, is not for outside. */
static void fail_reading(struct reading *reading, const struct error *why)
{
    struct error told = *why;

    if (why->reason == REASON_STORE_UNAVAILABLE) {
        (void)FAIL(&told, REASON_STORE_UNAVAILABLE, "stored events cannot be read at present");
        told.retry_delay_ms = RETRY_DELAY_MS;
    }
    reading->handler(reading->context, NULL, &told);
}

static void read_page(struct store *store, struct reading *reading)
{
    struct store_event *events = NULL;
    struct event_page page = {.events = NULL};
    struct error err;

    if (store->operations->read_events(
            store, &reading->query, reading->arena, &events, &page.count, &err)) {
        page.events = events;
        reading->handler(reading->context, &page, NULL);
    } else {
        fail_reading(reading, &err);
    }
    arena_free(reading->arena);
}

static void *history_run(void *context)
{
    struct history *history = context;

    while (mailbox_wait(history->mailbox, INT64_MAX) != MAILBOX_CLOSED) {
        struct mailbox_node *node = mailbox_take_all(history->mailbox);

        while (node) {
            struct reading *reading = MAILBOX_MESSAGE(node, struct reading, node);

            node = node->next;
            read_page(history->store, reading);
        }
    }
    return NULL;
}

void history_start(struct history *history, struct store *store)
{
    history->store = store;
    history->mailbox = mailbox_new();
    if (pthread_create(&history->thread, NULL, history_run, history) != 0) {
        abort(); /* nothing works without it */
    }
}

void history_stop(struct history *history)
{
    mailbox_close(history->mailbox);
    pthread_join(history->thread, NULL);
    mailbox_free(history->mailbox);
}

void hub_read_events(
    struct hub *hub,
    const struct store_event_query *query,
    event_page_handler *handler,
    void *context)
{
    struct arena *arena = arena_new();
    struct reading *reading = arena_new_object(arena, struct reading);

    reading->arena = arena;
    reading->handler = handler;
    reading->context = context;
    reading->query = *query;
    reading->query.workspace_id = arena_strdup(arena, query->workspace_id);
    reading->query.task_id = arena_strdup(arena, query->task_id);
    reading->query.worker_id = arena_strdup(arena, query->worker_id);
    reading->query.reservation_id = arena_strdup(arena, query->reservation_id);
    if (!mailbox_post(hub->history.mailbox, &reading->node)) {
        struct error err;

        (void)FAIL(&err, REASON_SHUTTING_DOWN, "the routing service is shutting down");
        handler(context, NULL, &err);
        arena_free(arena);
    }
}
