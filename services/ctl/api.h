/* The methods of both services, from the protos that this program was built with. */
#ifndef CTL_API_H
#define CTL_API_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct api_method {
    const ProtobufCServiceDescriptor *service;
    const ProtobufCMethodDescriptor *method;
};

/* By "TaskService/GetTask", with the package before it, or by "GetTask" alone. Returns how many
 * methods go by that name; ret_method is the last of them. */
size_t api_find(const char *name, struct api_method *ret_method);
/* One line for each method that has `word` in its name, in any case of letters; returns how many.
 */
size_t api_list(const char *word, FILE *out);

/* Whether the client sends a stream, and whether the answer is one; protobuf-c's descriptors do not
 * tell. */
void api_streams(const struct api_method *method, bool *ret_client, bool *ret_server);
/* Whether the bridge serves it; else the routing service does. */
bool api_is_bridges(const struct api_method *method);

#endif
