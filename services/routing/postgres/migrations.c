#include "services/routing/postgres/migrations.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/error/error.h"
#include "services/routing/postgres/array.h"
#include "services/routing/postgres/connection.h"
#include "services/routing/postgres/result.h"
#include "services/routing/postgres/statement.h"

enum {
    WAIT_MS = 30000,
    NO_LIMIT = 0,
    CREATE_ATTEMPTS = 5,
    VERSION_DIGITS = 4
};

/* ---- files ---- */

void migrations_deinit(struct migrations *migrations)
{
    for (size_t i = 0; i < migrations->count; i++) {
        free(migrations->items[i].name);
        free(migrations->items[i].sql);
    }
    free(migrations->items);
    *migrations = (struct migrations){0};
}

char *migrations_directory(const char *configured)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program));

    if (configured && configured[0]) {
        return mem_strdup(configured);
    }
    while (length > 0 && program[length - 1] != '/') {
        length--;
    }

    CLEANUP(mem_free_at_exit)
    char *beside =
        mem_printf("%.*s" MIGRATIONS_FROM_PROGRAM, length > 0 ? (int)length : 0, program);

    return access(beside, R_OK) == 0 ? STEAL(beside) : mem_strdup(MIGRATIONS_SOURCE);
}

static struct migration *migrations_add(
    struct migrations *migrations,
    int version,
    const char *name)
{
    migrations->items =
        mem_realloc_array(migrations->items, migrations->count + 1, sizeof(migrations->items[0]));

    struct migration *migration = &migrations->items[migrations->count++];

    *migration = (struct migration){.version = version, .name = mem_strdup(name)};
    return migration;
}

static bool read_file(const char *directory, struct migration *migration, struct error *err)
{
    CLEANUP(mem_free_at_exit) char *path = mem_printf("%s/%s", directory, migration->name);
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = -1;

    if (file >= 0 && fstat(file, &status) == 0) {
        migration->sql = mem_alloc((size_t)status.st_size + 1);
        got = read(file, migration->sql, (size_t)status.st_size);
        migration->size = (size_t)status.st_size;
    }
    if (got < 0 || (size_t)got != migration->size) {
        FAIL(err, REASON_CONFIG_INVALID, "cannot read %s: %s", path, strerrordesc_np(errno));
        got = -1;
    }
    if (file >= 0) {
        (void)close(file);
    }
    return got >= 0;
}

/* 0001_what.sql; 0 for any other name, such as the README's. */
static int version_of(const char *name)
{
    size_t length = strlen(name);
    char *end = NULL;

    if (strspn(name, "0123456789") != VERSION_DIGITS || name[VERSION_DIGITS] != '_' ||
        length <= strlen("0000_.sql") || strcmp(name + length - strlen(".sql"), ".sql") != 0) {
        return 0;
    }
    return (int)strtol(name, &end, 10);
}

static int by_version(const void *left, const void *right)
{
    const struct migration *a = left;
    const struct migration *b = right;

    return (a->version > b->version) - (a->version < b->version);
}

static bool list_files(const char *directory, struct migrations *files, struct error *err)
{
    DIR *listing = opendir(directory);
    const struct dirent *entry = NULL;

    if (!listing) {
        return FAIL(
            err, REASON_CONFIG_INVALID, "cannot read the migrations directory %s: %s", directory,
            strerrordesc_np(errno));
    }
    /* readdir is safe here: nobody else has this stream. */
    while ((entry = readdir(listing))) { /* NOLINT(concurrency-mt-unsafe): as said */
        int version = version_of(entry->d_name);

        if (version > 0) {
            (void)migrations_add(files, version, entry->d_name);
        }
    }
    (void)closedir(listing);
    if (files->count > 0) {
        qsort(files->items, files->count, sizeof(files->items[0]), by_version);
    }
    return true;
}

static bool check_files(const char *directory, const struct migrations *files, struct error *err)
{
    if (files->count == 0) {
        return FAIL(
            err, REASON_CONFIG_INVALID, "the directory %s has no migrations (0001_name.sql ...)",
            directory);
    }
    for (size_t i = 0; i < files->count; i++) {
        if (files->items[i].version != (int)i + 1) {
            return FAIL(
                err, REASON_CONFIG_INVALID,
                "migrations must be numbered without gap or repetition: %s/%s stands where %04zu "
                "is "
                "expected",
                directory, files->items[i].name, i + 1);
        }
    }
    return true;
}

