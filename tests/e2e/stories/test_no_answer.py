"""A worker's phone rings for its whole time and nobody answers: it is told to stop, the caller waits on, and another worker
takes the call."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from telephony import CallCentre  # noqa: E402

RING_S = 60  # RING_TIMEOUT_US in services/routing/domain/limits.h


class NoAnswer(unittest.TestCase):
    def test_no_answer_and_the_next_one_takes_it(self):
        with CallCentre() as centre:
            ada = centre.phone("ada", "phone_rings")
            caller = centre.call(hold_s=RING_S + 10)
            centre.available("ada")
            centre.accept()
            failed = centre.wait("call.failed", seconds=RING_S + 15)
            self.assertEqual(failed.call.cause, "no_answer")
            canceled = centre.wait("reservation.canceled")
            self.assertEqual(canceled.reservation.reason, "no_answer")
            self.assertEqual(ada.wait_over(), 0, "the phone must be told to stop, by CANCEL")
            self.assertIsNone(centre.log.find("task.canceled"), "the caller must wait on")

            again = centre.mark()
            bob = centre.phone("bob")
            centre.available("bob")
            offer = centre.accept(again)
            self.assertTrue(offer.worker.name.endswith("/bob"))
            self.assertEqual(caller.wait_over(40), 0)
            self.assertEqual(bob.wait_over(), 0)
            centre.complete(again)
            self.assertGreater(caller.heard_seconds(bob.hz), 1)
            self.assertEqual(centre.problems(), [])


if __name__ == "__main__":
    unittest.main()
