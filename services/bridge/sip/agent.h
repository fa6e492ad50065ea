/* The SIP agent: our transports, our transactions and our legs, on one thread of its own, the
 * signalling thread. It implements struct signalling_commands and makes the signalling events
 * (services/bridge/domain/signalling.h); who consumes them is its owner, and runs on the same
 * thread:
 *
 *     agent_open(&options, &agent, err);           sockets are bound, nothing is answered yet
 *     owner.context = calls_new(&agent_commands, agent, ...);
 *     agent_start(agent, &owner);                  the thread runs
 *     ...
 *     agent_stop(agent, 2000000);                  ends what is left, joins the thread
 *     agent_free(agent);
 *
 * The loop of the thread is: owner->run, then wait for the network, for the owner's wake
 * descriptor, for a deadline. Other threads reach the owner through a mailbox of the owner's own,
 * whose descriptor is the wake descriptor; nothing else crosses threads.
 *
 * A command is given on the signalling thread alone: inside handle_event or run. Its events come
 * later, never before it returns. A command for a leg that is over, or that does not fit its state,
 * does nothing: the event that says so is on its way.
 */
#ifndef BRIDGE_SIP_AGENT_H
#define BRIDGE_SIP_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "services/bridge/domain/signalling.h"

struct agent;
struct error;

enum {
    AGENT_CONTACT_SIZE = 320
};

struct agent_options {
    /* Numeric, "127.0.0.1:5060" or "[::1]:5060"; UDP and TCP are served on the same port. Port 0:
     * the system chooses. */
    const char *listen_address;
    /* Host, or numeric address, by which others reach us: Contact, Via and From carry it, with the
     * port we listen on unless it names another. NULL or "": the listen address, which must then
     * not be a wildcard. */
    const char *advertised_address;
    const char *user_agent; /* User-Agent and Server; NULL or "": "Cordboard" */
    int t1_ms;              /* RFC 3261 17.1.1.1; 0: 500. Tests make time-outs short with it. */
    /* More INVITEs are answered 503 with Retry-After before anybody hears of them; 0: 10000. As
     * many again that are over may still be finishing or remembered. */
    int legs_max;
};

/* Who consumes the events. Every function is called on the signalling thread. */
struct agent_owner {
    void *context;
    signalling_handler *handle_event;
    /* Called in every round of the loop: after events, after a wake, at the deadline. Takes what
     * the mailbox holds until it is empty, does what is due, and returns when it wants to be called
     * again at the latest (microseconds of the monotonic clock; INT64_MAX: never). */
    int64_t (*run)(void *context, int64_t now_mono_us);
    int wake_descriptor; /* readable: run is called; -1: none. mailbox_descriptor() fits. */
};

struct agent_statistics {
    int64_t legs;                /* ours: invited, dialled, talking; not those only finishing */
    int64_t legs_finishing;      /* forgotten by the owner, transactions still running */
    int64_t legs_remembered;     /* over; a copy of their INVITE may still come */
    int64_t client_transactions; /* of the stack, until their timers have run out */
    int64_t server_transactions;
    int64_t dialogs;
    int64_t invites;         /* INVITEs outside dialogs that reached the owner, since the start */
    int64_t refused_at_door; /* requests answered without the owner hearing of them, since start */
};

/* Binds the sockets. Fails with SIP_UNAVAILABLE when the address is taken or is not ours. */
MUST_USE bool agent_open(
    const struct agent_options *options,
    struct agent **ret_agent,
    struct error *err);
/* Starts the signalling thread. The owner's context must live until agent_stop has returned. */
void agent_start(struct agent *agent, const struct agent_owner *owner);
/* Any thread but the signalling thread. The owner is called no more once this has begun to end its
 * legs: those still there are refused with 503, canceled or hung up, and their transactions get up
 * to `linger_us` to finish. Then joins the thread. */
void agent_stop(struct agent *agent, int64_t linger_us);
/* Closes the sockets. A started agent must have been stopped. */
struct agent *agent_free(struct agent *agent);

/* Any thread. While draining, INVITEs outside dialogs and OPTIONS are answered 503 with
 * Retry-After; requests inside dialogs are served as ever. */
void agent_set_draining(struct agent *agent, bool draining);

/* Any thread. Exactly the Contact that we send, "sip:192.0.2.1:5060", for the log at start. */
const char *agent_contact(const struct agent *agent);
/* Any thread. The port we listen on, UDP and TCP. */
int agent_port(const struct agent *agent);
/* Signalling thread. */
void agent_read_statistics(struct agent *agent, struct agent_statistics *ret_statistics);

/* What the owner asks of SIP; its `sip` argument is the agent. */
extern const struct signalling_commands agent_commands;

DEFINE_CLEANUP(struct agent *, agent_free)

#endif
