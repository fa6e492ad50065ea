#include "services/routing/domain/expression/scanner.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/arena.h"
#include "common/error/error.h"
#include "common/value/number.h"
#include "services/routing/domain/expression/expression.h"

enum {
    SHOWN_MAX = 40 /* bytes of a token that a message quotes */
};

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static bool begins_name(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           character == '_' || character == '$';
}

static bool continues_name(char character)
{
    return begins_name(character) || is_digit(character);
}

bool scanner_is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!continues_name(text[i])) {
            return false;
        }
    }
    return length > 0 && begins_name(text[0]);
}

static bool continues_character(char byte)
{
    return ((unsigned char)byte & 0xc0U) == 0x80U;
}

void scanner_locate(
    const struct scanner *scanner,
    const char *place,
    int *ret_line,
    int *ret_column)
{
    *ret_line = 1;
    *ret_column = 1;
    for (const char *at = scanner->text; at < place; at++) {
        if (*at == '\n') {
            (*ret_line)++;
            *ret_column = 1;
        } else if (!continues_character(*at)) {
            (*ret_column)++;
        }
    }
}

bool scanner_fail(const struct scanner *scanner, const char *place, const char *format, ...)
{
    char message[ERROR_MESSAGE_SIZE]; /* what is cut here is cut again, with care, below */
    int line = 0;
    int column = 0;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);

    scanner_locate(scanner, place, &line, &column);
    (void)FAIL(
        scanner->err, REASON_EXPRESSION_INVALID, "line %d, column %d: %s", line, column, message);
    error_add_metadata(scanner->err, "line", "%d", line);
    error_add_metadata(scanner->err, "column", "%d", column);
    return false;
}

bool scanner_fail_expected(const struct scanner *scanner, const char *expected)
{
    const struct token *token = &scanner->token;
    int shown = token->length > SHOWN_MAX ? SHOWN_MAX : (int)token->length;

    if (token->type == TOKEN_END) {
        return scanner_fail(scanner, token->start, "expected %s, found the end", expected);
    }
    /* Not in the middle of a character. */
    while (shown > 0 && continues_character(token->start[shown])) {
        shown--;
    }
    return scanner_fail(
        scanner, token->start, "expected %s, found %.*s%s", expected, shown, token->start,
        (size_t)shown < token->length ? "..." : "");
}

bool scanner_sees_sign(const struct scanner *scanner, const char *sign)
{
    const struct token *token = &scanner->token;

    return token->type == TOKEN_SIGN && token->length == strlen(sign) &&
           memcmp(token->start, sign, token->length) == 0;
}

bool scanner_sees_word(const struct scanner *scanner, const char *word)
{
    const struct token *token = &scanner->token;

    return token->type == TOKEN_NAME && token->length == strlen(word) &&
           strncasecmp(token->start, word, token->length) == 0;
}

static bool take(struct scanner *scanner, enum token_type type, size_t length)
{
    scanner->token.type = type;
    scanner->token.length = length;
    scanner->at = scanner->token.start + length;
    return true;
}

/* customer-value: not a name, and not a subtraction either. */
static bool fail_hyphen(const struct scanner *scanner, const char *hyphen)
{
    const char *start = hyphen;
    const char *end = hyphen;

    while (start > scanner->text && (continues_name(start[-1]) || start[-1] == '-')) {
        start--;
    }
    while (continues_name(*end) || *end == '-') {
        end++;
    }

    int shown = end - start > SHOWN_MAX ? SHOWN_MAX : (int)(end - start);

    return scanner_fail(
        scanner, hyphen,
        "a name may not hold '-': quote it in brackets, as in task[\"%.*s\"], or rename it", shown,
        start);
}

static bool scan_name(struct scanner *scanner)
{
    const char *end = scanner->at;

    while (continues_name(*end)) {
        end++;
    }
    if (*end == '-' && continues_name(end[1])) {
        return fail_hyphen(scanner, end);
    }
    return take(scanner, TOKEN_NAME, (size_t)(end - scanner->at));
}

static bool scan_number(struct scanner *scanner)
{
    const char *start = scanner->at;
    const char *end = start + (*start == '-');

    while (is_digit(*end)) {
        end++;
    }
    if (*end == '.' && is_digit(end[1])) {
        end++;
        while (is_digit(*end)) {
            end++;
        }
    }
    if (continues_name(*end) || *end == '.') {
        return scanner_fail(
            scanner, start, "a name may not begin with a digit, and a number ends before '%c'",
            *end);
    }
    if (!number_parse(start, (size_t)(end - start), &scanner->token.value)) {
        return scanner_fail(scanner, start, "the number is beyond 64 bits");
    }
    return take(scanner, TOKEN_NUMBER, (size_t)(end - start));
}

