#include "services/routing/store/pg_store.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/routing/postgres/connection.h"
#include "services/routing/postgres/migrations.h"
#include "services/routing/store/pg_internal.h"

enum {
    ANSWER_TIMEOUT_MS = 10000,
    WRITER_STATEMENT_MS = 300000, /* loading a million rows is one statement */
    STATEMENTS_MAX = ROW_KIND_COUNT * 3 + 16
};

static const Oid event_types[PG_EVENT_COLUMNS] = {
    POSTGRES_TEXT, POSTGRES_INT8, POSTGRES_TIMESTAMPTZ, POSTGRES_TEXT,
    POSTGRES_TEXT, POSTGRES_TEXT, POSTGRES_TEXT,        POSTGRES_BYTEA,
};

static const Oid fence_types[] = {POSTGRES_INT4, POSTGRES_INT8, POSTGRES_INT8};

/* ---- the writer ---- */

static bool prepare_writer(struct pg_store *pg, PGconn *connection, struct error *err)
{
    const struct postgres_statement *statements[STATEMENTS_MAX];
    size_t count = 0;

    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        statements[count++] = &pg->tables[kind].upsert;
        statements[count++] = &pg->tables[kind].erase;
        statements[count++] = &pg->tables[kind].load;
    }
    for (size_t i = 0; i < pg_lease_statement_count; i++) {
        statements[count++] = pg_lease_statements[i];
    }
    for (size_t i = 0; i < pg_write_statement_count; i++) {
        statements[count++] = pg_write_statements[i];
    }
    statements[count++] = &pg_list_workspaces;
    return postgres_prepare(connection, statements, count, pg->answer_timeout_ms, err);
}

static bool open_writer(struct pg_store *pg, PGconn **ret_connection, struct error *err)
{
    struct postgres_options options = {
        .url = pg->url,
        .role = POSTGRES_WRITER,
        .application_name = "cordboard-routing writer",
        .statement_timeout_ms = WRITER_STATEMENT_MS,
    };

    return postgres_connect(&options, ret_connection, err);
}

bool pg_ensure_writer(struct pg_store *pg, struct error *err)
{
    if (pg->writer && postgres_usable(pg->writer)) {
        return true;
    }

    pg->writer = postgres_disconnect(pg->writer);
    pg->writer_number++;
    if (open_writer(pg, &pg->writer, err) && prepare_writer(pg, pg->writer, err) &&
        pg_take_over_held(pg, err)) {
        return true;
    }
    pg->writer = postgres_disconnect(pg->writer);
    return false;
}

/* ---- life ---- */

static void pg_close(struct store *store)
{
    struct pg_store *pg = (struct pg_store *)store;

    if (!pg) {
        return;
    }
    postgres_disconnect(pg->writer);
    pg_readers_deinit(&pg->readers);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        pg_table_deinit(&pg->tables[kind]);
    }
    for (size_t i = 0; i < PG_EVENT_COLUMNS; i++) {
        postgres_array_deinit(&pg->event_arrays[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        postgres_array_deinit(&pg->fence_arrays[i]);
    }
    free(pg->held);
    free(pg->url);
    free(pg);
}

static const struct store_operations operations = {
    .claim = pg_claim,
    .renew = pg_renew,
    .release = pg_release,
    .load = pg_load,
    .write = pg_write,
    .read_events = pg_read_events,
    .close = pg_close,
};

static struct pg_store *pg_new(const struct pg_store_options *options)
{
    struct pg_store *pg = mem_new(struct pg_store);

    pg->store.operations = &operations;
    pg->url = mem_strdup(options->url);
    pg->answer_timeout_ms =
        options->answer_timeout_ms > 0 ? options->answer_timeout_ms : ANSWER_TIMEOUT_MS;
    pg->shard_count = options->shard_count;
    pg->held = mem_new_array(struct pg_held, (size_t)options->shard_count);
    pg_readers_init(&pg->readers);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        pg_table_init(&pg->tables[kind], (enum row_kind)kind);
    }
    for (size_t i = 0; i < PG_EVENT_COLUMNS; i++) {
        postgres_array_init(&pg->event_arrays[i], event_types[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        postgres_array_init(&pg->fence_arrays[i], fence_types[i]);
    }
    return pg;
}

/* On a connection of its own, whose statements nobody wants later. */
static bool prepare_database(
    struct pg_store *pg,
    const struct pg_store_options *options,
    struct error *err)
{
    CLEANUP(postgres_disconnect_at_exit) PGconn *connection = NULL;
    CLEANUP(mem_free_at_exit)
    char *migrations = migrations_directory(options->migrations_directory);
    struct migrations_done done;

    return open_writer(pg, &connection, err) &&
           migrations_run(connection, migrations, &done, err) &&
           pg_make_shards(connection, pg->shard_count, err);
}

bool pg_store_open(
    const struct pg_store_options *options,
    struct store **ret_store,
    struct error *err)
{
    struct pg_store *pg = pg_new(options);

    if (!prepare_database(pg, options, err) || !pg_ensure_writer(pg, err)) {
        pg_close(&pg->store);
        return false;
    }
    *ret_store = &pg->store;
    return true;
}
