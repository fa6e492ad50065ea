"""Clients that create tasks and work them off without a pause, and remember what they were told."""
import pathlib
import sys
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import routing as r  # noqa: E402

import grpc  # noqa: E402


class Load:
    """with Load(workspace, clients=8) as load: ... load.acknowledged: {task id: when}."""

    def __init__(self, workspace, clients=8):
        self.workspace = workspace
        self.acknowledged = {}
        self.completed = set()
        self.refusals = {}  # reason: how often
        self.without_delay = []  # UNAVAILABLE from the service that did not say when to try again
        self.faults = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a client hangs"

    def _note(self, error):
        code = error.code()
        if code == grpc.StatusCode.UNAVAILABLE and "grpc-status-details-bin" in dict(error.trailing_metadata() or ()):
            found = r.details(error)
            self._count(found["ErrorInfo"].reason)
            if "RetryInfo" not in found:
                self.without_delay.append(error)
        elif code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
            self._count(code.name)  # no service there, or no answer in time
        else:
            self.faults.append(error)

    def _count(self, what):
        self.refusals[what] = self.refusals.get(what, 0) + 1

    def _until_done(self, call):
        """Repeats a request until it is answered; False when the load is over before."""
        while True:
            try:
                call()
                return True
            except grpc.RpcError as error:
                self._note(error)
                if self.over.is_set() or self.faults:
                    return False
                time.sleep(0.05)

    def _run(self, client):
        number = 0
        while not self.over.is_set() and not self.faults:
            task_id, request_id = f"c{client}-{number}", str(uuid.uuid4())
            if self._until_done(lambda: self.workspace.create_task(
                    task_id, channel="chat", request_id=request_id, timeout=40)):
                self.acknowledged[task_id] = time.monotonic()
            number += 1

    def check(self, test):
        """Nothing acknowledged is lost, and nobody was told anything odd."""
        test.assertEqual(self.faults, [])
        test.assertEqual(self.without_delay, [])
        tasks, token = set(), ""
        while True:
            page = self.workspace.service.tasks.ListTasks(r.task_service_pb2.ListTasksRequest(
                parent=self.workspace.name, page_size=1000, page_token=token), timeout=30)
            tasks |= {task.name.split("/")[-1] for task in page.tasks}
            token = page.next_page_token
            if not token:
                break
        test.assertEqual(set(self.acknowledged) - tasks, set())
        test.assertGreater(len(self.acknowledged), 20)


class Follower:
    """Follows the events of a workspace over every break, and checks that none is missed or repeated."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.last = 0
        self.gaps = []
        self.over = False
        self.stream = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.over:
            try:
                self.stream = self.workspace.watch(self.last, timeout=None)
                for response in self.stream:
                    for event in response.events:
                        if event.sequence != self.last + 1:
                            self.gaps.append((self.last, event.sequence))
                        self.last = event.sequence
            except grpc.RpcError:
                time.sleep(0.05)

    def finish(self, test):
        """Waits until it has seen everything."""
        newest = self.workspace.events()[-1].sequence
        r.wait_for("the follower sees every event", lambda: self.last >= newest)
        self.over = True
        self.stream.cancel()
        self.thread.join(20)
        test.assertEqual(self.gaps, [])
