/* A trunk's addresses, out of its row. */
#ifndef ROUTING_OPERATIONS_TRUNK_H
#define ROUTING_OPERATIONS_TRUNK_H

#include <stdbool.h>

#include "common/base/attr.h"

struct arena;
struct error;
struct trunk;

/* Reads the row's text into trunk->addresses. The arena is for scratch. */
MUST_USE bool trunk_load_addresses(struct trunk *trunk, struct arena *arena, struct error *err);

#endif
