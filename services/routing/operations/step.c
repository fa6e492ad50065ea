#include "services/routing/operations/step.h"

#include <string.h>

#include "common/base/arena.h"

struct step *step_new(
    struct arena *arena,
    const char *workspace_id,
    int64_t now_us,
    uint64_t random)
{
    struct step *step = arena_new_object(arena, struct step);

    step->arena = arena;
    step->workspace_id = arena_strdup(arena, workspace_id);
    step->now_us = now_us;
    step->random = random;
    step->actor = "client";
    return step;
}

struct step *step_free(struct step *step)
{
    if (step) {
        arena_free(step->arena);
    }
    return NULL;
}

/* Arrays grow by doubling; the old one stays in the arena, which costs as much again at the most.
 */
static void *grown(
    struct arena *arena,
    const void *array,
    size_t count,
    size_t *capacity,
    size_t size)
{
    void *larger = NULL;

    *capacity = *capacity ? *capacity * 2 : 8;
    larger = arena_alloc_array(arena, *capacity, size);
    if (count) {
        memcpy(larger, array, count * size);
    }
    return larger;
}

void step_add_change(struct step *step, enum row_kind kind, const void *row, bool deleted)
{
    if (step->change_count == step->change_capacity) {
        step->changes = grown(
            step->arena, step->changes, step->change_count, &step->change_capacity,
            sizeof(struct change));
    }
    step->changes[step->change_count++] =
        (struct change){.kind = kind, .deleted = deleted, .row = row_copy(kind, row, step->arena)};
}

struct event *step_add_event(struct step *step)
{
    if (step->event_count == step->event_capacity) {
        step->events = grown(
            step->arena, step->events, step->event_count, &step->event_capacity,
            sizeof(struct event));
    }
    return &step->events[step->event_count++];
}

struct effect *step_add_effect(struct step *step, enum effect_kind kind)
{
    struct effect *effect = NULL;

    if (step->effect_count == step->effect_capacity) {
        step->effects = grown(
            step->arena, step->effects, step->effect_count, &step->effect_capacity,
            sizeof(struct effect));
    }
    effect = &step->effects[step->effect_count++];
    effect->kind = kind;
    return effect;
}

struct view *step_add_view(struct step *step)
{
    if (step->view_count == step->view_capacity) {
        step->views = grown(
            step->arena, step->views, step->view_count, &step->view_capacity, sizeof(struct view));
    }
    return &step->views[step->view_count++];
}

/* splitmix64: the state walks by the golden ratio, the output is a mix of it. */
uint64_t step_random(struct step *step)
{
    uint64_t mixed = 0;

    step->random += UINT64_C(0x9e3779b97f4a7c15);
    mixed = step->random;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}
