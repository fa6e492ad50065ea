/* What the program can be told to do. Each command prints what it has to say and returns the exit
 * code.
 */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include <stdbool.h>

struct api_method;
struct ctl_config;
struct error;

enum exit_code {
    EXIT_WELL = 0,
    EXIT_ERROR_ANSWER = 1,
    EXIT_WRONG_COMMAND = 2
};

/* json: the request, or the first one of a stream; NULL: an empty request, or none. */
enum exit_code command_rpc(const struct ctl_config *config, const char *name, const char *json);
/* word may be NULL. */
enum exit_code command_methods(const char *word);
/* workspace: name or id; after: a number, or NULL for what happens from now on. */
enum exit_code command_watch(
    const struct ctl_config *config,
    const char *workspace,
    const char *after);

/* rpc_stream.c: a method with a stream on either side; returns when the server has ended it. */
enum exit_code call_stream(
    const struct ctl_config *config,
    const struct api_method *method,
    bool client_streams,
    const char *json);

/* The address that a method of either service is called at. */
const char *address_for(const struct ctl_config *config, const struct api_method *method);
/* "/package.Service/Method"; free() it. */
char *method_path(const struct api_method *method);
/* An error answer, to standard error: code, reason, message, and what comes with them. */
enum exit_code report_error(const struct error *err);

#endif
