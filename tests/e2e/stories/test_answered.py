"""A call is answered: from INVITE to the completed task, and both hear each other.

Each check of what is heard has a twin in which it must fail: with one direction muted.
"""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from telephony import CALLER_HZ, WORKER_HZ, CallCentre  # noqa: E402

IN_ORDER = ["task.created", "call.received", "workflow.entered", "task-queue.entered", "reservation.created",
            "reservation.set-up", "call.ringing", "conference.started", "reservation.accepted",
            "conference.ended", "call.ended", "reservation.wrapup", "task.wrapup", "reservation.completed",
            "task.completed"]


def hears(listener, speaker):
    """The listener hears the speaker's tone for a while, and not its own."""
    return listener.heard_seconds(speaker.hz) > 1 and listener.heard_seconds(listener.hz) < 0.2


class Answered(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.centre = CallCentre()

    @classmethod
    def tearDownClass(cls):
        cls.centre.close()

    def talk(self, number="4930123", mute_caller=False, mute_worker=False):
        """One call with ada; both phones when it is over."""
        centre = self.centre
        start = centre.mark()
        try:
            ada = centre.phone("ada", mute=mute_worker)
            caller = centre.call(number, hold_s=4, mute=mute_caller)
            centre.available("ada")
            centre.accept(start)
            self.assertEqual(caller.wait_over(), 0)
            self.assertEqual(ada.wait_over(), 0)
            centre.complete(start)
            centre.workspace.set_activity("ada", "offline")
            centre.wait("call.ended", start)
        except BaseException:
            centre.show()
            raise
        self.assertEqual(centre.bridge.list_calls(), [])
        self.assertEqual(centre.problems(), [])
        return caller, ada, [event.event_type for event in centre.log.events[start:]]

    def test_both_hear_each_other_and_every_step_is_an_event(self):
        caller, ada, types = self.talk()
        self.assertTrue(hears(caller, ada))
        self.assertTrue(hears(ada, caller))
        self.assertEqual([event_type for event_type in types if event_type in IN_ORDER], IN_ORDER)
        self.assertIn("call.answered", types)  # beside the set-up: whichever is faster

    def test_a_muted_worker_is_not_heard(self):
        caller, ada, _ = self.talk(mute_worker=True)
        self.assertFalse(hears(caller, ada))
        self.assertTrue(hears(ada, caller))

    def test_a_muted_caller_is_not_heard(self):
        caller, ada, _ = self.talk(mute_caller=True)
        self.assertTrue(hears(caller, ada))
        self.assertFalse(hears(ada, caller))

    def test_answered_when_the_worker_answers(self):
        caller, ada, types = self.talk("77123")
        self.assertTrue(hears(caller, ada) and hears(ada, caller))
        self.assertLess(types.index("call.ringing"), types.index("call.answered"))

    def test_answered_at_once(self):
        caller, ada, _ = self.talk("88123")
        self.assertTrue(hears(caller, ada) and hears(ada, caller))

    def test_the_tones_differ(self):
        self.assertNotIn(CALLER_HZ, WORKER_HZ.values())


if __name__ == "__main__":
    unittest.main()
