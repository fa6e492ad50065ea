#include "services/routing/domain/row.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"

#define ROW(kind, KIND, table) static const struct row_field kind##_fields[] = {
#define KEY(KIND, kind, TYPE, field)                                                               \
    {#field, ROW_FIELD_##TYPE, offsetof(struct kind##_row, field), true},
#define FIELD(KIND, kind, TYPE, field)                                                             \
    {#field, ROW_FIELD_##TYPE, offsetof(struct kind##_row, field), false},
#define END(kind, KIND)                                                                            \
    }                                                                                              \
    ;
#include "services/routing/domain/rows.def"
#undef ROW
#undef KEY
#undef FIELD
#undef END

/* NOLINTBEGIN(bugprone-macro-parentheses): an initializer in three parts. */
#define ROW(kind, KIND, table)                                                                     \
    [ROW_##KIND] = {#kind, table, sizeof(struct kind##_row), kind##_fields, KIND##_FIELD_COUNT, 0
#define KEY(KIND, kind, TYPE, field) +1
#define FIELD(KIND, kind, TYPE, field)
#define END(kind, KIND)                                                                            \
    }                                                                                              \
    ,
/* NOLINTEND(bugprone-macro-parentheses) */
const struct row_type row_types[ROW_KIND_COUNT] = {
#include "services/routing/domain/rows.def"
};
#undef ROW
#undef KEY
#undef FIELD
#undef END

static char **text_at(void *row, const struct row_field *field)
{
    return (char **)(void *)((char *)row + field->offset);
}

const char *row_text(const void *row, const struct row_field *field)
{
    const char *text = NULL;

    memcpy(&text, (const char *)row + field->offset, sizeof(text));
    return text;
}

size_t row_field_size(enum row_field_type type)
{
    switch (type) {
    case ROW_FIELD_TEXT:
        return sizeof(char *);
    case ROW_FIELD_INT64:
    case ROW_FIELD_TIME:
        return sizeof(int64_t);
    case ROW_FIELD_INT32:
        return sizeof(int32_t);
    case ROW_FIELD_BOOL:
        return sizeof(bool);
    }
    abort();
}

void row_init(enum row_kind kind, void *row)
{
    const struct row_type *type = &row_types[kind];

    memset(row, 0, type->size);
    for (size_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].type == ROW_FIELD_TEXT) {
            *text_at(row, &type->fields[i]) = mem_strdup("");
        }
    }
}

void *row_new(enum row_kind kind, struct arena *arena)
{
    const struct row_type *type = &row_types[kind];
    void *row = arena_alloc(arena, type->size);

    for (size_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].type == ROW_FIELD_TEXT) {
            *text_at(row, &type->fields[i]) = arena_strdup(arena, "");
        }
    }
    return row;
}

void row_deinit(enum row_kind kind, void *row)
{
    const struct row_type *type = &row_types[kind];

    for (size_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].type == ROW_FIELD_TEXT) {
            free(*text_at(row, &type->fields[i]));
        }
    }
    memset(row, 0, type->size);
}

void row_assign(enum row_kind kind, void *to, const void *from)
{
    const struct row_type *type = &row_types[kind];

    if (to == from) {
        return;
    }
    row_deinit(kind, to);
    memcpy(to, from, type->size);
    for (size_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].type == ROW_FIELD_TEXT) {
            *text_at(to, &type->fields[i]) = mem_strdup(row_text(from, &type->fields[i]));
        }
    }
}

void *row_copy(enum row_kind kind, const void *row, struct arena *arena)
{
    const struct row_type *type = &row_types[kind];
    void *copy = arena_dup(arena, row, type->size);

    for (size_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].type == ROW_FIELD_TEXT) {
            *text_at(copy, &type->fields[i]) = arena_strdup(arena, row_text(row, &type->fields[i]));
        }
    }
    return copy;
}

bool row_equal(enum row_kind kind, const void *one, const void *other)
{
    const struct row_type *type = &row_types[kind];

    for (size_t i = 0; i < type->field_count; i++) {
        const struct row_field *field = &type->fields[i];
        bool same =
            field->type == ROW_FIELD_TEXT
                ? strcmp(row_text(one, field), row_text(other, field)) == 0
                : memcmp(
                      (const char *)one + field->offset, (const char *)other + field->offset,
                      row_field_size(field->type)) == 0;

        if (!same) {
            return false;
        }
    }
    return true;
}

int64_t row_number(const void *row, const struct row_field *field)
{
    const char *at = (const char *)row + field->offset;
    int64_t number = 0;
    int32_t small = 0;
    bool truth = false;

    switch (field->type) {
    case ROW_FIELD_INT32:
        memcpy(&small, at, sizeof(small));
        return small;
    case ROW_FIELD_BOOL:
        memcpy(&truth, at, sizeof(truth));
        return truth;
    case ROW_FIELD_INT64:
    case ROW_FIELD_TIME:
        memcpy(&number, at, sizeof(number));
        return number;
    case ROW_FIELD_TEXT:
        break;
    }
    abort();
}

int row_compare_keys(enum row_kind kind, const void *one, const void *other)
{
    const struct row_type *type = &row_types[kind];

    for (size_t i = 0; i < type->key_count; i++) {
        const struct row_field *field = &type->fields[i];
        int order = 0;

        if (field->type == ROW_FIELD_TEXT) {
            order = strcmp(row_text(one, field), row_text(other, field));
        } else {
            int64_t left = row_number(one, field);
            int64_t right = row_number(other, field);

            order = (left > right) - (left < right);
        }
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

void row_set_text(char **slot, const char *text)
{
    char *copy = mem_strdup(text);

    free(*slot);
    *slot = copy;
}
