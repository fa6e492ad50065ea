/* The scanner: expression text to tokens, and the one place that writes an expression's errors.
 * Internal to this folder.
 */
#ifndef ROUTING_DOMAIN_EXPRESSION_SCANNER_H
#define ROUTING_DOMAIN_EXPRESSION_SCANNER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/value/value.h"

struct arena;
struct error;

enum token_type {
    TOKEN_END,
    TOKEN_NAME, /* also keywords: which names are one depends on where they stand */
    TOKEN_TEXT,
    TOKEN_NUMBER,
    TOKEN_SIGN /* an operator or a bracket: its characters are the token */
};

struct token {
    enum token_type type;
    const char *start;
    size_t length;
    struct value value; /* of TEXT and NUMBER */
};

struct scanner {
    const char *text;
    const char *at; /* behind the token */
    struct token token;
    struct arena *arena;
    struct error *err;
};

/* Reads the first token. Text longer than EXPRESSION_BYTES_MAX fails. */
MUST_USE bool scanner_start(
    struct scanner *scanner,
    const char *text,
    struct arena *arena,
    struct error *err);
/* Reads the next token. */
MUST_USE bool scanner_next(struct scanner *scanner);

bool scanner_sees_sign(const struct scanner *scanner, const char *sign);
/* Keywords are known in any case. */
bool scanner_sees_word(const struct scanner *scanner, const char *word);
/* Whether text is a name as the scanner reads one. */
bool scanner_is_name(const char *text, size_t length);

/* Line and column of a place in the text, both from 1; columns in characters. */
void scanner_locate(
    const struct scanner *scanner,
    const char *place,
    int *ret_line,
    int *ret_column);

/* EXPRESSION_INVALID at a place in the text. Returns false. */
bool scanner_fail(const struct scanner *scanner, const char *place, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The same at the current token: "expected ..., found ...". */
bool scanner_fail_expected(const struct scanner *scanner, const char *expected);

#endif
