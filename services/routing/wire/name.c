#include "services/routing/wire/name.h"

#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"

static bool id_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

/* Length of the id at the start of the text; 0 when there is none. */
static size_t id_length(const char *text)
{
    size_t length = 0;

    if (text[0] == '-' || text[0] == '_' || text[0] == '.') {
        return 0;
    }
    while (id_character(text[length])) {
        length++;
    }
    return length < NAME_ID_SIZE ? length : 0;
}

bool name_id_valid(const char *id)
{
    return id[0] != '\0' && id_length(id) == strlen(id);
}

/* Takes one id off the text; NULL when there is none or no room for it. */
static const char *take_id(const char *at, struct name_parts *parts)
{
    size_t length = id_length(at);

    if (length == 0 || parts->count == NAME_PARTS_MAX) {
        return NULL;
    }
    memcpy(parts->ids[parts->count], at, length);
    parts->ids[parts->count++][length] = '\0';
    return at + length;
}

bool name_parse(
    const char *name,
    const char *pattern,
    const char *field,
    struct name_parts *ret_parts,
    struct error *err)
{
    struct name_parts parts = {.count = 0};
    const char *at = name;

    for (const char *p = pattern; at && *p; p++) {
        at = *p == '*' ? take_id(at, &parts) : (*at == *p ? at + 1 : NULL);
    }
    if (!at || *at != '\0') {
        return FAIL_FIELD(
            err, REASON_NAME_INVALID, field,
            "%s: '%.200s' is not a name of the form %s (each * an id of 1 to 63 letters, digits, "
            "'-', '_' and '.')",
            field, name, pattern);
    }
    *ret_parts = parts;
    return true;
}

const char *name_print(
    struct arena *arena,
    const char *workspace_id,
    const char *collection,
    const char *id)
{
    return id[0] == '\0' ? ""
                         : arena_printf(arena, "workspaces/%s/%s/%s", workspace_id, collection, id);
}
