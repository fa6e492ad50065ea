#include "common/rpc/loop.h"

#include <assert.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"

/* gRPC carries a tag from the thread that starts a batch to the loop. ThreadSanitizer does not see
 * how, as the library is not built for it, so it is told. */
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define TAG_LEAVES(tag) __tsan_release(tag)
#define TAG_ARRIVES(tag) __tsan_acquire(tag)
#else
#define TAG_LEAVES(tag) ((void)(tag))
#define TAG_ARRIVES(tag) ((void)(tag))
#endif

STAILQ_HEAD(post_list, rpc_post);
TAILQ_HEAD(alarm_list, rpc_alarm);

struct rpc_loop {
    grpc_completion_queue *queue;
    pthread_t thread;
    grpc_channel *nowhere;
    grpc_call *wake; /* an empty batch on it posts wake_tag to our queue */
    struct rpc_tag wake_tag;
    struct alarm_list alarms; /* soonest first */

    pthread_mutex_t mutex; /* guards what follows; innermost of all locks here */
    struct post_list posts;
    bool waking; /* a wake is on its way for the posts of other threads */
};

static _Thread_local const struct rpc_loop *current;

static void woken(struct rpc_tag *tag, bool ok)
{
    (void)tag;
    (void)ok;
}

struct rpc_loop *rpc_loop_new(void)
{
    struct rpc_loop *loop = mem_new(struct rpc_loop);

    loop->queue = grpc_completion_queue_create_for_next(NULL);
    loop->nowhere = grpc_lame_client_channel_create("wake", GRPC_STATUS_UNAVAILABLE, "");
    loop->wake = grpc_channel_create_call(
        loop->nowhere, NULL, 0, loop->queue, grpc_slice_from_static_string("/wake"), NULL,
        gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    loop->wake_tag.done = woken;
    TAILQ_INIT(&loop->alarms);
    STAILQ_INIT(&loop->posts);
    (void)pthread_mutex_init(&loop->mutex, NULL);
    return loop;
}

/* NOLINTNEXTLINE(readability-function-size): the library's macro. */
static void take_posts(struct rpc_loop *loop, struct post_list *posts)
{
    STAILQ_INIT(posts);
    (void)pthread_mutex_lock(&loop->mutex);
    STAILQ_CONCAT(posts, &loop->posts);
    loop->waking = false;
    (void)pthread_mutex_unlock(&loop->mutex);
}

static void run_posts(struct rpc_loop *loop)
{
    struct post_list posts;

    take_posts(loop, &posts);
    while (!STAILQ_EMPTY(&posts)) {
        struct rpc_post *post = STAILQ_FIRST(&posts);

        STAILQ_REMOVE_HEAD(&posts, link);
        post->run(post);
        if (STAILQ_EMPTY(&posts)) {
            take_posts(loop, &posts);
        }
    }
}

static void ring_alarms(struct rpc_loop *loop)
{
    while (!TAILQ_EMPTY(&loop->alarms)) {
        struct rpc_alarm *alarm = TAILQ_FIRST(&loop->alarms);

        if (alarm->due_mono_us > clock_mono_us(clock_system())) {
            return;
        }
        rpc_loop_clear_alarm(loop, alarm);
        alarm->ring(alarm);
    }
}

static gpr_timespec next_deadline(const struct rpc_loop *loop)
{
    if (TAILQ_EMPTY(&loop->alarms)) {
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    }

    int64_t delay_us = TAILQ_FIRST(&loop->alarms)->due_mono_us - clock_mono_us(clock_system());

    return gpr_time_add(
        gpr_now(GPR_CLOCK_MONOTONIC),
        gpr_time_from_micros(delay_us > 0 ? delay_us : 0, GPR_TIMESPAN));
}

static void *run(void *argument)
{
    struct rpc_loop *loop = argument;

    current = loop;
    for (;;) {
        grpc_event event = grpc_completion_queue_next(loop->queue, next_deadline(loop), NULL);

        if (event.type == GRPC_QUEUE_SHUTDOWN) {
            break;
        }
        if (event.type == GRPC_OP_COMPLETE) {
            struct rpc_tag *tag = event.tag;

            TAG_ARRIVES(tag);
            tag->done(tag, event.success != 0);
        }
        ring_alarms(loop);
        run_posts(loop); /* last: what has run may have posted */
    }
    run_posts(loop);
    current = NULL;
    return NULL;
}

void rpc_loop_start(struct rpc_loop *loop)
{
    if (pthread_create(&loop->thread, NULL, run, loop) != 0) {
        abort(); /* as when there is no memory */
    }
}

void rpc_loop_stop(struct rpc_loop *loop)
{
    grpc_call_unref(loop->wake);
    grpc_channel_destroy(loop->nowhere);
    grpc_completion_queue_shutdown(loop->queue);
    (void)pthread_join(loop->thread, NULL);
}

struct rpc_loop *rpc_loop_free(struct rpc_loop *loop)
{
    if (!loop) {
        return NULL;
    }

