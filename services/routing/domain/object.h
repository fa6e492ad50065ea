/* Making and freeing live objects. */
#ifndef ROUTING_DOMAIN_OBJECT_H
#define ROUTING_DOMAIN_OBJECT_H

#include "services/routing/domain/record.h"

struct engine;
struct value;

/* A new object of the kind with a copy of the row, its deadlines ready and not yet linked anywhere.
 * Kinds: all but workspace and progress, which are part of struct engine. */
struct record *object_new(struct engine *engine, enum row_kind kind, const void *row);

/* A copy of what an attributes text means; of an empty one (NULL) an object without members. */
struct value *attributes_copy(const struct value *json);

/* Frees it and what it owns; it must have been unlinked, or its whole engine is going. */
void object_free(struct record *record);

#endif
