/* One thread on one completion queue of gRPC: the home of calls, streams and clients. Internal.
 *
 * gRPC posts tags; other threads post work by rpc_loop_post, which wakes the thread by an empty
 * batch on a call that goes nowhere, as the C API has no other way. Everything runs on the loop's
 * thread, one thing after another.
 */
#ifndef COMMON_RPC_LOOP_H
#define COMMON_RPC_LOOP_H

#include <bsd/sys/queue.h>
#include <grpc/grpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpc_loop;

/* The struct of `type` whose member is what `pointer` points to. */
#define RPC_OWNER(pointer, type, member)                                                           \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* What a batch of gRPC operations reports to; embedded in its owner, one batch at a time. */
struct rpc_tag {
    void (*done)(struct rpc_tag *tag, bool ok);
};

/* Work for the loop; embedded, and not to be posted again before it has run. */
struct rpc_post {
    void (*run)(struct rpc_post *post);
    STAILQ_ENTRY(rpc_post) link;
};

/* A deadline; embedded. Zeroed: not set. */
struct rpc_alarm {
    void (*ring)(struct rpc_alarm *alarm);
    int64_t due_mono_us;
    bool set;
    TAILQ_ENTRY(rpc_alarm) link;
};

struct rpc_loop *rpc_loop_new(void);
/* The thread runs from here ... */
void rpc_loop_start(struct rpc_loop *loop);
/* ... to here, when everything posted has run and gRPC has returned every tag. */
void rpc_loop_stop(struct rpc_loop *loop);
struct rpc_loop *rpc_loop_free(struct rpc_loop *loop);

grpc_completion_queue *rpc_loop_queue(const struct rpc_loop *loop);
/* Whether the caller runs on this loop. */
bool rpc_loop_is_here(const struct rpc_loop *loop);
/* Any thread. */
void rpc_loop_post(struct rpc_loop *loop, struct rpc_post *post);

/* Any thread. The operations are ours, so a refusal is a bug and asserts. The tag comes back on the
 * loop of the call. */
void rpc_loop_start_batch(grpc_call *call, const grpc_op *ops, size_t count, struct rpc_tag *tag);

/* On the loop only. Setting again moves the alarm. */
void rpc_loop_set_alarm(struct rpc_loop *loop, struct rpc_alarm *alarm, int64_t delay_us);
void rpc_loop_clear_alarm(struct rpc_loop *loop, struct rpc_alarm *alarm);

/* The library as a whole; each user of it calls both. */
void rpc_library_init(void);
void rpc_library_deinit(void);

#endif
