/* Which replica owns which shard. The database's clock decides, and it issues the epochs. */
#include <inttypes.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/routing/postgres/connection.h"
#include "services/routing/postgres/result.h"
#include "services/routing/store/pg_internal.h"

static const struct postgres_statement make_shards = {
    "make_shards",
    "INSERT INTO shards (shard_id, epoch, batch, writer, owner)"
    " SELECT shard_id, 0, 0, 0, '' FROM generate_series(0, $1::integer - 1) AS shard_id"
    " WHERE NOT EXISTS (SELECT FROM shards)"
    " ON CONFLICT (shard_id) DO NOTHING"};

static const struct postgres_statement count_shards = {
    "count_shards", "SELECT count(*) AS count FROM shards"};

/* $1 owner, $2 lease in microseconds, $3 writer, $4 the shards held already: they keep their epoch.
 */
static const struct postgres_statement claim_shards = {
    "claim_shards",
    "WITH free AS (SELECT shard_id, renew_time FROM shards"
    " WHERE (owner = '' OR owner = $1::text OR lease_expire_time <= clock_timestamp())"
    " AND NOT shard_id = ANY ($4::integer[]) FOR UPDATE)"
    " UPDATE shards AS stored SET owner = $1::text, epoch = epoch + 1, writer = $3::bigint,"
    " renew_time = clock_timestamp(),"
    " lease_expire_time = clock_timestamp() + $2::bigint * interval '1 microsecond'"
    " FROM free WHERE stored.shard_id = free.shard_id"
    " RETURNING stored.shard_id, stored.epoch, stored.batch, free.renew_time AS idle_since"};

static const struct postgres_statement list_shards = {
    "list_shards", "SELECT shard_id, epoch, batch, clock_timestamp() AS database_time FROM shards"};

/* $1 shards, $2 their epochs, $3 owner, $4 lease in microseconds. A lease that has run out and that
 * nobody has taken is ours still: the epoch says so.
 */
static const struct postgres_statement renew_leases = {
    "renew_leases", "UPDATE shards AS stored SET renew_time = clock_timestamp(),"
                    " lease_expire_time = clock_timestamp() + $4::bigint * interval '1 microsecond'"
                    " FROM unnest($1::integer[], $2::bigint[]) AS held (shard_id, epoch)"
                    " WHERE stored.shard_id = held.shard_id AND stored.epoch = held.epoch"
                    " AND stored.owner = $3::text"
                    " RETURNING stored.shard_id, clock_timestamp() AS database_time"};

static const struct postgres_statement release_leases = {
    "release_leases", "UPDATE shards AS stored SET owner = '', lease_expire_time = NULL,"
                      " renew_time = clock_timestamp()"
                      " FROM unnest($1::integer[], $2::bigint[]) AS held (shard_id, epoch)"
                      " WHERE stored.shard_id = held.shard_id AND stored.epoch = held.epoch"
                      " AND stored.owner = $3::text"};

/* Waits for a transaction that still holds a row, so that the batch it returns is final. One of a
 * connection that was given up meanwhile may come late: it must not undo the later one's.
 */
static const struct postgres_statement take_over_shards = {
    "take_over_shards", "UPDATE shards AS stored SET writer = $3::bigint"
                        " FROM unnest($1::integer[], $2::bigint[]) AS held (shard_id, epoch)"
                        " WHERE stored.shard_id = held.shard_id AND stored.epoch = held.epoch"
                        " AND stored.writer < $3::bigint"
                        " RETURNING stored.shard_id, stored.batch"};

const struct postgres_statement *const pg_lease_statements[] = {
    &claim_shards, &list_shards, &renew_leases, &release_leases, &take_over_shards,
};
const size_t pg_lease_statement_count =
    sizeof(pg_lease_statements) / sizeof(pg_lease_statements[0]);

enum {
    MAKE_WAIT_MS = 30000
};

bool pg_make_shards(PGconn *connection, int32_t shard_count, struct error *err)
{
    const struct postgres_statement *statements[] = {&make_shards, &count_shards};
    CLEANUP(PQclear_at_exit) PGresult *made = NULL;
    CLEANUP(PQclear_at_exit) PGresult *counted = NULL;
    struct postgres_params params;
    struct postgres_call make = {.statement = &make_shards, .params = &params};
    struct postgres_call count = {.statement = &count_shards};

    postgres_params_init(&params);
    postgres_params_add_int4(&params, shard_count);
    if (!postgres_prepare(connection, statements, 2, MAKE_WAIT_MS, err) ||
        !postgres_query(connection, &make, MAKE_WAIT_MS, &made, err) ||
        !postgres_query(connection, &count, MAKE_WAIT_MS, &counted, err)) {
        return false;
    }

    int64_t stored = postgres_get_int8(counted, 0, 0);

    if (stored != shard_count) {
        return FAIL(
            err, REASON_CONFIG_INVALID,
            "the database was made with %" PRId64 " shards, the setting says %" PRId32
            ": set it to %" PRId64 "; the number of shards cannot change",
            stored, shard_count, stored);
    }
    return true;
}

