/* Many phones on two UDP sockets: callers on one, workers on the other. A caller is answered, waits
 * until the worker's phone was answered too, and hangs up; then the next one calls.
 */
#ifndef BENCH_BRIDGE_CALLS_PHONES_H
#define BENCH_BRIDGE_CALLS_PHONES_H

#include <stdint.h>

struct phones {
    int callers; /* sockets, connected to the bridge */
    int workers;
    int bridge_port;
    int callers_port;
    int workers_port;
    int64_t started;
    int64_t finished;    /* both BYEs were answered */
    int64_t repeats;     /* requests or answers that came twice */
    unsigned char *over; /* by number of the call: which of the two BYEs is done */
    int64_t calls_max;
};

void phones_open(struct phones *phones, int bridge_port, int64_t calls_max);
void phones_close(struct phones *phones);
/* Keeps `in_flight` calls going until `until_mono_us`, then lets those end that were begun. */
void phones_run(struct phones *phones, int in_flight, int64_t until_mono_us);

#endif
