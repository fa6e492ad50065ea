/* Random life: many random steps, and after each of them the invariants hold; now and then the
 * engine is compared with one loaded from the store, or replaced by it. A failing seed is printed;
 * SEED=n runs that one only.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "services/routing/domain/reservation.h"
#include "services/routing/domain/task.h"
#include "tests/support/routing_invariants.h"
#include "tests/support/routing_world.h"

enum {
    SEEDS = 24,
    STEPS = 500,
    RELOAD_EVERY = 20,
};

struct sim {
    struct world world;
    uint64_t random;
    unsigned serial; /* for ids */
};

static const char *const documents[] = {
    "{\"task_routing\":{\"filters\":["
    "{\"filter_friendly_name\":\"German\",\"expression\":\"language == 'de'\",\"targets\":["
    "{\"queue\":\"german\",\"timeout\":10,\"order_by\":\"worker.level DESC\"},"
    "{\"expression\":\"worker.level > task.level\",\"timeout\":10,\"priority\":5},"
    "{\"queue\":\"everyone\",\"timeout\":20}]},"
    "{\"expression\":\"language == 'fr' OR level > 1\",\"targets\":["
    "{\"queue\":\"everyone\",\"skip_if\":\"workers.available == 0\","
    "\"known_worker_sid\":\"task.friend\",\"timeout\":15},"
    "{\"queue\":\"nobody\",\"timeout\":30}]}],"
    "\"default_filter\":{\"queue\":\"everyone\"}}}",
    "{\"task_routing\":{\"filters\":["
    "{\"expression\":\"level > 0\",\"targets\":["
    "{\"queue\":\"everyone\",\"expression\":\"worker.channel.voice.assigned_tasks == 0\","
    "\"timeout\":30},{\"queue\":\"german\",\"skip_if\":\"1==1\",\"timeout\":10}]}]}}",
};

static const char *const worker_attributes[] = {
    "",
    "{\"languages\":[\"de\"],\"level\":1,\"contact_uri\":\"sip:a@example\"}",
    "{\"languages\":[\"de\",\"fr\"],\"level\":2}",
    "{\"languages\":[\"fr\"],\"level\":3,\"contact_uri\":\"sip:b@example\"}",
};

static const char *const task_attributes[] = {
    "",
    "{\"language\":\"de\",\"level\":1}",
    "{\"language\":\"de\",\"level\":2}",
    "{\"language\":\"fr\",\"level\":0,\"friend\":\"w3\"}",
    "{\"level\":2,\"friend\":null}",
};

static const char *const activities[] = {"offline", "available", "available", "unavailable"};
static const char *const channels[] = {"default", "voice", "chat", "chat"};
static const char *const causes[] = {"busy", "declined", "no_answer", "caller_gone", "failed"};

#define ANY(sim, list) (list)[pick((sim), sizeof(list) / sizeof((list)[0]))]

static size_t pick(struct sim *sim, size_t count)
{
    sim->random = sim->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)((sim->random >> 33) % count);
}

static struct record *any(struct sim *sim, enum row_kind kind)
{
    struct record_tree *tree = &sim->world.engine->records[kind];
    size_t count = sim->world.engine->counts[kind];
    struct record *record = RB_MIN(record_tree, tree);

    for (size_t n = count ? pick(sim, count) : 0; n > 0; n--) {
        record = RB_NEXT(record_tree, tree, record);
    }
    return record;
}

/* A copy: the record may be gone after the operation. */
static const char *any_id(struct sim *sim, enum row_kind kind)
{
    const struct record *record = any(sim, kind);

    return record ? arena_strdup(sim->world.arena, record->id) : "none";
}

static void make_worker(struct sim *sim)
{
    char id[32];

    if (sim->world.engine->counts[ROW_WORKER] < 8) {
        (void)snprintf(id, sizeof(id), "w%u", sim->serial++ % 12);
        if (!engine_find_worker(sim->world.engine, id)) {
            world_worker(
                &sim->world, arena_strdup(sim->world.arena, id), ANY(sim, worker_attributes));
        }
    }
}

static void change_worker(struct sim *sim)
{
    struct worker_row *row = row_new(ROW_WORKER, sim->world.arena);
    struct worker_channel_setting setting = {
        .task_channel_id = ANY(sim, channels),
        .has_capacity = true,
        .capacity = (int32_t)pick(sim, 4),
        .has_available = pick(sim, 4) == 0,
        .available = pick(sim, 2) == 0,
    };
    const char *attributes = ANY(sim, worker_attributes);
    struct update_request request = {
        .id = any_id(sim, ROW_WORKER),
        .row = row,
        .mask = pick(sim, 2) ? ROW_MASK(WORKER_FIELD_attributes) : 0,
        .json = world_json(&sim->world, attributes),
        .channels = &setting,
        .channel_count = pick(sim, 2),
    };

    row->attributes = arena_strdup(sim->world.arena, attributes);
    world_run(&sim->world, &operation_update_worker, &request);
}

