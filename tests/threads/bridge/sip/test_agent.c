/* An agent that is started, driven through a mailbox, drained and stopped, again and again, while
 * others read what any thread may read.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/mailbox/mailbox.h"
#include "services/bridge/domain/session_description.h"
#include "services/bridge/sip/agent.h"

enum {
    ROUNDS = 5,
    DIALS = 20,
    LINGER_US = 1000000,
};

struct dialing {
    struct mailbox_node node;
    int64_t leg;
};

struct owner {
    struct agent *agent;
    struct mailbox *mailbox;
    atomic_int failed;
    atomic_bool over;
};

static void handle_event(void *context, const struct signalling_event *event)
{
    struct owner *owner = context;

    owner->failed += event->kind == SIGNALLING_FAILED;
}

static int64_t run(void *context, int64_t now_mono_us)
{
    struct owner *owner = context;
    struct session_description offer = {.address = "127.0.0.1", .port = 4000};
    struct mailbox_node *node;

    while ((node = mailbox_take_all(owner->mailbox))) {
        while (node) {
            struct dialing *dialing = MAILBOX_MESSAGE(node, struct dialing, node);

            node = node->next;
            agent_commands.dial(
                owner->agent, &(struct signalling_dial){
                                  .leg = dialing->leg,
                                  .to_uri = dialing->leg % 2 ? "sip:a@127.0.0.1:9" : "nonsense",
                                  .from_user = "",
                                  .offer = &offer,
                              });
            free(dialing);
        }
    }
    return now_mono_us + 1000;
}

static void *look_around(void *context)
{
    struct owner *owner = context;
    bool draining = false;

    while (!owner->over) {
        draining = !draining;
        agent_set_draining(owner->agent, draining);
        assert(strncmp(agent_contact(owner->agent), "sip:127.0.0.1:", 14) == 0);
        assert(agent_port(owner->agent) > 0);
    }
    return NULL;
}

static void play(void)
{
    struct owner owner = {.mailbox = mailbox_new()};
    struct agent_options options = {.listen_address = "127.0.0.1:0", .t1_ms = 5};
    struct error err;
    pthread_t looker;

    if (!agent_open(&options, &owner.agent, &err)) {
        (void)fprintf(stderr, "%s\n", err.message);
        abort();
    }
    agent_start(
        owner.agent, &(struct agent_owner){
                         .context = &owner,
                         .handle_event = handle_event,
                         .run = run,
                         .wake_descriptor = mailbox_descriptor(owner.mailbox),
                     });
    if (pthread_create(&looker, NULL, look_around, &owner) != 0) {
        abort();
    }
    for (int64_t leg = 1; leg <= DIALS; leg++) {
        struct dialing *dialing = mem_new(struct dialing);

        dialing->leg = leg;
        if (!mailbox_post(owner.mailbox, &dialing->node)) {
            abort();
        }
    }
    while (owner.failed < DIALS) {
        (void)sched_yield();
    }
    owner.over = true;
    (void)pthread_join(looker, NULL);
    agent_stop(owner.agent, LINGER_US);
    agent_free(owner.agent);
    mailbox_free(owner.mailbox);
}

int main(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        play();
    }
    return 0;
}
