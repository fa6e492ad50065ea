/* One kind of row in PostgreSQL: its statements, made from its row type, and the arrays in which
 * the rows of a batch travel. Every statement is set-wise: one for all rows of a kind.
 *
 * A TIME of 0 is null in SQL. Texts are never null. A TIME's column is the field's name without
 * _us.
 */
#ifndef ROUTING_STORE_PG_TABLE_H
#define ROUTING_STORE_PG_TABLE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "services/routing/domain/row.h"
#include "services/routing/postgres/array.h"
#include "services/routing/postgres/result.h"
#include "services/routing/postgres/statement.h"

struct error;

struct pg_table {
    const struct row_type *type;
    struct postgres_statement upsert;
    struct postgres_statement erase;
    struct postgres_statement load; /* all rows of some workspaces: $1::text[] */
    struct postgres_column *columns;
    char **column_names;
    struct postgres_array *upserts;  /* by field */
    struct postgres_array *erasures; /* by field of the key */
    struct postgres_params upsert_params;
    struct postgres_params erase_params;
};

void pg_table_init(struct pg_table *table, enum row_kind kind);
void pg_table_deinit(struct pg_table *table);

/* Filling for one batch. */
void pg_table_reset(struct pg_table *table);
void pg_table_add_upsert(struct pg_table *table, const void *row);
void pg_table_add_erasure(struct pg_table *table, const void *row);
/* Appends the calls for what was added (none, one or two); returns their count. */
size_t pg_table_calls(struct pg_table *table, struct postgres_call *calls);

/* Fills `row` from row 0 of a result of `load`; its texts stay in the result. */
void pg_table_read(const struct pg_table *table, const PGresult *result, void *row);

#endif
