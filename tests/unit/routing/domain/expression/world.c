#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/json/json.h"
#include "common/value/keys.h"

struct world world;

void world_open(void)
{
    world.keys = value_keys_new(1024);
    world.arena = arena_new();
}

void world_close(void)
{
    world.keys = value_keys_free(world.keys);
    world.arena = arena_free(world.arena);
}

struct value world_json(const char *text)
{
    struct json_reader reader = {.keys = world.keys, .arena = world.arena, .max_bytes = 65536};
    struct value value = value_null;
    struct error err = {0};

    cr_assert(json_parse(&reader, text, strlen(text), &value, &err), "%s: %s", text, err.message);
    return value;
}

static bool is_channel(const struct value_key *name, const char *channel)
{
    return name && strcmp(name->text, channel) == 0;
}

static struct value channel_value(const struct value_key *name, int64_t voice, int64_t chat)
{
    if (is_channel(name, "voice")) {
        return value_of_integer(voice);
    }
    return is_channel(name, "chat") || is_channel(name, "video-call") ? value_of_integer(chat)
                                                                      : value_null;
}

static void get(
    const void *source,
    enum expression_builtin builtin,
    const struct value_key *name,
    struct value *ret_value)
{
    cr_assert_eq(source, &world);
    switch (builtin) {
    case BUILTIN_WORKER_ID:
        *ret_value = value_of_text("ada");
        break;
    case BUILTIN_WORKER_DISPLAY_NAME:
        *ret_value = value_of_text("Ada L.");
        break;
    case BUILTIN_WORKER_ACTIVITY:
        *ret_value = value_of_text("available");
        break;
    case BUILTIN_WORKER_ACTIVITY_NAME:
        *ret_value = value_of_text("Available");
        break;
    case BUILTIN_CHANNEL_CONFIGURED_CAPACITY:
        *ret_value = channel_value(name, 1, 4);
        break;
    case BUILTIN_CHANNEL_ASSIGNED_TASKS:
        *ret_value = channel_value(name, 0, 2);
        break;
    case BUILTIN_CHANNEL_AVAILABLE_CAPACITY_PERCENTAGE:
        *ret_value = channel_value(name, 100, 50);
        break;
    case BUILTIN_WORKERS_AVAILABLE:
        *ret_value = value_of_integer(3);
        break;
    case BUILTIN_WORKERS_UNAVAILABLE:
        *ret_value = value_of_integer(1);
        break;
    case BUILTIN_WORKERS_IN_ACTIVITY:
        *ret_value = is_channel(name, "lunch") || is_channel(name, "on-break") ? value_of_integer(2)
                                                                               : value_null;
        break;
    case BUILTIN_NONE:
    case EXPRESSION_BUILTIN_COUNT:
        cr_assert(false);
    }
}

struct expression_subject world_subject(const char *task_json, const char *worker_json)
{
    world.task = world_json(task_json ? task_json : "{}");
    world.worker = world_json(worker_json ? worker_json : "{}");
    return (struct expression_subject){
        .task = &world.task, .worker = &world.worker, .get = get, .source = &world};
}

const struct expression *world_parse(const char *text, enum expression_context context)
{
    const struct expression *expression = NULL;
    struct error err = {0};

    cr_assert(
        expression_parse(text, context, world.keys, world.arena, &expression, &err), "%s: %s", text,
        err.message);
    return expression;
}

bool world_matches(
    const char *text,
    enum expression_context context,
    const char *task_json,
    const char *worker_json)
{
    struct expression_subject subject = world_subject(task_json, worker_json);

    return expression_matches(world_parse(text, context), &subject);
}
