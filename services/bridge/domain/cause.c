/* The closed list of causes. */
#include "services/bridge/domain/cause.h"

#include <assert.h>

static const struct {
    const char *name;
    enum fault fault;
    struct signalling_reason reason;
} causes[CAUSE_COUNT] = {
/* Formatting (version 14) would lose a backslash. */
/* clang-format off */
#define CAUSE(name, status, q850, retry_after_s, fault, words)                                     \
    [CAUSE_##name] = {#name, FAULT_##fault, {status, words, q850, retry_after_s}},
/* clang-format on */
#include "services/bridge/domain/causes.def"
#undef CAUSE
};

static const char *const fault_names[FAULT_COUNT] = {
    [FAULT_NONE] = "none",       [FAULT_CALLER] = "caller",   [FAULT_US] = "us",
    [FAULT_CARRIER] = "carrier", [FAULT_UNKNOWN] = "unknown",
};

const struct signalling_reason *cause_reason(enum cause cause)
{
    assert(cause < CAUSE_COUNT);
    return &causes[cause].reason;
}

const char *cause_name(enum cause cause)
{
    assert(cause < CAUSE_COUNT);
    return causes[cause].name;
}

enum fault cause_fault(enum cause cause)
{
    assert(cause < CAUSE_COUNT);
    return causes[cause].fault;
}

const char *fault_name(enum fault fault)
{
    assert(fault < FAULT_COUNT);
    return fault_names[fault];
}
