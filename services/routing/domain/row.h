/* Rows: what is kept of each kind of record. rows.def is the table; this header makes structs and
 * descriptors of it, so that copying, freeing, saving and loading are written once for all kinds.
 *
 * Rows are plain values. Their texts are owned by the heap (row_deinit frees them) or by an arena
 * (row_copy).
 */
#ifndef ROUTING_DOMAIN_ROW_H
#define ROUTING_DOMAIN_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum row_kind {
#define ROW(kind, KIND, table) ROW_##KIND,
#define KEY(KIND, kind, TYPE, field)
#define FIELD(KIND, kind, TYPE, field)
#define END(kind, KIND)
#include "services/routing/domain/rows.def"
    ROW_KIND_COUNT,
};

#define ROW_TYPE_TEXT char *
#define ROW_TYPE_INT64 int64_t
#define ROW_TYPE_INT32 int32_t
#define ROW_TYPE_BOOL bool
#define ROW_TYPE_TIME int64_t

#undef ROW
#undef KEY
#undef FIELD
#undef END
#define ROW(kind, KIND, table) struct kind##_row {
#define KEY(KIND, kind, TYPE, field) ROW_TYPE_##TYPE field;
#define FIELD(KIND, kind, TYPE, field) ROW_TYPE_##TYPE field;
#define END(kind, KIND)                                                                            \
    }                                                                                              \
    ;
#include "services/routing/domain/rows.def"
#undef ROW
#undef KEY
#undef FIELD
#undef END

/* Numbers of the fields of each kind, for masks: TASK_FIELD_priority and so on. */
#define ROW(kind, KIND, table)                                                                     \
    enum kind##_field                                                                              \
    {
#define KEY(KIND, kind, TYPE, field) KIND##_FIELD_##field,
#define FIELD(KIND, kind, TYPE, field) KIND##_FIELD_##field,
#define END(kind, KIND)                                                                            \
    KIND##_FIELD_COUNT                                                                             \
    }                                                                                              \
    ;
#include "services/routing/domain/rows.def"
#undef ROW
#undef KEY
#undef FIELD
#undef END

/* A set of fields of one kind: bit n is field n. */
#define ROW_MASK(field) (UINT64_C(1) << (field))

enum row_field_type {
    ROW_FIELD_TEXT,
    ROW_FIELD_INT64,
    ROW_FIELD_INT32,
    ROW_FIELD_BOOL,
    ROW_FIELD_TIME,
};

struct row_field {
    const char *name; /* the C name; a TIME's column drops the _us */
    enum row_field_type type;
    size_t offset;
    bool key;
};

struct row_type {
    const char *name;  /* "task" */
    const char *table; /* "tasks" */
    size_t size;
    const struct row_field *fields;
    size_t field_count;
    size_t key_count; /* the first fields are the key */
};

/* By enum row_kind. */
extern const struct row_type row_types[ROW_KIND_COUNT];

/* Sets every TEXT to "", the rest to 0. */
void row_init(enum row_kind kind, void *row);
/* The same in the arena. Texts may be replaced by others that live as long. */
void *row_new(enum row_kind kind, struct arena *arena);
/* Frees the texts. */
void row_deinit(enum row_kind kind, void *row);
/* Replaces the heap row `to` by a copy of `from`. */
void row_assign(enum row_kind kind, void *to, const void *from);
/* A copy that lives in the arena, texts included. */
void *row_copy(enum row_kind kind, const void *row, struct arena *arena);
bool row_equal(enum row_kind kind, const void *one, const void *other);
/* Orders by key, field by field: texts by strcmp, numbers by value. */
int row_compare_keys(enum row_kind kind, const void *one, const void *other);

/* In a row's struct. */
size_t row_field_size(enum row_field_type type);

/* One field's value. */
const char *row_text(const void *row, const struct row_field *field);
/* INT64, INT32, BOOL (0 or 1) or TIME. */
int64_t row_number(const void *row, const struct row_field *field);

/* Sets a heap row's text: frees the old one, copies the new one. */
void row_set_text(char **slot, const char *text);

#endif
