/* Limits of the routing service's resources (row 151), and the clocks that nobody sets. */
#ifndef ROUTING_DOMAIN_LIMITS_H
#define ROUTING_DOMAIN_LIMITS_H

#include <stdint.h>

enum {
    ID_LENGTH_MAX = 63,
    NAME_CHARACTERS_MAX = 64,
    ATTRIBUTES_CHARACTERS_MAX = 4096,
    REASON_CHARACTERS_MAX = 256,
    CALLED_NUMBER_CHARACTERS_MAX = 64,
    CAPACITY_MAX = 1000,
    ASSIGNMENT_COUNT_MAX = 1000, /* row 53 */
    SOURCE_ADDRESSES_MAX = 32,
    PAGE_SIZE_DEFAULT = 50,
    PAGE_SIZE_MAX = 1000,

    /* How many of each a workspace holds. */
    ACTIVITIES_MAX = 100,
    TASK_CHANNELS_MAX = 100,
    TASK_QUEUES_MAX = 5000,
    WORKERS_MAX = 15000,
    WORKFLOWS_MAX = 1000,
    TASKS_MAX = 1000000,
    TRUNKS_MAX = 1000,
    INBOUND_ROUTES_MAX = 10000,
};

#define SECONDS_US(n) (INT64_C(1000000) * (n))

#define TASK_TTL_DEFAULT_US SECONDS_US(86400)
#define TASK_TTL_MAX_US SECONDS_US(1209600)
#define TASK_ASSIGNED_MAX_US SECONDS_US(86400) /* row 54; not while a caller is on the line */
#define TASK_RETENTION_US SECONDS_US(300)      /* row 55 */
#define RESERVATION_TIMEOUT_DEFAULT_US SECONDS_US(120)
#define RESERVATION_TIMEOUT_MAX_US SECONDS_US(86400)
#define WRAP_UP_TIMEOUT_DEFAULT_US SECONDS_US(3600)
#define WRAP_UP_TIMEOUT_MAX_US SECONDS_US(86400)
#define REQUEST_RETENTION_US SECONDS_US(600)
/* 1900-01-01, the earliest virtual start time. */
#define VIRTUAL_START_TIME_MIN_US SECONDS_US(-2208988800)

/* How long a worker's phone rings, and how long the bridge may take besides. */
#define RING_TIMEOUT_US SECONDS_US(60)
#define SETUP_MARGIN_US SECONDS_US(15)

/* A bridge that is silent for so long is taken for lost. */
#define BRIDGE_LEASE_US SECONDS_US(30)

/* A worker whose reservation of a task ended without acceptance gets the same task again after this
 * delay at the earliest; it doubles with each further one. Others may have the task at once. */
#define RETRY_DELAY_US SECONDS_US(5)
#define RETRY_DELAY_MAX_US SECONDS_US(80)

#endif
