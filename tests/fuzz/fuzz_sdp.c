/* Session descriptions from strangers: whatever is read can be printed, and reads the same again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "services/bridge/domain/session_description.h"
#include "services/bridge/sip/sdp.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct session_description first;
    struct session_description second;
    char text[DESCRIPTION_TEXT_SIZE];
    char again[DESCRIPTION_TEXT_SIZE];
    const char *why;

    if (description_parse((const char *)bytes, size, &first, &why) != DESCRIPTION_PARSED) {
        return 0;
    }
    description_print(&first, text);
    if (description_parse(text, strlen(text), &second, &why) != DESCRIPTION_PARSED) {
        abort();
    }
    description_print(&second, again);
    if (strcmp(text, again) != 0) {
        abort();
    }
    return 0;
}
