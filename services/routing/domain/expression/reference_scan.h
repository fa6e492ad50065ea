/* Reading a reference in the middle of other tokens. Internal to this folder. */
#ifndef ROUTING_DOMAIN_EXPRESSION_REFERENCE_SCAN_H
#define ROUTING_DOMAIN_EXPRESSION_REFERENCE_SCAN_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "services/routing/domain/expression/reference.h"

struct scanner;
struct value;

/* The scanner stands on the first name; afterwards on what follows the reference. */
MUST_USE bool reference_scan(
    struct scanner *scanner,
    enum expression_context context,
    struct value_keys *keys,
    struct reference *ret_reference);

/* A text value in quotes, as the scanner reads it back. */
char *expression_quote(const struct value *text, struct arena *arena);

#endif
