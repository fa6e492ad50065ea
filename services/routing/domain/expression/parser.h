/* Tokens to a compiled expression. Internal to this folder. */
#ifndef ROUTING_DOMAIN_EXPRESSION_PARSER_H
#define ROUTING_DOMAIN_EXPRESSION_PARSER_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "services/routing/domain/expression/reference.h"

struct expression;
struct scanner;

/* From the scanner's token to the end of the text. Everything is in the scanner's arena. */
MUST_USE bool parser_run(
    struct scanner *scanner,
    enum expression_context context,
    struct value_keys *keys,
    struct expression *ret_expression);

#endif
