/* Phones' voices for tests: each party sends a tone or a recording as RTP, hears what comes back,
 * measures and keeps it. A stage is the thread that drives all parties of a test.
 *
 * Functions may be called from any thread. What cannot fail in a sane test aborts with a message.
 */
#ifndef SUPPORT_RTP_PARTY_H
#define SUPPORT_RTP_PARTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/bridge/media/codec.h"

struct media_prompt;
struct rtp_party;
struct rtp_stage;

enum {
    RTP_PARTY_DIGITS = 32
};

struct rtp_party_options {
    const char *address; /* to bind, numeric IPv4; NULL: 127.0.0.1 */
    uint16_t port;       /* 0: any */
    enum media_codec codec;
    uint8_t payload_type;   /* 0 PCMU, 8 PCMA */
    int event_payload_type; /* 0: 101 */
    unsigned ptime_ms;      /* 0: 20 */
    double tone_hz;         /* what it says; 0: silence */
    bool voice; /* not a plain tone but something like speech, with tone_hz as its pitch */
    struct media_prompt *speech; /* or this, over and over; a reference is kept */
    bool mute;                   /* sends no packets at all */
};

struct rtp_party_report {
    uint64_t packets_in;
    uint64_t packets_out;
    uint64_t missing;       /* gaps in the sequence numbers that were never filled */
    uint64_t out_of_order;  /* and duplicates */
    uint64_t sources;       /* different SSRCs */
    int64_t longest_gap_us; /* between two audio packets */
    int64_t shortest_gap_us;
    int64_t heard_ms;              /* audio received, by timestamps */
    char digits[RTP_PARTY_DIGITS]; /* telephone events that ended, in order */
    uint32_t digit_ms;             /* length of the last one */
    uint64_t foreign_events;       /* telephone events of another payload type than agreed */
};

struct rtp_stage *rtp_stage_start(void);
/* Closes its parties too. */
struct rtp_stage *rtp_stage_stop(struct rtp_stage *stage);

struct rtp_party *rtp_party_open(struct rtp_stage *stage, const struct rtp_party_options *options);
uint16_t rtp_party_port(const struct rtp_party *party);
/* Sends there from now on. Without it, the party answers to where it first hears something from. */
void rtp_party_call(struct rtp_party *party, const char *address, uint16_t port);
void rtp_party_say(struct rtp_party *party, double tone_hz);
void rtp_party_set_mute(struct rtp_party *party, bool mute);
/* Presses a key: one telephone event. Waits its turn behind the one before. */
void rtp_party_dial(struct rtp_party *party, char digit, unsigned duration_ms);
/* Sends these bytes as they are, once. */
void rtp_party_send_raw(struct rtp_party *party, const void *bytes, size_t size);

/* Level in dBFS (RMS) of this tone in the last 400 ms heard, of everything when hz is 0; -96 when
 * nothing came lately. */
double rtp_party_level(struct rtp_party *party, double hz);
/* True once the level is at least (above) or below `dbfs`; false when that does not happen in time.
 */
bool rtp_party_waits_to_hear(struct rtp_party *party, double hz, double dbfs, int timeout_ms);
bool rtp_party_waits_for_silence(struct rtp_party *party, double hz, double dbfs, int timeout_ms);
void rtp_party_get_report(struct rtp_party *party, struct rtp_party_report *ret_report);
/* All it has heard, as a WAV file at 8 kHz. */
bool rtp_party_save(struct rtp_party *party, const char *path);

#endif
