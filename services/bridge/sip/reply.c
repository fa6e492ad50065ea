/* See the header. */
#include "services/bridge/sip/reply.h"

#include <sofia-sip/msg_types.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "services/bridge/sip/sdp.h"

enum {
    WARNING_SIZE = 512,
    TOKENS_SIZE = 256,
};

static const char allowed_methods[] = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE";
static const char body_type[] = "application/sdp";

/* Texts of ours stand in quotes; nothing in them may end the quotes. */
static void print_quoted(const char *text, char *quoted, size_t size)
{
    size_t length = 0;

    for (; *text && length + 1 < size; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\') {
            quoted[length++] = *text;
        }
    }
    quoted[length] = '\0';
}

void reason_print(const struct signalling_reason *reason, char text[REASON_TEXT_SIZE])
{
    char quoted[REASON_TEXT_SIZE / 2];
    int length = 0;

    text[0] = '\0';
    if (!reason) {
        return;
    }
    print_quoted(reason->text ? reason->text : "", quoted, sizeof(quoted));
    if (reason->status > 0) {
        length = snprintf(text, REASON_TEXT_SIZE, "SIP;cause=%d", reason->status);
        if (*quoted) {
            length +=
                snprintf(text + length, REASON_TEXT_SIZE - (size_t)length, ";text=\"%s\"", quoted);
        }
    }
    if (reason->q850_cause > 0) {
        (void)snprintf(
            text + length, REASON_TEXT_SIZE - (size_t)length, "%sQ.850;cause=%d",
            length > 0 ? ", " : "", reason->q850_cause);
    }
}

static void print_warning(const struct agent *agent, const char *warning, char text[WARNING_SIZE])
{
    char quoted[WARNING_SIZE / 4];

    print_quoted(warning, quoted, sizeof(quoted));
    (void)snprintf(text, WARNING_SIZE, "399 %s \"%s\"", agent->host, quoted);
}

/* What does not fit is left out: the peer knows what it asked for. */
static void print_tokens(const sip_require_t *tokens, char text[TOKENS_SIZE])
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; tokens && tokens->k_items && tokens->k_items[i]; i++) {
        if (length + strlen(tokens->k_items[i]) + 2 < TOKENS_SIZE) {
            length += (size_t)snprintf(
                text + length, TOKENS_SIZE - length, "%s%s", length > 0 ? ", " : "",
                tokens->k_items[i]);
        }
    }
}

/* A reply with its texts; the tags of the library point to them. */
struct prepared {
    char warning[WARNING_SIZE];
    char unsupported[TOKENS_SIZE];
    char retry_after[16];
    char body[DESCRIPTION_TEXT_SIZE];
};

static const char *text_or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static void prepare(const struct agent *agent, const struct reply *reply, struct prepared *prepared)
{
    prepared->warning[0] = '\0';
    prepared->retry_after[0] = '\0';
    prepared->body[0] = '\0';
    if (reply->warning) {
        print_warning(agent, reply->warning, prepared->warning);
    }
    print_tokens(reply->unsupported, prepared->unsupported);
    if (reply->retry_after_s > 0) {
        (void)snprintf(
            prepared->retry_after, sizeof(prepared->retry_after), "%d", reply->retry_after_s);
    }
    if (reply->description) {
        description_print(reply->description, prepared->body);
    }
}

static const char *phrase_of(const struct reply *reply)
{
    const char *phrase = reply->phrase ? reply->phrase : sip_status_phrase(reply->status);

    return phrase ? phrase : "Refused";
}

/* The tags of every answer; `p` holds the texts. A tag without a value adds nothing. */
#define REPLY_TAGS(agent, reply, p)                                                                \
    SIPTAG_CONTACT_STR(text_or_null((reply)->contact)), SIPTAG_SERVER_STR((agent)->user_agent),    \
        SIPTAG_ALLOW_STR((reply)->status >= 200 ? allowed_methods : NULL),                         \
        SIPTAG_ACCEPT_STR((reply)->status == 415 ? body_type : NULL),                              \
        SIPTAG_UNSUPPORTED_STR(text_or_null((p)->unsupported)),                                    \
        SIPTAG_RETRY_AFTER_STR(text_or_null((p)->retry_after)),                                    \
        SIPTAG_REASON_STR(text_or_null((reply)->reason)),                                          \
        SIPTAG_WARNING_STR(text_or_null((p)->warning)),                                            \
        SIPTAG_CONTENT_TYPE_STR(*(p)->body ? body_type : NULL),                                    \
        SIPTAG_PAYLOAD_STR(text_or_null((p)->body))

bool reply_send(const struct agent *agent, nta_incoming_t *request, const struct reply *reply)
{
    struct prepared prepared;

    prepare(agent, reply, &prepared);
    (void)nta_incoming_treply(
        request, reply->status, phrase_of(reply), REPLY_TAGS(agent, reply, &prepared), TAG_END());
    /* The library's result does not tell: the status is taken over when it was really sent. */
    return reply->status < 200 || nta_incoming_status(request) == reply->status;
}

void reply_send_stateless(const struct agent *agent, msg_t *msg, const struct reply *reply)
{
    struct prepared prepared;

    prepare(agent, reply, &prepared);
    (void)nta_msg_treply(
        agent->nta, msg, reply->status, phrase_of(reply), REPLY_TAGS(agent, reply, &prepared),
        TAG_END());
}

static bool has_body(const sip_t *sip)
{
    return sip->sip_payload && sip->sip_payload->pl_data && sip->sip_payload->pl_len > 0;
}

int body_read(const sip_t *sip, struct session_description *ret_description, const char **ret_why)
{
    const sip_content_type_t *type = sip->sip_content_type;

    if (!has_body(sip)) {
        return 0;
    }
    if (!type || !type->c_type || strcasecmp(type->c_type, body_type) != 0 ||
        sip->sip_content_encoding) {
        *ret_why = "the body is not application/sdp";
        return 415;
    }
    switch (description_parse(
        sip->sip_payload->pl_data, (size_t)sip->sip_payload->pl_len, ret_description, ret_why)) {
    case DESCRIPTION_PARSED:
        return 200;
    case DESCRIPTION_UNUSABLE:
        return 488;
    case DESCRIPTION_MALFORMED:
    default:
        return 400;
    }
}

bool requires_something(const sip_t *sip)
{
    return sip->sip_require && sip->sip_require->k_items && sip->sip_require->k_items[0];
}
