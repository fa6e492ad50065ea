/* Trunks: where calls come from. */
#include "services/routing/operations/trunk.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "services/routing/domain/limits.h"
#include "services/routing/domain/source_address.h"
#include "services/routing/operations/check.h"
#include "services/routing/operations/define.h"

/* The addresses of a trunk to be. */
struct addresses {
    struct source_address items[SOURCE_ADDRESSES_MAX];
    size_t count;
};

static bool add_address(struct addresses *addresses, const char *text, struct error *err)
{
    if (addresses->count == SOURCE_ADDRESSES_MAX) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, "trunk.source_addresses",
            "a trunk has at most %d source addresses", SOURCE_ADDRESSES_MAX);
    }
    if (!source_address_parse(text, &addresses->items[addresses->count])) {
        return FAIL_FIELD(
            err, REASON_FIELD_INVALID, "trunk.source_addresses",
            "'%s' is not an address, an address with a port, or a prefix without bits behind "
            "it",
            text);
    }
    addresses->count++;
    return true;
}

static bool read_addresses(
    struct arena *arena,
    const char *text,
    struct addresses *addresses,
    struct error *err)
{
    char *copy = arena_strdup(arena, text_or_empty(text));
    char *rest = copy;
    const char *word = NULL;

    addresses->count = 0;
    while ((word = strsep(&rest, " "))) {
        if (word[0] && !add_address(addresses, word, err)) {
            return false;
        }
    }
    if (addresses->count == 0) {
        return FAIL_FIELD(
            err, REASON_FIELD_REQUIRED, "trunk.source_addresses",
            "trunk.source_addresses is required");
    }
    return true;
}

static char *print_addresses(struct work *work, const struct addresses *addresses)
{
    char *text =
        arena_alloc(work->step->arena, (size_t)SOURCE_ADDRESS_TEXT_SIZE * SOURCE_ADDRESSES_MAX);
    char *end = text;

    for (size_t i = 0; i < addresses->count; i++) {
        if (i) {
            *end++ = ' ';
        }
        source_address_print(&addresses->items[i], end);
        end += strlen(end);
    }
    return text;
}

static bool overlaps_one(const struct source_address *address, const struct addresses *addresses)
{
    for (size_t i = 0; i < addresses->count; i++) {
        if (source_address_overlaps(address, &addresses->items[i])) {
            return true;
        }
    }
    return false;
}

static bool overlaps(const struct trunk *trunk, const struct addresses *addresses)
{
    for (size_t i = 0; i < trunk->address_count; i++) {
        if (overlaps_one(&trunk->addresses[i], addresses)) {
            return true;
        }
    }
    return false;
}

static const struct trunk *find_overlap(
    struct engine *engine,
    const struct trunk *self,
    const struct addresses *addresses)
{
    struct record *record = NULL;

    RB_FOREACH(record, record_tree, &engine->records[ROW_TRUNK])
    {
        const struct trunk *trunk = (struct trunk *)record;

        if (trunk != self && overlaps(trunk, addresses)) {
            return trunk;
        }
    }
    return NULL;
}

/* Over all workspaces: a call must have one place to go. The other's workspace is not named: it may
 * be somebody else's. */
static bool check_overlap(
    struct work *work,
    const struct trunk *self,
    const struct addresses *addresses,
    struct error *err)
{
    struct engine *engine = NULL;

    for (engine = engines_find_after(work->engines, ""); engine;
         engine = engines_find_after(work->engines, engine->workspace_id)) {
        const struct trunk *trunk = find_overlap(engine, self, addresses);
        bool own = engine == work->engine;

        if (trunk) {
            work_depends(work, &trunk->record);
            return FAIL_FIELD(
                err, REASON_TRUNK_OVERLAPS, "trunk.source_addresses",
                "an address matches %s%s as well", own ? "trunk " : "a trunk of another workspace",
                own ? trunk->row.id : "");
        }
    }
    return true;
}

static void set_addresses(struct trunk *trunk, const struct addresses *addresses)
{
    free(trunk->addresses);
    trunk->addresses = mem_dup(addresses->items, addresses->count * sizeof(addresses->items[0]));
    trunk->address_count = addresses->count;
}

