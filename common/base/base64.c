#include "common/base/base64.h"

#include <string.h>

#include "common/base/mem.h"

enum {
    PADDING = 64 /* in the alphabet */
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

char *base64_print(const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    char *text = mem_alloc((size + 2) / 3 * 4 + 1);
    char *to = text;

    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)from[i] << 16 | (left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
                         (left > 2 ? from[i + 2] : 0U);

        *to++ = alphabet[group >> 18];
        *to++ = alphabet[group >> 12 & 63];
        *to++ = alphabet[left > 1 ? group >> 6 & 63 : PADDING];
        *to++ = alphabet[left > 2 ? group & 63 : PADDING];
    }
    return text;
}

size_t base64_capacity(size_t length)
{
    return length / 4 * 3 + 3;
}

/* 0 to 63, or -1. */
static int digit(char letter)
{
    if (letter == '-') {
        letter = '+';
    } else if (letter == '_') {
        letter = '/';
    }

    const char *at = letter ? strchr(alphabet, letter) : NULL;

    return at && letter != '=' ? (int)(at - alphabet) : -1;
}

bool base64_parse(const char *text, size_t length, uint8_t *bytes, size_t *ret_size)
{
    uint32_t group = 0;
    unsigned bits = 0;
    size_t size = 0;
    size_t used = length;

    while (used > 0 && length - used < 2 && text[used - 1] == '=') {
        used--;
    }
    if (used % 4 == 1 || (used < length && length % 4 != 0)) {
        return false;
    }
    for (size_t i = 0; i < used; i++) {
        int value = digit(text[i]);

        if (value < 0) {
            return false;
        }
        group = group << 6 | (uint32_t)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[size++] = (uint8_t)(group >> bits);
        }
    }
    *ret_size = size;
    return true;
}
