/* The migrations make what rows.def says, and keep the rules that let the database be distributed.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "services/routing/domain/row.h"
#include "services/routing/postgres/connection.h"
#include "services/routing/postgres/migrations.h"
#include "tests/support/pg.h"

static char *url;
static PGconn *sql;

static void migrate(void)
{
    CLEANUP(mem_free_at_exit) char *directory = migrations_directory(NULL);
    struct migrations_done done;
    struct error err;

    url = test_database_new();
    sql = test_connect(url);
    cr_assert(migrations_run(sql, directory, &done, &err), "%s", err.message);
}

static void disconnect(void)
{
    postgres_disconnect(sql);
    free(url);
}

TestSuite(schema, .init = migrate, .fini = disconnect);

static const char *sql_type(enum row_field_type type)
{
    static const char *const names[] = {
        [ROW_FIELD_TEXT] = "text",
        [ROW_FIELD_INT64] = "bigint",
        [ROW_FIELD_INT32] = "integer",
        [ROW_FIELD_BOOL] = "boolean",
        [ROW_FIELD_TIME] = "timestamp with time zone",
    };

    return names[type];
}

static char *columns_of(const struct row_type *type, size_t count, bool with_types)
{
    char *all = mem_strdup("");

    for (size_t i = 0; i < count; i++) {
        const struct row_field *field = &type->fields[i];
        int length = (int)strlen(field->name) - (field->type == ROW_FIELD_TIME ? 3 : 0);
        char *longer = mem_printf(
            "%s%s%.*s%s%s", all, i ? ", " : "", length, field->name, with_types ? " " : "",
            with_types ? sql_type(field->type) : "");

        free(all);
        all = longer;
    }
    return all;
}

Test(schema, has_the_columns_and_keys_that_the_rows_have)
{
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        const struct row_type *type = &row_types[kind];
        char *columns = columns_of(type, type->field_count, true);
        char *keys = columns_of(type, type->key_count, false);
        char *ask_columns = mem_printf(
            "SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position)"
            " FROM information_schema.columns WHERE table_name = '%s'",
            type->table);
        char *ask_keys = mem_printf(
            "SELECT string_agg(a.attname, ', ' ORDER BY k.place) FROM pg_index i,"
            " unnest(i.indkey) WITH ORDINALITY AS k (attnum, place), pg_attribute a"
            " WHERE i.indrelid = '%s'::regclass AND i.indisprimary AND a.attrelid = i.indrelid"
            " AND a.attnum = k.attnum",
            type->table);

        cr_expect_str_eq(test_sql_value(sql, ask_columns), columns, "%s", type->table);
        cr_expect_str_eq(test_sql_value(sql, ask_keys), keys, "%s", type->table);
        free(columns);
        free(keys);
        free(ask_columns);
        free(ask_keys);
    }
}

Test(schema, begins_every_index_with_the_workspace)
{
    cr_assert_str_eq(
        test_sql_value(
            sql, "SELECT string_agg(i.indexrelid::regclass::text, ' ') FROM pg_index i"
                 " JOIN pg_class c ON c.oid = i.indrelid"
                 " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
                 " WHERE c.relnamespace = 'public'::regnamespace AND a.attname <> 'workspace_id'"
                 " AND c.relname NOT IN ('shards', 'schema_migrations')"),
        "");
}

Test(schema, has_no_trigger_no_sequence_no_default_and_no_rule)
{
    cr_assert_str_eq(test_sql_value(sql, "SELECT count(*) FROM pg_trigger"), "0");
    cr_assert_str_eq(test_sql_value(sql, "SELECT count(*) FROM pg_sequence"), "0");
    cr_assert_str_eq(
        test_sql_value(
            sql, "SELECT count(*) FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid"
                 " WHERE c.relnamespace = 'public'::regnamespace"),
        "0");
    cr_assert_str_eq(
        test_sql_value(sql, "SELECT count(*) FROM pg_rules WHERE schemaname = 'public'"), "0");
}

Test(schema, leaves_room_in_the_pages_of_what_changes_most)
{
    cr_assert_str_eq(
        test_sql_value(
            sql, "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class"
                 " WHERE 'fillfactor=70' = ANY (reloptions)"),
        "bridges reservations tasks workers workspace_progress");
}
