#include "services/ctl/api.h"

#include <string.h>

#include "cordboard/bridge/v1/call_service.pb-c.h"
#include "cordboard/bridge/v1/conference_service.pb-c.h"
#include "cordboard/routing/v1/activity_service.pb-c.h"
#include "cordboard/routing/v1/bridge_link_service.pb-c.h"
#include "cordboard/routing/v1/event_service.pb-c.h"
#include "cordboard/routing/v1/inbound_route_service.pb-c.h"
#include "cordboard/routing/v1/reservation_service.pb-c.h"
#include "cordboard/routing/v1/task_channel_service.pb-c.h"
#include "cordboard/routing/v1/task_queue_service.pb-c.h"
#include "cordboard/routing/v1/task_service.pb-c.h"
#include "cordboard/routing/v1/trunk_service.pb-c.h"
#include "cordboard/routing/v1/worker_service.pb-c.h"
#include "cordboard/routing/v1/worker_session_service.pb-c.h"
#include "cordboard/routing/v1/workflow_service.pb-c.h"
#include "cordboard/routing/v1/workspace_service.pb-c.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "proto_descriptor_set.h"

static const ProtobufCServiceDescriptor *const services[] = {
#define SERVICE(package, service) &cordboard__##package##__v1__##service##__descriptor,
#include "services/ctl/services.def"
#undef SERVICE
};

enum {
    SERVICE_COUNT = sizeof(services) / sizeof(services[0])
};

/* Whether `name` means the method: its full name, or what follows the package or the service. */
static bool goes_by(
    const ProtobufCServiceDescriptor *service,
    const ProtobufCMethodDescriptor *method,
    const char *name)
{
    const char *slash = strchr(name, '/');

    if (!slash) {
        return strcmp(name, method->name) == 0;
    }

    size_t length = (size_t)(slash - name);

    return strcmp(slash + 1, method->name) == 0 &&
           ((strlen(service->name) == length && strncmp(name, service->name, length) == 0) ||
            (strlen(service->short_name) == length &&
             strncmp(name, service->short_name, length) == 0));
}

static size_t find_in(
    const ProtobufCServiceDescriptor *service,
    const char *name,
    struct api_method *ret_method)
{
    size_t count = 0;

    for (unsigned i = 0; i < service->n_methods; i++) {
        if (goes_by(service, &service->methods[i], name)) {
            *ret_method = (struct api_method){service, &service->methods[i]};
            count++;
        }
    }
    return count;
}

size_t api_find(const char *name, struct api_method *ret_method)
{
    size_t count = 0;

    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        count += find_in(services[i], name, ret_method);
    }
    return count;
}

static bool list_one(const struct api_method *method, const char *word, FILE *out)
{
    char name[128];
    bool client;
    bool server;

    (void)snprintf(name, sizeof(name), "%s/%s", method->service->short_name, method->method->name);
    if (!strcasestr(name, word)) {
        return false;
    }
    api_streams(method, &client, &server);
    (void)fprintf(
        out, "%s%s%s\n", name, client ? "  (takes a stream)" : "",
        server ? "  (answers with a stream)" : "");
    return true;
}

size_t api_list(const char *word, FILE *out)
{
    size_t count = 0;

    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        for (unsigned j = 0; j < services[i]->n_methods; j++) {
            const struct api_method method = {services[i], &services[i]->methods[j]};

            count += list_one(&method, word, out) ? 1 : 0;
        }
    }
    return count;
}

static const Google__Protobuf__MethodDescriptorProto *find_in_service(
    const Google__Protobuf__ServiceDescriptorProto *service,
    const char *name)
{
    for (size_t i = 0; i < service->n_method; i++) {
        if (strcmp(service->method[i]->name, name) == 0) {
            return service->method[i];
        }
    }
    return NULL;
}

static const Google__Protobuf__MethodDescriptorProto *find_in_file(
    const Google__Protobuf__FileDescriptorProto *file,
    const struct api_method *method)
{
    for (size_t i = 0; i < file->n_service; i++) {
        if (strcmp(file->package, method->service->package) == 0 &&
            strcmp(file->service[i]->name, method->service->short_name) == 0) {
            return find_in_service(file->service[i], method->method->name);
        }
    }
    return NULL;
}

void api_streams(const struct api_method *method, bool *ret_client, bool *ret_server)
{
    Google__Protobuf__FileDescriptorSet *files = google__protobuf__file_descriptor_set__unpack(
        NULL, proto_descriptor_set_size, proto_descriptor_set);
    const Google__Protobuf__MethodDescriptorProto *found = NULL;

    for (size_t i = 0; files && !found && i < files->n_file; i++) {
        found = find_in_file(files->file[i], method);
    }
    *ret_client = found && found->client_streaming;
    *ret_server = found && found->server_streaming;
    google__protobuf__file_descriptor_set__free_unpacked(files, NULL);
}

bool api_is_bridges(const struct api_method *method)
{
    return strncmp(method->service->package, "cordboard.bridge.", strlen("cordboard.bridge.")) == 0;
}
