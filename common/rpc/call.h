/* One call that a client makes to our server: what it asks with, and the answer to a unary one.
 *
 * A unary call belongs to its handler until it is answered, and may be handed to another thread
 * with everything in its arena; one thread at a time. A handler must answer every call, also one
 * that was canceled: the server cannot be freed before that. A second answer is a bug and asserts.
 */
#ifndef COMMON_RPC_CALL_H
#define COMMON_RPC_CALL_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

struct arena;
struct error;
struct rpc_call;
struct rpc_method;

/* Both end the call: it must not be touched again. The message is packed before the function
 * returns. Any thread. An INTERNAL error reaches the client as its request id only. */
void rpc_call_reply(struct rpc_call *call, const ProtobufCMessage *message);
void rpc_call_fail(struct rpc_call *call, const struct error *err);

/* The remaining functions serve streams too, by rpc_stream_call(). Texts live as long as the call.
 * Of a stream, threads other than its loop may ask for path, request id, remaining time, cancelled.
 */

/* Memory that is freed with the call. */
struct arena *rpc_call_arena(struct rpc_call *call);
/* As the service's row says. */
void *rpc_call_context(const struct rpc_call *call);
const struct rpc_method *rpc_call_method(const struct rpc_call *call);
/* "/cordboard.routing.v1.TaskService/GetTask" */
const char *rpc_call_path(const struct rpc_call *call);
/* From the metadata x-request-id when it is 1 to 64 printable characters, else a new UUID. */
const char *rpc_call_request_id(const struct rpc_call *call);
/* First value of this metadata key (lower case, not -bin) as text, or NULL. */
const char *rpc_call_metadata(struct rpc_call *call, const char *key);
/* "ipv4:127.0.0.1:40312" */
const char *rpc_call_peer(struct rpc_call *call);
/* Milliseconds until the client's deadline, 0 once it has passed, INT64_MAX without one. */
int64_t rpc_call_remaining_ms(const struct rpc_call *call);
/* True once nobody waits for the answer: canceled, past its deadline, or the connection is gone. */
bool rpc_call_cancelled(const struct rpc_call *call);

#endif
