/* What the tests of expressions share: one key table, one arena, and a worker with built-ins. */
#ifndef TESTS_EXPRESSION_WORLD_H
#define TESTS_EXPRESSION_WORLD_H

#include <stdbool.h>

#include "common/value/value.h"
#include "services/routing/domain/expression/expression.h"

struct world {
    struct value_keys *keys;
    struct arena *arena;
    struct value task;
    struct value worker;
};

extern struct world world;

void world_open(void);
void world_close(void);
struct value world_json(const char *text);
/* The attributes given and a get() that knows worker "ada", channels voice (1 of 1 free, none
 * assigned) and chat (2 assigned, 4 in all), and a queue with 3 available, 1 unavailable, 2 at
 * lunch.
 */
struct expression_subject world_subject(const char *task_json, const char *worker_json);
const struct expression *world_parse(const char *text, enum expression_context context);
bool world_matches(
    const char *text,
    enum expression_context context,
    const char *task_json,
    const char *worker_json);

#endif
