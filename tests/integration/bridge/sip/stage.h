/* A SIP agent on a stage: its events are kept for the test to look at, its commands are given by
 * the test, and its peer is a UDP socket that says and hears what the test wants. Ports are the
 * system's choice on 127.0.0.1; every wait has a deadline and fails the test.
 */
#ifndef TESTS_INTEGRATION_BRIDGE_SIP_STAGE_H
#define TESTS_INTEGRATION_BRIDGE_SIP_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "services/bridge/domain/session_description.h"
#include "services/bridge/domain/signalling.h"
#include "services/bridge/sip/agent.h"

enum {
    STAGE_T1_MS = 20,
    STAGE_TEXT_SIZE = 16384,
    STAGE_WORD_SIZE = 256,
};

struct stage;

/* A signalling event that outlives its handler. */
struct scene {
    enum signalling_event_kind kind;
    int64_t leg;
    int status;
    char phrase[STAGE_WORD_SIZE];
    bool described;
    struct session_description description;
    char source_address[STAGE_WORD_SIZE];
    int source_port;
    char called_number[STAGE_WORD_SIZE];
    char caller_number[STAGE_WORD_SIZE];
    char caller_display_name[STAGE_WORD_SIZE];
    char sip_call_id[STAGE_WORD_SIZE];
    char from_tag[STAGE_WORD_SIZE];
    char contact_uri[STAGE_WORD_SIZE];
};

struct stage *stage_new(void);
/* With other options than T1 and the address. */
struct stage *stage_new_with(struct agent_options options);
/* From now on every call is refused with 403 inside its handler, and the test hears of none. */
void stage_refuse_all(struct stage *stage);
/* Stops the agent; everything it held must be gone. */
struct stage *stage_free(struct stage *stage);
struct agent *stage_agent(struct stage *stage);
int stage_port(const struct stage *stage);

/* The next event; fails the test when it is of another kind, or none comes. */
struct scene stage_expect(struct stage *stage, enum signalling_event_kind kind);
/* The next event, if there is one. */
bool stage_next(struct stage *stage, struct scene *ret_scene);
/* Fails the test if there is an event. Everything sent before has been handled when it returns. */
void stage_expect_nothing(struct stage *stage);

/* Commands, given on the signalling thread; each returns when it was given. */
void stage_progress(struct stage *stage, int64_t leg, int status, bool described);
void stage_answer(struct stage *stage, int64_t leg);
void stage_refuse(struct stage *stage, int64_t leg, const struct signalling_reason *reason);
void stage_dial(struct stage *stage, int64_t leg, const char *to_uri, int64_t ring_timeout_us);
void stage_cancel(struct stage *stage, int64_t leg);
void stage_hang_up(struct stage *stage, int64_t leg);
void stage_answer_reoffer(struct stage *stage, int64_t leg, int status);
struct agent_statistics stage_statistics(struct stage *stage);
/* Until the agent holds no leg, no dialog and no server transaction. */
void stage_expect_idle(struct stage *stage);
/* Until it holds no transaction at all: half a minute after an INVITE of ours. */
void stage_expect_no_transactions(struct stage *stage);

/* The peer. */
struct peer {
    int socket;
    int port;
    int target_port;
    bool tcp;
    char text[STAGE_TEXT_SIZE]; /* the last message heard */
};

void peer_open(struct peer *peer, const struct stage *stage);
/* Over TCP; peer_hears then takes what one read gives for a message. */
void peer_connect(struct peer *peer, const struct stage *stage);
/* The same, called by the agent: first listen, then dial, then accept. */
void peer_listen(struct peer *peer);
void peer_accept(struct peer *peer);
void peer_close(struct peer *peer);
void peer_say(struct peer *peer, const char *format, ...) PRINTF_LIKE(2, 3);
/* A request of the peer's, from <sip:alice@example.com>;tag=peer, in the one call the peer has. */
struct peer_request {
    const char *method;
    int cseq;
    const char *uri;     /* NULL: sip:+4930555@ and the agent's address */
    const char *branch;  /* what follows the magic cookie */
    const char *to_tag;  /* NULL: none */
    const char *via;     /* instead of the usual one, without "Via: "; NULL: the usual one */
    const char *headers; /* more of them, each with its CRLF; NULL: a Contact of the peer's */
    const char *body;    /* SDP; NULL: none */
};

#define PEER_OFFER                                                                                 \
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"                    \
    "m=audio 4000 RTP/AVP 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\n"

void peer_request(struct peer *peer, const struct peer_request *request);
/* Answers the last message heard, a request. `tag` of To, or NULL. Headers and body as above. */
void peer_reply(
    struct peer *peer,
    const char *status,
    const char *tag,
    const char *headers,
    const char *body);
void peer_say_bytes(struct peer *peer, const void *bytes, size_t size);
/* The next message whose first line begins so; others are passed over. */
void peer_expect(struct peer *peer, const char *beginning);
bool peer_hears(struct peer *peer, const char *beginning, int timeout_ms);
/* A header's value in the last message, "" when there is none. `name` with its colon. */
void peer_header(const struct peer *peer, const char *name, char value[STAGE_WORD_SIZE]);
bool peer_text_has(const struct peer *peer, const char *text);

#endif
