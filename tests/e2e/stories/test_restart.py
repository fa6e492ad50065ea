"""The routing service is killed while a caller waits, and again while two talk: the caller is still there, the talk goes on,
the task ends as it should."""
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from telephony import CallCentre, wait_for  # noqa: E402


class Restart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.centre = CallCentre(lease="2s")

    @classmethod
    def tearDownClass(cls):
        cls.centre.close()

    def test_killed_while_the_caller_waits_and_while_two_talk(self):
        centre = self.centre
        try:
            self.story(centre)
        except BaseException:
            centre.show()
            raise

    def story(self, centre):
        ada = centre.phone("ada", hold_s=60)
        caller = centre.call(hold_s=25)
        created = centre.wait("task.created")
        centre.wait("call.answered")

        centre.service.kill()
        time.sleep(1)  # the caller hears the wait audio meanwhile
        self.assertEqual(len(centre.bridge.list_calls()), 1)
        centre.service.start()
        wait_for("the link is up again", lambda: centre.bridge.log().count("link_up") == 2)

        centre.available("ada")
        offer = centre.accept()
        self.assertEqual(offer.task.name, created.task.name)
        centre.wait("reservation.accepted")

        centre.service.kill()
        self.assertEqual(len(centre.bridge.list_conferences()), 1, "the talk goes on")
        time.sleep(1)
        centre.service.start()
        wait_for("the link is up again", lambda: centre.bridge.log().count("link_up") == 3)
        self.assertEqual(len(centre.bridge.list_conferences()), 1)
        self.assertIsNone(centre.log.find("task.wrapup"), "nothing may end by the restart")

        self.assertEqual(caller.wait_over(40), 0)
        self.assertEqual(ada.wait_over(), 0)
        centre.complete()
        self.assertGreater(caller.heard_seconds(ada.hz), 4)
        self.assertGreater(ada.heard_seconds(caller.hz), 4)
        self.assertEqual(centre.problems(), [])
        sequences = [event.sequence for event in centre.log.events]
        self.assertEqual(sequences, list(range(1, len(sequences) + 1)), "no gap, nothing twice")

    def test_the_caller_hangs_up_while_routing_is_away(self):
        centre = self.centre
        start = centre.mark()
        try:
            caller = centre.call(hold_s=2)
            centre.wait("call.answered", start)
            centre.service.kill()
            self.assertEqual(caller.wait_over(), 0)
            centre.service.start()
            canceled = centre.wait("task.canceled", start)
            self.assertEqual(canceled.task.reason, "caller_gone")
            self.assertEqual(centre.problems(), [])
        except BaseException:
            centre.show()
            raise


class DatabaseStops(unittest.TestCase):
    def test_postgresql_away_for_20_seconds_in_a_talk(self):
        with CallCentre() as centre:
            ada = centre.phone("ada", hold_s=60)
            caller = centre.call(hold_s=26)
            centre.available("ada")
            centre.accept()
            centre.wait("reservation.accepted")
            centre.cluster.halt()
            time.sleep(20)
            self.assertEqual(len(centre.bridge.list_conferences()), 1, "the talk goes on")
            centre.cluster.start()
            self.assertEqual(caller.wait_over(40), 0)
            self.assertEqual(ada.wait_over(), 0)
            centre.complete()
            self.assertEqual(centre.problems(), [])


if __name__ == "__main__":
    unittest.main()
