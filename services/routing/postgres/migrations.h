/* Brings a database to the schema of this program: the files NNNN_name.sql of one directory,
 * applied in order, each in a transaction of its own.
 *
 * What was applied stands in the table schema_migrations with the file's SHA-256. A lock on that
 * table lets replicas that start together take turns (a session lock would be lost behind a
 * pooler). Forward only. Refused with SCHEMA_MISMATCH, nothing changed: an applied file that has
 * another content now, and a database that is newer than this program.
 *
 * A file must not end its transaction, and says in a comment what it locks and for how long.
 */
#ifndef ROUTING_POSTGRES_MIGRATIONS_H
#define ROUTING_POSTGRES_MIGRATIONS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

struct error;

enum {
    MIGRATION_CHECKSUM_SIZE = 65 /* hexadecimal, with its NUL */
};

struct migration {
    int version;
    char *name; /* of the file */
    char *sql;
    size_t size;
    char checksum[MIGRATION_CHECKSUM_SIZE];
};

/* Sorted by version. */
struct migrations {
    struct migration *items;
    size_t count;
};

struct migrations_done {
    int version; /* the schema's now */
    int applied; /* how many files this run has applied */
};

/* The directory to use: the setting when there is one, else where `cmake --install` puts the files,
 * seen from the program (an installation may be moved), else the source tree's. free() it.
 */
char *migrations_directory(const char *configured);

/* Blocks while another replica migrates, and for as long as the files take. On a connection of its
 * own: its prepared statements stay.
 */
MUST_USE bool migrations_run(
    PGconn *connection,
    const char *directory,
    struct migrations_done *ret_done,
    struct error *err);

/* Reads the files; checksums are left empty. Versions must run from 1 without a gap. */
MUST_USE bool migrations_read(
    const char *directory,
    struct migrations *ret_files,
    struct error *err);
/* Compares what is applied with the files; *ret_next is the first file to apply, or NULL. */
MUST_USE bool migrations_plan(
    const struct migrations *files,
    const struct migrations *applied,
    const struct migration **ret_next,
    struct error *err);
void migrations_deinit(struct migrations *migrations);

#endif
