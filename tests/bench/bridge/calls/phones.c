/* Phones that know just enough SIP. */
#include "tests/bench/bridge/calls/phones.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/clock/clock.h"

enum {
    TEXT_SIZE = 4096,
    WORD_SIZE = 512,
    RECEIVE_BUFFER = 8 << 20,
    PATIENCE_MS = 2000,
    CALLER_OVER = 1,
    WORKER_OVER = 2,
};

static const char session[] =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";

static void check(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static int open_socket(int bridge_port, int *ret_port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof(address);
    int size = RECEIVE_BUFFER;
    int opened = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    check(opened >= 0, "socket");
    (void)setsockopt(opened, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    check(bind(opened, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
    check(getsockname(opened, (struct sockaddr *)&address, &length) == 0, "getsockname");
    *ret_port = ntohs(address.sin_port);
    address.sin_port = htons((uint16_t)bridge_port);
    check(connect(opened, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
    return opened;
}

void phones_open(struct phones *phones, int bridge_port, int64_t calls_max)
{
    *phones = (struct phones){.bridge_port = bridge_port, .calls_max = calls_max};
    phones->callers = open_socket(bridge_port, &phones->callers_port);
    phones->workers = open_socket(bridge_port, &phones->workers_port);
    phones->over = mem_new_array(unsigned char, (size_t)calls_max);
}

void phones_close(struct phones *phones)
{
    close(phones->callers);
    close(phones->workers);
    free(phones->over);
}

/* A message, and what of it matters. */
struct heard {
    char text[TEXT_SIZE];
    int64_t call; /* its number; -1: none of ours */
    bool request;
    char method[16]; /* of the request, or that is answered */
    int status;
};

/* The value of a header, up to the end of its line. */
static void copy_header(const char *text, const char *name, char value[WORD_SIZE])
{
    const char *line = strstr(text, name);

    value[0] = '\0';
    if (line) {
        line += strlen(name);
        (void)snprintf(value, WORD_SIZE, "%.*s", (int)strcspn(line, "\r"), line);
    }
}

static bool hear(int from, struct heard *heard)
{
    ssize_t size = recv(from, heard->text, TEXT_SIZE - 1, MSG_DONTWAIT);
    char cseq[WORD_SIZE];
    const char *number = NULL;

    if (size <= 0) {
        return false;
    }
    heard->text[size] = '\0';
    heard->request = strncmp(heard->text, "SIP/2.0", 7) != 0;
    heard->status = heard->request ? 0 : (int)strtol(heard->text + strlen("SIP/2.0 "), NULL, 10);
    copy_header(heard->text, "\r\nCSeq: ", cseq);
    (void)snprintf(heard->method, sizeof(heard->method), "%s", cseq + strcspn(cseq, " ") + 1);
    /* A caller's Call-ID is call-<number>; a worker is called w<number>, in From, To or the line.
     */
    number = strstr(heard->text, "call-");
    if (!number) {
        number = strstr(heard->text, ":w");
        number = number ? number + 2 : NULL;
    } else {
        number += strlen("call-");
    }
    heard->call = number ? strtoll(number, NULL, 10) : -1;
    return heard->call >= 0;
}

static void request(
    const struct phones *phones,
    int64_t call,
    const char *method,
    const char *to_tag,
    const char *body)
{
    char text[TEXT_SIZE];
    int length = snprintf(
        text, sizeof(text),
        "%s sip:+4930123@127.0.0.1:%d SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%s%lld\r\nMax-Forwards: 70\r\n"
        "From: <sip:+4989%lld@127.0.0.1>;tag=c%lld\r\nTo: <sip:+4930123@127.0.0.1>%s%s\r\n"
        "Call-ID: call-%lld\r\nCSeq: %d %s\r\nContact: <sip:c@127.0.0.1:%d>\r\n"
        "%sContent-Length: %zu\r\n\r\n%s",
        method, phones->bridge_port, phones->callers_port, method, (long long)call, (long long)call,
        (long long)call, to_tag ? ";tag=" : "", to_tag ? to_tag : "", (long long)call,
        strcmp(method, "BYE") == 0 ? 2 : 1, method, phones->callers_port,
        *body != '\0' ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);

    (void)send(phones->callers, text, (size_t)length, 0);
}

static void begin_call(struct phones *phones)
{
    request(phones, phones->started++, "INVITE", NULL, session);
}

static const char *tag_in(const char *value)
{
    const char *tag = strstr(value, ";tag=");

    return tag ? tag + strlen(";tag=") : "";
}

static void finish(struct phones *phones, int64_t call, unsigned char part)
{
    if (phones->over[call] & part) {
        phones->repeats++;
        return;
    }
    phones->over[call] |= part;
    phones->finished += phones->over[call] == (CALLER_OVER | WORKER_OVER);
}

/* Tags of answered callers, by number: a BYE comes later. */
static char (*caller_tags)[32];

static void caller_hears(struct phones *phones, const struct heard *heard)
{
    char to[WORD_SIZE];

    if (heard->request) {
        return;
    }
    copy_header(heard->text, "\r\nTo: ", to);
    if (strcmp(heard->method, "INVITE") == 0 && heard->status == 200) {
        (void)snprintf(caller_tags[heard->call], sizeof(caller_tags[0]), "%s", tag_in(to));
        request(phones, heard->call, "ACK", caller_tags[heard->call], "");
    } else if (strcmp(heard->method, "BYE") == 0 && heard->status == 200) {
        finish(phones, heard->call, CALLER_OVER);
    } else if (heard->status >= 300) {
        (void)fprintf(stderr, "call %lld: %d\n", (long long)heard->call, heard->status);
        exit(1);
    }
}

static void reply(const struct phones *phones, const struct heard *heard, const char *body)
{
    char via[WORD_SIZE];
    char from[WORD_SIZE];
    char to[WORD_SIZE];
    char call_id[WORD_SIZE];
    char cseq[WORD_SIZE];
    char text[TEXT_SIZE];
    bool tagged = false;

    copy_header(heard->text, "\r\nVia: ", via);
    copy_header(heard->text, "\r\nFrom: ", from);
    copy_header(heard->text, "\r\nTo: ", to);
    copy_header(heard->text, "\r\nCall-ID: ", call_id);
    copy_header(heard->text, "\r\nCSeq: ", cseq);
    tagged = strstr(to, ";tag=") != NULL;

    int length = snprintf(
        text, sizeof(text),
        "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %s\r\n"
        "Contact: <sip:w%lld@127.0.0.1:%d>\r\n%sContent-Length: %zu\r\n\r\n%s",
        via, from, to, tagged ? "" : ";tag=w", call_id, cseq, (long long)heard->call,
        phones->workers_port, *body != '\0' ? "Content-Type: application/sdp\r\n" : "",
        strlen(body), body);

    (void)send(phones->workers, text, (size_t)length, 0);
}

static void worker_hears(struct phones *phones, const struct heard *heard)
{
    if (!heard->request) {
        return;
    }
    if (strcmp(heard->method, "INVITE") == 0) {
        reply(phones, heard, session);
    } else if (strcmp(heard->method, "ACK") == 0) {
        request(phones, heard->call, "BYE", caller_tags[heard->call], "");
    } else if (strcmp(heard->method, "BYE") == 0) {
        reply(phones, heard, "");
        finish(phones, heard->call, WORKER_OVER);
    }
}

static bool take_all(struct phones *phones)
{
    static struct heard heard;
    bool any = false;

    while (hear(phones->callers, &heard)) {
        caller_hears(phones, &heard);
        any = true;
    }
    while (hear(phones->workers, &heard)) {
        worker_hears(phones, &heard);
        any = true;
    }
    return any;
}

void phones_run(struct phones *phones, int in_flight, int64_t until_mono_us)
{
    struct pollfd ready[] = {
        {.fd = phones->callers, .events = POLLIN},
        {.fd = phones->workers, .events = POLLIN},
    };

    caller_tags = mem_alloc_array((size_t)phones->calls_max, sizeof(caller_tags[0]));
    for (;;) {
        bool more = clock_mono_us(clock_system()) < until_mono_us;
        while (more && phones->started - phones->finished < in_flight &&
               phones->started < phones->calls_max) {
            begin_call(phones);
        }
        if (!more && phones->started == phones->finished) {
            break;
        }
        if (!take_all(phones) && poll(ready, 2, PATIENCE_MS) == 0) {
            break; /* what is lost now stays lost, and counts as not finished */
        }
    }
    free(caller_tags);
    caller_tags = NULL;
}
