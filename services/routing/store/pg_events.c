/* Reading the event log, from any thread: each reading borrows a connection. */
#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "services/routing/postgres/connection.h"
#include "services/routing/postgres/result.h"
#include "services/routing/store/pg_internal.h"

#define SELECT_EVENTS                                                                              \
    "SELECT sequence, time, type, task_id, worker_id, reservation_id, payload FROM events"         \
    " WHERE workspace_id = $1::text AND sequence > $2::bigint"
#define OLDEST_FIRST " ORDER BY sequence LIMIT $3::bigint"

/* A condition of its own for each filter, written so that the partial index fits. */
static const struct postgres_statement all_events = {"all_events", SELECT_EVENTS OLDEST_FIRST};
static const struct postgres_statement task_events = {
    "task_events", SELECT_EVENTS " AND task_id = $4::text AND task_id <> ''" OLDEST_FIRST};
static const struct postgres_statement worker_events = {
    "worker_events", SELECT_EVENTS " AND worker_id = $4::text AND worker_id <> ''" OLDEST_FIRST};
static const struct postgres_statement reservation_events = {
    "reservation_events",
    SELECT_EVENTS " AND reservation_id = $4::text AND reservation_id <> ''" OLDEST_FIRST};

static const struct postgres_statement *const statements[] = {
    &all_events, &task_events, &worker_events, &reservation_events};

enum {
    STATEMENT_COUNT = sizeof(statements) / sizeof(statements[0])
};

enum {
    SEQUENCE,
    TIME,
    TYPE,
    TASK_ID,
    WORKER_ID,
    RESERVATION_ID,
    PAYLOAD,
    COLUMN_COUNT
};

static const struct postgres_column columns[COLUMN_COUNT] = {
    [SEQUENCE] = {"sequence",       POSTGRES_INT8       },
    [TIME] = {"time",           POSTGRES_TIMESTAMPTZ},
    [TYPE] = {"type",           POSTGRES_TEXT       },
    [TASK_ID] = {"task_id",        POSTGRES_TEXT       },
    [WORKER_ID] = {"worker_id",      POSTGRES_TEXT       },
    [RESERVATION_ID] = {"reservation_id", POSTGRES_TEXT       },
    [PAYLOAD] = {"payload",        POSTGRES_BYTEA      },
};

/* ---- connections ---- */

void pg_readers_init(struct pg_readers *readers)
{
    *readers = (struct pg_readers){.idle_count = 0};
    (void)pthread_mutex_init(&readers->mutex, NULL);
    (void)pthread_cond_init(&readers->returned, NULL);
}

void pg_readers_deinit(struct pg_readers *readers)
{
    while (readers->idle_count > 0) {
        postgres_disconnect(readers->idle[--readers->idle_count]);
    }
    (void)pthread_cond_destroy(&readers->returned);
    (void)pthread_mutex_destroy(&readers->mutex);
}

/* An idle connection, or NULL: then the caller opens one, for which there is room. */
static PGconn *borrow(struct pg_readers *readers)
{
    PGconn *connection = NULL;

    (void)pthread_mutex_lock(&readers->mutex);
    while (readers->lent_count == PG_READERS_MAX) {
        (void)pthread_cond_wait(&readers->returned, &readers->mutex);
    }
    if (readers->idle_count > 0) {
        connection = readers->idle[--readers->idle_count];
    }
    readers->lent_count++;
    (void)pthread_mutex_unlock(&readers->mutex);
    return connection;
}

static void give_back(struct pg_readers *readers, PGconn *connection)
{
    if (connection && !postgres_usable(connection)) {
        connection = postgres_disconnect(connection);
    }

    (void)pthread_mutex_lock(&readers->mutex);
    if (connection) {
        readers->idle[readers->idle_count++] = connection;
    }
    readers->lent_count--;
    (void)pthread_cond_signal(&readers->returned);
    (void)pthread_mutex_unlock(&readers->mutex);
}

