"""Somebody hangs up, at every moment of a call."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from telephony import CallCentre, task_service_pb2, wait_for  # noqa: E402
from cordboard.bridge.v1 import call_service_pb2  # noqa: E402


class HangUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.centre = CallCentre()

    @classmethod
    def tearDownClass(cls):
        cls.centre.close()

    def run(self, result=None):
        bad = len(result.failures) + len(result.errors)
        self.start = self.centre.mark()
        super().run(result)
        if len(result.failures) + len(result.errors) > bad:
            self.centre.show()
        return result

    def tearDown(self):
        for worker in ("ada", "bob"):
            self.centre.workspace.set_activity(worker, "offline")
        wait_for("no call is left", lambda: not self.centre.bridge.list_calls())
        self.assertEqual(self.centre.bridge.list_conferences(), [])
        self.assertEqual(self.centre.problems(), [])

    def types(self):
        return [event.event_type for event in self.centre.log.events[self.start:]]

    def test_the_caller_while_waiting(self):
        caller = self.centre.call(hold_s=1)
        self.assertEqual(caller.wait_over(), 0)
        canceled = self.centre.wait("task.canceled", self.start)
        self.assertEqual(canceled.task.reason, "caller_gone")
        self.assertNotIn("reservation.created", self.types())

    def test_the_caller_before_the_answer(self):
        caller = self.centre.call("77123", hold_s=1, scenario="caller_cancels")
        self.assertEqual(caller.wait_over(), 0)
        self.centre.wait("task.canceled", self.start)
        self.assertNotIn("call.answered", self.types())

    def test_the_caller_while_the_phone_rings(self):
        ada = self.centre.phone("ada", "phone_rings")
        caller = self.centre.call(hold_s=3)
        self.centre.available("ada")
        self.centre.accept(self.start)
        self.centre.wait("call.ringing", self.start)
        self.assertEqual(caller.wait_over(), 0)
        self.assertEqual(ada.wait_over(), 0, "the phone must be told to stop, by CANCEL")
        self.centre.wait("reservation.canceled", self.start)
        self.centre.wait("task.canceled", self.start)

    def test_the_worker_in_talk(self):
        ada = self.centre.phone("ada", hold_s=2)
        caller = self.centre.call(hold_s=60)
        self.centre.available("ada")
        self.centre.accept(self.start)
        self.assertEqual(ada.wait_over(), 0)
        self.assertEqual(caller.wait_over(), 0, "the caller must get BYE, not music")
        self.centre.complete(self.start)
        self.assertGreater(caller.heard_seconds(ada.hz), 1)

    def test_the_task_is_canceled_while_the_caller_waits(self):
        caller = self.centre.call(hold_s=60)
        created = self.centre.wait("task.created", self.start)
        self.centre.wait("call.answered", self.start)
        self.centre.service.tasks.CancelTask(
            task_service_pb2.CancelTaskRequest(name=created.task.name, reason="closing"), timeout=10)
        self.assertEqual(caller.wait_over(), 0, "a dead task releases its caller")

    def test_the_supervisor_by_the_bridges_api(self):
        ada = self.centre.phone("ada", hold_s=60)
        caller = self.centre.call(hold_s=60)
        self.centre.available("ada")
        self.centre.accept(self.start)
        self.centre.wait("reservation.accepted", self.start)
        call = self.centre.bridge.list_calls()[0]
        self.assertEqual([leg.party for leg in call.legs], ["caller", f"{self.centre.workspace.name}/workers/ada"])
        self.assertEqual(len(self.centre.bridge.list_conferences()[0].participants), 2)
        self.centre.bridge.calls.HangUpCall(call_service_pb2.HangUpCallRequest(name=call.name), timeout=10)
        self.assertEqual(caller.wait_over(), 0)
        self.assertEqual(ada.wait_over(), 0)
        self.centre.complete(self.start)


if __name__ == "__main__":
    unittest.main()
