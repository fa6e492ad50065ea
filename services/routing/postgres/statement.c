/* A transaction is a pipeline closed by one Sync. PostgreSQL treats what stands between two Syncs
 * as one transaction by itself: an error rolls all of it back, and nothing is left open. So there
 * is no BEGIN and no COMMIT, and the connection is ready for the next batch even after a failed
 * one.
 */
#include "services/routing/postgres/statement.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "common/clock/clock.h"
#include "common/error/error.h"
#include "services/routing/postgres/array.h"
#include "services/routing/postgres/connection.h"

enum {
    BINARY = 1
};

static const int all_binary[POSTGRES_PARAMS_MAX] = {[0 ... POSTGRES_PARAMS_MAX - 1] = BINARY};

/* ---- parameters ---- */

void postgres_params_init(struct postgres_params *params)
{
    params->count = 0;
}

static void add(struct postgres_params *params, const void *bytes, int size)
{
    assert(params->count < POSTGRES_PARAMS_MAX);
    params->values[params->count] = bytes;
    params->lengths[params->count] = size;
    params->count++;
}

/* The bytes live in the slot of the parameter itself. */
static void add_scalar(struct postgres_params *params, const void *bytes, size_t size)
{
    assert(params->count < POSTGRES_PARAMS_MAX);

    uint64_t *slot = &params->scalars[params->count];

    memcpy(slot, bytes, size);
    add(params, slot, (int)size);
}

void postgres_params_add_array(struct postgres_params *params, struct postgres_array *array)
{
    int size = 0;
    const char *bytes = postgres_array_finish(array, &size);

    add(params, bytes, size);
}

void postgres_params_add_bool(struct postgres_params *params, bool value)
{
    uint8_t wire = value ? 1 : 0;

    add_scalar(params, &wire, sizeof(wire));
}

void postgres_params_add_int2(struct postgres_params *params, int16_t value)
{
    uint16_t wire = htobe16((uint16_t)value);

    add_scalar(params, &wire, sizeof(wire));
}

void postgres_params_add_int4(struct postgres_params *params, int32_t value)
{
    uint32_t wire = htobe32((uint32_t)value);

    add_scalar(params, &wire, sizeof(wire));
}

void postgres_params_add_int8(struct postgres_params *params, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);

    add_scalar(params, &wire, sizeof(wire));
}

void postgres_params_add_time(struct postgres_params *params, int64_t time_us)
{
    postgres_params_add_int8(params, time_us - POSTGRES_EPOCH_US);
}

void postgres_params_add_text(struct postgres_params *params, const char *text)
{
    size_t size = text ? strlen(text) : 0;

    assert(size <= INT_MAX);
    add(params, text, (int)size);
}

void postgres_params_add_bytea(struct postgres_params *params, const void *bytes, int size)
{
    add(params, bytes, size);
}

/* ---- sending and waiting ---- */

/* From here to end_exchange libpq never blocks: a server that has stopped must not stop us. */
static bool begin_exchange(PGconn *connection, bool pipeline, struct error *err)
{
    if (PQsetnonblocking(connection, 1) != 0 || (pipeline && !PQenterPipelineMode(connection))) {
        return postgres_fail(err, connection, NULL, "begin");
    }
    return true;
}

/* Leaves the connection unusable, and seen to be so, when results are still on their way. */
static void end_exchange(PGconn *connection)
{
    (void)PQexitPipelineMode(connection);
    (void)PQsetnonblocking(connection, 0);
}

static bool send_call(PGconn *connection, const struct postgres_call *call, struct error *err)
{
    const struct postgres_params *params = call->params;

    if (!PQsendQueryPrepared(
            connection, call->statement->name, params ? params->count : 0,
            params ? params->values : NULL, params ? params->lengths : NULL,
            params ? all_binary : NULL, BINARY)) {
        return postgres_fail(err, connection, NULL, call->statement->name);
    }
    return true;
}

