/* UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef COMMON_BASE_UTF8_H
#define COMMON_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* True for well-formed UTF-8 without a NUL: what a C string and a PostgreSQL text can hold. */
bool utf8_is_text(const char *bytes, size_t size);

/* Size of the character that begins at `bytes`; 0 when it is malformed, cut off or NUL. */
size_t utf8_character_size(const char *bytes, size_t left);

#endif
