/* Base64 (RFC 4648, 4). */
#ifndef COMMON_BASE_BASE64_H
#define COMMON_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With padding; on the heap. */
char *base64_print(const void *bytes, size_t size);

/* Most bytes that a text of this length can hold. */
size_t base64_capacity(size_t length);
/* Also takes the URL alphabet (RFC 4648, 5) and text without padding. `bytes` has room for the
 * capacity. */
bool base64_parse(const char *text, size_t length, uint8_t *bytes, size_t *ret_size);

#endif
