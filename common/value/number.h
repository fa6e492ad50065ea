/* Numbers of values: comparing them exactly and reading them from text. */
#ifndef COMMON_VALUE_NUMBER_H
#define COMMON_VALUE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

struct value;

/* Below, equal to or above 0, as a is to b. Both are numbers. Exact also where an integer has no
 * double of its own: 9007199254740993 is above 9007199254740992.0.
 */
int number_compare(const struct value *a, const struct value *b);

/* Reads text that is one number and nothing else, as JSON writes it ("-12", "0.5", "1e3"; also
 * "007" and "+5", which people write); false for anything else and for what an integer of 64 bits
 * or a double cannot hold. Allocates nothing.
 */
bool number_parse(const char *text, size_t length, struct value *ret_number);

#endif
