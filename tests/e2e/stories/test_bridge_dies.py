"""The bridge is killed: nobody stays stuck. A new process of the same bridge ends what the old one held; a bridge that does not
come back is lost after its lease."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from telephony import CallCentre, wait_for  # noqa: E402


class BridgeDies(unittest.TestCase):
    def test_killed_in_a_talk_and_started_again(self):
        with CallCentre() as centre:
            centre.phone("ada")
            centre.call(hold_s=60)
            centre.available("ada")
            centre.accept()
            centre.wait("reservation.accepted")
            centre.bridge.kill()
            centre.bridge.start()
            wrapup = centre.wait("task.wrapup")
            self.assertEqual(wrapup.task.reason, "bridge_lost")
            self.assertFalse(wrapup.task.call.live)
            centre.complete()
            self.assertEqual(centre.problems(), [])

            # The new process takes calls, and its reports count on from the old one's.
            start = centre.mark()
            wait_for("the new process knows the routes", lambda: centre.bridge.log().count("routes=3") >= 2)
            caller = centre.call(hold_s=1)
            self.assertEqual(caller.wait_over(), 0)
            centre.wait("call.ended", start)

    def test_killed_while_a_caller_waits_and_gone_for_good(self):
        with CallCentre(bridge_lease="2s") as centre:
            centre.call(hold_s=60)
            centre.wait("call.answered")
            centre.bridge.kill()
            canceled = centre.wait("task.canceled")
            self.assertEqual(canceled.task.reason, "bridge_lost")
            self.assertEqual(centre.problems(), [])


if __name__ == "__main__":
    unittest.main()