bool migrations_read(const char *directory, struct migrations *ret_files, struct error *err)
{
    struct migrations files = {0};
    bool good = list_files(directory, &files, err) && check_files(directory, &files, err);

    for (size_t i = 0; good && i < files.count; i++) {
        good = read_file(directory, &files.items[i], err);
    }
    if (!good) {
        migrations_deinit(&files);
        return false;
    }
    *ret_files = files;
    return true;
}

/* ---- the plan ---- */

bool migrations_plan(
    const struct migrations *files,
    const struct migrations *applied,
    const struct migration **ret_next,
    struct error *err)
{
    for (size_t i = 0; i < applied->count; i++) {
        const struct migration *there = &applied->items[i];
        const struct migration *here = i < files->count ? &files->items[i] : NULL;

        if (!here) {
            return FAIL(
                err, REASON_SCHEMA_MISMATCH,
                "the database has schema version %04d (%s), this program knows none after %04zu: "
                "start a newer version of the program",
                applied->items[applied->count - 1].version, applied->items[applied->count - 1].name,
                files->count);
        }
        if (there->version != here->version || strcmp(there->checksum, here->checksum) != 0) {
            return FAIL(
                err, REASON_SCHEMA_MISMATCH,
                "migration %s has changed since it was applied as %s (SHA-256 %s now, %s then): "
                "put "
                "the file back as it was and make the change in a new one",
                here->name, there->name, here->checksum, there->checksum);
        }
    }

    *ret_next = applied->count < files->count ? &files->items[applied->count] : NULL;
    return true;
}

/* ---- the database ---- */