    assert(TAILQ_EMPTY(&loop->alarms) && STAILQ_EMPTY(&loop->posts));
    grpc_completion_queue_destroy(loop->queue);
    (void)pthread_mutex_destroy(&loop->mutex);
    free(loop);
    return NULL;
}

grpc_completion_queue *rpc_loop_queue(const struct rpc_loop *loop)
{
    return loop->queue;
}

bool rpc_loop_is_here(const struct rpc_loop *loop)
{
    return current == loop;
}

void rpc_loop_start_batch(grpc_call *call, const grpc_op *ops, size_t count, struct rpc_tag *tag)
{
    TAG_LEAVES(tag);

    grpc_call_error error = grpc_call_start_batch(call, ops, count, tag, NULL);

    assert(error == GRPC_CALL_OK);
    (void)error;
}

void rpc_loop_post(struct rpc_loop *loop, struct rpc_post *post)
{
    (void)pthread_mutex_lock(&loop->mutex);
    /* The loop runs its posts after each event, so what it posts itself needs no wake. */
    bool wake = !loop->waking && current != loop;

    STAILQ_INSERT_TAIL(&loop->posts, post, link);
    loop->waking |= wake;
    (void)pthread_mutex_unlock(&loop->mutex);
    if (wake) {
        rpc_loop_start_batch(loop->wake, NULL, 0, &loop->wake_tag);
    }
}

/* NOLINTNEXTLINE(readability-function-size): the library's macro. */
void rpc_loop_set_alarm(struct rpc_loop *loop, struct rpc_alarm *alarm, int64_t delay_us)
{
    rpc_loop_clear_alarm(loop, alarm);
    alarm->due_mono_us = clock_mono_us(clock_system()) + delay_us;
    alarm->set = true;

    /* Delays are mostly equal, so the place is mostly the end. */
    struct rpc_alarm *before = TAILQ_LAST(&loop->alarms, alarm_list);

    while (before && before->due_mono_us > alarm->due_mono_us) {
        before = TAILQ_PREV(before, alarm_list, link);
    }
    if (before) {
        TAILQ_INSERT_AFTER(&loop->alarms, before, alarm, link);
    } else {
        TAILQ_INSERT_HEAD(&loop->alarms, alarm, link);
    }
}

void rpc_loop_clear_alarm(struct rpc_loop *loop, struct rpc_alarm *alarm)
{
    if (!alarm->set) {
        return;
    }
    TAILQ_REMOVE(&loop->alarms, alarm, link);
    alarm->set = false;
}

static void swallow(gpr_log_func_args *args)
{
    (void)args;
}

static void silence(void)
{
    /* What matters reaches us as a status or a return value; the rest is for who asks for it. */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody writes the environment */
    if (!getenv("GRPC_VERBOSITY") && !getenv("GRPC_TRACE")) {
        gpr_set_log_function(swallow);
    }
}

void rpc_library_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, silence);
    grpc_init();
}

void rpc_library_deinit(void)
{
    grpc_shutdown_blocking();
}
