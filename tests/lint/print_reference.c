/* Prints a page of docs/reference from the tables in the sources: `print_reference errors`. */
#include <stdio.h>
#include <string.h>

#include "common/error/error.h"

/* The rows themselves, and not what the services make of them: the same name may mean something to
 * both. */
struct event_row {
    const char *name;
    const char *level;
    const char *meaning;
};

struct metric_row {
    const char *name;
    const char *kind;
    const char *labels;
    const char *meaning;
};

#define LOG_EVENT(name, level, sentence) {#name, #level, sentence},
static const struct event_row routing_log_events[] = {
#include "services/routing/telemetry/log_events.def"
    {NULL, NULL, NULL},
};
static const struct event_row bridge_log_events[] = {
#include "services/bridge/telemetry/log_events.def"
    {NULL, NULL, NULL},
};

#define COUNTER(name, labels, sentence) {#name, "counter", labels, sentence},
#define GAUGE(name, labels, sentence) {#name, "gauge", labels, sentence},
#define HISTOGRAM(name, labels, sentence) {#name, "histogram", labels, sentence},
static const struct metric_row routing_metrics[] = {
#include "services/routing/telemetry/metrics.def"
    {NULL, NULL, NULL, NULL},
};
static const struct metric_row bridge_metrics[] = {
#include "services/bridge/telemetry/metrics.def"
    {NULL, NULL, NULL, NULL},
};

struct cause_row {
    const char *name;
    const char *fault;
    const char *words;
    int status;
    int q850;
    int retry_after_s;
};

#define CAUSE(name, status, q850, retry_after_s, fault, words)                                     \
    {#name, #fault, words, status, q850, retry_after_s},
static const struct cause_row causes[] = {
#include "services/bridge/domain/causes.def"
    {NULL, NULL, NULL, 0, 0, 0},
};

/* 0 stands for none. */
static void print_number(int number)
{
    if (number != 0) {
        printf("%d", number);
    }
    printf(" | ");
}

static void print_causes(void)
{
    printf(
        "# Causes\n\n"
        "Why the bridge refuses a call, gives a ringing phone up, or hangs up. The status is that\n"
        "of the refusal; status, Q.850 cause and words also go into a Reason header (RFC 3326).\n"
        "The log and `cordboard_bridge_invites_total` name cause and fault.\n\n"
        "| Cause | SIP | Q.850 | Retry-After (s) | Fault | Words |\n"
        "| --- | --- | --- | --- | --- | --- |\n");
    for (const struct cause_row *row = causes; row->name; row++) {
        printf("| `%s` | ", row->name);
        print_number(row->status);
        print_number(row->q850);
        print_number(row->retry_after_s);
        printf("%s | %s |\n", row->fault, row->words);
    }
}

static void print_errors(void)
{
    printf(
        "# Errors\n\n"
        "Every error answer carries `google.rpc.ErrorInfo` with one of these reasons. A reason is\n"
        "never renamed; the message beside it may be reworded at any time.\n\n"
        "| Reason | Code | What to do |\n| --- | --- | --- |\n");
    for (int i = 0; i < REASON_COUNT; i++) {
        enum error_reason reason = (enum error_reason)i;

        printf(
            "| `%s` | %s | %s |\n", error_reason_name(reason), error_code_name(error_code(reason)),
            error_reason_advice(reason));
    }
}

static void print_event_table(const char *service, const struct event_row *row)
{
    printf("\n## The %s service\n\n| Event | Level | Meaning |\n| --- | --- | --- |\n", service);
    for (; row->name; row++) {
        printf("| `%s` | %s | %s |\n", row->name, row->level, row->meaning);
    }
}

static void print_log_events(void)
{
    printf("# Log events\n\n"
           "One event is one line. ERROR: somebody must act. WARN: noticed, and went on. INFO: a\n"
           "change worth a line in production. DEBUG: everything else.\n");
    print_event_table("routing", routing_log_events);
    print_event_table("bridge", bridge_log_events);
}

static void print_metric_table(const char *service, const struct metric_row *row)
{
    printf(
        "\n## The %s service\n\n| Metric | Kind | Labels | Meaning |\n| --- | --- | --- | --- |\n",
        service);
    for (; row->name; row++) {
        printf(
            "| `cordboard_%s` | %s | %s | %s |\n", row->name, row->kind, row->labels, row->meaning);
    }
}

static void print_metrics(void)
{
    printf("# Metrics\n\nPrometheus' text form, at `/metrics` of each service's status address.\n");
    print_metric_table("routing", routing_metrics);
    print_metric_table("bridge", bridge_metrics);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } pages[] = {
        {"causes",     print_causes    },
        {"errors",     print_errors    },
        {"log-events", print_log_events},
        {"metrics",    print_metrics   }
    };

    for (size_t i = 0; argc == 2 && i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (strcmp(argv[1], pages[i].name) == 0) {
            pages[i].print();
            return 0;
        }
    }
    (void)fprintf(stderr, "usage: print_reference causes|errors|log-events|metrics\n");
    return 2;
}
