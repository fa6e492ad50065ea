#include "services/routing/shard/group.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "services/routing/operations/step.h"

void group_add(struct group *group, struct command *command, struct step *step)
{
    if (group->count == group->capacity) {
        group->capacity = group->capacity ? group->capacity * 2 : 64;
        group->items = mem_realloc_array(group->items, group->capacity, sizeof(struct group_item));
    }
    group->items[group->count++] = (struct group_item){command, step};
    group->change_count += step ? step->change_count : 0;
}

void group_append(struct group *to, struct group *from)
{
    for (size_t i = 0; i < from->count; i++) {
        group_add(to, from->items[i].command, from->items[i].step);
        from->items[i].step = NULL;
    }
    from->count = 0;
    from->change_count = 0;
}

void group_clear(struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        step_free(group->items[i].step);
    }
    group->count = 0;
    group->change_count = 0;
}

void group_deinit(struct group *group)
{
    group_clear(group);
    free(group->items);
    *group = (struct group){0};
}

/* The last change of one row so far. */
struct folded {
    const char *key;
    size_t index; /* in the batch */
    UT_hash_handle hh;
};

/* The key's fields as bytes, each text with its NUL: unique for a kind and key. */
static const char *change_key(const struct change *change, struct arena *arena, size_t *ret_size)
{
    const struct row_type *type = &row_types[change->kind];
    size_t size = 1;

    for (size_t i = 0; i < type->key_count; i++) {
        size += type->fields[i].type == ROW_FIELD_TEXT
                    ? strlen(row_text(change->row, &type->fields[i])) + 1
                    : sizeof(int64_t);
    }

    char *key = arena_alloc(arena, size);
    char *end = key;

    *end++ = (char)change->kind;
    for (size_t i = 0; i < type->key_count; i++) {
        if (type->fields[i].type == ROW_FIELD_TEXT) {
            const char *text = row_text(change->row, &type->fields[i]);

            memcpy(end, text, strlen(text) + 1);
            end += strlen(text) + 1;
        } else {
            int64_t number = row_number(change->row, &type->fields[i]);

            memcpy(end, &number, sizeof(number));
            end += sizeof(number);
        }
    }
    *ret_size = size;
    return key;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macros are long */
static void fold_change(
    const struct change *change,
    struct arena *arena,
    struct folded **table,
    struct change *changes,
    size_t *count)
{
    struct folded *known = NULL;
    size_t size = 0;
    const char *key = change_key(change, arena, &size);

    HASH_FIND(hh, *table, key, size, known);
    if (!known) {
        known = arena_new_object(arena, struct folded);
        known->key = key;
        known->index = (*count)++;
        HASH_ADD_KEYPTR(hh, *table, known->key, size, known);
    }
    changes[known->index] = *change;
}

void group_fold(const struct group *group, struct arena *arena, struct store_batch *ret_batch)
{
    struct change *changes = arena_new_array(arena, struct change, group->change_count);
    struct folded *table = NULL;
    size_t count = 0;

    for (size_t i = 0; i < group->count; i++) {
        const struct step *step = group->items[i].step;

        for (size_t j = 0; step && j < step->change_count; j++) {
            fold_change(&step->changes[j], arena, &table, changes, &count);
        }
    }
    HASH_CLEAR(hh, table);

    ret_batch->changes = changes;
    ret_batch->change_count = count;
}
