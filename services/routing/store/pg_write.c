/* One batch, one transaction, one round trip: rows by kind, events, then the fence. */
#include <string.h>

#include "common/error/error.h"
#include "services/routing/operations/step.h"
#include "services/routing/postgres/connection.h"
#include "services/routing/store/pg_internal.h"

enum {
    CALLS_MAX = ROW_KIND_COUNT * 2 + 2
};

static const struct postgres_statement insert_events = {
    "insert_events",
    "INSERT INTO events (workspace_id, sequence, time, type, task_id, worker_id, reservation_id,"
    " payload) SELECT * FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[],"
    " $5::text[], $6::text[], $7::text[], $8::bytea[])"};

/* The fence is checked last: the rows above are worthless unless it finds every shard as it was.
 * The commit is already on its way behind it, so it has to fail by itself: division by zero.
 */
static const struct postgres_statement check_fence = {
    "check_fence",
    "WITH fenced AS (UPDATE shards AS stored SET batch = held.batch + 1"
    " FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS held (shard_id, epoch, batch)"
    " WHERE stored.shard_id = held.shard_id AND stored.epoch = held.epoch"
    " AND stored.batch = held.batch AND stored.writer = $4::bigint RETURNING 1)"
    " SELECT 1 / (count(*) = cardinality($1::integer[]))::integer FROM fenced"};

static const char division_by_zero[] = "22012";

const struct postgres_statement *const pg_write_statements[] = {&insert_events, &check_fence};
const size_t pg_write_statement_count =
    sizeof(pg_write_statements) / sizeof(pg_write_statements[0]);

struct writing {
    struct postgres_call calls[CALLS_MAX];
    size_t call_count;
    struct postgres_params events;
    struct postgres_params fence;
};

/* ---- the calls of a batch ---- */

static void add_rows(struct pg_store *pg, const struct store_batch *batch, struct writing *writing)
{
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        pg_table_reset(&pg->tables[kind]);
    }
    for (size_t i = 0; i < batch->change_count; i++) {
        const struct change *change = &batch->changes[i];

        if (change->deleted) {
            pg_table_add_erasure(&pg->tables[change->kind], change->row);
        } else {
            pg_table_add_upsert(&pg->tables[change->kind], change->row);
        }
    }
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        writing->call_count +=
            pg_table_calls(&pg->tables[kind], &writing->calls[writing->call_count]);
    }
}

static void add_event(struct postgres_array *arrays, const struct store_event *event)
{
    postgres_array_add_text(&arrays[0], event->workspace_id);
    postgres_array_add_int8(&arrays[1], event->sequence);
    postgres_array_add_time(&arrays[2], event->time_us);
    postgres_array_add_text(&arrays[3], event->type);
    postgres_array_add_text(&arrays[4], event->task_id);
    postgres_array_add_text(&arrays[5], event->worker_id);
    postgres_array_add_text(&arrays[6], event->reservation_id);
    postgres_array_add_bytea(
        &arrays[7], event->payload ? event->payload : (const uint8_t *)"", event->payload_size);
}

static void add_events(
    struct pg_store *pg,
    const struct store_batch *batch,
    struct writing *writing)
{
    if (batch->event_count == 0) {
        return;
    }
    for (size_t i = 0; i < PG_EVENT_COLUMNS; i++) {
        postgres_array_reset(&pg->event_arrays[i]);
    }
    for (size_t i = 0; i < batch->event_count; i++) {
        add_event(pg->event_arrays, &batch->events[i]);
    }
    postgres_params_init(&writing->events);
    for (size_t i = 0; i < PG_EVENT_COLUMNS; i++) {
        postgres_params_add_array(&writing->events, &pg->event_arrays[i]);
    }
    writing->calls[writing->call_count++] =
        (struct postgres_call){.statement = &insert_events, .params = &writing->events};
}

