#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/clock/clock.h"
#include "common/log/log.h"
#include "tests/unit/bridge/calls/fakes.h"

#define SECONDS(count) ((count)*INT64_C(1000000))

static struct calls *calls;
static struct clock *test_clock;

static void count_up(void *context, uint8_t *bytes, size_t count)
{
    static uint8_t next;

    (void)context;
    memset(bytes, ++next, count);
}

static void post_telephony(void)
{
    static const char *const sources[] = {"192.0.2.0/24"};
    static const struct trunk trunk = {"acme", "carrier", sources, 1};
    static const struct inbound_route route = {"acme", "all", "", "*", ROUTE_ANSWER_AFTER_TASK};

    calls_post_telephony(calls, &(struct telephony){&trunk, 1, &route, 1});
}

static int64_t run(void)
{
    return calls_run(calls, clock_mono_us(test_clock));
}

static void set_up(void)
{
    static int prompt;

    log_set_level(LOG_ERROR);
    fakes_reset();
    test_clock = clock_new_settable(SECONDS(1700000000), SECONDS(50));
    calls = calls_new(&(struct calls_options){
        .bridge = bridge_default_options(),
        .clock = test_clock,
        .random = count_up,
    });
    calls_connect(
        calls, &(struct calls_peers){
                   .signalling = &fake_signalling,
                   .media = fakes_media(),
                   .wait_audio = (struct media_prompt *)&prompt,
                   .link_commands = &fake_link,
               });
    calls_post_link_state(calls, true);
    post_telephony();
    cr_assert_eq(run(), INT64_MAX);
}

static void tear_down(void)
{
    calls_free(calls);
    clock_free(test_clock);
}

TestSuite(calls, .init = set_up, .fini = tear_down);

static const struct session_description session = {
    .session_id = 77,
    .version = 1,
    .address = "192.0.2.1",
    .port = 4000,
    .formats = {{CODEC_PCMU, 0}, {CODEC_PCMA, 8}},
    .format_count = 2,
    .telephone_event_payload_type = 101,
    .media_count = 1,
};

static void signal_event(enum signalling_event_kind kind, int64_t leg, int status)
{
    calls_handle_signalling(
        calls, &(struct signalling_event){
                   .kind = kind,
                   .leg = leg,
                   .status = status,
                   .phrase = "",
                   .description = &session,
               });
}

static void invite(int number)
{
    char dialog[16];

    (void)snprintf(dialog, sizeof(dialog), "d%d", number);
    calls_handle_signalling(
        calls, &(struct signalling_event){
                   .kind = SIGNALLING_INVITED,
                   .leg = SIGNALLING_FIRST_INBOUND_LEG + number,
                   .phrase = "",
                   .description = &session,
                   .source_address = "192.0.2.1",
                   .source_port = 5060,
                   .called_number = "+4930123",
                   .caller_number = "+4989555",
                   .caller_display_name = "Ada",
                   .sip_call_id = dialog,
                   .from_tag = "tag",
                   .contact_uri = "sip:ada@192.0.2.1",
               });
}

static void instruct(enum instruction_kind kind)
{
    calls_post_instruction(
        calls, &(struct instruction){
                   .kind = kind,
                   .workspace_id = "acme",
                   .call_id = fakes_call_id(),
                   .task_id = "t1",
                   .reservation_id = "r1",
                   .worker_id = "w1",
                   .contact_uri = "sip:w1@192.0.2.50",
                   .ring_timeout_us = SECONDS(20),
                   .reason = "",
               });
    run();
}

/* Caller 1 talks with worker w1. */
static void talk(void)
{
    invite(1);
    instruct(INSTRUCTION_CALL_ENQUEUED);
    instruct(INSTRUCTION_DIAL_WORKER);
    signal_event(SIGNALLING_ANSWERED, 1, 200);
    (void)fakes_told();
}

Test(calls, hands_every_effect_to_its_neighbour)
{
    invite(1);
    cr_assert_str_eq(
        fakes_told(), "open 101\nremote 101 192.0.2.1:4000 pcmu send receive\nreport 0 \n");
    instruct(INSTRUCTION_CALL_ENQUEUED);
    cr_assert_str_eq(fakes_told(), "answer in1 port 20002\nreport 1 \nplay 101 loop\n");
    instruct(INSTRUCTION_DIAL_WORKER);
    cr_assert_str_eq(fakes_told(), "open 102\ndial out1 sip:w1@192.0.2.50\n");
    signal_event(SIGNALLING_PROGRESS, 1, 180);
    cr_assert_str_eq(fakes_told(), "report 3 \n");
    signal_event(SIGNALLING_ANSWERED, 1, 200);
    cr_assert_str_eq(
        fakes_told(), "remote 102 192.0.2.1:4000 pcmu send receive\nstop 101\nconference open\n"
                      "plan 900 101:2 102:1\nreport 4 \n");
    signal_event(SIGNALLING_REOFFERED, 1, 0);
    cr_assert_str_eq(
        fakes_told(), "remote 102 192.0.2.1:4000 pcmu send receive\nanswer_reoffer out1 200\n");
    signal_event(SIGNALLING_HUNG_UP, SIGNALLING_FIRST_INBOUND_LEG + 1, 0);
    cr_assert_str_eq(
        fakes_told(), "hang_up out1\nclose 102\nconference 900 close\n"
                      "close 101\nreport 2 hang_up\n");
    cr_assert_eq(fakes_open_streams(), 0);
}

