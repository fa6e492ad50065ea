"""The flow that every TaskRouter user knows, told by a Python client: make a worker, a queue and a
workflow; create a task, it waits; the worker becomes Available; a reservation; accept; complete.
And with capacities: three chats and a voice call at once.
"""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "support"))
from routing import (  # noqa: E402
    RoutingService, RoutingTest, Workspace, next_event, reservation_pb2, task_pb2, wait_for,
    worker_service_pb2)

ACCEPTED, COMPLETED = reservation_pb2.Reservation.ACCEPTED, reservation_pb2.Reservation.COMPLETED
DOCUMENT = """{"task_routing": {
  "filters": [{"filter_friendly_name": "German", "expression": "language == 'de'",
               "targets": [{"queue": "german"}]}],
  "default_filter": {"queue": "everyone"}}}"""


class TaskStory(RoutingTest):
    @classmethod
    def setUpClass(cls):
        cls.service = RoutingService()
        cls.addClassCleanup(cls.service.remove)

    @classmethod
    def tearDownClass(cls):
        assert cls.service.metric("cordboard_routing_sweep_mended_total") == 0
        assert cls.service.stop() == 0, "the service must end cleanly"

    def test_a_task_waits_until_its_worker_is_available_and_is_completed(self):
        acme = Workspace(self.service, "story")
        acme.add_queue("german", "languages HAS 'de'")
        acme.add_workflow("support", DOCUMENT)
        events = acme.watch(after=-1)

        worker = acme.add_worker("ada", '{"languages": ["de", "en"]}')
        self.assertFalse(worker.available)
        self.assertEqual(worker.activity, acme.activity("offline"))

        task = acme.create_task("t1", attributes='{"language": "de"}', workflow=f"{acme.name}/workflows/support")
        self.assertEqual(task.state, task_pb2.Task.PENDING)
        self.assertEqual(task.task_queue, f"{acme.name}/taskQueues/german")
        self.assertEqual(task.workflow_filter, "German")
        next_event(events, "task-queue.entered")
        self.assertEqual(acme.task("t1").state, task_pb2.Task.PENDING)
        self.assertEqual(acme.reservations("tasks/t1"), [])

        self.assertTrue(acme.set_activity("ada", "available").available)
        event = next_event(events, "reservation.created")
        self.assertEqual(event.worker.name, worker.name)
        self.assertEqual(event.task.name, task.name)
        self.assertEqual(event.task.state, task_pb2.Task.RESERVED)
        reservation = event.reservation
        self.assertEqual(reservation.state, reservation_pb2.Reservation.PENDING)
        offered_for = reservation.expire_time.ToMilliseconds() - reservation.create_time.ToMilliseconds()
        self.assertEqual(offered_for, 120_000)

        self.assertEqual(acme.accept(reservation.name).state, ACCEPTED)
        self.assertEqual(next_event(events, "reservation.accepted").reservation.state, ACCEPTED)
        self.assertEqual(acme.task("t1").state, task_pb2.Task.ASSIGNED)

        self.assertEqual(acme.complete(reservation.name).state, COMPLETED)
        self.assertEqual(next_event(events, "task.completed").task.state, task_pb2.Task.COMPLETED)
        self.assertEqual(acme.task("t1").state, task_pb2.Task.COMPLETED)

        self.assertFalse(acme.set_activity("ada", "offline").available)
        next_event(events, "worker.activity.update")
        events.cancel()

        log = acme.events()
        self.assertEqual([e.sequence for e in log], list(range(1, len(log) + 1)))
        life = [e.event_type for e in log if e.task.name == task.name]
        self.assertEqual(life, [
            "task.created", "workflow.entered", "workflow.target-matched", "task-queue.entered",
            "reservation.created", "reservation.accepted", "reservation.completed", "task.completed"])

    def test_a_worker_takes_three_chats_and_a_voice_call_at_once(self):
        acme = Workspace(self.service, "capacities")
        acme.add_worker("bob", activity="available", capacities={"chat": 3, "voice": 1})
        for i in range(4):
            acme.create_task(f"chat-{i}", "chat")
        for i in range(2):
            acme.create_task(f"voice-{i}", "voice")

        offers = {task: acme.offer(task) for task in ("chat-0", "chat-1", "chat-2", "voice-0")}
        for reservation in offers.values():
            self.assertEqual(acme.accept(reservation.name).state, ACCEPTED)
        for waiting in ("chat-3", "voice-1"):
            self.assertEqual(acme.task(waiting).state, task_pb2.Task.PENDING)
            self.assertEqual(acme.reservations(f"tasks/{waiting}"), [])
        channels = {c.task_channel.split("/")[-1]: c for c in self.worker(acme, "bob").channels}
        self.assertEqual((channels["chat"].capacity, channels["chat"].assigned_task_count), (3, 3))
        self.assertEqual((channels["voice"].capacity, channels["voice"].assigned_task_count), (1, 1))
        self.assertEqual(channels["chat"].available_capacity_percentage, 0)

        # The end of the call makes room for the next call, not for a chat; a chat's for a chat.
        acme.complete(offers["voice-0"].name)
        acme.offer("voice-1")
        self.assertEqual(acme.task("chat-3").state, task_pb2.Task.PENDING)
        acme.complete(offers["chat-1"].name)
        acme.offer("chat-3")

    def test_a_reservation_nobody_answers_goes_to_the_next_worker(self):
        acme = Workspace(self.service, "timeout", reservation_timeout_s=0.3)
        acme.add_worker("ada", activity="available")
        acme.create_task("t1")
        first = acme.offer("t1")
        self.assertEqual(first.worker, f"{acme.name}/workers/ada")
        acme.add_worker("bob", activity="available")

        def second():
            return [r for r in acme.reservations("tasks/t1") if r.worker.endswith("/bob")]
        wait_for("an offer to bob", second)
        states = {r.name: r.state for r in acme.reservations("tasks/t1")}
        self.assertEqual(states[first.name], reservation_pb2.Reservation.TIMED_OUT)
        self.assertEqual(self.worker(acme, "ada").activity, acme.activity("offline"))

    def worker(self, acme, worker_id):
        return self.service.workers.GetWorker(worker_service_pb2.GetWorkerRequest(
            name=f"{acme.name}/workers/{worker_id}"))


if __name__ == "__main__":
    unittest.main()
