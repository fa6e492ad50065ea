/* The library's assertions are compiled in, and it trusts messages more than strangers deserve. So
 * some are sorted out between its parser and its transactions:
 * - A Via with maddr or comp: our answers go to where the request came from, and nowhere else.
 * - A Via without RFC 3261's magic cookie, which the library's transactions rely on.
 * - An ACK for an INVITE that we have not finally answered: it is nobody's.
 * - A 1xx or 2xx to an INVITE whose Contact or Record-Route is no SIP address: the library may
 *   answer some of those without asking.
 * The hook is the message class's function for the body, which the parser calls when the headers
 * are complete. Dropping a message means taking its first line away: the library then counts it as
 * garbage. */
#include "services/bridge/sip/door.h"

#include <ctype.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/url.h>
#include <string.h>

enum {
    MAGIC_LENGTH = 7,
};

static const char magic_cookie[] = "z9hG4bK";

/* The parser knows nothing of agents; it runs on the agent's thread. */
static _Thread_local const nta_agent_t *door_agent;

bool door_allows_uri(const url_t *url)
{
    return url && (url->url_type == url_sip || url->url_type == url_sips) && url->url_host &&
           *url->url_host;
}

bool door_allows_routes(const sip_t *sip)
{
    for (const sip_record_route_t *route = sip->sip_record_route; route; route = route->r_next) {
        if (!door_allows_uri(route->r_url)) {
            return false;
        }
    }
    return !sip->sip_contact || door_allows_uri(sip->sip_contact->m_url);
}

bool door_allows_via(const sip_t *sip)
{
    const sip_via_t *via = sip->sip_via;

    return via && via->v_branch && strncasecmp(via->v_branch, magic_cookie, MAGIC_LENGTH) == 0 &&
           via->v_branch[MAGIC_LENGTH];
}

/* True when the transaction that the ACK's branch names has not been answered. An ACK for a 2xx has
 * a branch of its own and names none. */
static bool is_early_ack(const sip_t *sip)
{
    if (!sip->sip_cseq || !sip->sip_call_id || !sip->sip_from || !sip->sip_to) {
        return true;
    }

    sip_cseq_t cseq = *sip->sip_cseq;
    sip_t invite = *sip;

    cseq.cs_method = sip_method_invite;
    cseq.cs_method_name = "INVITE";
    invite.sip_cseq = &cseq;

    const nta_incoming_t *request = nta_incoming_find(door_agent, &invite, sip->sip_via);

    return request && nta_incoming_status(request) < 200;
}

static bool must_drop_request(const sip_t *sip)
{
    const sip_via_t *via = sip->sip_via;
    bool in_dialog = sip->sip_to && sip->sip_to->a_tag;
    bool is_ack = sip->sip_request->rq_method == sip_method_ack;

    if (!via || via->v_maddr || via->v_comp) {
        return true;
    }
    if (!door_allows_via(sip)) {
        return in_dialog || is_ack;
    }
    return is_ack && is_early_ack(sip);
}

static bool must_drop_response(const sip_t *sip)
{
    return sip->sip_cseq && sip->sip_cseq->cs_method == sip_method_invite &&
           sip->sip_status->st_status < 300 && !door_allows_routes(sip);
}

static void judge(sip_t *sip)
{
    if (sip->sip_request && must_drop_request(sip)) {
        sip->sip_request = NULL;
    } else if (sip->sip_status && must_drop_response(sip)) {
        sip->sip_status = NULL;
    }
}

static issize_t handle_body(msg_t *msg, msg_pub_t *message, char bytes[], isize_t size, int eos)
{
    bool in_headers = !(message->msg_flags & MSG_FLG_BODY);
    issize_t used = sip_default_mclass()->mc_extract_body(msg, message, bytes, size, eos);

    if (in_headers && (message->msg_flags & MSG_FLG_BODY) && door_agent) {
        judge((sip_t *)message);
    }
    return used;
}

msg_mclass_t *door_message_class(void)
{
    msg_mclass_t *message_class = msg_mclass_clone(sip_default_mclass(), 0, 0);

    message_class->mc_extract_body = handle_body;
    return message_class;
}

void door_open_for(nta_agent_t *nta)
{
    door_agent = nta;
}

/* UTF-8 that may be shown: Unicode's table 3-7, without control characters. The second byte's
 * bounds keep out overlong forms, surrogates and what is beyond Unicode. */
struct character_row {
    unsigned char first[2];
    unsigned char second[2];
    size_t length;
};

static const struct character_row character_rows[] = {
    {{0x20, 0x7e}, {0, 0},       1},
    {{0xc2, 0xc2}, {0xa0, 0xbf}, 2},
    {{0xc3, 0xdf}, {0x80, 0xbf}, 2},
    {{0xe0, 0xe0}, {0xa0, 0xbf}, 3},
    {{0xe1, 0xec}, {0x80, 0xbf}, 3},
    {{0xed, 0xed}, {0x80, 0x9f}, 3},
    {{0xee, 0xef}, {0x80, 0xbf}, 3},
    {{0xf0, 0xf0}, {0x90, 0xbf}, 4},
    {{0xf1, 0xf3}, {0x80, 0xbf}, 4},
    {{0xf4, 0xf4}, {0x80, 0x8f}, 4},
};

static bool is_within(unsigned char byte, const unsigned char bounds[2])
{
    return byte >= bounds[0] && byte <= bounds[1];
}

static bool fits(const unsigned char *text, const struct character_row *row)
{
    if (!is_within(text[0], row->first) || (row->length > 1 && !is_within(text[1], row->second))) {
        return false;
    }
    for (size_t i = 2; i < row->length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return true;
}

/* The length of the character at `text`; 0: none that may be shown. */
static size_t character_length(const unsigned char *text)
{
    for (size_t i = 0; i < sizeof(character_rows) / sizeof(character_rows[0]); i++) {
        if (fits(text, &character_rows[i])) {
            return character_rows[i].length;
        }
    }
    return 0;
}

static bool is_printable(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at) {
        size_t length = character_length(at);

        if (length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}

bool door_read_user(const url_t *url, char text[DOOR_NUMBER_SIZE])
{
    /* tel: URIs keep their number where others have the host. */
    const char *user = url->url_user              ? url->url_user
                       : url->url_type == url_tel ? url->url_host
                                                  : "";

    if (!user) {
        user = "";
    }
    if (strlen(user) >= DOOR_NUMBER_SIZE || strcasestr(user, "%00")) {
        return false;
    }
    (void)url_unescape(text, user);
    return is_printable(text);
}

void door_read_display_name(const char *display, char text[DOOR_NAME_SIZE])
{
    size_t length = 0;
    bool quoted = display && *display == '"';

    for (const char *at = display ? display + quoted : ""; *at && !(quoted && *at == '"'); at++) {
        if (quoted && *at == '\\' && at[1]) {
            at++;
        }
        if (length == DOOR_NAME_SIZE - 1) {
            length = 0;
            break;
        }
        text[length++] = *at;
    }
    text[length] = '\0';
    if (!is_printable(text)) {
        text[0] = '\0';
    }
}

bool door_allows_token(const char *text)
{
    if (!text || !*text || strlen(text) > 255) {
        return false;
    }
    for (; *text; text++) {
        if (!isgraph((unsigned char)*text)) {
            return false;
        }
    }
    return true;
}
