/* Reading the two sides of a comparison. Internal to this folder. */
#ifndef ROUTING_DOMAIN_EXPRESSION_OPERAND_H
#define ROUTING_DOMAIN_EXPRESSION_OPERAND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "services/routing/domain/expression/compiled.h"

struct scanner;

/* The references found so far, and what finding one more needs. */
struct operand_reader {
    struct scanner *scanner;
    enum expression_context context;
    struct value_keys *keys;
    const struct reference **references; /* on the heap */
    size_t reference_count;
};

/* The scanner stands on the first token of the operand; afterwards behind it. */
MUST_USE bool operand_scan(struct operand_reader *reader, struct operand *ret_operand);

/* ==, in any of its spellings, and so on. */
MUST_USE bool operator_scan(struct scanner *scanner, enum test_operator *ret_operator);

#endif
