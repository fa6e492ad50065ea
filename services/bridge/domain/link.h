/* The bridge link in the bridge's own words: reports to the routing service, instructions from it,
 * and what it says about trunks and routes. Pure types; the protocol is documented in
 * proto/cordboard/routing/v1/bridge_link_service.proto. Ids are bare ids. Texts are never NULL.
 */
#ifndef BRIDGE_DOMAIN_LINK_H
#define BRIDGE_DOMAIN_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum report_kind {
    REPORT_ENQUEUE_CALL,
    REPORT_CALL_ANSWERED,
    REPORT_CALL_ENDED,
    REPORT_WORKER_RINGING,
    REPORT_WORKER_JOINED,
    REPORT_WORKER_FAILED,
    REPORT_WORKER_LEFT,
};

/* One report; the link numbers it, keeps it until acknowledged, and sends it again after a break.
 */
struct report {
    enum report_kind kind;
    const char *workspace_id;
    const char *call_id;
    int64_t time_us;            /* microseconds since the epoch */
    const char *task_id;        /* of the call; "" while unknown */
    const char *reservation_id; /* WORKER_* */
    const char *cause;          /* CALL_ENDED, WORKER_FAILED, WORKER_LEFT */
    int sip_status;             /* likewise; 0: none */

    /* ENQUEUE_CALL */
    const char *trunk_id;
    const char *inbound_route_id;
    const char *called_number;
    const char *caller_number;
    const char *caller_display_name;
    const char *sip_call_id;
};

enum instruction_kind {
    INSTRUCTION_CALL_ENQUEUED = 1,
    INSTRUCTION_DIAL_WORKER = 2,
    INSTRUCTION_RELEASE_WORKER = 3,
    INSTRUCTION_RELEASE_CALL = 4,
};

/* One instruction; repeats are dropped by the link before calls/ sees them. */
struct instruction {
    enum instruction_kind kind;
    const char *workspace_id;
    const char *call_id;
    const char *task_id;        /* CALL_ENQUEUED, DIAL_WORKER */
    const char *reservation_id; /* DIAL_WORKER, RELEASE_WORKER */
    const char *worker_id;      /* DIAL_WORKER */
    const char *contact_uri;    /* DIAL_WORKER */
    int64_t ring_timeout_us;    /* DIAL_WORKER */
    const char *reason;         /* RELEASE_* */
    int sip_status;             /* RELEASE_CALL; 0: 480 */
};

enum route_answer {
    ROUTE_ANSWER_AFTER_TASK = 1,
    ROUTE_ANSWER_AT_ONCE = 2,
    ROUTE_ANSWER_ON_WORKER = 3,
};

struct trunk {
    const char *workspace_id;
    const char *id;
    const char *const *source_addresses;
    size_t source_address_count;
};

struct inbound_route {
    const char *workspace_id;
    const char *id;
    const char *trunk_id; /* "" for every trunk of the workspace */
    const char *called_number;
    enum route_answer answer;
};

/* Everything about telephony that the routing service knows; replaces what was said before. */
struct telephony {
    const struct trunk *trunks;
    size_t trunk_count;
    const struct inbound_route *routes;
    size_t route_count;
};

/* A call as the hello snapshot of the link shows it. */
struct call_snapshot {
    const char *workspace_id;
    const char *call_id;
    const char *task_id;        /* "" while unknown */
    const char *reservation_id; /* "" when no worker is dialled or in the conference */
    bool talking;
};

#endif
