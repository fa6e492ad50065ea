/* SDP text (RFC 4566) to a session description and back. Text from outside is checked for size and
 * odd bytes before the library's parser sees it.
 */
#ifndef BRIDGE_SIP_SDP_H
#define BRIDGE_SIP_SDP_H

#include <stddef.h>

#include "common/base/attr.h"

struct session_description;

enum {
    DESCRIPTION_TEXT_MAX = 16384, /* of what we read */
    DESCRIPTION_TEXT_SIZE = 2048, /* of what we print, with its NUL */
};

enum description_result {
    DESCRIPTION_PARSED,
    DESCRIPTION_MALFORMED, /* 400: not SDP */
    DESCRIPTION_UNUSABLE,  /* 488: SDP, but nothing we could answer */
};

/* An m= line is the audio stream if it is the first of `audio` over RTP/AVP with a port, or, when
 * all of those are refused, the first of them. `ret_why` is a constant that says what is wrong,
 * fit for a Warning header. Outputs are written only as far as the result says. */
MUST_USE enum description_result description_parse(
    const char *text,
    size_t length,
    struct session_description *ret_description,
    const char **ret_why);

void description_print(
    const struct session_description *description,
    char text[DESCRIPTION_TEXT_SIZE]);

#endif
