"""A client in Python runs the whole routing API: every method, by every way it can go. The last check asks
the server, by reflection, whether a method was forgotten.
"""
import pathlib
import sys
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "support"))
import routing as r  # noqa: E402
from routing import details, next_event, wait_for  # noqa: E402

import grpc  # noqa: E402
from google.protobuf import descriptor_pb2  # noqa: E402
from grpc.reflection.v1 import reflection_pb2, reflection_pb2_grpc  # noqa: E402
from client_parts import FakeWorkspace, Kind, Outgoing, Recorder, Session, first, mask  # noqa: E402

StatusCode = grpc.StatusCode
PACKAGE = "cordboard.routing.v1."
TASK, RESERVATION = r.task_pb2.Task, r.reservation_pb2.Reservation


class RoutingApi(r.RoutingTest):
    @classmethod
    def setUpClass(cls):
        cls.service = r.RoutingService(heartbeat="1s")
        cls.addClassCleanup(cls.service.remove)
        cls.recorder = Recorder()
        cls.plain_channel = cls.service.channel
        connect = grpc.intercept_channel(cls.plain_channel, cls.recorder)
        cls.service.channel = connect
        cls.service.workspaces = r.workspace_service_pb2_grpc.WorkspaceServiceStub(connect)
        for attribute, module in (
                ("activities", "activity"), ("task_channels", "task_channel"), ("workers", "worker"),
                ("task_queues", "task_queue"), ("workflows", "workflow"), ("tasks", "task"),
                ("reservations", "reservation"), ("trunks", "trunk"), ("inbound_routes", "inbound_route"),
                ("events", "event"), ("sessions", "worker_session"), ("bridge_link", "bridge_link")):
            stubs = getattr(r, f"{module}_service_pb2_grpc")
            camel = "".join(word.capitalize() for word in module.split("_"))
            setattr(cls.service, attribute, getattr(stubs, f"{camel}ServiceStub")(connect))
        cls.service.channel = cls.plain_channel

    @classmethod
    def tearDownClass(cls):
        missed = cls.all_methods() - cls.recorder.methods
        mended = cls.service.metric("cordboard_routing_sweep_mended_total")
        stopped = cls.service.stop()
        assert not missed, f"never called with success: {sorted(missed)}"
        assert mended == 0 and stopped == 0, (mended, stopped)

    @classmethod
    def all_methods(cls):
        """Every method of the routing API, as the server describes it."""
        ask = reflection_pb2_grpc.ServerReflectionStub(cls.plain_channel).ServerReflectionInfo
        listed = next(iter(ask(iter([reflection_pb2.ServerReflectionRequest(list_services="*")]))))
        services = [s.name for s in listed.list_services_response.service if s.name.startswith(PACKAGE)]
        assert len(services) >= 13, services
        methods = set()
        for reply in ask(reflection_pb2.ServerReflectionRequest(file_containing_symbol=s) for s in services):
            for raw in reply.file_descriptor_response.file_descriptor_proto:
                file = descriptor_pb2.FileDescriptorProto.FromString(raw)
                methods |= {f"/{file.package}.{s.name}/{m.name}" for s in file.service for m in s.method
                            if file.package + "." == PACKAGE}
        return methods

    def kinds(self, acme):
        s = self.service
        return {
            "activity": Kind(self, acme.name, "activity", "activities", s.activities,
                             r.activity_service_pb2, r.activity_pb2.Activity, "Activities"),
            "task_channel": Kind(self, acme.name, "task_channel", "taskChannels", s.task_channels,
                                 r.task_channel_service_pb2, r.task_channel_pb2.TaskChannel),
            "worker": Kind(self, acme.name, "worker", "workers", s.workers, r.worker_service_pb2,
                           r.worker_pb2.Worker),
            "task_queue": Kind(self, acme.name, "task_queue", "taskQueues", s.task_queues,
                               r.task_queue_service_pb2, r.task_queue_pb2.TaskQueue),
            "workflow": Kind(self, acme.name, "workflow", "workflows", s.workflows,
                             r.workflow_service_pb2, r.workflow_pb2.Workflow),
            "task": Kind(self, acme.name, "task", "tasks", s.tasks, r.task_service_pb2, TASK),
            "trunk": Kind(self, acme.name, "trunk", "trunks", s.trunks, r.trunk_service_pb2, r.trunk_pb2.Trunk),
            "inbound_route": Kind(self, acme.name, "inbound_route", "inboundRoutes", s.inbound_routes,
                                  r.inbound_route_service_pb2, r.inbound_route_pb2.InboundRoute),
        }

    # What each kind needs to be made, and a field that may change, with two values.
    def samples(self, acme):
        document = '{"task_routing": {"filters": [], "default_filter": {"queue": "everyone"}}}'
        return {
            "activity": ({}, "display_name", "lunch", "break"),
            "task_channel": ({}, "display_name", "fax", "telefax"),
            "worker": ({}, "display_name", "Ada", "Ada Lovelace"),
            "task_queue": ({}, "target_workers", "1==1", "level > 3"),
            "workflow": ({"configuration": document}, "display_name", "support", "help"),
            "task": ({"workflow": f"{acme.name}/workflows/main"}, "attributes", '{"a": 1}', '{"a": 2}'),
            "trunk": ({"source_addresses": [f"198.51.100.{self.next_address()}"]}, "display_name", "a", "b"),
            "inbound_route": ({"called_number": "+49*", "workflow": f"{acme.name}/workflows/main"},
                              "display_name", "a", "b"),
        }

    address = 0

    def next_address(self):
        RoutingApi.address += 1
        return self.address

    # --- what holds for every kind ---

    def test_each_kind_is_created_read_changed_and_deleted(self):
        acme = r.Workspace(self.service, "life")
        for noun, kind in self.kinds(acme).items():
            fields, field, first, second = self.samples(acme)[noun]
            fields.setdefault("display_name", f"the {noun}")
            if noun == "task":
                del fields["display_name"]
            fields[field] = first
            with self.subTest(noun):
                made = kind.create("one_1", **fields)
                self.assertEqual(made.name, kind.name("one_1"))
                self.assertEqual(getattr(made, field), first)
                self.assertTrue(made.etag and made.create_time.seconds)
                self.assertEqual(kind.get("one_1"), made)
                self.refused("ALREADY_EXISTS", lambda: kind.create("one_1", **fields))

                changed = kind.update("one_1", [field], etag=made.etag, **{field: second})
                self.assertEqual(getattr(changed, field), second)
                self.assertNotEqual(changed.etag, made.etag)
                self.assertGreater(changed.update_time.ToNanoseconds(), made.update_time.ToNanoseconds())
                self.assertEqual(kind.get("one_1"), changed)
                stale = self.fails(StatusCode.ABORTED, lambda: kind.update("one_1", [field], etag=made.etag, **{field: first}))
                self.assertEqual(r.reason(stale), "ETAG_MISMATCH")
                self.refused("ETAG_MISMATCH", lambda: kind.delete("one_1", etag=made.etag))
                self.assertEqual(kind.get("one_1"), changed)

                kind.delete("one_1", etag=changed.etag)
                self.assertEqual(r.reason(self.fails(StatusCode.NOT_FOUND, lambda: kind.get("one_1"))), "NOT_FOUND")
                self.refused("NOT_FOUND", lambda: kind.update("one_1", [field], **{field: first}))
                self.refused("NOT_FOUND", lambda: kind.delete("one_1"))

    def test_masks_name_what_changes(self):
        acme = r.Workspace(self.service, "masks")
        for noun, kind in self.kinds(acme).items():
            fields, field, first, second = self.samples(acme)[noun]
            fields.setdefault("display_name", f"the {noun}")
            if noun == "task":
                del fields["display_name"]
            fields[field] = first
            with self.subTest(noun):
                kind.create("one_1", **fields)
                implied = kind.update("one_1", None, **{field: second})  # no mask: what is set
                self.assertEqual(getattr(implied, field), second)
                for wrong in ("no_such_field", "create_time", "name"):
                    error = self.fails(StatusCode.INVALID_ARGUMENT, lambda: kind.update("one_1", [wrong], **{field: first}))
                    self.assertEqual(r.reason(error), "MASK_INVALID", wrong)
                    self.assertTrue(details(error)["BadRequest"].field_violations[0].field.startswith("update_mask"))
        task = self.kinds(acme)["task"]
        self.assertEqual(task.update("one_1", ["priority"], priority=7, attributes='{"a": 9}').attributes, '{"a": 2}')
        self.assertEqual(task.update("one_1", ["priority"]).priority, 0)

    def test_lists_come_in_pages(self):
        acme = r.Workspace(self.service, "pages")
        seeded = {"activity": {"available", "offline", "unavailable"}, "task_queue": {"everyone"},
                  "workflow": {"main"}, "task_channel": {"default", "voice", "chat", "sms", "video"}}
        for noun, kind in self.kinds(acme).items():
            fields, field, first, _ = self.samples(acme)[noun]
            with self.subTest(noun):
                for i in range(5):
                    if noun == "trunk":
                        fields["source_addresses"] = [f"198.51.100.{self.next_address()}"]
                    if noun == "inbound_route":
                        fields["called_number"] = f"+49{i}*"
                    named = {} if noun == "task" else {"display_name": f"{noun} {i}"}
                    kind.create(f"z_{i}", **fields | named)
                want = sorted(seeded.get(noun, set()) | {f"z_{i}" for i in range(5)})
                found, token, sizes = [], "", []
                while True:
                    page, token = kind.page(2, token)
                    sizes.append(len(page))
                    found += [item.name.split("/")[-1] for item in page]
                    if not token:
                        break
                self.assertEqual(found, want)
                self.assertEqual(set(sizes[:-1]), {2})
                self.assertEqual(len(kind.page(-0)[0]), len(want))
                self.refused("FIELD_INVALID", lambda: kind.page(-1))
                self.refused("PAGE_TOKEN_INVALID", lambda: kind.page(2, "nonsense"))
                _, token = kind.page(2)
                if noun != "task":
                    other = self.kinds(acme)["task"]
                    self.refused("PAGE_TOKEN_INVALID", lambda: other.page(2, token))
        page, token = self.kinds(acme)["worker"].page(2)
        self.kinds(acme)["worker"].delete(page[1].name.split("/")[-1])  # the place, not the item, is kept
        self.assertEqual([w.name.split("/")[-1] for w in self.kinds(acme)["worker"].page(10, token)[0]], ["z_2", "z_3", "z_4"])
        elsewhere = r.Workspace(self.service, "pages-2")
        self.refused("PAGE_TOKEN_INVALID", lambda: self.kinds(elsewhere)["worker"].page(2, token))

    def test_pages_stay_small_enough_for_any_client(self):
        acme = r.Workspace(self.service, "heavy")
        document = '{"task_routing": {"filters": [], "default_filter": {"queue": "everyone"}}%s}' % (" " * 1_000_000)
        for i in range(6):
            acme.add_workflow(f"w-{i}", document)
        workflows = self.kinds(acme)["workflow"]
        found, token, pages = [], "", 0
        while True:
            page, token = workflows.page(1000, token)
            found += [w.name.split("/")[-1] for w in page]
            pages += 1
            if not token:
                break
        self.assertEqual(found, ["main"] + [f"w-{i}" for i in range(6)])
        self.assertGreater(pages, 1)

    def test_a_repeated_request_id_changes_nothing(self):
        acme = r.Workspace(self.service, "requests")
        for noun, kind in self.kinds(acme).items():
            fields, field, first, second = self.samples(acme)[noun]
            named = {} if noun == "task" else {"display_name": f"the {noun}"}
            with self.subTest(noun):
                once = str(uuid.uuid4())
                resource_id = "" if noun != "task_channel" else "fax"
                made = kind.create(resource_id, request_id=once, **fields | named)
                before = len(acme.events())
                self.assertEqual(kind.create(resource_id, request_id=once, **fields | named), made)
                self.assertEqual(len(acme.events()), before)
                self.refused("REQUEST_ID_REUSED", lambda: kind.create(resource_id, request_id=once, **fields | named | {field: second}))
                self.refused("FIELD_INVALID", lambda: kind.create("x", request_id="not-a-uuid", **fields | named))
                mine = made.name.split("/")[-1]
                twice = str(uuid.uuid4())
                changed = kind.update(mine, [field], request_id=twice, **{field: second})
                self.assertEqual(kind.update(mine, [field], request_id=twice, **{field: second}), changed)

    def test_bad_requests_say_which_field(self):
        acme = r.Workspace(self.service, "bad")
        kinds = self.kinds(acme)
        cases = (
            ("NAME_INVALID", "name", lambda: kinds["task"].call("GetTask", name="tasks/1")),
            ("NAME_INVALID", "parent", lambda: kinds["task"].call("ListTasks", parent="workspaces/a/b")),
            ("NAME_INVALID", "task.name", lambda: kinds["task"].call("UpdateTask", task=TASK(name="x"))),
            ("FIELD_INVALID", "task_id", lambda: kinds["task"].create("no spaces")),
            ("FIELD_REQUIRED", "task", lambda: kinds["task"].call("CreateTask", parent=acme.name)),
            ("FIELD_REQUIRED", "task", lambda: kinds["task"].call("UpdateTask")),
            ("JSON_INVALID", "task.attributes", lambda: kinds["task"].create("", attributes="{oops")),
            ("JSON_INVALID", "task.attributes", lambda: kinds["task"].create("", attributes="[1]")),
            ("FIELD_INVALID", "task.priority", lambda: kinds["task"].create("", priority=-1)),
            ("FIELD_REQUIRED", "worker.display_name", lambda: kinds["worker"].create("w")),
            ("FIELD_TOO_LONG", "worker.display_name", lambda: kinds["worker"].create("w", display_name="x" * 65)),
            ("EXPRESSION_INVALID", "task_queue.target_workers",
             lambda: kinds["task_queue"].create("q", display_name="q", target_workers="level >")),
            ("JSON_INVALID", "workflow.configuration",
             lambda: kinds["workflow"].create("f", display_name="f", configuration="{")),
        )
        for wanted, field, call in cases:
            with self.subTest(wanted + " " + field):
                error = self.fails(StatusCode.INVALID_ARGUMENT, call)
                found = details(error)
                self.assertEqual(found["ErrorInfo"].reason, wanted, error)
                self.assertEqual(found["ErrorInfo"].domain, "cordboard.dev")
                self.assertEqual(found["BadRequest"].field_violations[0].field, field, error)
        self.refused("NOT_FOUND", lambda: r.Workspace.task(acme, "none"))
        error = self.fails(StatusCode.NOT_FOUND, lambda: self.kinds(FakeWorkspace("nowhere"))["worker"].page())
        self.assertEqual(r.reason(error), "NOT_FOUND")

    def test_deletes_are_refused_while_something_refers_to_it(self):
        acme = r.Workspace(self.service, "refusals")
        kinds = self.kinds(acme)
        acme.add_worker("ada", activity="available")
        acme.create_task("t1", "chat")
        reservation = acme.offer("t1")
        kinds["trunk"].create("t", display_name="t", source_addresses=[f"198.51.100.{self.next_address()}"])
        kinds["inbound_route"].create("r", display_name="r", trunk=kinds["trunk"].name("t"),
                                      called_number="*", workflow=f"{acme.name}/workflows/main")
        for wanted, noun, resource_id in (
                ("ACTIVITY_IN_USE", "activity", "available"), ("ACTIVITY_IN_USE", "activity", "offline"),
                ("RESOURCE_IN_USE", "task_channel", "chat"), ("RESOURCE_IN_USE", "worker", "ada"),
                ("RESOURCE_IN_USE", "task_queue", "everyone"), ("RESOURCE_IN_USE", "workflow", "main"),
                ("RESOURCE_IN_USE", "trunk", "t")):
            with self.subTest(noun):
                error = self.fails(StatusCode.FAILED_PRECONDITION, lambda: kinds[noun].delete(resource_id))
                self.assertEqual(r.reason(error), wanted)
        self.refused("RESOURCE_IN_USE", lambda: self.service.workspaces.DeleteWorkspace(
            r.workspace_service_pb2.DeleteWorkspaceRequest(name=acme.name)))
        kinds["task"].delete("t1")  # takes its reservation along
        self.refused("NOT_FOUND", lambda: acme.accept(reservation.name))
        kinds["worker"].delete("ada")
        self.service.workspaces.DeleteWorkspace(r.workspace_service_pb2.DeleteWorkspaceRequest(name=acme.name))
        self.refused("NOT_FOUND", lambda: kinds["activity"].get("offline"))

    def test_two_trunks_may_not_overlap(self):
        one, other = (self.kinds(r.Workspace(self.service, f"overlap-{i}"))["trunk"] for i in range(2))
        one.create("a", display_name="a", source_addresses=["203.0.113.0/24"])
        self.refused("TRUNK_OVERLAPS", lambda: other.create("b", display_name="b", source_addresses=["203.0.113.7"]))

    # --- workspaces ---

    def test_workspaces(self):
        workspaces, messages = self.service.workspaces, r.workspace_service_pb2
        made = [workspaces.CreateWorkspace(messages.CreateWorkspaceRequest(
            workspace_id=f"wide-{i}", workspace=r.workspace_pb2.Workspace(display_name="w"))) for i in range(3)]
        self.assertEqual(workspaces.GetWorkspace(messages.GetWorkspaceRequest(name="workspaces/wide-1")), made[1])
        self.assertEqual(made[0].default_activity, "workspaces/wide-0/activities/offline")
        changed = workspaces.UpdateWorkspace(messages.UpdateWorkspaceRequest(
            workspace=r.workspace_pb2.Workspace(name=made[0].name, default_activity=f"{made[0].name}/activities/available",
                                                etag=made[0].etag), update_mask=mask("default_activity")))
        self.assertTrue(changed.default_activity.endswith("/available"))
        found, token = [], ""
        while True:
            page = workspaces.ListWorkspaces(messages.ListWorkspacesRequest(page_size=2, page_token=token))
            found += [w.name for w in page.workspaces]
            token = page.next_page_token
            if not token:
                break
        self.assertEqual(found, sorted(set(found)))
        self.assertLessEqual({w.name for w in made}, set(found))
        workspaces.DeleteWorkspace(messages.DeleteWorkspaceRequest(name=made[2].name))
        self.refused("NOT_FOUND", lambda: workspaces.GetWorkspace(messages.GetWorkspaceRequest(name=made[2].name)))

    def test_a_workspace_without_an_id_is_made_once_too(self):
        request = r.workspace_service_pb2.CreateWorkspaceRequest(
            workspace=r.workspace_pb2.Workspace(display_name="w"), request_id=str(uuid.uuid4()))
        made = self.service.workspaces.CreateWorkspace(request)
        self.assertEqual(self.service.workspaces.CreateWorkspace(request), made)

    def test_a_workspace_made_again_goes_on_in_its_sequence(self):
        first = r.Workspace(self.service, "phoenix")
        last = first.events()[-1].sequence
        watch = first.watch(after=last)
        self.service.workspaces.DeleteWorkspace(r.workspace_service_pb2.DeleteWorkspaceRequest(name=first.name))
        self.assertEqual(next_event(watch, "workspace.deleted").sequence, last + 1)
        r.Workspace(self.service, "phoenix")
        self.assertEqual(next_event(watch, "workspace.created").sequence, last + 2)
        watch.cancel()

    # --- verbs ---

    def test_tasks_are_canceled_wrapped_up_and_completed(self):
        acme = r.Workspace(self.service, "verbs")
        tasks = self.kinds(acme)["task"]
        acme.add_worker("ada", activity="available", capacities={"default": 5})

        acme.create_task("t1")
        offered = acme.offer("t1")
        canceled = tasks.call("CancelTask", name=tasks.name("t1"), reason="changed my mind")
        self.assertEqual((canceled.state, canceled.reason), (TASK.CANCELED, "changed my mind"))
        self.assertEqual(self.reservation(offered.name).state, RESERVATION.CANCELED)
        self.refused("STATE_FORBIDS", lambda: tasks.call("CancelTask", name=tasks.name("t1")))
        self.refused("STATE_FORBIDS", lambda: tasks.call("CompleteTask", name=tasks.name("t1")))

        acme.create_task("t2")
        self.refused("STATE_FORBIDS", lambda: tasks.call("WrapUpTask", name=tasks.name("t2")))
        acme.accept(acme.offer("t2").name)
        self.refused("STATE_FORBIDS", lambda: tasks.call("CancelTask", name=tasks.name("t2")))
        self.refused("ETAG_MISMATCH", lambda: tasks.call("WrapUpTask", name=tasks.name("t2"), etag="0"))
        self.assertEqual(tasks.call("WrapUpTask", name=tasks.name("t2"), reason="notes").state, TASK.WRAPPING)
        self.assertEqual(acme.reservations("tasks/t2")[0].state, RESERVATION.WRAPPING)
        self.assertEqual(tasks.call("CompleteTask", name=tasks.name("t2")).state, TASK.COMPLETED)

        by_state = tasks.call("ListTasks", parent=acme.name, state=TASK.COMPLETED)
        self.assertEqual([t.name for t in by_state.tasks], [tasks.name("t2")])

    def reservation(self, name):
        return self.service.reservations.GetReservation(r.reservation_service_pb2.GetReservationRequest(name=name))

    def test_reservations_are_accepted_rejected_wrapped_up_and_completed(self):
        acme = r.Workspace(self.service, "reservations")
        reservations, messages = self.service.reservations, r.reservation_service_pb2
        acme.add_worker("ada", activity="available")
        acme.create_task("t1")
        first = acme.offer("t1")
        self.assertEqual(self.reservation(first.name), first)
        self.refused("ETAG_MISMATCH", lambda: acme.accept(first.name, etag="0"))
        rejected = reservations.RejectReservation(messages.RejectReservationRequest(
            name=first.name, etag=first.etag, activity=acme.activity("unavailable")))
        self.assertEqual(rejected.state, RESERVATION.REJECTED)
        self.assertEqual(acme.task("t1").state, TASK.PENDING)
        self.assertEqual(self.kinds(acme)["worker"].get("ada").activity, acme.activity("unavailable"))
        self.refused("RESERVATION_NOT_PENDING", lambda: acme.accept(first.name))

        acme.set_activity("ada", "available")
        second = acme.offer("t1")
        acme.accept(second.name)
        self.refused("RESERVATION_NOT_PENDING", lambda: acme.accept(second.name))
        wrapping = reservations.WrapUpReservation(messages.WrapUpReservationRequest(name=second.name))
        self.assertEqual(wrapping.state, RESERVATION.WRAPPING)
        self.assertEqual(acme.complete(second.name).state, RESERVATION.COMPLETED)
        self.assertEqual([x.name for x in acme.reservations("workers/ada")], sorted([first.name, second.name]))
        self.assertEqual(len(acme.reservations("tasks/t1")), 2)
        page = reservations.ListReservations(messages.ListReservationsRequest(parent=f"{acme.name}/tasks/t1", page_size=1))
        rest = reservations.ListReservations(messages.ListReservationsRequest(
            parent=f"{acme.name}/tasks/t1", page_size=1, page_token=page.next_page_token))
        self.assertEqual(len({x.name for x in [*page.reservations, *rest.reservations]}), 2)
        self.assertEqual(rest.next_page_token, "")

    def test_pending_reservations_are_rejected_with_the_activity(self):
        acme = r.Workspace(self.service, "moving")
        acme.add_worker("ada", activity="available")
        acme.create_task("t1")
        offered = acme.offer("t1")
        acme.set_activity("ada", "offline", reject_pending_reservations=True)
        self.assertEqual(self.reservation(offered.name).state, RESERVATION.REJECTED)
        self.refused("NOT_FOUND", lambda: acme.set_activity("ada", "no-such"))

    # --- events ---

    def test_events_are_listed_by_page_and_by_resource(self):
        acme = r.Workspace(self.service, "events")
        acme.add_worker("ada", activity="available")
        acme.create_task("t1")
        acme.create_task("t2")
        reservation = acme.offer("t1")
        everything = acme.events()
        found, token = [], ""
        while True:
            page = self.service.events.ListEvents(r.event_service_pb2.ListEventsRequest(
                parent=acme.name, page_size=3, page_token=token))
            self.assertLessEqual(len(page.events), 3)
            found += page.events
            token = page.next_page_token
            if not token:
                break
        self.assertEqual(found, everything)
        for resource, about in ((f"{acme.name}/tasks/t2", lambda e: e.task.name.endswith("/t2")),
                                (f"{acme.name}/workers/ada", lambda e: e.worker.name.endswith("/ada")),
                                (reservation.name, lambda e: e.reservation.name == reservation.name)):
            filtered = acme.events(resource)
            self.assertEqual(filtered, [e for e in everything if about(e)])
            self.assertTrue(filtered)
        one = self.service.events.GetEvent(r.event_service_pb2.GetEventRequest(name=everything[4].name))
        self.assertEqual(one, everything[4])
        for bad, wanted in ((f"{acme.name}/events/99999", "NOT_FOUND"), (f"{acme.name}/events/x", "NAME_INVALID"),
                            (f"{acme.name}/events/0", "NOT_FOUND")):
            self.refused(wanted, lambda: self.service.events.GetEvent(r.event_service_pb2.GetEventRequest(name=bad)))
        self.refused("PAGE_TOKEN_INVALID", lambda: self.service.events.ListEvents(
            r.event_service_pb2.ListEventsRequest(parent=acme.name, page_token="p1x")))

    def test_watches_resume_where_they_are_told(self):
        acme = r.Workspace(self.service, "watches")
        seen = acme.events()
        for after in (0, 3, seen[-1].sequence):
            watch = acme.watch(after)
            worker = f"w-{after}"
            acme.add_worker(worker)
            got = []
            for response in watch:
                got += [e.sequence for e in response.events]
                self.assertGreaterEqual(response.sequence, max(got, default=0))
                if any(e.worker.name.endswith(worker) for e in response.events):
                    break
            watch.cancel()
            self.assertEqual(got, list(range(after + 1, got[-1] + 1)))
        from_now = acme.watch(-1)
        newest = next(iter(from_now)).sequence  # the first heartbeat: the watch is open
        self.assertEqual(newest, acme.events()[-1].sequence)
        acme.add_worker("late")
        self.assertEqual(next_event(from_now, "worker.created").sequence, newest + 1)
        from_now.cancel()

    def test_watches_are_filtered_by_resource(self):
        acme = r.Workspace(self.service, "filtered")
        acme.create_task("t1")
        watch = acme.watch(0, f"{acme.name}/tasks/t1")
        acme.create_task("t2")
        tasks = self.kinds(acme)["task"]
        tasks.update("t1", ["priority"], priority=3)
        got = []
        for response in watch:
            got += response.events
            if got and got[-1].event_type == "task.updated":
                break
        watch.cancel()
        self.assertEqual({e.task.name for e in got}, {tasks.name("t1")})
        self.assertEqual(got[0].event_type, "task.created")

    def test_quiet_watches_get_heartbeats(self):
        acme = r.Workspace(self.service, "quiet")
        watch = acme.watch(acme.events()[-1].sequence)
        for _ in range(2):
            heartbeat = next(watch)
            self.assertEqual(list(heartbeat.events), [])
            self.assertEqual(heartbeat.sequence, acme.events()[-1].sequence)
        watch.cancel()

    def test_watches_refuse_what_cannot_be(self):
        acme = r.Workspace(self.service, "refused-watches")
        for code, wanted, watch in (
                (StatusCode.NOT_FOUND, "NOT_FOUND", r.Workspace.watch(FakeWorkspace("nowhere", self.service))),
                (StatusCode.INVALID_ARGUMENT, "FIELD_INVALID", acme.watch(99999)),
                (StatusCode.INVALID_ARGUMENT, "FIELD_INVALID", acme.watch(-2)),
                (StatusCode.INVALID_ARGUMENT, "NAME_INVALID", acme.watch(0, "tasks/x"))):
            self.assertEqual(r.reason(self.fails(code, lambda: next(watch))), wanted)

    def test_a_reader_that_is_too_slow_is_told_and_can_resume(self):
        acme = r.Workspace(self.service, "slow")
        acme.create_task("t1")
        tasks = self.kinds(acme)["task"]
        # A small window, so that what is not read stays in the server's queue.
        with grpc.insecure_channel(self.service.address, options=(
                ("grpc.http2.lookahead_bytes", 1), ("grpc.http2.bdp_probe", 0))) as channel:
            stub = r.event_service_pb2_grpc.EventServiceStub(channel)
            watch = stub.WatchEvents(r.event_service_pb2.WatchEventsRequest(parent=acme.name), timeout=60)
            received = next(watch)
            last, sent = received.sequence, 0
            while sent < 500:  # each event carries the task with its attributes: 8 MB in all
                text = '{"text": "%s"}' % ("\U0001f4de" * 4000)
                pending = [tasks.stub.UpdateTask.future(r.task_service_pb2.UpdateTaskRequest(
                    task=TASK(name=tasks.name("t1"), attributes=text, priority=sent + i),
                    update_mask=mask("attributes", "priority"))) for i in range(100)]
                for call in pending:
                    call.result(timeout=30)
                sent += len(pending)
            with self.assertRaises(grpc.RpcError) as raised:
                for response in watch:
                    self.assertEqual([e.sequence for e in response.events],
                                     list(range(last + 1, response.sequence + 1)))
                    last = response.sequence
            self.assertEqual(raised.exception.code(), StatusCode.RESOURCE_EXHAUSTED, raised.exception)
            # The reason's name is the whole message when the client had to be cut off.
            self.assertIn("STREAM_TOO_SLOW", str(raised.exception) + str(raised.exception.trailing_metadata()))
        newest = acme.events()[-1].sequence
        self.assertLess(last, newest)
        for response in acme.watch(last):
            self.assertEqual([e.sequence for e in response.events], list(range(last + 1, response.sequence + 1)))
            last = response.sequence
            if last == newest:
                break

    # --- streams of workers and bridges ---

    def test_a_worker_session(self):
        acme = r.Workspace(self.service, "session")
        acme.add_worker("ada")
        acme.add_worker("bob")
        session = Session(self.service, f"{acme.name}/workers/ada")
        snapshot = session.next(lambda m: m.HasField("snapshot")).snapshot
        self.assertEqual(snapshot.worker.activity, acme.activity("offline"))
        self.assertEqual(len(snapshot.activities), 3)
        self.assertEqual(list(snapshot.reservations) + list(snapshot.tasks), [])

        acme.create_task("t1")
        result = session.command(set_activity={"activity": acme.activity("available")})
        self.assertEqual((result.status.code, result.worker.available), (0, True))
        reservation = session.event("reservation.created").reservation
        self.assertEqual(acme.task("t1").state, TASK.RESERVED)

        again = Session(self.service, f"{acme.name}/workers/ada")
        snapshot = again.next(lambda m: m.HasField("snapshot")).snapshot
        self.assertEqual([x.name for x in snapshot.reservations], [reservation.name])
        self.assertEqual([x.name for x in snapshot.tasks], [f"{acme.name}/tasks/t1"])
        again.close()

        foreign = Session(self.service, f"{acme.name}/workers/bob")
        foreign.next(lambda m: m.HasField("snapshot"))
        for bad, code in (({"accept": {"reservation": reservation.name}}, None),
                          ({"accept": {"reservation": "nonsense"}}, StatusCode.INVALID_ARGUMENT),
                          ({"complete": {"reservation": f"{acme.name}/tasks/t1/reservations/none"}}, StatusCode.NOT_FOUND),
                          ({"set_activity": {"activity": acme.activity("none")}}, StatusCode.NOT_FOUND),
                          ({}, StatusCode.INVALID_ARGUMENT)):
            status = foreign.command(**bad).status
            self.assertNotEqual(status.code, 0, bad)
            if code:
                self.assertEqual(status.code, code.value[0], status)
            self.assertTrue(status.message and status.details, status)
        foreign.close()

        result = session.command(reject={"reservation": reservation.name, "activity": acme.activity("unavailable")})
        self.assertEqual(result.reservation.state, RESERVATION.REJECTED)
        session.command(set_activity={"activity": acme.activity("available")})
        reservation = session.event("reservation.created").reservation
        self.assertEqual(session.command(accept={"reservation": reservation.name}).reservation.state, RESERVATION.ACCEPTED)
        self.assertEqual(session.command(accept={"reservation": reservation.name}).status.code,
                         StatusCode.FAILED_PRECONDITION.value[0])
        self.assertEqual(session.command(wrap_up={"reservation": reservation.name}).reservation.state, RESERVATION.WRAPPING)
        self.assertEqual(session.command(complete={"reservation": reservation.name}).reservation.state, RESERVATION.COMPLETED)
        self.assertEqual(session.event("task.completed").task.state, TASK.COMPLETED)
        session.next(lambda m: not m.events and not m.HasField("result") and not m.HasField("snapshot"))  # heartbeat
        session.close()

    def test_a_worker_session_hears_of_its_own_work_alone(self):
        acme = r.Workspace(self.service, "own")
        acme.add_worker("ada")
        session = Session(self.service, f"{acme.name}/workers/ada")
        session.next(lambda m: m.HasField("snapshot"))
        acme.add_worker("bob", activity="available")
        acme.create_task("t1")
        acme.accept(acme.offer("t1").name)
        acme.set_activity("ada", "available")
        session.event("worker.activity.update")
        self.assertEqual({e.worker.name for e in session.events}, {f"{acme.name}/workers/ada"})
        session.close()

    def test_worker_sessions_refuse_what_cannot_be(self):
        acme = r.Workspace(self.service, "refused-sessions")
        for worker, code in ((f"{acme.name}/workers/none", StatusCode.NOT_FOUND),
                             ("workspaces/nowhere/workers/x", StatusCode.NOT_FOUND),
                             ("nonsense", StatusCode.INVALID_ARGUMENT)):
            session = Session(self.service, worker)
            self.fails(code, lambda: next(session.responses))
        requests = iter([r.worker_session_service_pb2.AttachWorkerSessionRequest(
            accept=r.worker_session_service_pb2.AttachWorkerSessionRequest.Accept(reservation="x"))])
        self.refused("FIELD_REQUIRED", lambda: next(self.service.sessions.AttachWorkerSession(requests, timeout=20)))

    def test_a_bridge_attaches_and_brings_a_call(self):
        acme = r.Workspace(self.service, "bridged")
        kinds, messages = self.kinds(acme), r.bridge_link_service_pb2
        trunk = kinds["trunk"].create("t", display_name="t", source_addresses=[f"198.51.100.{self.next_address()}"])
        route = kinds["inbound_route"].create("r", display_name="r", called_number="*",
                                              workflow=f"{acme.name}/workflows/main")
        link = Outgoing()
        answers = self.service.bridge_link.AttachBridge(iter(link), timeout=30)
        link.put(messages.AttachBridgeRequest(hello=messages.AttachBridgeRequest.Hello(
            bridge="b1", incarnation=str(uuid.uuid4()))))
        self.assertGreater(next(answers).welcome.lease_duration.seconds, 0)
        telephony = first(answers, lambda a: a.HasField("telephony")).telephony
        self.assertIn(trunk, list(telephony.trunks))
        self.assertIn(route, list(telephony.inbound_routes))
        link.put(messages.AttachBridgeRequest(report=messages.BridgeReport(
            workspace=acme.name, number=1, call="c1", enqueue_call=messages.BridgeReport.EnqueueCall(
                trunk=trunk.name, inbound_route=route.name, called_number="+4930123", caller_number="+49170",
                sip_call_id="x@y"))))
        instruction = first(answers, lambda a: a.HasField("instruction")).instruction
        self.assertEqual(instruction.call, "c1")
        task = self.service.tasks.GetTask(r.task_service_pb2.GetTaskRequest(name=instruction.call_enqueued.task))
        self.assertEqual((task.call.bridge, task.call.live, task.call.called_number), ("b1", True, "+4930123"))
        link.put(messages.AttachBridgeRequest(instruction_ack=messages.AttachBridgeRequest.InstructionAck(
            workspace=acme.name, number=instruction.number)))
        link.put(messages.AttachBridgeRequest(report=messages.BridgeReport(
            workspace=acme.name, number=2, call="c1", call_ended=messages.BridgeReport.CallEnded(cause="hang_up"))))
        wait_for("the task ends with its call", lambda: acme.task(task.name.split("/")[-1]).state == TASK.CANCELED)
        link.put(None)


if __name__ == "__main__":
    unittest.main()