/* ---- arrays of what is held ---- */

struct held_arrays {
    struct postgres_array shards;
    struct postgres_array epochs;
};

static void held_arrays_init(struct held_arrays *arrays)
{
    postgres_array_init(&arrays->shards, POSTGRES_INT4);
    postgres_array_init(&arrays->epochs, POSTGRES_INT8);
}

static void held_arrays_deinit(struct held_arrays *arrays)
{
    postgres_array_deinit(&arrays->shards);
    postgres_array_deinit(&arrays->epochs);
}

static void add_all_held(const struct pg_store *pg, struct held_arrays *arrays)
{
    for (int32_t shard = 0; shard < pg->shard_count; shard++) {
        if (pg->held[shard].epoch) {
            postgres_array_add_int4(&arrays->shards, shard);
            postgres_array_add_int8(&arrays->epochs, pg->held[shard].epoch);
        }
    }
}

static void add_leases(const struct shard_lease *leases, size_t count, struct held_arrays *arrays)
{
    for (size_t i = 0; i < count; i++) {
        postgres_array_add_int4(&arrays->shards, leases[i].shard_id);
        postgres_array_add_int8(&arrays->epochs, leases[i].epoch);
    }
}

/* ---- claiming ---- */

enum {
    SHARD_ID,
    EPOCH,
    BATCH,
    TIME,
    COLUMN_COUNT
};

static const struct postgres_column claim_columns[COLUMN_COUNT] = {
    [SHARD_ID] = {"shard_id",   POSTGRES_INT4       },
    [EPOCH] = {"epoch",      POSTGRES_INT8       },
    [BATCH] = {"batch",      POSTGRES_INT8       },
    [TIME] = {"idle_since", POSTGRES_TIMESTAMPTZ},
};

static const struct postgres_column list_columns[COLUMN_COUNT] = {
    [SHARD_ID] = {"shard_id",      POSTGRES_INT4       },
    [EPOCH] = {"epoch",         POSTGRES_INT8       },
    [BATCH] = {"batch",         POSTGRES_INT8       },
    [TIME] = {"database_time", POSTGRES_TIMESTAMPTZ},
};

/* Takes what is free; idle_since_us: by shard, set for what was taken. */
static bool claim_free(
    struct pg_store *pg,
    const char *owner,
    int64_t lease_us,
    int64_t *idle_since_us,
    struct error *err)
{
    CLEANUP(PQclear_at_exit) PGresult *result = NULL;
    CLEANUP(held_arrays_deinit) struct held_arrays held;
    struct postgres_params params;
    struct postgres_call call = {.statement = &claim_shards, .params = &params};

    held_arrays_init(&held);
    add_all_held(pg, &held);
    postgres_params_init(&params);
    postgres_params_add_text(&params, owner);
    postgres_params_add_int8(&params, lease_us);
    postgres_params_add_int8(&params, pg->writer_number);
    postgres_params_add_array(&params, &held.shards);
    if (!postgres_query(pg->writer, &call, pg->answer_timeout_ms, &result, err) ||
        !postgres_check_columns(result, claim_columns, COLUMN_COUNT, err)) {
        return false;
    }
    for (int row = 0; row < PQntuples(result); row++) {
        int32_t shard_id = postgres_get_int4(result, row, SHARD_ID);

        pg->held[shard_id].epoch = postgres_get_int8(result, row, EPOCH);
        pg->held[shard_id].batch = postgres_get_int8(result, row, BATCH);
        idle_since_us[shard_id] = postgres_get_time_us(result, row, TIME);
    }
    return true;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are store.h's */
bool pg_claim(
    struct store *store,
    const char *owner,
    int64_t lease_us,
    struct shard_lease *ret_leases,
    size_t *ret_count,
    bool *ret_all,
    int64_t *ret_database_time_us,
    struct error *err)
{
    struct pg_store *pg = (struct pg_store *)store;
    CLEANUP(PQclear_at_exit) PGresult *result = NULL;
    CLEANUP(mem_free_at_exit)
    int64_t *idle_since_us = mem_new_array(int64_t, (size_t)pg->shard_count);
    struct postgres_call list = {.statement = &list_shards};
    size_t count = 0;

