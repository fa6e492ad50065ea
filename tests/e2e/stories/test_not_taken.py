"""A worker does not take the call: the caller waits on, and somebody else may take it."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from telephony import CallCentre, reservation_service_pb2, wait_for  # noqa: E402


class NotTaken(unittest.TestCase):
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
        self.assertEqual(self.centre.problems(), [])

    def one_failure(self, scenario, cause, event_type, **values):
        """Ada's phone fails in this way; the caller waits on and hangs up."""
        if scenario:
            phone = self.centre.phone("ada", scenario, **values)
        caller = self.centre.call(hold_s=3)
        self.centre.available("ada")
        self.centre.accept(self.start)
        failed = self.centre.wait("call.failed", self.start)
        self.assertEqual(failed.call.cause, cause)
        ended = self.centre.wait(event_type, self.start)
        self.assertEqual(ended.reservation.reason, cause)
        self.assertIsNone(self.centre.log.find("task.canceled", self.start), "the caller must wait on")
        if scenario:
            self.assertEqual(phone.wait_over(), 0)
        self.assertEqual(caller.wait_over(), 0)
        self.centre.wait("task.canceled", self.start)

    def test_busy(self):
        self.one_failure("phone_refuses", "busy", "reservation.canceled", STATUS=486)

    def test_declined(self):
        self.one_failure("phone_refuses", "declined", "reservation.rejected", STATUS=603)

    def test_unreachable(self):
        self.one_failure(None, "unreachable", "reservation.canceled")

    def test_two_workers_the_second_takes_it(self):
        ada = self.centre.phone("ada", "phone_refuses", STATUS=486)
        bob = self.centre.phone("bob", hold_s=60)
        caller = self.centre.call(hold_s=8)
        self.centre.available("ada")
        self.centre.accept(self.start)
        failed = self.centre.wait("call.failed", self.start)
        self.assertTrue(failed.call.party.endswith("/ada"))
        again = self.centre.mark()
        self.centre.available("bob")
        offer = self.centre.accept(again)
        self.assertTrue(offer.worker.name.endswith("/bob"))
        self.assertEqual(caller.wait_over(), 0)
        self.assertEqual(bob.wait_over(), 0)
        self.assertEqual(ada.wait_over(), 0)
        self.assertGreater(caller.heard_seconds(bob.hz), 1)
        self.assertLess(caller.heard_seconds(ada.hz), 0.2)
        self.assertGreater(bob.heard_seconds(caller.hz), 1)
        self.centre.complete(self.start)

    def test_rejected_by_the_workers_client(self):
        caller = self.centre.call(hold_s=2)
        self.centre.available("ada")
        offer = self.centre.wait("reservation.created", self.start)
        self.centre.service.reservations.RejectReservation(
            reservation_service_pb2.RejectReservationRequest(name=offer.reservation.name), timeout=10)
        self.centre.wait("reservation.rejected", self.start)
        self.assertEqual(caller.wait_over(), 0)
        self.centre.wait("task.canceled", self.start)

    def test_refused_calls_say_why(self):
        for number, status, why in (("31123", 404, "route"),):
            caller = self.centre.call(number, scenario="caller_refused", STATUS=status, REASON=why)
            self.assertEqual(caller.wait_over(), 0)
        self.assertIn("cause=ROUTE_UNKNOWN", self.centre.bridge.log())


if __name__ == "__main__":
    unittest.main()
