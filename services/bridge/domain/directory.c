/* The directory: sources from narrow to wide, routes by trunk and number. */
#include "services/bridge/domain/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "services/bridge/domain/source_address.h"

enum {
    NUMBER_LENGTH_MAX = 128, /* longer ones have no route */
    KEY_SIZE = 640,
};

struct source {
    struct source_address address;
    const struct trunk *trunk;
    size_t position; /* as it was said; keeps sorting stable */
};

struct route_entry {
    const struct inbound_route *route;
    UT_hash_handle hh;
    char key[];
};

struct directory {
    struct arena *arena; /* the texts, trunks, routes */
    struct source *sources;
    size_t source_count;
    struct route_entry *routes;
};

static int compare_sources(const void *left, const void *right)
{
    const struct source *a = left;
    const struct source *b = right;
    int width = source_address_compare_width(&a->address, &b->address);

    return width != 0 ? width : (a->position > b->position) - (a->position < b->position);
}

static void add_trunk(struct directory *directory, const struct trunk *trunk)
{
    struct trunk *copy = arena_new_object(directory->arena, struct trunk);

    copy->workspace_id = arena_strdup(directory->arena, trunk->workspace_id);
    copy->id = arena_strdup(directory->arena, trunk->id);
    for (size_t i = 0; i < trunk->source_address_count; i++) {
        struct source *source = &directory->sources[directory->source_count];
        if (source_address_parse(trunk->source_addresses[i], &source->address)) {
            source->trunk = copy;
            source->position = directory->source_count++;
        }
    }
}

/* False when it does not fit: no route has such a key. */
static bool print_key(
    char key[KEY_SIZE],
    const char *workspace_id,
    const char *trunk_id,
    const char *number)
{
    int length = snprintf(key, KEY_SIZE, "%s/%s/%s", workspace_id, trunk_id, number);

    return length > 0 && length < KEY_SIZE;
}

/* NOLINTNEXTLINE(readability-function-size): the library's macro. */
static struct route_entry *find_entry(const struct directory *directory, const char *key)
{
    struct route_entry *entry = NULL;

    HASH_FIND_STR(directory->routes, key, entry);
    return entry;
}

/* NOLINTNEXTLINE(readability-function-size): the library's macro. */
static void insert_entry(struct directory *directory, struct route_entry *entry)
{
    HASH_ADD_KEYPTR(hh, directory->routes, entry->key, strlen(entry->key), entry);
}

/* The first of two routes with the same trunk and number stays. */
static void add_route(struct directory *directory, const struct inbound_route *route)
{
    char key[KEY_SIZE];

    if (!print_key(key, route->workspace_id, route->trunk_id, route->called_number) ||
        find_entry(directory, key)) {
        return;
    }

    struct inbound_route *copy = arena_new_object(directory->arena, struct inbound_route);
    struct route_entry *entry = arena_alloc(directory->arena, sizeof(*entry) + strlen(key) + 1);

    copy->workspace_id = arena_strdup(directory->arena, route->workspace_id);
    copy->id = arena_strdup(directory->arena, route->id);
    copy->trunk_id = arena_strdup(directory->arena, route->trunk_id);
    copy->called_number = arena_strdup(directory->arena, route->called_number);
    copy->answer = route->answer;
    entry->route = copy;
    memcpy(entry->key, key, strlen(key) + 1);
    insert_entry(directory, entry);
}

struct directory *directory_new(const struct telephony *telephony)
{
    struct directory *directory = mem_new(struct directory);
    size_t count = 0;

    directory->arena = arena_new();
    for (size_t i = 0; i < telephony->trunk_count; i++) {
        count += telephony->trunks[i].source_address_count;
    }
    directory->sources = mem_new_array(struct source, count);
    for (size_t i = 0; i < telephony->trunk_count; i++) {
        add_trunk(directory, &telephony->trunks[i]);
    }
    if (directory->source_count > 0) {
        qsort(directory->sources, directory->source_count, sizeof(struct source), compare_sources);
    }
    for (size_t i = 0; i < telephony->route_count; i++) {
        add_route(directory, &telephony->routes[i]);
    }
    return directory;
}

/* NOLINTNEXTLINE(readability-function-size): the library's macro. */
static void forget_routes(struct directory *directory)
{
    HASH_CLEAR(hh, directory->routes);
}

struct directory *directory_free(struct directory *directory)
{
    if (!directory) {
        return NULL;
    }

    forget_routes(directory);
    free(directory->sources);
    arena_free(directory->arena);
    free(directory);
    return NULL;
}

const struct trunk *directory_find_trunk(
    const struct directory *directory,
    const char *source_address,
    int source_port)
{
    struct source_address peer;

    if (!source_address_parse(source_address, &peer)) {
        return NULL;
    }
    peer.port = source_port;
    for (size_t i = 0; i < directory->source_count; i++) {
        if (source_address_contains(&directory->sources[i].address, &peer)) {
            return directory->sources[i].trunk;
        }
    }
    return NULL;
}

static const struct inbound_route *find_longest(
    const struct directory *directory,
    const char *workspace_id,
    const char *trunk_id,
    const char *called_number)
{
    char number[NUMBER_LENGTH_MAX + 2];
    char key[KEY_SIZE];
    size_t length = strlen(called_number);
    struct route_entry *entry = NULL;

    memcpy(number, called_number, length + 1);
    if (print_key(key, workspace_id, trunk_id, number)) {
        entry = find_entry(directory, key);
    }
    while (!entry) {
        number[length] = '*';
        number[length + 1] = '\0';
        if (print_key(key, workspace_id, trunk_id, number)) {
            entry = find_entry(directory, key);
        }
        if (length == 0) {
            break;
        }
        length--;
    }
    return entry ? entry->route : NULL;
}

const struct inbound_route *directory_find_route(
    const struct directory *directory,
    const struct trunk *trunk,
    const char *called_number)
{
    if (strlen(called_number) > NUMBER_LENGTH_MAX) {
        return NULL;
    }

    const struct inbound_route *route =
        find_longest(directory, trunk->workspace_id, trunk->id, called_number);

    return route ? route : find_longest(directory, trunk->workspace_id, "", called_number);
}
