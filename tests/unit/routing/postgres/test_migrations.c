#include <criterion/criterion.h>
#include <string.h>

#include "common/error/error.h"
#include "services/routing/postgres/migrations.h"

static struct migration file_items[] = {
    {.version = 1, .name = (char[]){"0001_tasks.sql"},   .checksum = "aa"},
    {.version = 2, .name = (char[]){"0002_workers.sql"}, .checksum = "bb"},
};
static const struct migrations files = {file_items, 2};

Test(migrations, begins_with_the_first_file)
{
    const struct migrations none = {NULL, 0};
    const struct migration *next = NULL;
    struct error err;

    cr_assert(migrations_plan(&files, &none, &next, &err));
    cr_assert_eq(next->version, 1);
}

Test(migrations, goes_on_where_it_stopped)
{
    const struct migrations first = {file_items, 1};
    const struct migration *next = NULL;
    struct error err;

    cr_assert(migrations_plan(&files, &first, &next, &err));
    cr_assert_eq(next->version, 2);
}

Test(migrations, has_nothing_to_do_when_all_is_applied)
{
    const struct migration *next = &file_items[0];
    struct error err;

    cr_assert(migrations_plan(&files, &files, &next, &err));
    cr_assert_null(next);
}

Test(migrations, refuses_a_changed_file_and_names_both_checksums)
{
    struct migration changed[] = {
        {.version = 1, .name = (char[]){"0001_tasks.sql"}, .checksum = "cc"}
    };
    const struct migrations applied = {changed, 1};
    const struct migration *next = NULL;
    struct error err;

    cr_assert_not(migrations_plan(&files, &applied, &next, &err));
    cr_assert_eq(err.reason, REASON_SCHEMA_MISMATCH);
    cr_assert_not_null(strstr(err.message, "0001_tasks.sql"));
    cr_assert_not_null(strstr(err.message, "aa now"));
    cr_assert_not_null(strstr(err.message, "cc then"));
}

Test(migrations, refuses_a_database_that_is_newer_than_the_program)
{
    struct migration newer[] = {
        file_items[0],
        file_items[1],
        {.version = 3, .name = (char[]){"0003_later.sql"}, .checksum = "dd"}
    };
    const struct migrations applied = {newer, 3};
    const struct migration *next = NULL;
    struct error err;

    cr_assert_not(migrations_plan(&files, &applied, &next, &err));
    cr_assert_eq(err.reason, REASON_SCHEMA_MISMATCH);
    cr_assert_not_null(strstr(err.message, "0003_later.sql"));
    cr_assert_not_null(strstr(err.message, "none after 0002"));
}
