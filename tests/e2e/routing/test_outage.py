"""PostgreSQL goes away for 20 seconds under load, and comes back: stopped at once, or hanging (SIGSTOP).
Nothing acknowledged is lost, nothing is acknowledged meanwhile, and an offer that was waiting when it
began still waits when it is over.
"""
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import pg  # noqa: E402
import routing as r  # noqa: E402
from load import Follower, Load  # noqa: E402

OUTAGE_S = 20
OFFER_S = 10
NOTICED_S = 1  # what was on its way when it began may still be answered
MODE = "stopped"


class Outage(r.RoutingTest):
    def setUp(self):
        self.cluster = pg.Cluster(durable=True)
        self.addCleanup(self.cluster.stop)
        self.database = self.cluster.create_database()
        self.service = r.RoutingService(database=self.database)
        self.addCleanup(self.service.remove)

    def away(self):
        if MODE == "stopped":
            self.cluster.halt(signal.SIGQUIT)
        else:
            self.cluster.pause()
        self.began = time.monotonic()

    def back(self):
        if MODE == "stopped":
            self.cluster.start()
        else:
            self.cluster.resume()
        self.ended = time.monotonic()

    def check_events_are_refused(self, workspace):
        """Stored events cannot be read: the client hears when to try again, and nothing of our insides."""
        error = self.fails(r.grpc.StatusCode.UNAVAILABLE, workspace.events)
        self.assertIn("RetryInfo", r.details(error))
        self.assertNotIn("PostgreSQL", str(r.details(error)) + error.details())

    def test_nothing_is_lost_and_no_offer_times_out(self):
        offers = r.Workspace(self.service, "offers", reservation_timeout_s=OFFER_S)
        offers.add_worker("ada", activity="available")
        busy = r.Workspace(self.service, "busy")
        follower = Follower(busy)
        with Load(busy) as load:
            r.wait_for("the load is under way", lambda: len(load.acknowledged) > 100)
            offers.create_task("t1")
            before = offers.offer("t1")

            self.away()
            r.wait_for("it says that it is not ready", lambda: not self.service.ready())
            if MODE == "stopped":
                self.check_events_are_refused(busy)
            time.sleep(max(self.began + OUTAGE_S - time.monotonic(), 0))  # the outage itself
            answered = [t for t in load.acknowledged.values() if t > self.began + NOTICED_S]
            self.assertEqual(answered, [], "acknowledged without a database")
            self.back()

            r.wait_for("it is ready again", self.service.ready)
            after = offers.offer("t1")
            self.assertEqual(after.name, before.name)
            moved_s = (after.expire_time.ToMilliseconds() - before.expire_time.ToMilliseconds()) / 1000
            self.assertGreaterEqual(moved_s, OUTAGE_S - 4)  # the length of a renewal interval may be missing
            self.assertLess(moved_s, OUTAGE_S + 15)
            self.assertEqual(offers.accept(after.name).state, r.reservation_pb2.Reservation.ACCEPTED)
            count = len(load.acknowledged)
            r.wait_for("the load goes on", lambda: len(load.acknowledged) > count + 50)
        follower.finish(self)
        load.check(self)
        self.assertEqual(self.service.metric("cordboard_routing_sweep_mended_total"), 0)
        self.assertEqual(self.service.stop(), 0)
        self.assertEqual(self.database.audit(), [])


if __name__ == "__main__":
    MODE = sys.argv.pop(1)
    unittest.main()