static int poll_timeout_ms(int64_t deadline_mono_us)
{
    if (deadline_mono_us == INT64_MAX) {
        return -1;
    }

    int64_t left_us = deadline_mono_us - clock_mono_us(clock_system());

    return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

static bool wait_for_socket(
    PGconn *connection,
    short events,
    int64_t deadline_mono_us,
    struct error *err)
{
    struct pollfd socket = {.fd = PQsocket(connection), .events = events};
    int ready = 0;

    do {
        ready = poll(&socket, 1, poll_timeout_ms(deadline_mono_us));
    } while (ready < 0 && errno == EINTR);

    if (ready == 0) {
        return FAIL(err, REASON_STORE_UNAVAILABLE, "PostgreSQL gave no answer in time");
    }
    return true;
}

/* Returns when the next PQgetResult would not block: sends what is left, reads what has come. The
 * server may have to be read from before it takes more, so both go together.
 */
static bool wait_for_result(PGconn *connection, int64_t deadline_mono_us, struct error *err)
{
    for (;;) {
        int unsent = PQflush(connection);

        if (unsent < 0) {
            return postgres_fail(err, connection, NULL, "take a statement");
        }
        if (unsent == 0 && !PQisBusy(connection)) {
            return true;
        }
        if (!wait_for_socket(
                connection, unsent ? POLLIN | POLLOUT : POLLIN, deadline_mono_us, err)) {
            return false;
        }
        if (!PQconsumeInput(connection)) {
            return postgres_fail(err, connection, NULL, "answer");
        }
    }
}

static int64_t deadline_after(int64_t timeout_ms)
{
    return timeout_ms > 0 ? clock_mono_us(clock_system()) + timeout_ms * 1000 : INT64_MAX;
}

static bool result_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
           status == PGRES_SINGLE_TUPLE || status == PGRES_EMPTY_QUERY;
}

/* ---- one transaction ---- */

struct pipeline {
    PGconn *connection;
    const struct postgres_call *calls;
    size_t count;
    size_t done;   /* calls whose results are all here */
    size_t failed; /* the first call refused; SIZE_MAX: none yet */
    bool synced;
};

static int64_t rows_of(PGresult *result)
{
    const char *text = PQcmdTuples(result);
    int64_t rows = 0;

    for (; *text >= '0' && *text <= '9'; text++) {
        rows = rows * 10 + (*text - '0');
    }
    return rows;
}

/* Notes one result, NULL being the end of one call's. */
static void pipeline_note(
    struct pipeline *pipeline,
    struct postgres_call *calls,
    PGresult *result,
    struct error *err)
{
    if (!result) {
        pipeline->done += pipeline->done < pipeline->count;
        return;
    }
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        pipeline->synced = true;
        return;
    }
    if (result_good(result)) {
        if (calls && pipeline->done < pipeline->count) {
            calls[pipeline->done].affected = rows_of(result);
        }
        return;
    }
    if (PQresultStatus(result) != PGRES_PIPELINE_ABORTED && pipeline->failed == SIZE_MAX) {
        pipeline->failed = pipeline->done;
        postgres_fail(
            err, pipeline->connection, result,
            pipeline->done < pipeline->count ? pipeline->calls[pipeline->done].statement->name
                                             : "commit");
    }
}

/* Reads all results up to the Sync. False: they did not all arrive. */
static bool pipeline_read(
    struct pipeline *pipeline,
    struct postgres_call *calls,
    int64_t deadline_mono_us,
    struct error *err)
{
    struct error later;

    while (!pipeline->synced) {
        bool known = pipeline->failed != SIZE_MAX;

        if (!wait_for_result(pipeline->connection, deadline_mono_us, known ? &later : err)) {
            return false;
        }

        CLEANUP(PQclear_at_exit) PGresult *result = PQgetResult(pipeline->connection);

        pipeline_note(pipeline, calls, result, err);
        if (PQstatus(pipeline->connection) != CONNECTION_OK) {
            return pipeline->failed != SIZE_MAX
                       ? false
                       : postgres_fail(err, pipeline->connection, NULL, "answer");
        }
    }
    return true;
}

static bool send_all(
    PGconn *connection,
    const struct postgres_call *calls,
    size_t count,
    struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!send_call(connection, &calls[i], err)) {
            return false;
        }
    }
    if (!PQpipelineSync(connection)) {
        return postgres_fail(err, connection, NULL, "end a transaction");
    }
    return true;
}

/* An error that names a call means that PostgreSQL had not come to the commit. A lost connection,
 * or an error in the commit's place, says nothing about it.
 */
static enum postgres_outcome outcome_of(const struct pipeline *pipeline, const struct error *err)
{
    if (pipeline->failed == SIZE_MAX) {
        return pipeline->synced ? POSTGRES_COMMITTED : POSTGRES_UNKNOWN;
    }
    if (pipeline->synced ||
        (pipeline->failed < pipeline->count && postgres_sqlstate(err)[0] != '\0')) {
        return POSTGRES_ROLLED_BACK;
    }
    return POSTGRES_UNKNOWN;
}

bool postgres_transact(
    PGconn *connection,
    struct postgres_call *calls,
    size_t count,
    int64_t timeout_ms,
    struct postgres_transaction_result *ret_result,
    struct error *err)
{
    int64_t deadline_mono_us = deadline_after(timeout_ms);
    struct pipeline pipeline = {
        .connection = connection, .calls = calls, .count = count, .failed = SIZE_MAX};

