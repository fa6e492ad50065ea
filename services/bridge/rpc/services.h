/* The bridge's own gRPC services: its calls and conferences, read from the calls' thread. */
#ifndef BRIDGE_RPC_SERVICES_H
#define BRIDGE_RPC_SERVICES_H

#include "common/rpc/method.h"

struct calls;

/* rpc_call_context() of both services. */
struct bridge_rpc {
    struct calls *calls;
};

enum {
    BRIDGE_SERVICE_COUNT = 2
};

/* Copies the tables, with rpc as the context of each; it must outlive the server. */
void bridge_services(struct bridge_rpc *rpc, struct rpc_service ret_services[BRIDGE_SERVICE_COUNT]);

#endif
