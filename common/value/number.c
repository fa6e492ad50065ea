#include "common/value/number.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/value/value.h"

enum {
    NUMBER_TEXT_MAX = 64 /* bytes; nobody writes a longer one on purpose */
};

static int integer_compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int integer_real_compare(int64_t integer, double real)
{
    /* 2^63 has a double; every real below it and from -2^63 on truncates to an int64_t. */
    if (real >= 0x1p63) {
        return -1;
    }
    if (real < -0x1p63) {
        return 1;
    }

    int64_t whole = (int64_t)real;
    double fraction = real - (double)whole;

    if (integer != whole) {
        return integer_compare(integer, whole);
    }
    return (fraction < 0) - (fraction > 0);
}

int number_compare(const struct value *a, const struct value *b)
{
    if (a->type == VALUE_INTEGER) {
        return b->type == VALUE_INTEGER ? integer_compare(a->integer, b->integer)
                                        : integer_real_compare(a->integer, b->real);
    }
    if (b->type == VALUE_INTEGER) {
        return -integer_real_compare(b->integer, a->real);
    }
    return (a->real > b->real) - (a->real < b->real);
}

static size_t digits_at(const char *text, size_t length, size_t at)
{
    size_t count = 0;

    while (at + count < length && text[at + count] >= '0' && text[at + count] <= '9') {
        count++;
    }
    return count;
}

static size_t sign_at(const char *text, size_t length, size_t at)
{
    return at < length && (text[at] == '-' || text[at] == '+');
}

/* The length of the fraction or exponent that begins at `at`; 0 when there is none. */
static size_t fraction_at(const char *text, size_t length, size_t at)
{
    size_t digits = at < length && text[at] == '.' ? digits_at(text, length, at + 1) : 0;

    return digits ? digits + 1 : 0;
}

static size_t exponent_at(const char *text, size_t length, size_t at)
{
    if (at >= length || (text[at] != 'e' && text[at] != 'E')) {
        return 0;
    }

    size_t sign = sign_at(text, length, at + 1);
    size_t digits = digits_at(text, length, at + 1 + sign);

    return digits ? 1 + sign + digits : 0;
}

static bool integer_parse(const char *text, size_t length, size_t sign, struct value *ret_number)
{
    int64_t integer = 0;

    for (size_t i = sign; i < length; i++) {
        if (__builtin_mul_overflow(integer, 10, &integer) ||
            __builtin_sub_overflow(integer, text[i] - '0', &integer)) {
            return false;
        }
    }
    /* Counted downwards: the smallest integer has no positive twin. */
    if ((!sign || text[0] == '+') && __builtin_sub_overflow(0, integer, &integer)) {
        return false;
    }
    *ret_number = value_of_integer(integer);
    return true;
}

bool number_parse(const char *text, size_t length, struct value *ret_number)
{
    if (length == 0 || length > NUMBER_TEXT_MAX) {
        return false;
    }

    size_t sign = sign_at(text, length, 0);
    size_t whole = digits_at(text, length, sign);
    size_t at = sign + whole;

    if (whole == 0) {
        return false;
    }
    if (at == length) {
        return integer_parse(text, length, sign, ret_number);
    }
    at += fraction_at(text, length, at);
    at += exponent_at(text, length, at);
    if (at != length) {
        return false;
    }

    char copy[NUMBER_TEXT_MAX + 1];

    memcpy(copy, text, length);
    copy[length] = '\0';

    double real = strtod(copy, NULL);

    if (!isfinite(real)) {
        return false;
    }
    *ret_number = value_of_real(real);
    return true;
}
