#include "services/routing/domain/id.h"

#include <string.h>

#include "services/routing/domain/limits.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool made_of(const char *id, const char *first, const char *rest)
{
    size_t length = strlen(id);

    return length > 0 && length <= ID_LENGTH_MAX && strchr(first, id[0]) &&
           strspn(id, rest) == length;
}

bool id_valid(const char *id)
{
    return made_of(id, LETTERS DIGITS, LETTERS DIGITS "-_.");
}

bool id_valid_word(const char *id)
{
    return made_of(id, LETTERS "_", LETTERS DIGITS "_");
}

size_t text_characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++) {
        count += ((unsigned char)*text & 0xC0U) != 0x80U; /* not a continuation byte */
    }
    return count;
}
