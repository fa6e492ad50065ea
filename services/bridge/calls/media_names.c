/* Finds the media engine's ids by our numbers. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "services/bridge/calls/state.h"

/* NOLINTBEGIN(readability-function-size): uthash's macros. */

void media_names_add(struct media_name **names, int64_t number, uint64_t media_id)
{
    struct media_name *name = mem_new(struct media_name);

    name->number = number;
    name->media_id = media_id;
    HASH_ADD(hh, *names, number, sizeof(name->number), name);
}

static struct media_name *find(const struct media_name *names, int64_t number)
{
    struct media_name *name = NULL;

    HASH_FIND(hh, names, &number, sizeof(number), name);
    return name;
}

void media_names_remove(struct media_name **names, int64_t number)
{
    struct media_name *name = find(*names, number);

    if (name) {
        HASH_DEL(*names, name);
        free(name);
    }
}

void media_names_clear(struct media_name **names)
{
    struct media_name *name = *names;

    HASH_CLEAR(hh, *names);
    while (name) {
        struct media_name *next = name->hh.next;
        free(name);
        name = next;
    }
}

/* NOLINTEND(readability-function-size) */

bool media_names_find(const struct media_name *names, int64_t number, uint64_t *ret_media_id)
{
    const struct media_name *name = find(names, number);

    if (!name) {
        return false;
    }
    *ret_media_id = name->media_id;
    return true;
}

int64_t media_names_find_number(const struct media_name *names, uint64_t media_id)
{
    const struct media_name *name = names;

    while (name && name->media_id != media_id) {
        name = name->hh.next;
    }
    return name ? name->number : 0;
}