Test(calls, refuses_a_call_when_no_media_port_is_left)
{
    fakes_exhaust_ports();
    invite(1);
    cr_assert_str_eq(fakes_told(), "refuse in1 503\n");
}

Test(calls, gives_each_call_an_id_of_its_own)
{
    char first[UUID_TEXT_SIZE];

    invite(1);
    memcpy(first, fakes_call_id(), sizeof(first));
    cr_assert_eq(strlen(first), UUID_TEXT_SIZE - 1);
    invite(2);
    cr_assert_str_neq(fakes_call_id(), first);
}

Test(calls, keeps_deadlines_and_says_when_the_next_one_is)
{
    invite(1);
    (void)fakes_told();
    cr_assert_eq(run(), SECONDS(60));
    clock_advance(test_clock, SECONDS(9));
    cr_assert_eq(run(), SECONDS(60));
    cr_assert_str_eq(fakes_told(), "");
    clock_advance(test_clock, SECONDS(1));
    cr_assert_eq(run(), INT64_MAX);
    cr_assert_str_eq(fakes_told(), "refuse in1 480\nclose 101\nreport 2 failed\n");
}

Test(calls, wakes_its_thread_for_what_is_posted)
{
    struct pollfd poll_descriptor = {.fd = calls_wake_descriptor(calls), .events = POLLIN};

    run();
    cr_assert_eq(poll(&poll_descriptor, 1, 0), 0);
    calls_post_drain(calls);
    cr_assert_eq(poll(&poll_descriptor, 1, 0), 1);
    run();
    cr_assert_eq(poll(&poll_descriptor, 1, 0), 0);
    invite(1);
    cr_assert_str_eq(fakes_told(), "refuse in1 503\n");
}

/* The last view; the test frees it. */
static struct calls_view *seen;

static void keep_view(void *context, struct calls_view *view)
{
    cr_assert_eq(context, &seen);
    calls_view_free(seen);
    seen = view;
}

static const struct calls_view *query(struct calls_query what)
{
    what.handler = keep_view;
    what.context = &seen;
    calls_post_query(calls, &what);
    run();
    cr_assert_not_null(seen);
    return seen;
}

Test(calls, shows_calls_and_conferences)
{
    talk();
    invite(2);
    const struct calls_view *view =
        query((struct calls_query){.kind = CALLS_QUERY_CALLS, .limit = 50});

    cr_assert_eq(view->call_count, 2);
    cr_assert_not(view->more);
    cr_assert_eq(view->calls[0].state, CALL_TALKING);
    cr_assert_str_eq(view->calls[0].task_id, "t1");
    cr_assert_eq(view->calls[0].leg_count, 2);
    cr_assert_str_eq(view->calls[0].legs[0].party, "caller");
    cr_assert_str_eq(view->calls[0].legs[0].sip_call_id, "d1");
    cr_assert_str_eq(view->calls[0].legs[1].party, "w1");
    cr_assert(view->calls[0].legs[1].has_statistics);
    cr_assert_eq(view->calls[0].legs[1].statistics.packets_in, 102);
    cr_assert_eq(view->calls[1].state, CALL_ENQUEUING);

    view = query((struct calls_query){.kind = CALLS_QUERY_CONFERENCES, .limit = 50});
    cr_assert_eq(view->conference_count, 1);
    cr_assert_str_eq(view->conferences[0].id, "t1");
    cr_assert_eq(view->conferences[0].participant_count, 2);
    cr_assert_str_eq(view->conferences[0].participants[1].party, "w1");

    view = query((struct calls_query){.kind = CALLS_QUERY_CONFERENCES, .id = "t2"});
    cr_assert_eq(view->conference_count, 0);
    view = query((struct calls_query){.kind = CALLS_QUERY_CALLS, .id = fakes_call_id()});
    cr_assert_eq(view->call_count, 1);
    cr_assert_str_eq(view->calls[0].id, fakes_call_id());
    seen = calls_view_free(seen);
}

