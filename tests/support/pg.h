/* A private PostgreSQL for tests: a cluster in a temporary directory on a UNIX socket, also as
 * root.
 *
 * A test program that links this gets one cluster, started before its first test and removed after
 * its last (Criterion's PRE_ALL and POST_ALL hooks); every test makes databases of its own in it.
 * The cluster is fast, not durable: a test about durability or about stopping the server starts its
 * own with test_cluster_start(TEST_CLUSTER_DURABLE).
 */
#ifndef TESTS_SUPPORT_PG_H
#define TESTS_SUPPORT_PG_H

#include <libpq-fe.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/attr.h"

struct test_cluster;

enum test_cluster_kind {
    TEST_CLUSTER_FAST,
    TEST_CLUSTER_DURABLE
};

/* A new, empty database in the program's cluster; its URL is the caller's to free. */
char *test_database_new(void);

/* A cluster of one's own. Abort the test when it does not start. */
struct test_cluster *test_cluster_start(enum test_cluster_kind kind);
struct test_cluster *test_cluster_stop(struct test_cluster *cluster);
const char *test_cluster_url(const struct test_cluster *cluster);
/* SIGSTOP and SIGCONT to the postmaster and all its processes. */
void test_cluster_pause(const struct test_cluster *cluster);
void test_cluster_resume(const struct test_cluster *cluster);

/* A connection that works, or the test is aborted. Role: writer. */
PGconn *test_connect(const char *url);
/* Runs SQL that must succeed. */
void test_sql(PGconn *connection, const char *sql);
/* One value as text, "" for null or no row; valid until the next call. */
const char *test_sql_value(PGconn *connection, const char *sql);

/* Checks what must hold in the database of a routing service at rest (audit.sql): the breaches, one
 * line each, "" when all is well. The caller frees it.
 */
char *test_audit(PGconn *connection);

/* A new directory that an unprivileged user may enter; removed by _remove. The caller frees it. */
char *test_directory_new(void);
void test_directory_remove(char *path);

DEFINE_CLEANUP(struct test_cluster *, test_cluster_stop)

#endif
