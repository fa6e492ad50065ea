#include "common/base/utf8.h"

#include <stdint.h>
#include <string.h>

/* What may follow a lead byte: how many bytes, and the range of the first of them (RFC 3629, 4). */
struct form {
    unsigned char lead_from;
    unsigned char lead_to;
    unsigned char count;
    unsigned char next_from;
    unsigned char next_to;
};

static const struct form forms[] = {
    {0xC2, 0xDF, 1, 0x80, 0xBF},
    {0xE0, 0xE0, 2, 0xA0, 0xBF},
    {0xE1, 0xEC, 2, 0x80, 0xBF},
    {0xED, 0xED, 2, 0x80, 0x9F},
    {0xEE, 0xEF, 2, 0x80, 0xBF},
    {0xF0, 0xF0, 3, 0x90, 0xBF},
    {0xF1, 0xF3, 3, 0x80, 0xBF},
    {0xF4, 0xF4, 3, 0x80, 0x8F},
};

static bool follows(const struct form *form, const unsigned char *bytes, size_t left)
{
    bool ok = left > form->count && bytes[1] >= form->next_from && bytes[1] <= form->next_to;

    for (size_t next = 2; ok && next <= form->count; next++) {
        ok = (bytes[next] & 0xC0) == 0x80;
    }
    return ok;
}

size_t utf8_character_size(const char *bytes, size_t left)
{
    const unsigned char *at = (const unsigned char *)bytes;

    if (left == 0) {
        return 0;
    }
    if (at[0] < 0x80) {
        return at[0] != 0;
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const struct form *form = &forms[i];

        if (at[0] >= form->lead_from && at[0] <= form->lead_to) {
            return follows(form, at, left) ? (size_t)form->count + 1 : 0;
        }
    }
    return 0;
}

/* Eight bytes at once: true when all are ASCII and none is NUL. */
static bool is_plain_word(const unsigned char *bytes)
{
    uint64_t word = 0;

    memcpy(&word, bytes, sizeof(word));
    /* With no high bit set, subtracting 1 borrows into the high bit only of a zero byte. */
    return ((word | (word - 0x0101010101010101U)) & 0x8080808080808080U) == 0;
}

bool utf8_is_text(const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes;
    const unsigned char *end = at + size;

    while (at < end) {
        size_t left = (size_t)(end - at);
        bool plain = left >= sizeof(uint64_t) && is_plain_word(at);
        size_t step = plain ? sizeof(uint64_t) : utf8_character_size((const char *)at, left);

        if (step == 0) {
            return false;
        }
        at += step;
    }
    return true;
}
