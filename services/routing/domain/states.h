/* The states and choices that rows keep as numbers. The numbers are those of the protos, so that
 * SQL, wire and C agree. */
#ifndef ROUTING_DOMAIN_STATES_H
#define ROUTING_DOMAIN_STATES_H

/* Row 50. */
enum task_state {
    TASK_PENDING = 1,
    TASK_RESERVED = 2,
    TASK_ASSIGNED = 3,
    TASK_WRAPPING = 4,
    TASK_COMPLETED = 5,
    TASK_CANCELED = 6,
    TASK_STATE_COUNT,
};

/* Row 57. */
enum reservation_state {
    RESERVATION_PENDING = 1,
    RESERVATION_ACCEPTED = 2,
    RESERVATION_REJECTED = 3,
    RESERVATION_TIMED_OUT = 4,
    RESERVATION_CANCELED = 5,
    RESERVATION_RESCINDED = 6,
    RESERVATION_WRAPPING = 7,
    RESERVATION_COMPLETED = 8,
    RESERVATION_STATE_COUNT,
};

/* What a PENDING reservation that was accepted for a call waits for. */
enum setup_state {
    SETUP_NONE = 0,
    SETUP_DIALING = 1,
    SETUP_RINGING = 2,
};

enum default_instruction {
    DEFAULT_INSTRUCTION_NONE = 1,
    DEFAULT_INSTRUCTION_ACCEPT = 2,
};

enum route_answer {
    ROUTE_ANSWER_AFTER_TASK = 1,
    ROUTE_ANSWER_AT_ONCE = 2,
    ROUTE_ANSWER_ON_WORKER = 3,
};

enum instruction_kind {
    INSTRUCTION_CALL_ENQUEUED = 1,
    INSTRUCTION_DIAL_WORKER = 2,
    INSTRUCTION_RELEASE_WORKER = 3,
    INSTRUCTION_RELEASE_CALL = 4,
};

/* Places of a task outside the document's filters. */
enum {
    TASK_FILTER_NONE = -1,    /* in no filter: direct, or ended */
    TASK_FILTER_DEFAULT = -2, /* in the default filter */
};

#endif
