/* What the files of this folder share: the insides of the agent and of its legs. Everything lives
 * on the signalling thread, except what says otherwise.
 *
 * Two rules keep the library's sharp edges away:
 * - Whatever may call the owner (agent_emit) is the last thing a callback of the library does: the
 *   owner may answer with a command that changes or ends the leg.
 * - A leg is freed at the end of a round of the loop, when nothing of the library's names it any
 *   more. Until then its fields may be read.
 */
#ifndef BRIDGE_SIP_STACK_H
#define BRIDGE_SIP_STACK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The library asks for its callbacks' types before its headers. */
#define NTA_AGENT_MAGIC_T struct agent
#define NTA_LEG_MAGIC_T struct agent_leg
#define NTA_INCOMING_MAGIC_T struct agent_leg
#define NTA_OUTGOING_MAGIC_T struct agent_leg
#define SU_ROOT_MAGIC_T struct agent
#define SU_WAKEUP_ARG_T struct agent
#define SU_TIMER_ARG_T struct agent_leg

#include <bsd/sys/queue.h>
#include <sofia-sip/msg_mclass.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_wait.h>
#include <uthash.h>

#include "services/bridge/sip/agent.h"

enum {
    AGENT_PHRASE_SIZE = 96,
};

/* An event that a command caused: the owner hears of it after the command has returned. */
struct agent_news {
    STAILQ_ENTRY(agent_news) link;
    enum signalling_event_kind kind;
    int64_t leg;
    int status;
    char phrase[AGENT_PHRASE_SIZE];
};

enum leg_phase {
    LEG_INVITED,  /* their INVITE has no final answer yet */
    LEG_ANSWERED, /* our 2xx waits for its ACK */
    LEG_DIALLED,  /* our INVITE has no final answer yet */
    LEG_TALKING,  /* both directions of the dialog are confirmed */
    LEG_ENDED,    /* nothing left but the memory of it */
};

struct agent_leg {
    struct agent *agent;
    int64_t id;
    enum leg_phase phase;
    bool over;             /* the owner knows it no more; by_id does not find it */
    bool our_offer;        /* our 2xx carried an offer: the ACK carries the answer */
    bool change_our_offer; /* the same for a re-INVITE */
    bool bye_wanted;       /* hung up before the ACK of our 2xx, which must come first */
    msg_t *waiting; /* their INVITE while it has no transaction: until the owner has seen it */
    nta_leg_t *dialog;
    nta_incoming_t *invite; /* their INVITE, until it is acknowledged */
    nta_incoming_t *change; /* their re-INVITE or UPDATE, until answered and acknowledged */
    nta_outgoing_t *dial;   /* our INVITE, until its final answer */
    nta_outgoing_t *bye;
    char *bye_reason;    /* Reason header, or NULL */
    char *merge_key;     /* of an INVITE: what a merged copy of it shares */
    const char *contact; /* ours, as its transport needs it; the agent's text */
    su_timer_t *timer;   /* one at a time: ring time-out, end of patience, end of memory */
    UT_hash_handle by_id;
    UT_hash_handle by_merge_key;
    TAILQ_ENTRY(agent_leg) link; /* agent->legs, then agent->dead */
};

TAILQ_HEAD(agent_leg_list, agent_leg);
STAILQ_HEAD(agent_news_list, agent_news);

struct agent {
    struct agent_owner owner;
    su_root_t *root;
    nta_agent_t *nta;
    msg_mclass_t *message_class;
    char contact[AGENT_CONTACT_SIZE];
    char contact_tcp[AGENT_CONTACT_SIZE];
    char host[AGENT_CONTACT_SIZE]; /* as it stands in URIs, with the port */
    char *user_agent;
    int port;
    int64_t t1_us;
    int64_t legs_max;

    struct agent_leg *legs_by_id;
    struct agent_leg *legs_by_merge_key;
    struct agent_leg_list legs; /* all but the dead */
    struct agent_leg_list dead; /* freed at the end of the round */
    int64_t next_inbound_leg;
    struct agent_news_list news;
    int commands_running; /* while it is not 0, events become news */
    bool deaf;            /* the owner is not called any more */
    int64_t live_count;   /* legs the owner knows */
    int64_t busy_count;   /* legs that are not LEG_ENDED */
    int64_t leg_count;    /* all but the dead */
    int64_t invites;
    int64_t refused_at_door;

    pthread_t thread;
    bool started;
    /* Any thread. */
    atomic_bool draining;
    atomic_bool stopping;
    _Atomic int64_t linger_us;
    int stop_event; /* eventfd: readable once it is time to stop */
};

/* leg.c: life and events. */

struct agent_leg *agent_leg_new(struct agent *agent, int64_t id, enum leg_phase phase);
/* NULL: unknown, or over. */
struct agent_leg *agent_leg_find(const struct agent *agent, int64_t id);
/* The owner forgets it: no event names it any more. */
void agent_leg_forget(struct agent_leg *leg);
/* Lets go of everything of the library's, and dies: at once, or with a merge key when no copy of
 * its INVITE can come any more. */
void agent_leg_end(struct agent_leg *leg);
void agent_leg_set_timer(struct agent_leg *leg, int64_t after_us, su_timer_f when_due);
void agent_leg_stop_timer(struct agent_leg *leg);
void agent_free_dead_legs(struct agent *agent);
/* Ends the memory of all legs at once. */
void agent_free_all_legs(struct agent *agent);

/* Calls the owner, or, inside a command, keeps the event (of a kind without pointers) for later. */
void agent_emit(struct agent *agent, const struct signalling_event *event);
/* Forgets the leg and says why it is over. */
void agent_emit_end(
    struct agent_leg *leg,
    enum signalling_event_kind kind,
    int status,
    const char *phrase);
void agent_tell_news(struct agent *agent);

/* outside.c: messages outside dialogs; an nta_message_f. */
int agent_handle_outside(struct agent *agent, nta_agent_t *nta, msg_t *msg, sip_t *sip);
/* Gives an invited leg its dialog and transaction, and sends 100, if it has none yet. False: it
 * could not, and the leg is over. */
bool agent_admit(struct agent_leg *leg);

/* inside.c: requests inside a dialog, and its end; an nta_request_f. */
int agent_handle_inside(
    struct agent_leg *leg,
    nta_leg_t *dialog,
    nta_incoming_t *request,
    const sip_t *sip);
/* Sends BYE and ends the leg when it is answered. */
void agent_send_bye(struct agent_leg *leg);
void agent_answer_reoffer(
    void *context,
    int64_t id,
    int status,
    const struct session_description *description);
void agent_hang_up(void *context, int64_t id, const struct signalling_reason *reason);

/* invited.c: legs that come in. */
/* ACK, CANCEL and time-out of an INVITE or re-INVITE; an nta_ack_cancel_f. */
int agent_handle_ack_or_cancel(struct agent_leg *leg, nta_incoming_t *request, const sip_t *sip);
void agent_progress(
    void *context,
    int64_t id,
    int status,
    const struct session_description *description);
void agent_answer(void *context, int64_t id, const struct session_description *description);
void agent_refuse(void *context, int64_t id, const struct signalling_reason *reason);
void agent_refuse_leg(struct agent_leg *leg, const struct signalling_reason *reason);

/* dialled.c: legs that go out. */
void agent_dial(void *context, const struct signalling_dial *dial);
void agent_cancel(void *context, int64_t id, const struct signalling_reason *reason);
void agent_cancel_leg(struct agent_leg *leg, const struct signalling_reason *reason);

#endif