bool trunk_load_addresses(struct trunk *trunk, struct arena *arena, struct error *err)
{
    struct addresses addresses;

    if (!read_addresses(arena, trunk->row.source_addresses, &addresses, err)) {
        return false;
    }
    set_addresses(trunk, &addresses);
    return true;
}

static bool create_trunk(struct work *work, const struct create_request *request, struct error *err)
{
    struct trunk_row row = *(const struct trunk_row *)request->row;
    struct addresses addresses;
    struct trunk *trunk = NULL;
    bool repeated = false;

    if (!check_repeated(work, &request->key, "create_trunk", ROW_TRUNK, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    if (!check_new_id(work, ROW_TRUNK, request->id, "trunk_id", err) ||
        !check_name("trunk.display_name", row.display_name, err) ||
        !read_addresses(work->step->arena, row.source_addresses, &addresses, err) ||
        !check_overlap(work, NULL, &addresses, err) ||
        !check_room(work, ROW_TRUNK, TRUNKS_MAX, err)) {
        return false;
    }
    row.source_addresses = print_addresses(work, &addresses);
    trunk = (struct trunk *)work_create(work, ROW_TRUNK, &row, request->id);
    set_addresses(trunk, &addresses);
    work_tell(work, "trunk.created", &trunk->record, "Trunk %s was created.", trunk->row.id);
    step_add_effect(work->step, EFFECT_TELEPHONY_CHANGED);
    remember_request(work, &request->key, "create_trunk", trunk->row.id);
    work_reply(work, &trunk->record);
    return true;
}
DEFINE_OPERATION(create_trunk, false)

static bool update_trunk(struct work *work, const struct update_request *request, struct error *err)
{
    const struct trunk_row *wanted = request->row;
    bool renames = (request->mask & ROW_MASK(TRUNK_FIELD_display_name)) != 0;
    bool moves = (request->mask & ROW_MASK(TRUNK_FIELD_source_addresses)) != 0;
    struct addresses addresses;
    struct trunk *trunk = NULL;
    bool repeated = false;

    if (!check_repeated(work, &request->key, "update_trunk", ROW_TRUNK, &repeated, err)) {
        return false;
    }
    if (repeated) {
        return true;
    }
    trunk = (struct trunk *)work_find(work, ROW_TRUNK, request->id, NULL, err);
    if (!trunk || !check_mask(ROW_TRUNK, request->mask, err) ||
        !check_etag(&trunk->record, request->etag, err) ||
        (renames && !check_name("trunk.display_name", wanted->display_name, err)) ||
        (moves && !(read_addresses(work->step->arena, wanted->source_addresses, &addresses, err) &&
                    check_overlap(work, trunk, &addresses, err)))) {
        return false;
    }
    work_touch(work, &trunk->record);
    if (renames) {
        row_set_text(&trunk->row.display_name, wanted->display_name);
    }
    if (moves) {
        row_set_text(&trunk->row.source_addresses, print_addresses(work, &addresses));
        set_addresses(trunk, &addresses);
    }
    work_tell(work, "trunk.updated", &trunk->record, "Trunk %s was changed.", trunk->row.id);
    step_add_effect(work->step, EFFECT_TELEPHONY_CHANGED);
    remember_request(work, &request->key, "update_trunk", trunk->row.id);
    work_reply(work, &trunk->record);
    return true;
}
DEFINE_OPERATION(update_trunk, false)

static bool delete_trunk(struct work *work, const struct delete_request *request, struct error *err)
{
    struct trunk *trunk = (struct trunk *)work_find(work, ROW_TRUNK, request->id, NULL, err);
    struct record *record = NULL;

    if (!trunk || !check_etag(&trunk->record, request->etag, err)) {
        return false;
    }
    RB_FOREACH(record, record_tree, &work->engine->records[ROW_INBOUND_ROUTE])
    {
        const struct inbound_route *route = (struct inbound_route *)record;

        if (strcmp(route->row.trunk_id, trunk->row.id) == 0) {
            return FAIL(
                err, REASON_RESOURCE_IN_USE, "inbound route %s names trunk %s", route->row.id,
                trunk->row.id);
        }
    }
    work_tell(work, "trunk.deleted", &trunk->record, "Trunk %s was deleted.", trunk->row.id);
    step_add_effect(work->step, EFFECT_TELEPHONY_CHANGED);
    work_delete(work, &trunk->record);
    return true;
}
DEFINE_OPERATION(delete_trunk, false)