    *ret_result = (struct postgres_transaction_result){POSTGRES_ROLLED_BACK, count};
    if (!begin_exchange(connection, true, err)) {
        return false;
    }
    if (!send_all(connection, calls, count, err)) {
        /* Without the Sync nothing of it can be committed. */
        end_exchange(connection);
        return false;
    }

    (void)pipeline_read(&pipeline, calls, deadline_mono_us, err);
    end_exchange(connection);

    ret_result->outcome = outcome_of(&pipeline, err);
    ret_result->failed_call = pipeline.failed < count ? pipeline.failed : count;
    return ret_result->outcome == POSTGRES_COMMITTED;
}

bool postgres_prepare(
    PGconn *connection,
    const struct postgres_statement *const *statements,
    size_t count,
    int64_t timeout_ms,
    struct error *err)
{
    struct pipeline pipeline = {.connection = connection, .failed = SIZE_MAX};
    bool sent = true;

    if (!begin_exchange(connection, true, err)) {
        return false;
    }
    for (size_t i = 0; i < count && sent; i++) {
        sent = PQsendPrepare(connection, statements[i]->name, statements[i]->sql, 0, NULL) ||
               postgres_fail(err, connection, NULL, statements[i]->name);
    }
    sent = sent && (PQpipelineSync(connection) || postgres_fail(err, connection, NULL, "prepare"));
    sent = sent && pipeline_read(&pipeline, NULL, deadline_after(timeout_ms), err);
    end_exchange(connection);
    return sent && pipeline.failed == SIZE_MAX;
}

/* ---- single statements ---- */

bool postgres_query_each(
    PGconn *connection,
    const struct postgres_call *call,
    int64_t timeout_ms,
    postgres_row *on_row,
    void *context,
    struct error *err)
{
    bool good = begin_exchange(connection, false, err) && send_call(connection, call, err);

    if (good && !PQsetSingleRowMode(connection)) {
        good = postgres_fail(err, connection, NULL, call->statement->name);
    }
    while (good && wait_for_result(connection, deadline_after(timeout_ms), err)) {
        CLEANUP(PQclear_at_exit) PGresult *result = PQgetResult(connection);

        if (!result) {
            end_exchange(connection);
            return true;
        }
        if (!result_good(result)) {
            good = postgres_fail(err, connection, result, call->statement->name);
        } else if (PQntuples(result) > 0) {
            good = on_row(context, result, err);
        }
    }

    /* Rows that nobody wants may still be on their way: unless all was read, the connection shows
     * itself unusable.
     */
    end_exchange(connection);
    return false;
}

/* The last result that bears rows or says what was done; all must be good. */
static bool read_results(
    PGconn *connection,
    const char *doing,
    int64_t timeout_ms,
    PGresult **ret_last,
    struct error *err)
{
    CLEANUP(PQclear_at_exit) PGresult *last = NULL;
    int64_t deadline_mono_us = deadline_after(timeout_ms);
    bool good = true;

    for (;;) {
        struct error later;

        if (!wait_for_result(connection, deadline_mono_us, good ? err : &later)) {
            return false;
        }

        PGresult *result = PQgetResult(connection);

        if (!result) {
            break;
        }
        if (good && !result_good(result)) {
            good = postgres_fail(err, connection, result, doing);
        }
        PQclear(last);
        last = result;
    }

    if (good) {
        *ret_last = STEAL(last);
    }
    return good;
}

bool postgres_query(
    PGconn *connection,
    const struct postgres_call *call,
    int64_t timeout_ms,
    PGresult **ret_result,
    struct error *err)
{
    bool good = begin_exchange(connection, false, err) && send_call(connection, call, err) &&
                read_results(connection, call->statement->name, timeout_ms, ret_result, err);

    end_exchange(connection);
    return good;
}

bool postgres_run(PGconn *connection, const char *sql, int64_t timeout_ms, struct error *err)
{
    CLEANUP(PQclear_at_exit) PGresult *last = NULL;
    bool good = begin_exchange(connection, false, err);

    if (good && !PQsendQuery(connection, sql)) {
        good = postgres_fail(err, connection, NULL, "take a statement");
    }
    good = good && read_results(connection, "run a statement", timeout_ms, &last, err);
    end_exchange(connection);
    return good;
}

bool postgres_usable(const PGconn *connection)
{
    return PQstatus(connection) == CONNECTION_OK &&
           PQtransactionStatus(connection) == PQTRANS_IDLE &&
           PQpipelineStatus(connection) == PQ_PIPELINE_OFF;
}
