/* Whatever arrives on an RTP port: the parser stays inside the bytes, and what it accepts goes
 * through everything that reads a packet. The input is a row of packets, each after its length in
 * one byte, so that sequences of packets are explored too. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "services/bridge/media/codec.h"
#include "services/bridge/media/digits.h"
#include "services/bridge/media/frame.h"
#include "services/bridge/media/jitter_buffer.h"
#include "services/bridge/media/rtp.h"
#include "services/bridge/media/rtp_source.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum {
    EVENT_TYPE = 101,
    TICK_US = 5000,
};

struct receiver {
    struct rtp_source source;
    struct jitter_buffer buffer;
    struct digits digits;
    int64_t now_us;
};

static void require(int condition)
{
    if (!condition) {
        abort();
    }
}

static void receive_event(struct receiver *receiver, const struct rtp_packet *packet)
{
    struct rtp_event event;
    struct digit_reports reports;

    if (!rtp_event_parse(packet->payload, packet->payload_size, &event)) {
        return;
    }
    (void)digits_receive(&receiver->digits, packet->timestamp, &event, receiver->now_us, &reports);
    require(reports.count <= DIGITS_REPORTS_MAX);
    (void)rtp_event_digit(event.code);
}

static void receive_audio(struct receiver *receiver, const struct rtp_packet *packet)
{
    int16_t samples[UINT8_MAX];

    codec_decode(MEDIA_PCMA, packet->payload, packet->payload_size, samples);
    rtp_source_measure_jitter(
        &receiver->source, packet->timestamp, receiver->now_us, SAMPLE_RATE_HZ);
    (void)jitter_buffer_put(&receiver->buffer, packet->timestamp, samples, packet->payload_size);
    require(jitter_buffer_depth(&receiver->buffer) <= JITTER_DEPTH_MAX);
}

static void receive(struct receiver *receiver, const uint8_t *bytes, size_t size)
{
    struct rtp_packet packet;

    if (rtp_parse(bytes, size, &packet) != RTP_VALID) {
        return;
    }
    require(packet.payload >= bytes + RTP_HEADER_SIZE);
    require(packet.payload + packet.payload_size <= bytes + size);

    enum rtp_arrival arrival = rtp_source_receive(&receiver->source, &packet);

    if (arrival == RTP_ARRIVED_RESTARTED) {
        jitter_buffer_restart(&receiver->buffer);
    } else if (arrival != RTP_ARRIVED_NEW) {
        return;
    }
    if (packet.payload_type == EVENT_TYPE) {
        receive_event(receiver, &packet);
    } else {
        receive_audio(receiver, &packet);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct receiver receiver;
    int16_t frame[FRAME_SAMPLES];
    size_t at = 0;

    receiver = (struct receiver){.now_us = 0};
    jitter_buffer_init(&receiver.buffer);
    while (at < size) {
        size_t length = bytes[at++];

        length = length < size - at ? length : size - at;
        receive(&receiver, bytes + at, length);
        at += length;
        receiver.now_us += TICK_US;
        (void)jitter_buffer_take(&receiver.buffer, frame);
    }
    return 0;
}
