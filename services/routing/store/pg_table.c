#include "services/routing/store/pg_table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static const Oid sql_types[] = {
    [ROW_FIELD_TEXT] = POSTGRES_TEXT,        [ROW_FIELD_INT64] = POSTGRES_INT8,
    [ROW_FIELD_INT32] = POSTGRES_INT4,       [ROW_FIELD_BOOL] = POSTGRES_BOOL,
    [ROW_FIELD_TIME] = POSTGRES_TIMESTAMPTZ,
};

static const char *const sql_type_names[] = {
    [ROW_FIELD_TEXT] = "text",    [ROW_FIELD_INT64] = "bigint",     [ROW_FIELD_INT32] = "integer",
    [ROW_FIELD_BOOL] = "boolean", [ROW_FIELD_TIME] = "timestamptz",
};

static char *column_name(const struct row_field *field)
{
    size_t length = strlen(field->name);

    return mem_strndup(
        field->name, field->type == ROW_FIELD_TIME ? length - strlen("_us") : length);
}

/* ---- SQL ---- */

static void print_columns(FILE *sql, const struct pg_table *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(sql, "%s%s", i ? ", " : "", table->column_names[i]);
    }
}

/* unnest($1::text[], $2::bigint[], ...) */
static void print_unnest(FILE *sql, const struct pg_table *table, size_t count)
{
    (void)fputs("unnest(", sql);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(
            sql, "%s$%zu::%s[]", i ? ", " : "", i + 1, sql_type_names[table->type->fields[i].type]);
    }
    (void)fputs(")", sql);
}

static void print_upsert(FILE *sql, const struct pg_table *table)
{
    const struct row_type *type = table->type;

    (void)fprintf(sql, "INSERT INTO %s (", type->table);
    print_columns(sql, table, type->field_count);
    (void)fputs(") SELECT * FROM ", sql);
    print_unnest(sql, table, type->field_count);
    (void)fputs(" ON CONFLICT (", sql);
    print_columns(sql, table, type->key_count);
    (void)fputs(") DO UPDATE SET ", sql);
    for (size_t i = type->key_count; i < type->field_count; i++) {
        (void)fprintf(
            sql, "%s%s = EXCLUDED.%s", i > type->key_count ? ", " : "", table->column_names[i],
            table->column_names[i]);
    }
}

static void print_erase(FILE *sql, const struct pg_table *table)
{
    const struct row_type *type = table->type;

    (void)fprintf(sql, "DELETE FROM %s AS stored USING ", type->table);
    print_unnest(sql, table, type->key_count);
    (void)fputs(" AS gone (", sql);
    print_columns(sql, table, type->key_count);
    (void)fputs(") WHERE ", sql);
    for (size_t i = 0; i < type->key_count; i++) {
        (void)fprintf(
            sql, "%sstored.%s = gone.%s", i ? " AND " : "", table->column_names[i],
            table->column_names[i]);
    }
}

static void print_load(FILE *sql, const struct pg_table *table)
{
    (void)fputs("SELECT ", sql);
    print_columns(sql, table, table->type->field_count);
    (void)fprintf(sql, " FROM %s WHERE workspace_id = ANY ($1::text[])", table->type->table);
}

static struct postgres_statement make_statement(
    const struct pg_table *table,
    const char *verb,
    void (*print)(FILE *sql, const struct pg_table *table))
{
    char *text = NULL;
    size_t size = 0;
    FILE *sql = open_memstream(&text, &size);

    if (!sql) {
        abort(); /* no memory */
    }
    print(sql, table);
    (void)fclose(sql);
    return (struct postgres_statement){
        .name = mem_printf("%s_%s", verb, table->type->table), .sql = text};
}

static void free_statement(struct postgres_statement *statement)
{
    CLEANUP(mem_free_at_exit) const char *name = statement->name;
    CLEANUP(mem_free_at_exit) const char *sql = statement->sql;

    (void)name;
    (void)sql;
}

/* ---- life ---- */

void pg_table_init(struct pg_table *table, enum row_kind kind)
{
    const struct row_type *type = &row_types[kind];

    *table = (struct pg_table){.type = type};
    table->column_names = mem_new_array(char *, type->field_count);
    table->columns = mem_new_array(struct postgres_column, type->field_count);
    table->upserts = mem_new_array(struct postgres_array, type->field_count);
    table->erasures = mem_new_array(struct postgres_array, type->key_count);

    for (size_t i = 0; i < type->field_count; i++) {
        Oid sql_type = sql_types[type->fields[i].type];

        table->column_names[i] = column_name(&type->fields[i]);
        table->columns[i] = (struct postgres_column){table->column_names[i], sql_type};
        postgres_array_init(&table->upserts[i], sql_type);
        if (i < type->key_count) {
            postgres_array_init(&table->erasures[i], sql_type);
        }
    }
    table->upsert = make_statement(table, "upsert", print_upsert);
    table->erase = make_statement(table, "erase", print_erase);
    table->load = make_statement(table, "load", print_load);
}

