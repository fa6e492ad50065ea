"""kill -9 of the routing service at random moments under load, and restart."""
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import pg  # noqa: E402
import routing as r  # noqa: E402
from load import Follower, Load  # noqa: E402

ROUNDS = 6
SEED = 20261122
TASK, RESERVATION = r.task_pb2.Task, r.reservation_pb2.Reservation
OVERDUE = """
  SELECT 'task', workspace_id || '/' || id FROM tasks WHERE state < 5 AND expire_time < clock_timestamp() - interval '2 s'
  UNION ALL SELECT 'reservation', workspace_id || '/' || id FROM reservations
  WHERE state IN (1, 7) AND expire_time < clock_timestamp() - interval '2 s'"""


class Killed(r.RoutingTest):
    def setUp(self):
        self.cluster = pg.Cluster(durable=True)
        self.addCleanup(self.cluster.stop)
        self.database = self.cluster.create_database()
        self.service = r.RoutingService(database=self.database, lease="2s")
        self.addCleanup(self.service.remove)

    def test_every_acknowledged_task_exists(self):
        chance = random.Random(SEED)
        busy = r.Workspace(self.service, "busy", reservation_timeout_s=0.5)
        for i in range(4):  # they let every offer time out, so that timers run all the time
            busy.add_worker(f"w{i}", activity="available", capacities={"chat": 5})
        self.service.workspaces.UpdateWorkspace(r.workspace_service_pb2.UpdateWorkspaceRequest(
            workspace=r.workspace_pb2.Workspace(name=busy.name, timeout_activity=busy.activity("available"))))
        follower = Follower(busy)
        with Load(busy) as load:
            for _ in range(ROUNDS):
                count = len(load.acknowledged)
                r.wait_for("the load goes on", lambda: len(load.acknowledged) > count + 20)
                time.sleep(chance.random() / 2)  # the random moment
                self.service.kill()
                self.service.start()
        follower.finish(self)
        load.check(self)
        events = busy.events()
        self.assertEqual([e.sequence for e in events], list(range(1, len(events) + 1)))
        self.assertEqual(self.service.metric("cordboard_routing_sweep_mended_total"), 0)
        r.wait_for("nothing is overdue", lambda: self.database.rows(OVERDUE) == [])
        self.assertEqual(self.service.stop(), 0)
        self.assertEqual(self.database.audit(), [])

    def test_everything_in_flight_goes_on(self):
        acme = r.Workspace(self.service, "acme", reservation_timeout_s=60)
        acme.add_worker("ada", activity="available", capacities={"chat": 3})
        names = {}
        for task_id in ("assigned", "wrapping", "reserved"):
            acme.create_task(task_id, "chat")
            names[task_id] = acme.offer(task_id).name
        acme.create_task("waiting", "chat")
        acme.set_activity("ada", "available")
        acme.accept(names["assigned"])
        acme.accept(names["wrapping"])
        self.service.reservations.WrapUpReservation(
            r.reservation_service_pb2.WrapUpReservationRequest(name=names["wrapping"]))
        before = {task_id: acme.task(task_id) for task_id in ("assigned", "wrapping", "reserved", "waiting")}

        self.service.kill()
        self.service.start()

        for task_id, task in before.items():
            after = acme.task(task_id)
            self.assertEqual(after.state, task.state, task_id)
            self.assertEqual(after.create_time, task.create_time)
        self.assertEqual(acme.offer("reserved").name, names["reserved"])
        self.assertEqual(acme.task("waiting").state, TASK.PENDING)
        self.assertEqual(acme.complete(names["wrapping"]).state, RESERVATION.COMPLETED)
        self.assertEqual(acme.offer("waiting").worker, f"{acme.name}/workers/ada")
        self.assertEqual(acme.accept(names["reserved"]).state, RESERVATION.ACCEPTED)
        self.assertEqual(acme.complete(names["assigned"]).state, RESERVATION.COMPLETED)
        self.assertEqual(self.service.metric("cordboard_routing_sweep_mended_total"), 0)
        self.assertEqual(self.service.stop(), 0)
        self.assertEqual(self.database.audit(), [])


if __name__ == "__main__":
    unittest.main()