/* What stands for the character behind a backslash; NUL when nothing does. */
static char unescape(char character)
{
    switch (character) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case '\'':
    case '"':
    case '\\':
        return character;
    default:
        return '\0';
    }
}

static bool fail_in_text(const struct scanner *scanner, const char *place)
{
    if (*place == '\\' && place[1] != '\0') {
        return scanner_fail(scanner, place, "in text, a backslash is written as two: \\\\");
    }
    return scanner_fail(
        scanner, scanner->at, "the text that begins here is not closed by a %c", *scanner->at);
}

static bool scan_text(struct scanner *scanner)
{
    const char *end = scanner->at + 1;
    char quote = *scanner->at;
    char *text = NULL;
    uint32_t count = 0;

    while (*end != quote) {
        bool escape = *end == '\\';

        if ((unsigned char)*end < ' ' || (escape && !unescape(end[1]))) {
            return fail_in_text(scanner, end);
        }
        end += escape ? 2 : 1;
    }

    text = arena_alloc(scanner->arena, (size_t)(end - scanner->at));
    for (const char *from = scanner->at + 1; from < end; from++) {
        if (*from == '\\') {
            from++;
            text[count++] = unescape(*from);
        } else {
            text[count++] = *from;
        }
    }
    scanner->token.value = (struct value){.type = VALUE_TEXT, .count = count, .text = text};
    return take(scanner, TOKEN_TEXT, (size_t)(end + 1 - scanner->at));
}

/* What people write from other languages. */
static const char *usual_mistake(const char *at)
{
    static const struct {
        const char *sign;
        const char *hint;
    } mistakes[] = {
        {"&&",           "write AND"                          },
        {"||",           "write OR"                           },
        {"<>",           "write !="                           },
        {"===",          "write =="                           },
        {"!",            "write NOT, or != between two values"},
        {"\xe2\x80\x98", "write a straight quote: '"          },
        {"\xe2\x80\x99", "write a straight quote: '"          },
        {"\xe2\x80\x9c", "write a straight quote: \""         },
        {"\xe2\x80\x9d", "write a straight quote: \""         },
    };

    if (at[0] == '!' && at[1] == '=') {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        if (strncmp(at, mistakes[i].sign, strlen(mistakes[i].sign)) == 0) {
            return mistakes[i].hint;
        }
    }
    return NULL;
}

static bool fail_character(const struct scanner *scanner)
{
    const char *at = scanner->at;
    int length = 1;

    while (continues_character(at[length])) {
        length++;
    }
    if ((unsigned char)*at < ' ') {
        return scanner_fail(
            scanner, at, "a control character (code %d) has no meaning here", (int)*at);
    }
    return scanner_fail(scanner, at, "%.*s has no meaning here", length, at);
}

static bool scan_sign(struct scanner *scanner)
{
    static const char *const signs[] = {"==", "!=", "<=", ">=", "<-", ">-", "=", "<",
                                        ">",  "(",  ")",  "[",  "]",  ",",  "."};
    const char *at = scanner->at;
    const char *hint = usual_mistake(at);

    if (hint) {
        return scanner_fail(scanner, at, "%s", hint);
    }
    if ((at[0] == '<' || at[0] == '>') && at[1] == '-' && is_digit(at[2])) {
        return scanner_fail(
            scanner, at, "%.2s means %s; for a negative number write %c %.2s with a blank between",
            at, at[0] == '<' ? "IN" : "HAS", at[0], at + 1);
    }
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (strncmp(at, signs[i], strlen(signs[i])) == 0) {
            return take(scanner, TOKEN_SIGN, strlen(signs[i]));
        }
    }
    return fail_character(scanner);
}

bool scanner_next(struct scanner *scanner)
{
    scanner->at += strspn(scanner->at, " \t\r\n");
    scanner->token.start = scanner->at;

    char first = *scanner->at;

    if (first == '\0') {
        return take(scanner, TOKEN_END, 0);
    }
    if (begins_name(first)) {
        return scan_name(scanner);
    }
    if (is_digit(first) || (first == '-' && is_digit(scanner->at[1]))) {
        return scan_number(scanner);
    }
    if (first == '\'' || first == '"') {
        return scan_text(scanner);
    }
    return scan_sign(scanner);
}

bool scanner_start(
    struct scanner *scanner,
    const char *text,
    struct arena *arena,
    struct error *err)
{
    *scanner = (struct scanner){.text = text, .at = text, .arena = arena, .err = err};
    if (strnlen(text, EXPRESSION_BYTES_MAX + 1) > EXPRESSION_BYTES_MAX) {
        return scanner_fail(
            scanner, text, "the expression is longer than %d bytes", EXPRESSION_BYTES_MAX);
    }
    return scanner_next(scanner);
}
