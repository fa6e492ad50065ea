/* A stream: requests are lines of JSON on standard input, answers are lines on standard output. The
 * end of the input is the end of the requests; the server decides when the stream is over.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/error/error.h"
#include "common/rpc/client.h"
#include "common/rpc/json_form.h"
#include "services/ctl/api.h"
#include "services/ctl/commands.h"
#include "services/ctl/settings.h"

enum {
    LINE_MAX_BYTES = 1024 * 1024
};

struct stream_call {
    const struct api_method *method;
    struct rpc_client_stream *stream;
    int ended; /* an eventfd: readable once the stream is over */
    bool failed;
    struct error err;
};

/* Lines as they come, without waiting for more than there is. */
struct line_reader {
    char *bytes;
    size_t used;
};

static void print_message(
    struct rpc_client_stream *stream,
    void *data,
    const ProtobufCMessage *message)
{
    CLEANUP(mem_free_at_exit) char *text = rpc_json_print(message);

    (void)stream;
    (void)data;
    (void)printf("%s\n", text);
    (void)fflush(stdout);
}

static void stream_ended(struct rpc_client_stream *stream, void *data, const struct error *err)
{
    struct stream_call *call = data;

    (void)stream;
    if (err) {
        call->failed = true;
        call->err = *err;
    }
    (void)eventfd_write(call->ended, 1);
}

/* False, and it is said why, when the line is no request of this method. */
static bool send_line(struct stream_call *call, const char *line)
{
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    ProtobufCMessage *message = NULL;
    struct error err;

    if (line[strspn(line, " \t\r")] == '\0') {
        return true;
    }
    if (!rpc_json_parse(call->method->method->input, line, arena, &message, &err)) {
        (void)report_error(&err);
        return false;
    }
    (void)rpc_client_stream_send(call->stream, message);
    return true;
}

/* Sends every whole line, and what is left when there will be no more. */
static bool send_lines(struct stream_call *call, struct line_reader *reader, bool at_end)
{
    char *line = reader->bytes;
    char *end;

    reader->bytes[reader->used] = '\0';
    while ((end = memchr(line, '\n', reader->used)) != NULL) {
        *end = '\0';
        if (!send_line(call, line)) {
            return false;
        }
        reader->used -= (size_t)(end + 1 - line);
        line = end + 1;
    }
    memmove(reader->bytes, line, reader->used + 1);
    return !at_end || send_line(call, reader->bytes);
}

/* Reads standard input once; ret_open tells whether there may be more. */
static bool read_input(struct stream_call *call, struct line_reader *reader, bool *ret_open)
{
    size_t room = LINE_MAX_BYTES - reader->used;

    if (room == 0) {
        (void)fprintf(stderr, "cordboard: a line is longer than %d bytes\n", LINE_MAX_BYTES);
        return false;
    }

    ssize_t count = read(STDIN_FILENO, reader->bytes + reader->used, room);

    if (count > 0) {
        reader->used += (size_t)count;
    }
    *ret_open = count > 0 || (count < 0 && errno == EINTR);
    if (!send_lines(call, reader, !*ret_open)) {
        return false;
    }
    if (!*ret_open) {
        rpc_client_stream_half_close(call->stream);
    }
    return true;
}

/* Until the stream is over; false when the input was wrong. */
static bool converse(struct stream_call *call, bool input_open)
{
    CLEANUP(mem_free_at_exit) char *bytes = mem_alloc(LINE_MAX_BYTES + 1);
    struct line_reader reader = {.bytes = bytes};

    for (;;) {
        struct pollfd waits[] = {
            {.fd = call->ended,                    .events = POLLIN},
            {.fd = input_open ? STDIN_FILENO : -1, .events = POLLIN},
        };

        if (poll(waits, 2, -1) < 0) {
            continue; /* a signal; nothing else can fail here */
        }
        if (waits[0].revents != 0) {
            return true;
        }
        if (waits[1].revents != 0 && !read_input(call, &reader, &input_open)) {
            return false;
        }
    }
}

enum exit_code call_stream(
    const struct ctl_config *config,
    const struct api_method *method,
    bool client_streams,
    const char *json)
{
    const struct rpc_client_options options = {.target = address_for(config, method)};
    const struct rpc_client_stream_handler handler = {
        .message = print_message, .closed = stream_ended};
    CLEANUP(arena_free_at_exit) struct arena *arena = arena_new();
    CLEANUP(mem_free_at_exit) char *path = method_path(method);
    struct stream_call call = {.method = method, .ended = eventfd(0, EFD_CLOEXEC)};
    struct rpc_request request = {.path = path, .response = method->method->output};
    ProtobufCMessage *message = NULL;

    if ((json || !client_streams) &&
        !rpc_json_parse(method->method->input, json ? json : "{}", arena, &message, &call.err)) {
        (void)report_error(&call.err);
        return EXIT_WRONG_COMMAND;
    }
    request.message = message;

    struct rpc_client *client = rpc_client_new(&options);

    call.stream = rpc_client_stream_open(client, &request, &handler, &call);
    if (!client_streams) {
        rpc_client_stream_half_close(call.stream);
    }

    bool well = converse(&call, client_streams);

    call.stream = rpc_client_stream_unref(call.stream);
    (void)rpc_client_free(client); /* no callback after this */
    (void)close(call.ended);
    if (!well) {
        return EXIT_WRONG_COMMAND;
    }
    return call.failed ? report_error(&call.err) : EXIT_WELL;
}