static void move_worker(struct sim *sim)
{
    struct set_worker_activity_request request = {
        .id = any_id(sim, ROW_WORKER),
        .activity_id = ANY(sim, activities),
        .reject_pending = pick(sim, 3) == 0,
    };

    world_run(&sim->world, &operation_set_worker_activity, &request);
}

static void remove_worker(struct sim *sim)
{
    struct delete_request request = {.id = any_id(sim, ROW_WORKER)};

    if (pick(sim, 4) == 0) {
        world_run(&sim->world, &operation_delete_worker, &request);
    }
}

static void make_task(struct sim *sim)
{
    struct task_row *row = row_new(ROW_TASK, sim->world.arena);
    const char *attributes = ANY(sim, task_attributes);
    struct create_request request = {
        .id = "", .row = row, .json = world_json(&sim->world, attributes)};

    row->workflow_id = arena_strdup(sim->world.arena, pick(sim, 3) ? "main" : "eager");
    row->attributes = arena_strdup(sim->world.arena, attributes);
    row->task_channel_id = arena_strdup(sim->world.arena, ANY(sim, channels));
    row->priority = (int32_t)pick(sim, 3);
    row->ttl_us = pick(sim, 3) ? 0 : (int64_t)(1 + pick(sim, 60)) * WORLD_SECOND;
    cr_assert(world_run(&sim->world, &operation_create_task, &request));
}

static void change_task(struct sim *sim)
{
    struct task_row *row = row_new(ROW_TASK, sim->world.arena);
    const char *attributes = ANY(sim, task_attributes);
    struct update_request request = {
        .id = any_id(sim, ROW_TASK),
        .row = row,
        .mask = ROW_MASK(TASK_FIELD_attributes) | ROW_MASK(TASK_FIELD_priority),
        .json = world_json(&sim->world, attributes),
    };

    row->attributes = arena_strdup(sim->world.arena, attributes);
    row->priority = (int32_t)pick(sim, 3);
    world_run(&sim->world, &operation_update_task, &request);
}

static void use_task_verb(struct sim *sim)
{
    static const struct operation *const verbs[] = {
        &operation_cancel_task, &operation_wrap_up_task, &operation_complete_task};

    world_task_verb(&sim->world, ANY(sim, verbs), any_id(sim, ROW_TASK));
}

static void remove_task(struct sim *sim)
{
    struct delete_request request = {.id = any_id(sim, ROW_TASK)};

    if (pick(sim, 3) == 0) {
        world_run(&sim->world, &operation_delete_task, &request);
    }
}

static void use_reservation_verb(struct sim *sim)
{
    static const struct operation *const verbs[] = {
        &operation_accept_reservation, &operation_accept_reservation, &operation_reject_reservation,
        &operation_wrap_up_reservation, &operation_complete_reservation};
    struct reservation_verb_request request = {
        .id = any_id(sim, ROW_RESERVATION), .activity_id = pick(sim, 3) ? "" : "unavailable"};

    world_run(&sim->world, ANY(sim, verbs), &request);
}

static void take_call(struct sim *sim)
{
    char id[32];

    (void)snprintf(id, sizeof(id), "call-%u", sim->serial++);
    world_report(&sim->world, arena_strdup(sim->world.arena, id), REPORT_ENQUEUE_CALL, "", "");
}

static void report_call(struct sim *sim)
{
    const struct task *task = (struct task *)any(sim, ROW_TASK);
    const struct reservation *live = task ? task_live_reservation(task) : NULL;
    enum bridge_report_kind kind = (enum bridge_report_kind)(
        REPORT_CALL_ANSWERED + pick(sim, REPORT_WORKER_LEFT - REPORT_CALL_ANSWERED + 1));

    if (task && task->row.call_id[0]) {
        world_report(
            &sim->world, arena_strdup(sim->world.arena, task->row.call_id), kind,
            live ? arena_strdup(sim->world.arena, live->row.id) : "none", ANY(sim, causes));
    }
}

static void attach(struct sim *sim)
{
    struct attach_bridge_request request = {
        .bridge_id = "bridge", .incarnation = pick(sim, 8) ? "one" : "two"};
    struct bridge_call calls[4];
    struct task *task = engine_find_call_after(sim->world.engine, "bridge", "");

    while (task && request.call_count < sizeof(calls) / sizeof(calls[0])) {
        calls[request.call_count++] = (struct bridge_call){
            .call_id = arena_strdup(sim->world.arena, task->row.call_id),
            .task_id = arena_strdup(sim->world.arena, task->row.id),
            .reservation_id = "",
        };
        task = engine_find_call_after(sim->world.engine, "bridge", task->row.call_id);
    }
    request.calls = calls;
    if (pick(sim, 3) == 0) {
        world_run(&sim->world, &operation_attach_bridge, &request);
    }
}

