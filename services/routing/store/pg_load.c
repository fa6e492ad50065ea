#include <stdlib.h>

#include "common/base/mem.h"
#include "services/routing/store/pg_internal.h"

/* A workspace's events outlive it, and with them the number of the last one. */
const struct postgres_statement pg_list_workspaces = {
    "list_workspaces", "SELECT workspace_id FROM workspaces"
                       " UNION SELECT workspace_id FROM workspace_progress"};

struct listing {
    const struct pg_store *pg;
    const bool *wanted; /* by shard */
    struct postgres_array *ids;
};

static bool list_workspace(void *context, const PGresult *row, struct error *err)
{
    struct listing *listing = context;
    const char *id = postgres_get_text(row, 0, 0);

    (void)err;
    if (listing->wanted[store_shard_of(id, listing->pg->shard_count)]) {
        postgres_array_add_text(listing->ids, id);
    }
    return true;
}

struct loading {
    const struct pg_table *table;
    bool checked; /* the columns of this kind's result */
    enum row_kind kind;
    void *row;
    store_row_handler *handler;
    void *context;
};

static bool load_row(void *context, const PGresult *result, struct error *err)
{
    struct loading *loading = context;
    const struct pg_table *table = loading->table;

    if (!loading->checked &&
        !postgres_check_columns(result, table->columns, table->type->field_count, err)) {
        return false;
    }
    loading->checked = true;
    pg_table_read(table, result, loading->row);
    loading->handler(loading->context, loading->kind, loading->row);
    return true;
}

static bool load_kind(
    struct pg_store *pg,
    enum row_kind kind,
    struct postgres_array *ids,
    store_row_handler *handler,
    void *context,
    struct error *err)
{
    const struct pg_table *table = &pg->tables[kind];
    CLEANUP(mem_free_at_exit) void *row = mem_alloc(table->type->size);
    struct postgres_params params;
    struct postgres_call call = {.statement = &table->load, .params = &params};
    struct loading loading = {
        .table = table, .kind = kind, .row = row, .handler = handler, .context = context};

    postgres_params_init(&params);
    postgres_params_add_array(&params, ids);
    return postgres_query_each(pg->writer, &call, pg->answer_timeout_ms, load_row, &loading, err);
}

/* One statement for each kind, each its own transaction: nobody else writes what we own. */
bool pg_load(
    struct store *store,
    const struct shard_lease *leases,
    size_t count,
    store_row_handler *handler,
    void *context,
    struct error *err)
{
    struct pg_store *pg = (struct pg_store *)store;
    CLEANUP(mem_free_at_exit) bool *wanted = mem_new_array(bool, (size_t)pg->shard_count);
    struct postgres_array ids;
    struct postgres_call list = {.statement = &pg_list_workspaces};
    struct listing listing = {.pg = pg, .wanted = wanted, .ids = &ids};

    for (size_t i = 0; i < count; i++) {
        wanted[leases[i].shard_id] = true;
    }
    postgres_array_init(&ids, POSTGRES_TEXT);

    bool good = pg_ensure_writer(pg, err) &&
                postgres_query_each(
                    pg->writer, &list, pg->answer_timeout_ms, list_workspace, &listing, err);

    for (int kind = 0; good && kind < ROW_KIND_COUNT; kind++) {
        good = load_kind(pg, (enum row_kind)kind, &ids, handler, context, err);
    }
    postgres_array_deinit(&ids);
    return good;
}