static const char create_table[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
                                   " version integer PRIMARY KEY,"
                                   " name text NOT NULL,"
                                   " checksum text NOT NULL,"
                                   " apply_time timestamptz NOT NULL)";

/* A long index build is no reason to give up. */
static const char begin_turn[] = "BEGIN; SET LOCAL statement_timeout = 0;"
                                 " LOCK TABLE schema_migrations IN SHARE ROW EXCLUSIVE MODE";

static const struct postgres_statement checksum_files = {
    "checksum_files", "SELECT encode(sha256(file), 'hex') AS checksum"
                      " FROM unnest($1::bytea[]) WITH ORDINALITY AS files (file, place)"
                      " ORDER BY place"};

static const struct postgres_statement load_applied = {
    "load_applied", "SELECT version, name, checksum FROM schema_migrations ORDER BY version"};

static const struct postgres_statement note_applied = {
    "note_applied", "INSERT INTO schema_migrations (version, name, checksum, apply_time)"
                    " VALUES ($1::integer, $2::text, $3::text, $4::timestamptz)"};

static const struct postgres_statement *const statements[] = {
    &checksum_files, &load_applied, &note_applied};

enum {
    STATEMENT_COUNT = sizeof(statements) / sizeof(statements[0])
};

static bool already_there(const char *sqlstate)
{
    static const char *const states[] = {
        "23505", /* a row of the catalog */
        "42P07", /* the table */
        "42710", /* its row type */
    };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(sqlstate, states[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Two that create it at once: one of them is told of a duplicate, and then finds it there. */
static bool ensure_table(PGconn *connection, struct error *err)
{
    for (int attempt = 0; attempt < CREATE_ATTEMPTS; attempt++) {
        if (postgres_run(connection, create_table, WAIT_MS, err)) {
            return true;
        }
        if (!already_there(postgres_sqlstate(err))) {
            return false;
        }
    }
    return false;
}

static bool compute_checksums(PGconn *connection, struct migrations *files, struct error *err)
{
    CLEANUP(PQclear_at_exit) PGresult *result = NULL;
    struct postgres_array contents;
    struct postgres_params params;
    struct postgres_call call = {.statement = &checksum_files, .params = &params};

    postgres_array_init(&contents, POSTGRES_BYTEA);
    for (size_t i = 0; i < files->count; i++) {
        postgres_array_add_bytea(&contents, files->items[i].sql, files->items[i].size);
    }
    postgres_params_init(&params);
    postgres_params_add_array(&params, &contents);

    bool good = postgres_query(connection, &call, WAIT_MS, &result, err);

    postgres_array_deinit(&contents);
    for (size_t i = 0; good && i < files->count; i++) {
        (void)snprintf(
            files->items[i].checksum, MIGRATION_CHECKSUM_SIZE, "%s",
            postgres_get_text(result, (int)i, 0));
    }
    return good;
}

static bool read_applied(PGconn *connection, struct migrations *applied, struct error *err)
{
    enum {
        VERSION,
        NAME,
        CHECKSUM,
        COLUMN_COUNT
    };
    static const struct postgres_column columns[COLUMN_COUNT] = {
        [VERSION] = {"version",  POSTGRES_INT4},
        [NAME] = {"name",     POSTGRES_TEXT},
        [CHECKSUM] = {"checksum", POSTGRES_TEXT},
    };
    CLEANUP(PQclear_at_exit) PGresult *result = NULL;
    struct postgres_call call = {.statement = &load_applied};

    if (!postgres_query(connection, &call, WAIT_MS, &result, err) ||
        !postgres_check_columns(result, columns, COLUMN_COUNT, err)) {
        return false;
    }
    for (int row = 0; row < PQntuples(result); row++) {
        struct migration *migration = migrations_add(
            applied, postgres_get_int4(result, row, VERSION), postgres_get_text(result, row, NAME));

        (void)snprintf(
            migration->checksum, MIGRATION_CHECKSUM_SIZE, "%s",
            postgres_get_text(result, row, CHECKSUM));
    }
    return true;
}

static bool apply(PGconn *connection, const struct migration *migration, struct error *err)
{
    CLEANUP(PQclear_at_exit) PGresult *result = NULL;
    struct postgres_params params;
    struct postgres_call note = {.statement = &note_applied, .params = &params};

    if (!postgres_run(connection, migration->sql, NO_LIMIT, err)) {
        char said[ERROR_MESSAGE_SIZE];

        (void)snprintf(said, sizeof(said), "%s", err->message);
        (void)snprintf(
            err->message, sizeof(err->message), "migration %s: %.400s", migration->name, said);
        return false;
    }
    if (PQtransactionStatus(connection) != PQTRANS_INTRANS) {
        return FAIL(
            err, REASON_INTERNAL, "migration %s ends its transaction: it must not",
            migration->name);
    }

    postgres_params_init(&params);
    postgres_params_add_int4(&params, migration->version);
    postgres_params_add_text(&params, migration->name);
    postgres_params_add_text(&params, migration->checksum);
    postgres_params_add_time(&params, clock_wall_us(clock_system()));
    return postgres_query(connection, &note, WAIT_MS, &result, err);
}

/* Inside the lock: looks what is applied and applies the next file. */
static bool apply_next(
    PGconn *connection,
    const struct migrations *files,
    struct migrations_done *done,
    bool *ret_more,
    struct error *err)
{
    struct migrations applied = {0};
    const struct migration *next = NULL;
    bool good =
        postgres_run(connection, begin_turn, NO_LIMIT, err) &&
        read_applied(connection, &applied, err) && migrations_plan(files, &applied, &next, err) &&
        (!next || apply(connection, next, err)) && postgres_run(connection, "COMMIT", WAIT_MS, err);

    done->version = (int)applied.count;
    migrations_deinit(&applied);
    if (!good) {
        struct error ignored;

        (void)!postgres_run(connection, "ROLLBACK", WAIT_MS, &ignored);
        return false;
    }
    done->applied += next ? 1 : 0;
    *ret_more = next != NULL;
    return true;
}

bool migrations_run(
    PGconn *connection,
    const char *directory,
    struct migrations_done *ret_done,
    struct error *err)
{
    struct migrations files = {0};
    struct migrations_done done = {0};
    bool more = true;

    if (!migrations_read(directory, &files, err)) {
        return false;
    }

    bool good = ensure_table(connection, err) &&
                postgres_prepare(connection, statements, STATEMENT_COUNT, WAIT_MS, err) &&
                compute_checksums(connection, &files, err);

    while (good && more) {
        good = apply_next(connection, &files, &done, &more, err);
    }
    migrations_deinit(&files);
    if (good) {
        *ret_done = done;
    }
    return good;
}
