/* All services of the routing service, for rpc_server_options. */
#ifndef ROUTING_RPC_SERVICES_H
#define ROUTING_RPC_SERVICES_H

#include "common/rpc/method.h"

struct routing_rpc;

enum {
    ROUTING_SERVICE_COUNT = 13
};

/* Copies the tables, with rpc as the context of each; it must outlive the server. */
void routing_services(
    struct routing_rpc *rpc,
    struct rpc_service ret_services[ROUTING_SERVICE_COUNT]);

#endif
