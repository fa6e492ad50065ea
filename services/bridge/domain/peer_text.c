/* Cleans a peer's text, character by character. */
#include "services/bridge/domain/peer_text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/utf8.h"

/* Length of the valid, printable character that begins here; 0: none does. */
static size_t character(const char *bytes)
{
    static const uint8_t lengths[16] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4};
    uint8_t first = (uint8_t)bytes[0];
    size_t length = lengths[first >> 4];

    if (first < 0x20 || first == 0x7f || length == 0 || strnlen(bytes, length) < length) {
        return 0;
    }
    if (first == 0xc2 && (uint8_t)bytes[1] < 0xa0) {
        return 0; /* C1 control characters */
    }
    return utf8_is_text(bytes, length) ? length : 0;
}

void peer_text_clean(const char *text, char clean[PEER_TEXT_SIZE])
{
    const char *from = text ? text : "";
    size_t used = 0;

    while (*from != '\0') {
        size_t length = character(from);
        size_t room = length > 0 ? length : 1;

        if (used + room >= PEER_TEXT_SIZE) {
            break;
        }
        memcpy(clean + used, length > 0 ? from : "?", room);
        used += room;
        from += room;
    }
    clean[used] = '\0';
}
