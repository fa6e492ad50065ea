/* Resource names (AIP-122): `workspaces/acme/tasks/t1`. */
#ifndef ROUTING_WIRE_NAME_H
#define ROUTING_WIRE_NAME_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct error;

enum {
    NAME_PARTS_MAX = 3,
    NAME_ID_SIZE = 64, /* ids have at most 63 characters */
};

/* The ids of a name, in order. */
struct name_parts {
    char ids[NAME_PARTS_MAX][NAME_ID_SIZE];
    size_t count;
};

/* Whether the text is an id: 1 to 63 of a-z A-Z 0-9 - _ ., the first a letter or digit. */
bool name_id_valid(const char *id);

/* Takes a name apart by its pattern, a name in which * stands for an id: "workspaces/" "*"
 * "/tasks/" "*". field: the request's field, for the error NAME_INVALID, which says what the name
 * should look like. */
bool name_parse(
    const char *name,
    const char *pattern,
    const char *field,
    struct name_parts *ret_parts,
    struct error *err);

/* "workspaces/{workspace}/{collection}/{id}"; "" for an empty id. */
const char *name_print(
    struct arena *arena,
    const char *workspace_id,
    const char *collection,
    const char *id);

#endif
