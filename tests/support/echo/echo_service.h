/* The service that tests of common/rpc call: see echo.proto. It has a thread of its own for answers
 * that do not come from the loop.
 */
#ifndef TESTS_SUPPORT_ECHO_ECHO_SERVICE_H
#define TESTS_SUPPORT_ECHO_ECHO_SERVICE_H

#include <stdatomic.h>

#include "common/error/error.h"
#include "common/rpc/method.h"

struct echo;

/* What the service saw; counted for the tests. */
struct echo_counts {
    atomic_int open_streams;
    atomic_int refused_sends;
    atomic_int closed_reason; /* of the stream that closed last; -1: its owner's own finish */
    atomic_int held_calls;
};

struct echo *echo_new(void);
/* After the server has stopped, before it is freed: the calls still held are answered. */
struct echo *echo_free(struct echo *self);
const struct rpc_service *echo_service(struct echo *self);
struct echo_counts *echo_counts(struct echo *self);

#endif
