/* What main() of every service does: read settings, start the log, hold signals back from all other
 * threads, start, look after the service once a second, stop at SIGTERM or SIGINT.
 *
 * The program's settings have `log_level` (debug|info|warn|error) and `log_format` (text|json).
 */
#ifndef COMMON_SERVICE_SERVICE_H
#define COMMON_SERVICE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

struct config_program;
struct error;
struct log_event;

struct service {
    const struct config_program *program;
    size_t config_size; /* of the struct of its settings */

    /* Starts everything; *ret_app goes to the other two. Main thread. */
    bool (*start)(const void *config, void **ret_app, struct error *err);
    /* Once a second. False, with what is wrong, when the process should end and be started again.
     */
    bool (*look_after)(void *app, struct error *err);
    /* Finishes what was begun, and frees. */
    void (*stop)(void *app);

    const struct log_event *failed;   /* with the error */
    const struct log_event *stopping; /* a signal came */
    const struct log_event *stopped;
};

/* What main returns: 0; 1 when the service did not start or could not go on, with one line that
 * says why; 2 for bad settings. Also raises the limit of open descriptors to what the system
 * allows. */
int service_main(const struct service *service, int argc, char **argv);

#endif
