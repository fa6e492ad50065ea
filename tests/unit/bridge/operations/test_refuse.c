/* Calls that do not get in, each with its reason. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/bridge/operations/world.h"

static struct world *world;

static void set_up(void)
{
    world = world_new(NULL);
}

TestSuite(refuse, .init = set_up);

Test(refuse, what_comes_from_no_trunk)
{
    struct session_description offer = world_session(DIRECTION_SENDRECV);
    struct signalling_event event = {
        .called_number = "+4930123",
        .description = &offer,
        .source_address = "203.0.113.5",
    };

    world_invite_event(world, &event);
    world_expect(world, "refuse caller 403 (Source is no trunk of ours)\n");
    world_free_idle(world);
}

Test(refuse, a_number_without_a_route)
{
    world_invite(world, "+1555");
    world_expect(world, "refuse caller 404 (No inbound route for this number)\n");
    world_free_idle(world);
}

Test(refuse, a_session_that_cannot_be_spoken)
{
    struct session_description offer = world_session(DIRECTION_SENDRECV);
    struct signalling_event event = {.called_number = "+4930123", .description = &offer};

    offer.format_count = 0;
    world_invite_event(world, &event);
    world_expect(world, "refuse caller 488 (No audio in common)\n");
    world_free_idle(world);
}

Test(refuse, audio_from_where_our_sockets_do_not_reach)
{
    struct session_description offer = world_session(DIRECTION_SENDRECV);
    struct signalling_event event = {.called_number = "+4930123", .description = &offer};

    (void)snprintf(offer.address, sizeof(offer.address), "2001:db8::1");
    world_invite_event(world, &event);
    world_expect(world, "refuse caller 488 (No audio in common)\n");
    world_free_idle(world);
}

Test(refuse, the_same_invite_by_another_way)
{
    struct session_description offer = world_session(DIRECTION_SENDRECV);
    struct signalling_event event = {
        .called_number = "+4930123",
        .description = &offer,
        .sip_call_id = "same",
    };

    world_invite_event(world, &event);
    event.sip_call_id = "same";
    world->trace[0] = '\0';
    world_invite_event(world, &event);
    world_expect(world, "refuse caller 482 (Request merged)\n");
    cr_assert_eq(bridge_call_count(world->bridge), 1);
    world_advance(world, SECONDS(10));
    world_free_idle(world);
}

Test(refuse, not_a_new_call_under_the_name_of_one_that_is_over)
{
    struct session_description offer = world_session(DIRECTION_SENDRECV);
    struct signalling_event event = {
        .called_number = "+4930123",
        .description = &offer,
        .sip_call_id = "same",
    };

    world_invite_event(world, &event);
    world_dial(world, "r1", "w1");
    world_bye(world, "caller", 0);
    cr_assert_str_eq(world_state(world), "ENDING");
    world->trace[0] = '\0';
    event.sip_call_id = "same";
    world_invite_event(world, &event);
    world_expect(world, "media caller send receive\nreport enqueue_call\n");
    world_fail(world, "w1", 487);
    world_advance(world, SECONDS(10));
    world_free_idle(world);
}

Test(refuse, a_call_too_many)
{
    struct bridge_options options = bridge_default_options();

    world_free(world);
    options.calls_max = 2;
    world = world_new(&options);
    world_invite(world, "+4930123");
    world_invite(world, "+4930123");
    world->trace[0] = '\0';
    world_invite(world, "+4930123");
    world_expect(world, "refuse caller 503 retry 5 (Too many calls)\n");
    world_advance(world, SECONDS(10));
    world_free_idle(world);
}

Test(refuse, everything_before_the_routing_service_has_said_what_there_is)
{
    struct bridge_options options = bridge_default_options();

    bridge_free(world->bridge);
    world->bridge = bridge_new(&options);
    world_invite(world, "+4930123");
    world_expect(world, "refuse caller 503 retry 5 (Trunks are not known yet)\n");
    world_free_idle(world);
}

Test(refuse, a_call_that_finds_no_media_port)
{
    world->no_ports = true;
    world_invite(world, "+4930123");
    world_expect(world, "refuse caller 503 retry 5 (No media port is free)\n");
    world_free_idle(world);
}

Test(refuse, a_call_whose_task_is_not_made_in_time)
{
    world_invite(world, "+4930123");
    world->trace[0] = '\0';
    world_advance(world, SECONDS(10));
    world_expect(
        world, "refuse caller 480 (No task was made in time)\nclose caller\n"
               "report call_ended failed 480\n");
    world_enqueued(world);
    world_expect(world, "");
    world_free_idle(world);
}

Test(refuse, is_said_as_a_hang_up_to_a_caller_who_was_answered_at_once)
{
    world_invite(world, "+4930223");
    world->trace[0] = '\0';
    world_advance(world, SECONDS(59));
    world_expect(world, "");
    world_advance(world, SECONDS(1));
    world_expect(
        world, "hang_up caller 480 (No task was made in time)\nclose caller\n"
               "report call_ended failed 480\n");
    world_free_idle(world);
}

Test(refuse, an_invite_that_is_told_twice_only_once)
{
    struct session_description offer = world_session(DIRECTION_SENDRECV);
    struct step step = {.now_us = 1, .wall_us = 1, .arena = world->arena};
    int64_t leg = world_invite(world, "+4930123");

    bridge_handle_signalling(
        world->bridge, &step,
        &(struct signalling_event){
            .kind = SIGNALLING_INVITED,
            .leg = leg,
            .description = &offer,
            .source_address = "192.0.2.1",
            .called_number = "+4930123",
            .sip_call_id = "x",
            .from_tag = "x",
        });
    cr_assert_null(step.first);
    world_advance(world, SECONDS(10));
    world_free_idle(world);
}

Test(refuse, texts_from_outside_are_cleaned)
{
    struct session_description offer = world_session(DIRECTION_SENDRECV);
    struct signalling_event event = {
        .called_number = "+4930123\xff\n",
        .description = &offer,
    };

    world_invite_event(world, &event);
    cr_assert_str_eq(TAILQ_FIRST(bridge_calls(world->bridge))->called_number, "+4930123??");
    world_advance(world, SECONDS(10));
    world_free_idle(world);
}
