#include "tests/support/shards_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/clock/clock.h"
#include "common/json/json.h"
#include "common/value/value.h"
#include "services/routing/operations/requests.h"
#include "services/routing/operations/step.h"
#include "services/routing/store/store.h"
#include "tests/fakes/fake_store.h"

enum {
    SHARD_COUNT = 4,
    WAIT_S = 20
};

static void require(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

/* --- what leaves --- */

static void pack(
    const char *workspace_id,
    const struct event *event,
    struct arena *arena,
    struct store_event *ret_packed)
{
    (void)arena;
    *ret_packed = (struct store_event){
        .workspace_id = workspace_id,
        .sequence = event->sequence,
        .time_us = event->time_us,
        .type = event->type,
        .task_id = "",
        .worker_id = "",
        .reservation_id = "",
    };
}

static void publish(void *context, const struct step *step, const struct store_event *events)
{
    struct shards_world *world = context;

    for (size_t i = 0; i < step->event_count; i++) {
        require(events[i].sequence == step->events[i].sequence, "a step comes with its own events");
    }
    pthread_mutex_lock(&world->mutex);
    world->left++;
    world->publications++;
    world->effects += step->effect_count;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
}

static void observe(void *context, enum shards_notice notice, int64_t value, const char *text)
{
    struct shards_world *world = context;

    (void)text;
    pthread_mutex_lock(&world->mutex);
    world->notices[notice]++;
    world->notice_value = value;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
}

static void note_reply(struct asked *asked, const struct step *step)
{
    for (size_t i = 0; i < step->view_count; i++) {
        const struct view *view = &step->views[i];

        if (view->kind == ROW_TASK) {
            asked->task_state = view->task->state;
        } else if (view->kind == ROW_RESERVATION) {
            asked->reservation_state = view->reservation->state;
            asked->expire_time_us = view->reservation->expire_time_us;
            (void)snprintf(asked->id, sizeof(asked->id), "%s", view->reservation->id);
        }
    }
}

static void answer(void *context, const struct step *step)
{
    struct asked *asked = context;
    struct shards_world *world = asked->world;

    pthread_mutex_lock(&world->mutex);
    require(!asked->answered, "a command is answered once");
    asked->answered = true;
    asked->place = world->left++;
    asked->ok = step->ok;
    asked->reason = step->ok ? NOT_REFUSED : step->error.reason;
    asked->retry_delay_ms = step->ok ? 0 : (int)step->error.retry_delay_ms;
    note_reply(asked, step);
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
}

/* --- life --- */

void shards_world_init(struct shards_world *world)
{
    pthread_condattr_t attributes;

    memset(world, 0, sizeof(*world));
    world->store = fake_store_new(SHARD_COUNT);
    world->keys = value_keys_new(1 << 12);
    pthread_mutex_init(&world->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&world->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    world->options = shards_default_options();
    world->options.keys = world->keys;
    world->options.store = fake_store_base(world->store);
    world->options.clock = clock_system();
    world->options.owner = "me";
    world->options.pack = pack;
    world->options.publish = publish;
    world->options.observe = observe;
    world->options.context = world;
}

void shards_world_start(struct shards_world *world)
{
    struct error err;

    if (!shards_start(&world->options, &world->shards, &err)) {
        (void)fprintf(stderr, "shards_start: %s\n", err.message);
        abort();
    }
}

void shards_world_stop(struct shards_world *world, int64_t grace_us)
{
    shards_stop(world->shards, grace_us);
    world->shards = shards_free(world->shards);
}

void shards_world_deinit(struct shards_world *world)
{
    shards_world_stop(world, INT64_C(1000000) * WAIT_S);
    fake_store_free(world->store);
    value_keys_free(world->keys);
    pthread_cond_destroy(&world->changed);
    pthread_mutex_destroy(&world->mutex);
}

/* --- asking --- */

struct asked *ask(
    struct shards_world *world,
    struct arena *arena,
    const struct operation *operation,
    const void *request)
{
    struct asked *asked = mem_new(struct asked);

    asked->world = world;
    asked->arena = arena;
    asked->command = (struct command){
        .operation = operation,
        .workspace_id = "acme",
        .request = request,
        .answer = answer,
        .context = asked,
    };
    shards_post(world->shards, &asked->command);
    return asked;
}

struct asked *asked_free(struct asked *asked)
{
    if (asked) {
        wait_for_answer(asked);
        arena_free(asked->arena);
        free(asked);
    }
    return NULL;
}

static struct timespec deadline(void)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_S;
    return until;
}

bool is_answered(struct asked *asked)
{
    pthread_mutex_lock(&asked->world->mutex);
    bool answered = asked->answered;

    pthread_mutex_unlock(&asked->world->mutex);
    return answered;
}

void wait_for_answer(struct asked *asked)
{
    struct shards_world *world = asked->world;
    struct timespec until = deadline();
    bool in_time = true;

    pthread_mutex_lock(&world->mutex);
    while (!asked->answered && in_time) {
        in_time = pthread_cond_timedwait(&world->changed, &world->mutex, &until) == 0;
    }
    pthread_mutex_unlock(&world->mutex);
    require(in_time, "an answer comes in time");
}

void wait_for_notices(struct shards_world *world, enum shards_notice notice, size_t count)
{
    struct timespec until = deadline();
    bool in_time = true;

    pthread_mutex_lock(&world->mutex);
    while (world->notices[notice] < count && in_time) {
        in_time = pthread_cond_timedwait(&world->changed, &world->mutex, &until) == 0;
    }
    pthread_mutex_unlock(&world->mutex);
    require(in_time, "a notice comes in time");
}

bool answered_ok(struct asked *asked)
{
    return refused_with(asked) == NOT_REFUSED;
}

enum error_reason refused_with(struct asked *asked)
{
    wait_for_answer(asked);
    enum error_reason reason = asked->reason;

    asked_free(asked);
    return reason;
}

size_t notices_of(struct shards_world *world, enum shards_notice notice)
{
    pthread_mutex_lock(&world->mutex);
    size_t count = world->notices[notice];

    pthread_mutex_unlock(&world->mutex);
    return count;
}

size_t how_much_left(struct shards_world *world)
{
    pthread_mutex_lock(&world->mutex);
    size_t left = world->left;

    pthread_mutex_unlock(&world->mutex);
    return left;
}

/* --- requests --- */

struct asked *ask_get_task(struct shards_world *world, const char *id)
{
    struct arena *arena = arena_new();
    struct get_request *get = arena_new_object(arena, struct get_request);

    get->id = arena_strdup(arena, id);
    get->task_id = "";
    return ask(world, arena, &operation_get_task, get);
}

static struct create_request *new_create(
    struct arena *arena,
    enum row_kind kind,
    const char *id,
    void **ret_row)
{
    struct create_request *create = arena_new_object(arena, struct create_request);

    create->id = arena_strdup(arena, id);
    *ret_row = row_new(kind, arena);
    create->row = *ret_row;
    create->key.id = "";
    return create;
}

struct asked *ask_create_task(struct shards_world *world, const char *id)
{
    struct arena *arena = arena_new();

    void *row = NULL;

    return ask(world, arena, &operation_create_task, new_create(arena, ROW_TASK, id, &row));
}

struct asked *ask_reservation_verb(
    struct shards_world *world,
    const struct operation *operation,
    const char *reservation_id)
{
    struct arena *arena = arena_new();
    struct reservation_verb_request *verb =
        arena_new_object(arena, struct reservation_verb_request);

    verb->id = arena_strdup(arena, reservation_id);
    verb->task_id = "";
    verb->worker_id = "";
    verb->etag = "";
    verb->activity_id = "";
    return ask(world, arena, operation, verb);
}

struct asked *ask_reservations_of(struct shards_world *world, const char *task_id)
{
    struct arena *arena = arena_new();
    struct list_request *list = arena_new_object(arena, struct list_request);

    list->after = "";
    list->task_id = arena_strdup(arena, task_id);
    list->worker_id = "";
    return ask(world, arena, &operation_list_reservations, list);
}

void make_available_worker(struct shards_world *world, const char *id)
{
    struct arena *arena = arena_new();
    void *made = NULL;
    struct create_request *create = new_create(arena, ROW_WORKER, id, &made);
    struct worker_row *row = made;

    row->display_name = arena_strdup(arena, id);
    row->activity_id = arena_strdup(arena, "available");
    require(answered_ok(ask(world, arena, &operation_create_worker, create)), "the worker is made");
}

static void make_workspace(struct shards_world *world)
{
    struct arena *arena = arena_new();
    void *made = NULL;
    struct create_request *create = new_create(arena, ROW_WORKSPACE, "", &made);
    struct workspace_row *row = made;

    row->display_name = arena_strdup(arena, "Acme");
    require(
        answered_ok(ask(world, arena, &operation_create_workspace, create)),
        "the workspace is made");
}

static void make_queue(struct shards_world *world)
{
    struct arena *arena = arena_new();
    void *made = NULL;
    struct create_request *create = new_create(arena, ROW_TASK_QUEUE, "everyone", &made);
    struct task_queue_row *row = made;

    row->display_name = arena_strdup(arena, "Everyone");
    require(
        answered_ok(ask(world, arena, &operation_create_task_queue, create)), "the queue is made");
}

static void make_workflow(struct shards_world *world, int64_t reservation_timeout_us)
{
    static const char document[] =
        "{\"task_routing\":{\"default_filter\":{\"queue\":\"everyone\"}}}";
    struct arena *arena = arena_new();
    void *made = NULL;
    struct create_request *create = new_create(arena, ROW_WORKFLOW, "main", &made);
    struct workflow_row *row = made;
    struct json_reader reader = {.keys = world->keys, .arena = arena, .max_bytes = SIZE_MAX};
    struct value *value = arena_new_object(arena, struct value);
    struct error err;

    require(json_parse(&reader, document, strlen(document), value, &err), "the document is JSON");
    row->display_name = arena_strdup(arena, "Main");
    row->configuration = arena_strdup(arena, document);
    row->task_reservation_timeout_us = reservation_timeout_us;
    create->given = ROW_MASK(WORKFLOW_FIELD_task_reservation_timeout_us);
    create->json = value;
    require(
        answered_ok(ask(world, arena, &operation_create_workflow, create)), "the workflow is made");
}

void shards_world_start_acme(struct shards_world *world, int64_t reservation_timeout_us)
{
    shards_world_start(world);
    make_workspace(world);
    make_queue(world);
    make_workflow(world, reservation_timeout_us);
}