    if (!pg_ensure_writer(pg, err) || !claim_free(pg, owner, lease_us, idle_since_us, err) ||
        !postgres_query(pg->writer, &list, pg->answer_timeout_ms, &result, err) ||
        !postgres_check_columns(result, list_columns, COLUMN_COUNT, err)) {
        return false;
    }
    for (int row = 0; row < PQntuples(result); row++) {
        int32_t shard_id = postgres_get_int4(result, row, SHARD_ID);
        struct pg_held *shard = &pg->held[shard_id];

        if (shard->epoch && shard->epoch == postgres_get_int8(result, row, EPOCH)) {
            ret_leases[count++] = (struct shard_lease){
                .shard_id = shard_id,
                .epoch = shard->epoch,
                .batch = postgres_get_int8(result, row, BATCH),
                .idle_since_us = idle_since_us[shard_id],
            };
        } else {
            *shard = (struct pg_held){0}; /* somebody has it */
        }
        *ret_database_time_us = postgres_get_time_us(result, row, TIME);
    }
    *ret_count = count;
    *ret_all = count == (size_t)pg->shard_count;
    return true;
}

/* ---- keeping and giving up ---- */

/* NOLINTNEXTLINE(readability-function-size): the parameters are store.h's */
bool pg_renew(
    struct store *store,
    const char *owner,
    int64_t lease_us,
    const struct shard_lease *leases,
    size_t count,
    int64_t *ret_database_time_us,
    struct error *err)
{
    struct pg_store *pg = (struct pg_store *)store;
    CLEANUP(PQclear_at_exit) PGresult *result = NULL;
    CLEANUP(held_arrays_deinit) struct held_arrays held;
    struct postgres_params params;
    struct postgres_call call = {.statement = &renew_leases, .params = &params};

    held_arrays_init(&held);
    add_leases(leases, count, &held);
    postgres_params_init(&params);
    postgres_params_add_array(&params, &held.shards);
    postgres_params_add_array(&params, &held.epochs);
    postgres_params_add_text(&params, owner);
    postgres_params_add_int8(&params, lease_us);
    if (!pg_ensure_writer(pg, err) ||
        !postgres_query(pg->writer, &call, pg->answer_timeout_ms, &result, err)) {
        return false;
    }
    if ((size_t)PQntuples(result) != count) {
        return FAIL(
            err, REASON_STORE_FENCED, "%zu of %zu shards belong to another instance now",
            count - (size_t)PQntuples(result), count);
    }
    if (count > 0) {
        *ret_database_time_us = postgres_get_time_us(result, 0, 1);
    }
    return true;
}

void pg_release(
    struct store *store,
    const char *owner,
    const struct shard_lease *leases,
    size_t count)
{
    struct pg_store *pg = (struct pg_store *)store;
    CLEANUP(PQclear_at_exit) PGresult *result = NULL;
    CLEANUP(held_arrays_deinit) struct held_arrays held;
    struct postgres_params params;
    struct postgres_call call = {.statement = &release_leases, .params = &params};
    struct error ignored; /* the leases run out by themselves */

    held_arrays_init(&held);
    add_leases(leases, count, &held);
    postgres_params_init(&params);
    postgres_params_add_array(&params, &held.shards);
    postgres_params_add_array(&params, &held.epochs);
    postgres_params_add_text(&params, owner);
    if (pg_ensure_writer(pg, &ignored)) {
        (void)!postgres_query(pg->writer, &call, pg->answer_timeout_ms, &result, &ignored);
    }
    pg_forget(pg, leases, count);
}

void pg_forget(struct pg_store *pg, const struct shard_lease *leases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pg->held[leases[i].shard_id] = (struct pg_held){0};
    }
}

bool pg_take_over_held(struct pg_store *pg, struct error *err)
{
    CLEANUP(PQclear_at_exit) PGresult *result = NULL;
    CLEANUP(held_arrays_deinit) struct held_arrays held;
    struct postgres_params params;
    struct postgres_call call = {.statement = &take_over_shards, .params = &params};

    held_arrays_init(&held);
    add_all_held(pg, &held);
    postgres_params_init(&params);
    postgres_params_add_array(&params, &held.shards);
    postgres_params_add_array(&params, &held.epochs);
    postgres_params_add_int8(&params, pg->writer_number);
    if (!postgres_query(pg->writer, &call, pg->answer_timeout_ms, &result, err)) {
        return false;
    }

    for (int32_t shard = 0; shard < pg->shard_count; shard++) {
        pg->held[shard].batch = -1;
    }
    for (int row = 0; row < PQntuples(result); row++) {
        pg->held[postgres_get_int4(result, row, 0)].batch = postgres_get_int8(result, row, 1);
    }
    return true;
}
