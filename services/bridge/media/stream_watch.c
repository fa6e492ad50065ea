/* The watch over a stream: is there audio both ways, has the source gone, how loud is it? */
#include "services/bridge/media/rtp.h"
#include "services/bridge/media/stream.h"

enum {
    FLOW_TICKS = 10,  /* look every 200 ms */
    LEVEL_TICKS = 50, /* levels are of whole seconds */
};

static int64_t later(int64_t one, int64_t other)
{
    return one > other ? one : other;
}

/* Names one-way audio. Rests in the directions that hold has closed. */
static void watch_flow(struct stream *stream, int64_t now_us)
{
    const struct stream_settings *settings = stream->settings;
    int64_t last_in = atomic_load_explicit(&stream->counters.last_in_us, memory_order_relaxed);
    int64_t last_out = atomic_load_explicit(&stream->counters.last_out_us, memory_order_relaxed);
    bool in_missing = stream->remote.receive &&
                      now_us - later(last_in, stream->in_since_us) > settings->watchdog_us;
    bool out_missing = stream->remote.send &&
                       now_us - later(last_out, stream->out_since_us) > settings->watchdog_us;

    if (in_missing != stream->in_missing || out_missing != stream->out_missing) {
        struct media_event event = {
            .type = MEDIA_EVENT_FLOW_CHANGED,
            .in_missing = in_missing,
            .out_missing = out_missing,
        };

        stream->in_missing = in_missing;
        stream->out_missing = out_missing;
        stream_emit(stream, &event, now_us);
    }
}

/* A peer whose NAT gave it another port goes on from there; the old source has fallen silent. */
static void watch_source(struct stream *stream, int64_t now_us)
{
    int64_t last_in = atomic_load_explicit(&stream->counters.last_in_us, memory_order_relaxed);
    bool silent = now_us - later(last_in, stream->in_since_us) > stream->settings->relatch_us;

    if (stream->locked && silent && stream->remote.receive && !stream->remote.signalled_only) {
        stream_unlock(stream);
    }
}

static void close_level(struct level *level, _Atomic int *ret_cdb)
{
    atomic_store_explicit(ret_cdb, (int)(level_dbfs(level) * 100), memory_order_relaxed);
    *level = (struct level){.squares = 0};
}

void stream_watch(struct stream *stream, int64_t now_us)
{
    struct stream_counters *counters = &stream->counters;
    struct digit_reports reports;

    digits_expire(&stream->digits, now_us, &reports);
    stream_report_digits(stream, &reports, now_us);

    stream->ticks++;
    if (stream->ticks % FLOW_TICKS == 0 && stream->has_remote) {
        watch_flow(stream, now_us);
        watch_source(stream, now_us);
    }
    if (stream->ticks % LEVEL_TICKS == 0) {
        close_level(&stream->level_in, &counters->level_in_cdb);
        close_level(&stream->level_out, &counters->level_out_cdb);
        atomic_store_explicit(
            &counters->jitter_us, rtp_source_jitter_us(&stream->source, SAMPLE_RATE_HZ),
            memory_order_relaxed);
        atomic_store_explicit(
            &counters->playout_delay_us,
            (int64_t)jitter_buffer_depth(&stream->buffer) * 1000000 / SAMPLE_RATE_HZ,
            memory_order_relaxed);
    }
}

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static int64_t read_time(const _Atomic int64_t *time_us)
{
    return atomic_load_explicit(time_us, memory_order_relaxed);
}

void stream_read_counters(const struct stream *stream, struct media_statistics *ret_statistics)
{
    const struct stream_counters *counters = &stream->counters;
    int in_cdb = atomic_load_explicit(&counters->level_in_cdb, memory_order_relaxed);
    int out_cdb = atomic_load_explicit(&counters->level_out_cdb, memory_order_relaxed);

    *ret_statistics = (struct media_statistics){
        .packets_in = read_counter(&counters->packets_in),
        .bytes_in = read_counter(&counters->bytes_in),
        .packets_out = read_counter(&counters->packets_out),
        .bytes_out = read_counter(&counters->bytes_out),
        .lost = read_counter(&counters->lost),
        .duplicates = read_counter(&counters->duplicates),
        .late = read_counter(&counters->late),
        .invalid = read_counter(&counters->invalid),
        .foreign = read_counter(&counters->foreign),
        .rtcp = read_counter(&counters->rtcp),
        .source_changes = read_counter(&counters->source_changes),
        .send_errors = read_counter(&counters->send_errors),
        .jitter_us = read_time(&counters->jitter_us),
        .playout_delay_us = read_time(&counters->playout_delay_us),
        .last_in_mono_us = read_time(&counters->last_in_us),
        .last_out_mono_us = read_time(&counters->last_out_us),
        .level_in_dbfs = in_cdb / 100.0,
        .level_out_dbfs = out_cdb / 100.0,
    };
}
