/* One call: JSON in, JSON out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/client.h"
#include "common/rpc/json_form.h"
#include "services/ctl/api.h"
#include "services/ctl/commands.h"
#include "services/ctl/settings.h"

enum {
    US_PER_MS = 1000
};

const char *address_for(const struct ctl_config *config, const struct api_method *method)
{
    return api_is_bridges(method) ? config->bridge_address : config->routing_address;
}

char *method_path(const struct api_method *method)
{
    return mem_printf("/%s/%s", method->service->name, method->method->name);
}

enum exit_code report_error(const struct error *err)
{
    if (err->reason == REASON_PEER_UNAVAILABLE) {
        /* The library's words for this are long; the last of them are the system's own. */
        size_t address = strcspn(err->message, " ");
        const char *why = strrchr(err->message, ':');

        (void)fprintf(
            stderr, "cordboard: %.*s cannot be reached:%s; does the service run?\n",
            address > 0 ? (int)address - 1 : 0, err->message, why ? why + 1 : err->message);
        return EXIT_ERROR_ANSWER;
    }
    (void)fprintf(
        stderr, "cordboard: %s, %s: %s\n", error_code_name(error_code(err->reason)),
        error_reason_name(err->reason), err->message);
    if (err->field[0] != '\0') {
        (void)fprintf(stderr, "  field: %s\n", err->field);
    }
    for (size_t i = 0; i < err->metadata_count; i++) {
        (void)fprintf(stderr, "  %s: %s\n", err->metadata[i].key, err->metadata[i].value);
    }
    if (err->retry_delay_ms > 0) {
        (void)fprintf(stderr, "  retry after: %lld ms\n", (long long)err->retry_delay_ms);
    }
    return EXIT_ERROR_ANSWER;
}

/* A line break and the indent of the depth. */
static void break_line(int depth)
{
    (void)printf("\n%*s", 2 * depth, "");
}

/* Prints the text that starts here, and returns where it ends: at its closing quote. */
static const char *print_text(const char *c)
{
    do {
        (void)putchar(*c);
        if (*c == '\\') {
            (void)putchar(*++c);
        }
        c++;
    } while (*c != '"');
    (void)putchar(*c);
    return c;
}

/* Prints a bracket, comma or colon, and returns the depth after it. */
static int print_mark(char mark, int depth)
{
    if (mark == '}' || mark == ']') {
        break_line(--depth);
    }
    (void)putchar(mark);
    if (mark == '{' || mark == '[') {
        break_line(++depth);
    } else if (mark == ',') {
        break_line(depth);
    } else if (mark == ':') {
        (void)putchar(' ');
    }
    return depth;
}

/* Compact JSON, laid out for people. */
static void print_json(const char *json)
{
    int depth = 0;

    for (const char *c = json; *c != '\0'; c++) {
        if (*c == '"') {
            c = print_text(c);
        } else if (strncmp(c, "{}", 2) == 0 || strncmp(c, "[]", 2) == 0) {
            (void)printf("%.2s", c++);
        } else if (strchr("{}[],:", *c)) {
            depth = print_mark(*c, depth);
        } else {
            (void)putchar(*c);
        }
    }
    (void)putchar('\n');
}

static enum exit_code call_once(
    const struct ctl_config *config,
    const struct api_method *method,
    const char *json)
{
    const struct rpc_client_options options = {.target = address_for(config, method)};
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    CLEANUP(mem_free_at_exit) char *path = method_path(method);
    CLEANUP(mem_free_at_exit) char *text = NULL;
    ProtobufCMessage *message = NULL;
    const ProtobufCMessage *response = NULL;
    struct error err;

    if (!rpc_json_parse(method->method->input, json ? json : "{}", arena, &message, &err)) {
        (void)report_error(&err);
        return EXIT_WRONG_COMMAND;
    }

    CLEANUP(rpc_client_free_at_exit) struct rpc_client *client = rpc_client_new(&options);
    const struct rpc_request request = {
        .path = path,
        .message = message,
        .response = method->method->output,
        .timeout_ms = (int)(config->timeout_us / US_PER_MS),
    };

    if (!rpc_client_call_wait(client, &request, arena, &response, &err)) {
        return report_error(&err);
    }
    text = rpc_json_print(response);
    print_json(text);
    return EXIT_WELL;
}

enum exit_code command_rpc(const struct ctl_config *config, const char *name, const char *json)
{
    struct api_method method = {0};
    size_t count = api_find(name, &method);
    bool client_streams;
    bool server_streams;

    if (count != 1) {
        (void)fprintf(
            stderr,
            count == 0 ? "cordboard: there is no method '%s'; `cordboard methods` lists them\n"
                       : "cordboard: several services have a method '%s'; say Service/Method\n",
            name);
        return EXIT_WRONG_COMMAND;
    }
    api_streams(&method, &client_streams, &server_streams);
    return client_streams || server_streams ? call_stream(config, &method, client_streams, json)
                                            : call_once(config, &method, json);
}

enum exit_code command_methods(const char *word)
{
    if (api_list(word ? word : "", stdout) == 0) {
        (void)fprintf(stderr, "cordboard: no method has '%s' in its name\n", word);
        return EXIT_ERROR_ANSWER;
    }
    return EXIT_WELL;
}
