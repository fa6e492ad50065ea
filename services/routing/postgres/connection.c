#include "services/routing/postgres/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/error/error.h"

enum {
    CONNECT_TIMEOUT_S = 5,
    STATEMENT_TIMEOUT_MS = 30000,
    PARAMETERS_MAX = 16
};

/* A fresh table has no statistics, and the planner then likes to scan or hash what has a million
 * rows a minute later. Our writes only ever want the primary key; a generic plan is made once.
 */
static const char writer_settings[] =
    " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off"
    " -c enable_mergejoin=off -c jit=off";

struct parameters {
    const char *keys[PARAMETERS_MAX + 1];
    const char *values[PARAMETERS_MAX + 1];
    int count;
};

static void parameter_add(struct parameters *parameters, const char *key, const char *value)
{
    parameters->keys[parameters->count] = key;
    parameters->values[parameters->count] = value;
    parameters->count++;
}

/* What the URL itself says under `options` stays in force behind ours. */
static bool options_of_url(const char *url, char **ret_options, struct error *err)
{
    char *message = NULL;
    PQconninfoOption *parsed = PQconninfoParse(url, &message);

    if (!parsed) {
        FAIL(
            err, REASON_CONFIG_INVALID, "the database URL is not valid: %.*s",
            message ? (int)strcspn(message, "\n") : 0, message ? message : "");
        PQfreemem(message);
        return false;
    }

    for (const PQconninfoOption *option = parsed; option->keyword; option++) {
        if (strcmp(option->keyword, "options") == 0) {
            *ret_options = mem_strdup(option->val ? option->val : "");
        }
    }
    PQconninfoFree(parsed);
    return true;
}

/* Notices are for people at a terminal; libpq would print them on ours. */
static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

bool postgres_connect(
    const struct postgres_options *options,
    PGconn **ret_connection,
    struct error *err)
{
    CLEANUP(mem_free_at_exit) char *url_options = NULL;
    CLEANUP(mem_free_at_exit) char *settings = NULL;
    CLEANUP(postgres_disconnect_at_exit) PGconn *connection = NULL;
    struct parameters parameters = {.count = 0};
    char connect_timeout[16];
    int statement_timeout_ms =
        options->statement_timeout_ms ? options->statement_timeout_ms : STATEMENT_TIMEOUT_MS;

    if (!options_of_url(options->url, &url_options, err)) {
        return false;
    }
    (void)snprintf(
        connect_timeout, sizeof(connect_timeout), "%d",
        options->connect_timeout_s ? options->connect_timeout_s : CONNECT_TIMEOUT_S);
    settings = mem_printf(
        "-c statement_timeout=%d -c default_transaction_isolation=read\\ committed"
        " -c idle_in_transaction_session_timeout=60000%s %s",
        statement_timeout_ms > 0 ? statement_timeout_ms : 0,
        options->role == POSTGRES_WRITER ? writer_settings : "", url_options);

    /* Before dbname: defaults that the URL may change. After it: what we rely on. */
    parameter_add(&parameters, "connect_timeout", connect_timeout);
    parameter_add(
        &parameters, "application_name",
        options->application_name ? options->application_name : "cordboard-routing");
    parameter_add(&parameters, "keepalives", "1");
    parameter_add(&parameters, "keepalives_idle", "5");
    parameter_add(&parameters, "keepalives_interval", "2");
    parameter_add(&parameters, "keepalives_count", "3");
    parameter_add(&parameters, "tcp_user_timeout", "10000");
    parameter_add(&parameters, "target_session_attrs", "read-write");
    parameter_add(&parameters, "dbname", options->url);
    parameter_add(&parameters, "options", settings);
    parameter_add(&parameters, "client_encoding", "UTF8");
    parameter_add(&parameters, NULL, NULL);

    connection = PQconnectdbParams(parameters.keys, parameters.values, 1);
    if (PQstatus(connection) != CONNECTION_OK) {
        return postgres_fail(err, connection, NULL, "connect");
    }

    (void)PQsetNoticeProcessor(connection, ignore_notice, NULL);
    *ret_connection = STEAL(connection);
    return true;
}

PGconn *postgres_disconnect(PGconn *connection)
{
    PQfinish(connection);
    return NULL;
}

bool postgres_passes(const char *sqlstate)
{
    static const char *const passing[] = {
        "08",    /* connection exception */
        "25006", /* read-only transaction: we reached a standby, or the primary became one */
        "40",    /* serialization failure, deadlock */
        "53",    /* out of disk, memory or connections */
        "55P03", /* lock not available */
        "57014", /* canceled: statement_timeout */
        "57P",   /* shutdown, crash of another backend, starting up, database dropped */
        "58030", /* input/output error */
        "25P03", /* idle in transaction for too long: we were stopped */
    };

    if (!sqlstate || !sqlstate[0]) {
        return true;
    }
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        if (strncmp(sqlstate, passing[i], strlen(passing[i])) == 0) {
            return true;
        }
    }
    return false;
}

bool postgres_fail(
    struct error *err,
    const PGconn *connection,
    const PGresult *result,
    const char *doing)
{
    const char *sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *said = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    enum error_reason reason = REASON_STORE_UNAVAILABLE;

    if (!said) {
        said = result && PQresultErrorMessage(result)[0] ? PQresultErrorMessage(result)
                                                         : PQerrorMessage(connection);
    }
    /* Without an answer of the server there is no SQLSTATE; while the connection stands that is a
     * fault of ours, such as a call out of order.
     */
    if (!postgres_passes(sqlstate) ||
        (!sqlstate && result && PQstatus(connection) == CONNECTION_OK)) {
        reason = REASON_INTERNAL;
    }

    FAIL(
        err, reason, "PostgreSQL could not %s: %.*s%s%s%s", doing, (int)strcspn(said, "\n"), said,
        sqlstate ? " (SQLSTATE " : "", sqlstate ? sqlstate : "", sqlstate ? ")" : "");
    if (sqlstate) {
        error_add_metadata(err, "sqlstate", "%s", sqlstate);
    }
    return false;
}

const char *postgres_sqlstate(const struct error *err)
{
    for (size_t i = 0; i < err->metadata_count; i++) {
        if (strcmp(err->metadata[i].key, "sqlstate") == 0) {
            return err->metadata[i].value;
        }
    }
    return "";
}

int64_t postgres_backoff_ms(unsigned attempt, uint32_t random)
{
    int64_t delay_ms = POSTGRES_BACKOFF_MAX_MS;

    if (attempt < 7) {
        delay_ms = INT64_C(50) << attempt;
    }
    return delay_ms / 2 + (int64_t)random % (delay_ms / 2 + 1);
}