Test(calls, lists_in_pages)
{
    for (int i = 1; i <= 5; i++) {
        invite(i);
    }
    int64_t after = 0;
    size_t total = 0;
    const struct calls_view *view = NULL;

    do {
        view = query((struct calls_query){.kind = CALLS_QUERY_CALLS, .limit = 2, .after = after});
        cr_assert_leq(view->call_count, 2);
        total += view->call_count;
        cr_assert_gt(view->calls[view->call_count - 1].number, after);
        after = view->calls[view->call_count - 1].number;
    } while (view->more);
    cr_assert_eq(total, 5);
    seen = calls_view_free(seen);
}

Test(calls, the_snapshot_names_what_was_reported_and_lives)
{
    talk();
    invite(2);
    const struct calls_view *view = query((struct calls_query){.kind = CALLS_QUERY_SNAPSHOT});

    cr_assert_eq(view->snapshot_count, 2);
    cr_assert(view->snapshots[0].talking);
    cr_assert_str_eq(view->snapshots[0].reservation_id, "r1");
    cr_assert_str_eq(view->snapshots[1].task_id, "");
    cr_assert_not(view->snapshots[1].talking);
    seen = calls_view_free(seen);
}

Test(calls, hangs_up_for_the_api)
{
    talk();
    const char *id = fakes_call_id();
    const struct calls_view *view =
        query((struct calls_query){.kind = CALLS_QUERY_HANG_UP, .id = id});

    cr_assert_eq(view->call_count, 1);
    cr_assert_eq(view->calls[0].state, CALL_ENDING);
    cr_assert_str_eq(
        fakes_told(), "hang_up out1\nclose 102\nconference 900 close\n"
                      "hang_up in1\nclose 101\nreport 2 released\n");
    view = query((struct calls_query){.kind = CALLS_QUERY_HANG_UP, .id = id});
    cr_assert_eq(view->call_count, 0);
    seen = calls_view_free(seen);
}

static void count_idle(void *context)
{
    ++*(int *)context;
}

Test(calls, ends_all_and_says_when_nothing_is_left)
{
    int idle = 0;

    invite(1);
    instruct(INSTRUCTION_CALL_ENQUEUED);
    instruct(INSTRUCTION_DIAL_WORKER);
    (void)fakes_told();
    calls_post_end_all(calls, count_idle, &idle);
    run();
    cr_assert_str_eq(
        fakes_told(), "cancel out1\nclose 102\nhang_up in1\nclose 101\n"
                      "report 2 released\n");
    cr_assert_eq(idle, 0, "the worker's phone still has to say");
    signal_event(SIGNALLING_FAILED, 1, 487);
    cr_assert_eq(idle, 1);
    run();
    cr_assert_eq(idle, 1);
    cr_assert_eq(fakes_open_streams(), 0);
}

Test(calls, copies_what_is_posted)
{
    char id[] = "x";
    struct instruction instruction = {
        .kind = INSTRUCTION_RELEASE_CALL,
        .workspace_id = id,
        .call_id = id,
        .task_id = id,
        .reservation_id = id,
        .worker_id = id,
        .contact_uri = id,
        .reason = id,
    };

    calls_post_instruction(calls, &instruction);
    id[0] = 'y';
    calls_handle_media(calls, &(struct media_event){.type = MEDIA_EVENT_FIRST_PACKET});
    run();
    cr_assert_str_eq(fakes_told(), "");
}

Test(calls, frees_what_was_posted_and_never_taken)
{
    calls_post_query(
        calls, &(struct calls_query){CALLS_QUERY_SNAPSHOT, .handler = keep_view, .id = "some"});
    post_telephony();
    calls_handle_media(calls, &(struct media_event){.type = MEDIA_EVENT_FIRST_PACKET});
}

/* What the process has written as its log. */
static size_t count_lines(FILE *file)
{
    size_t lines = 0;
    int byte = 0;

    rewind(file);
    for (byte = fgetc(file); byte != EOF; byte = fgetc(file)) {
        lines += byte == '\n';
    }
    return lines;
}

Test(calls, a_flood_of_refusals_does_not_flood_the_log)
{
    FILE *file = tmpfile();

    log_start(&(struct log_options){.level = LOG_INFO, .descriptor = fileno(file)});
    calls_post_drain(calls);
    run();
    for (int i = 0; i < 1000; i++) {
        invite(i);
    }
    cr_assert_eq(count_lines(file), 10);
    clock_advance(test_clock, SECONDS(1));
    invite(1000);
    cr_assert_eq(count_lines(file), 11);
    log_start(&(struct log_options){.level = LOG_ERROR});
    (void)fclose(file);
}
