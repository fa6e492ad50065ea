/* Loading: the engine's memory made again from rows, at start or take-over. */
#ifndef ROUTING_OPERATIONS_LOAD_H
#define ROUTING_OPERATIONS_LOAD_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "services/routing/domain/row.h"

struct engines;
struct error;
struct value;

/* Takes one row; kinds in the order of enum row_kind, rows of a kind in any order. json: what the
 * row's attributes or configuration mean (worker, task, workflow, inbound_route); NULL for other
 * kinds and for an empty text. Both are copied. Fails when the row does not fit what came before,
 * which is a fault of the store. */
MUST_USE bool engine_load_row(
    struct engines *engines,
    enum row_kind kind,
    const void *row,
    const struct value *json,
    struct error *err);

/* The field of a row that has to be parsed for engine_load_row; NULL when the kind has none. */
const char *engine_json_text(enum row_kind kind, const void *row);

/* After the last row: derives every index and deadline. Then each workspace needs one
 * resume_workspace. */
void engines_loaded(struct engines *engines);

#endif