static void acknowledge(struct sim *sim)
{
    const struct bridge *bridge = engine_find_bridge(sim->world.engine, "bridge");
    struct ack_instructions_request request = {.bridge_id = "bridge"};

    if (bridge && bridge->row.last_instruction_number) {
        request.number = bridge->row.last_instruction_number - (int64_t)pick(sim, 2);
        world_run(&sim->world, &operation_ack_instructions, &request);
    }
}

static void lose(struct sim *sim)
{
    struct lose_bridge_request request = {.bridge_id = "bridge"};

    if (pick(sim, 10) == 0) {
        world_run(&sim->world, &operation_lose_bridge, &request);
    }
}

static void change_workflow(struct sim *sim)
{
    struct workflow_row *row = row_new(ROW_WORKFLOW, sim->world.arena);
    const char *text = ANY(sim, documents);
    struct update_request request = {
        .id = "main",
        .row = row,
        .mask = ROW_MASK(WORKFLOW_FIELD_configuration),
        .json = world_json(&sim->world, text),
    };

    row->configuration = arena_strdup(sim->world.arena, text);
    if (pick(sim, 6) == 0) {
        cr_assert(world_run(&sim->world, &operation_update_workflow, &request));
    }
}

static void change_queue(struct sim *sim)
{
    static const char *const expressions[] = {
        "languages HAS 'de'", "languages HAS 'fr' OR level > 2", "", "1==1"};
    struct task_queue_row *row = row_new(ROW_TASK_QUEUE, sim->world.arena);
    struct update_request request = {
        .id = "german", .row = row, .mask = ROW_MASK(TASK_QUEUE_FIELD_target_workers)};

    row->target_workers = arena_strdup(sim->world.arena, ANY(sim, expressions));
    if (pick(sim, 6) == 0) {
        cr_assert(world_run(&sim->world, &operation_update_task_queue, &request));
    }
}

static void let_time_pass(struct sim *sim)
{
    static const int64_t seconds[] = {1, 3, 10, 60, 200, 5000};

    world_pass(&sim->world, ANY(sim, seconds) * WORLD_SECOND);
}

static void restart(struct sim *sim)
{
    struct resume_request request = {.gap_us = (int64_t)pick(sim, 60) * WORLD_SECOND};

    if (pick(sim, 8) == 0) {
        sim->world.now_us += request.gap_us;
        world_restart(&sim->world);
        cr_assert(world_run(&sim->world, &operation_resume_workspace, &request));
        world_run_due(&sim->world);
    }
}

typedef void(sim_step)(struct sim *sim);

static sim_step *const sim_steps[] = {
    make_worker,
    change_worker,
    move_worker,
    remove_worker,
    make_task,
    make_task,
    change_task,
    use_task_verb,
    remove_task,
    use_reservation_verb,
    take_call,
    use_reservation_verb,
    use_reservation_verb,
    report_call,
    report_call,
    attach,
    acknowledge,
    lose,
    change_queue,
    change_workflow,
    let_time_pass,
    let_time_pass,
    report_call,
    restart,
};

static void begin(struct sim *sim)
{
    world_init(&sim->world);
    world_queue(&sim->world, "german", "languages HAS 'de'");
    world_queue(&sim->world, "nobody", "");
    world_telephony(&sim->world, true);
    world_workflow(
        &sim->world, "eager",
        "{\"task_routing\":{\"default_filter\":{\"queue\":\"german\",\"priority\":1}}}");
}

static void run_steps(struct sim *sim)
{
    begin(sim);
    for (int i = 0; i < STEPS; i++) {
        ANY(sim, sim_steps)(sim);
        world_run_due(&sim->world);
        if (i % RELOAD_EVERY == 0) {
            check_reload(&sim->world);
        }
    }
}

static void run(uint64_t seed)
{
    struct sim sim = {.random = seed};

    run_steps(&sim);
    world_deinit(&sim.world);
}

static void check_same_store(const struct world *one, const struct world *other)
{
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        cr_assert_eq(one->store[kind].count, other->store[kind].count);
        for (size_t i = 0; i < one->store[kind].count; i++) {
            cr_assert(
                row_equal(
                    (enum row_kind)kind, one->store[kind].rows[i], other->store[kind].rows[i]),
                "%s", row_types[kind].name);
        }
    }
}

Test(random_life, repeated_is_the_same_row_by_row_and_event_by_event, .timeout = 55)
{
    for (uint64_t seed = 100; seed < 103; seed++) {
        struct sim once = {.random = seed};
        struct sim again = {.random = seed};

        run_steps(&once);
        run_steps(&again);
        check_same_store(&once.world, &again.world);
        cr_assert_str_eq(once.world.trail, again.world.trail);
        world_deinit(&once.world);
        world_deinit(&again.world);
    }
}

Test(random_life, keeps_the_invariants_and_survives_restarts, .timeout = 55)
{
    const char *only = getenv("SEED");

    if (only) {
        run(strtoull(only, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        /* The last one printed is the one that failed. */
        (void)fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
        run(seed);
    }
}