static bool open_reader(const struct pg_store *pg, PGconn **ret_connection, struct error *err)
{
    CLEANUP(postgres_disconnect_at_exit) PGconn *connection = NULL;
    struct postgres_options options = {
        .url = pg->url,
        .role = POSTGRES_READER,
        .application_name = "cordboard-routing reader",
        .statement_timeout_ms = (int)pg->answer_timeout_ms,
    };

    if (!postgres_connect(&options, &connection, err) ||
        !postgres_prepare(connection, statements, STATEMENT_COUNT, pg->answer_timeout_ms, err)) {
        return false;
    }
    *ret_connection = STEAL(connection);
    return true;
}

/* ---- reading ---- */

static const struct postgres_statement *statement_for(
    const struct store_event_query *query,
    const char **ret_filter)
{
    if (query->task_id[0]) {
        *ret_filter = query->task_id;
        return &task_events;
    }
    if (query->worker_id[0]) {
        *ret_filter = query->worker_id;
        return &worker_events;
    }
    if (query->reservation_id[0]) {
        *ret_filter = query->reservation_id;
        return &reservation_events;
    }
    *ret_filter = NULL;
    return &all_events;
}

static void copy_event(
    const PGresult *result,
    int row,
    struct arena *arena,
    struct store_event *event)
{
    const void *payload = postgres_get_bytea(result, row, PAYLOAD, &event->payload_size);

    event->sequence = postgres_get_int8(result, row, SEQUENCE);
    event->time_us = postgres_get_time_us(result, row, TIME);
    event->type = arena_strdup(arena, postgres_get_text(result, row, TYPE));
    event->task_id = arena_strdup(arena, postgres_get_text(result, row, TASK_ID));
    event->worker_id = arena_strdup(arena, postgres_get_text(result, row, WORKER_ID));
    event->reservation_id = arena_strdup(arena, postgres_get_text(result, row, RESERVATION_ID));
    event->payload = arena_dup(arena, payload, event->payload_size);
}

static bool query_events(
    const struct pg_store *pg,
    PGconn *connection,
    const struct store_event_query *query,
    PGresult **ret_result,
    struct error *err)
{
    struct postgres_params params;
    const char *filter = NULL;
    struct postgres_call call = {.statement = statement_for(query, &filter), .params = &params};

    postgres_params_init(&params);
    postgres_params_add_text(&params, query->workspace_id);
    postgres_params_add_int8(&params, query->after_sequence);
    postgres_params_add_int8(&params, query->limit);
    if (filter) {
        postgres_params_add_text(&params, filter);
    }
    return postgres_query(connection, &call, pg->answer_timeout_ms, ret_result, err);
}

bool pg_read_events(
    struct store *store,
    const struct store_event_query *query,
    struct arena *arena,
    struct store_event **ret_events,
    size_t *ret_count,
    struct error *err)
{
    struct pg_store *pg = (struct pg_store *)store;
    CLEANUP(PQclear_at_exit) PGresult *result = NULL;
    PGconn *connection = borrow(&pg->readers);
    bool idle = connection != NULL;
    bool good = (idle || open_reader(pg, &connection, err)) &&
                query_events(pg, connection, query, &result, err);

    /* A connection that lay idle may have been lost since: that is no reason to fail. */
    if (!good && idle && !postgres_usable(connection)) {
        connection = postgres_disconnect(connection);
        good =
            open_reader(pg, &connection, err) && query_events(pg, connection, query, &result, err);
    }
    give_back(&pg->readers, connection);
    if (!good || !postgres_check_columns(result, columns, COLUMN_COUNT, err)) {
        return false;
    }

    size_t count = (size_t)PQntuples(result);
    struct store_event *events = arena_new_array(arena, struct store_event, count);
    const char *workspace_id = arena_strdup(arena, query->workspace_id);

    for (size_t i = 0; i < count; i++) {
        events[i].workspace_id = workspace_id;
        copy_event(result, (int)i, arena, &events[i]);
    }
    *ret_events = events;
    *ret_count = count;
    return true;
}