void pg_table_deinit(struct pg_table *table)
{
    for (size_t i = 0; i < table->type->field_count; i++) {
        free(table->column_names[i]);
        postgres_array_deinit(&table->upserts[i]);
    }
    for (size_t i = 0; i < table->type->key_count; i++) {
        postgres_array_deinit(&table->erasures[i]);
    }
    free(table->column_names);
    free(table->columns);
    free(table->upserts);
    free(table->erasures);
    free_statement(&table->upsert);
    free_statement(&table->erase);
    free_statement(&table->load);
}

/* ---- writing ---- */

void pg_table_reset(struct pg_table *table)
{
    for (size_t i = 0; i < table->type->field_count; i++) {
        postgres_array_reset(&table->upserts[i]);
    }
    for (size_t i = 0; i < table->type->key_count; i++) {
        postgres_array_reset(&table->erasures[i]);
    }
}

static void add_value(struct postgres_array *array, const struct row_field *field, const void *row)
{
    switch (field->type) {
    case ROW_FIELD_TEXT:
        postgres_array_add_text(array, row_text(row, field));
        return;
    case ROW_FIELD_INT64:
        postgres_array_add_int8(array, row_number(row, field));
        return;
    case ROW_FIELD_INT32:
        postgres_array_add_int4(array, (int32_t)row_number(row, field));
        return;
    case ROW_FIELD_BOOL:
        postgres_array_add_bool(array, row_number(row, field) != 0);
        return;
    case ROW_FIELD_TIME:
        if (row_number(row, field) == 0) {
            postgres_array_add_null(array);
        } else {
            postgres_array_add_time(array, row_number(row, field));
        }
        return;
    }
    abort();
}

void pg_table_add_upsert(struct pg_table *table, const void *row)
{
    for (size_t i = 0; i < table->type->field_count; i++) {
        add_value(&table->upserts[i], &table->type->fields[i], row);
    }
}

void pg_table_add_erasure(struct pg_table *table, const void *row)
{
    for (size_t i = 0; i < table->type->key_count; i++) {
        add_value(&table->erasures[i], &table->type->fields[i], row);
    }
}

static struct postgres_call make_call(
    const struct postgres_statement *statement,
    struct postgres_params *params,
    struct postgres_array *arrays,
    size_t count)
{
    postgres_params_init(params);
    for (size_t i = 0; i < count; i++) {
        postgres_params_add_array(params, &arrays[i]);
    }
    return (struct postgres_call){.statement = statement, .params = params};
}

size_t pg_table_calls(struct pg_table *table, struct postgres_call *calls)
{
    const struct row_type *type = table->type;
    size_t count = 0;

    if (table->upserts[0].count > 0) {
        calls[count++] =
            make_call(&table->upsert, &table->upsert_params, table->upserts, type->field_count);
    }
    if (table->erasures[0].count > 0) {
        calls[count++] =
            make_call(&table->erase, &table->erase_params, table->erasures, type->key_count);
    }
    return count;
}

/* ---- reading ---- */

static void read_value(const PGresult *result, int column, const struct row_field *field, void *row)
{
    char *at = (char *)row + field->offset;
    const char *text = NULL;
    int64_t large = 0;
    int32_t small = 0;
    bool truth = false;

    switch (field->type) {
    case ROW_FIELD_TEXT:
        text = postgres_get_text(result, 0, column);
        memcpy(at, &text, sizeof(text));
        return;
    case ROW_FIELD_INT64:
        large = postgres_get_int8(result, 0, column);
        memcpy(at, &large, sizeof(large));
        return;
    case ROW_FIELD_INT32:
        small = postgres_get_int4(result, 0, column);
        memcpy(at, &small, sizeof(small));
        return;
    case ROW_FIELD_BOOL:
        truth = postgres_get_bool(result, 0, column);
        memcpy(at, &truth, sizeof(truth));
        return;
    case ROW_FIELD_TIME:
        large = postgres_get_time_us(result, 0, column);
        memcpy(at, &large, sizeof(large));
        return;
    }
    abort();
}

void pg_table_read(const struct pg_table *table, const PGresult *result, void *row)
{
    for (size_t i = 0; i < table->type->field_count; i++) {
        read_value(result, (int)i, &table->type->fields[i], row);
    }
}
