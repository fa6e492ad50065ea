/* protobuf-c has no const: texts that are only packed are put into messages by this one door. */
#ifndef ROUTING_WIRE_TEXT_H
#define ROUTING_WIRE_TEXT_H

#include <string.h>

/* NULL becomes "". */
static inline void message_set_text(char **slot, const char *text)
{
    const char *value = text ? text : "";

    memcpy(slot, &value, sizeof(value));
}

#endif