static void add_fence(struct pg_store *pg, const struct store_batch *batch, struct writing *writing)
{
    for (size_t i = 0; i < 3; i++) {
        postgres_array_reset(&pg->fence_arrays[i]);
    }
    for (size_t i = 0; i < batch->fence_count; i++) {
        postgres_array_add_int4(&pg->fence_arrays[0], batch->fences[i].shard_id);
        postgres_array_add_int8(&pg->fence_arrays[1], batch->fences[i].epoch);
        postgres_array_add_int8(&pg->fence_arrays[2], batch->fences[i].batch);
    }
    postgres_params_init(&writing->fence);
    for (size_t i = 0; i < 3; i++) {
        postgres_params_add_array(&writing->fence, &pg->fence_arrays[i]);
    }
    postgres_params_add_int8(&writing->fence, pg->writer_number);
    writing->calls[writing->call_count++] =
        (struct postgres_call){.statement = &check_fence, .params = &writing->fence};
}

/* ---- the outcome ---- */

static enum store_result committed(struct store_batch *batch)
{
    for (size_t i = 0; i < batch->fence_count; i++) {
        batch->fences[i].batch++;
    }
    return STORE_COMMITTED;
}

static enum store_result fenced(struct error *err)
{
    FAIL(err, REASON_STORE_FENCED, "another instance has taken over a shard of the batch");
    return STORE_FENCED;
}

static enum store_result rolled_back(
    const struct writing *writing,
    const struct postgres_transaction_result *result,
    struct error *err)
{
    if (result->failed_call == writing->call_count - 1 &&
        strcmp(postgres_sqlstate(err), division_by_zero) == 0) {
        return fenced(err);
    }
    return err->reason == REASON_INTERNAL ? STORE_REFUSED : STORE_UNAVAILABLE;
}

/* After a lost answer: connecting has fenced off the transaction that may still have run in the
 * lost connection's backend, so the shards say for certain whether the batch is stored. All shards
 * of a batch were committed together or none was.
 */
static bool was_committed(const struct pg_store *pg, const struct store_batch *batch)
{
    for (size_t i = 0; i < batch->fence_count; i++) {
        const struct shard_lease *fence = &batch->fences[i];

        if (pg->held[fence->shard_id].epoch != fence->epoch ||
            pg->held[fence->shard_id].batch != fence->batch + 1) {
            return false;
        }
    }
    return batch->fence_count > 0;
}

static enum store_result send(struct pg_store *pg, struct store_batch *batch, struct error *err)
{
    struct writing writing = {.call_count = 0};
    struct postgres_transaction_result result;

    add_rows(pg, batch, &writing);
    add_events(pg, batch, &writing);
    add_fence(pg, batch, &writing);
    if (postgres_transact(
            pg->writer, writing.calls, writing.call_count, pg->answer_timeout_ms, &result, err)) {
        return committed(batch);
    }
    if (result.outcome == POSTGRES_ROLLED_BACK) {
        return rolled_back(&writing, &result, err);
    }
    pg->writer = postgres_disconnect(pg->writer);
    pg->outcome_unknown = true;
    return STORE_UNAVAILABLE;
}

/* What is left of an earlier batch whose answer was lost is settled first. */
static enum store_result send_or_recognise(
    struct pg_store *pg,
    struct store_batch *batch,
    struct error *err)
{
    if (!pg_ensure_writer(pg, err)) {
        return err->reason == REASON_INTERNAL ? STORE_REFUSED : STORE_UNAVAILABLE;
    }

    bool unknown = pg->outcome_unknown;

    pg->outcome_unknown = false;
    return unknown && was_committed(pg, batch) ? committed(batch) : send(pg, batch, err);
}

enum store_result pg_write(struct store *store, struct store_batch *batch, struct error *err)
{
    struct pg_store *pg = (struct pg_store *)store;
    enum store_result result = send_or_recognise(pg, batch, err);

    /* The answer may be had at once: most often it is the connection that broke, not the server. */
    if (result == STORE_UNAVAILABLE && pg->outcome_unknown) {
        result = send_or_recognise(pg, batch, err);
    }
    if (result == STORE_FENCED) {
        pg_forget(pg, batch->fences, batch->fence_count);
    }
    return result;
}
