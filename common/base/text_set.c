#include "common/base/text_set.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

struct text_set_entry {
    RB_ENTRY(text_set_entry) by_text;
    char text[];
};

static int entry_compare(const struct text_set_entry *one, const struct text_set_entry *other)
{
    return strcmp(one->text, other->text);
}

RB_PROTOTYPE(text_set_tree, text_set_entry, by_text, entry_compare)
RB_GENERATE(text_set_tree, text_set_entry, by_text, entry_compare)

/* By hand: a key for RB_FIND would have to be allocated. */
static struct text_set_entry *find(const struct text_set *set, const char *text)
{
    struct text_set_entry *entry = RB_ROOT(&set->tree);

    while (entry) {
        int order = strcmp(text, entry->text);

        if (order == 0) {
            break;
        }
        entry = order < 0 ? RB_LEFT(entry, by_text) : RB_RIGHT(entry, by_text);
    }
    return entry;
}

void text_set_add(struct text_set *set, const char *text)
{
    size_t size = strlen(text) + 1;
    struct text_set_entry *entry = NULL;

    if (find(set, text)) {
        return;
    }
    entry = mem_alloc(sizeof(struct text_set_entry) + size);
    memcpy(entry->text, text, size);
    RB_INSERT(text_set_tree, &set->tree, entry);
}

void text_set_remove(struct text_set *set, const char *text)
{
    struct text_set_entry *entry = find(set, text);

    if (entry) {
        RB_REMOVE(text_set_tree, &set->tree, entry);
        free(entry);
    }
}

bool text_set_has(const struct text_set *set, const char *text)
{
    return find(set, text) != NULL;
}

void text_set_clear(struct text_set *set)
{
    struct text_set_entry *entry = NULL;

    while ((entry = RB_ROOT(&set->tree)) != NULL) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): an entry that was freed is out of the tree */
        RB_REMOVE(text_set_tree, &set->tree, entry);
        free(entry);
    }
}
