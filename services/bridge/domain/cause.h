/* Why a leg is refused, given up or ended by us, and whose fault it is: one closed list for SIP,
 * the log and the metrics. The table is causes.def.
 */
#ifndef BRIDGE_DOMAIN_CAUSE_H
#define BRIDGE_DOMAIN_CAUSE_H

#include "services/bridge/domain/signalling.h"

enum fault {
    FAULT_NONE,
    FAULT_CALLER,
    FAULT_US,
    FAULT_CARRIER,
    FAULT_UNKNOWN,
    FAULT_COUNT,
};

enum cause {
#define CAUSE(name, status, q850, retry_after_s, fault, words) CAUSE_##name,
#include "services/bridge/domain/causes.def"
#undef CAUSE
    CAUSE_COUNT,
};

const struct signalling_reason *cause_reason(enum cause cause);
const char *cause_name(enum cause cause); /* "ROUTE_UNKNOWN" */
enum fault cause_fault(enum cause cause);
const char *fault_name(enum fault fault); /* "carrier" */

#endif
