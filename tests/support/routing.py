"""The routing service as a child of a test, and the names that stories need.

    with RoutingService() as service:                        # its own embedded PostgreSQL
        service.tasks.GetTask(...)
    with RoutingService(database=cluster.create_database()) as service:
        ...
        service.kill(); service.start()

Ports are the system's choice; a restart takes the same ones again. The log is shown when the test
fails, or when the service does not start.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import stubs  # noqa: E402,F401

import grpc  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from cordboard.routing.v1 import (  # noqa: E402,F401
    activity_service_pb2, activity_service_pb2_grpc, activity_pb2, bridge_link_service_pb2,
    bridge_link_service_pb2_grpc, event_service_pb2, event_service_pb2_grpc, event_pb2,
    inbound_route_service_pb2, inbound_route_service_pb2_grpc, inbound_route_pb2,
    reservation_service_pb2, reservation_service_pb2_grpc, reservation_pb2,
    task_channel_service_pb2, task_channel_service_pb2_grpc, task_channel_pb2,
    task_queue_service_pb2, task_queue_service_pb2_grpc, task_queue_pb2, task_service_pb2,
    task_service_pb2_grpc, task_pb2, trunk_service_pb2, trunk_service_pb2_grpc, trunk_pb2,
    worker_service_pb2, worker_service_pb2_grpc, worker_pb2, worker_session_service_pb2,
    worker_session_service_pb2_grpc, workflow_service_pb2, workflow_service_pb2_grpc,
    workflow_pb2, workspace_service_pb2, workspace_service_pb2_grpc, workspace_pb2)

BUILD = pathlib.Path(os.environ.get("BUILD_DIR", "build/dev"))
PROGRAM = BUILD / "services/routing/cordboard-routing"
START_S = 60
STOP_S = 30
WAIT_S = 20


def details(error):
    """The typed details of a gRPC error by the names of their messages."""
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    assert (status.code, status.message) == (error.code().value[0], error.details()), status
    found = {}
    for detail in status.details:
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest,
                     error_details_pb2.RetryInfo, error_details_pb2.ResourceInfo):
            message = kind()
            if detail.Unpack(message):
                found[kind.__name__] = message
    return found


def reason(error):
    return details(error)["ErrorInfo"].reason


def wait_for(what, condition, seconds=WAIT_S):
    """The condition's first true value; an AssertionError with `what` when none comes."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


class RoutingService:
    """settings: further ones, as heartbeat="1s"."""

    def __init__(self, database=None, **settings):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cordboard-routing-"))
        os.chmod(self.directory, 0o755)  # the embedded PostgreSQL runs as somebody else
        self.settings = {"listen_address": "127.0.0.1:0", "status_address": "127.0.0.1:0",
                         "data_directory": str(self.directory / "data")} | settings
        self.log_path = self.directory / "log"
        if database:
            secret = self.directory / "database_url"
            secret.write_text(database.url)
            self.settings["database_url_file"] = str(secret)
        self.process = None
        self.channel = None
        self.last_log = ""
        try:
            self.start()
        except BaseException:
            self.remove()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            failed = kind is not None
            if self.process and self.process.poll() is None:
                failed |= self.stop() != 0
            if failed:
                self.show_log()
        finally:
            self.remove()

    def log(self):
        """Also after remove()."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else self.last_log

    def show_log(self):
        sys.stderr.write("".join(f"    | {line}\n" for line in self.log().splitlines()[-60:]))

    def remove(self):
        if self.channel:
            self.channel.close()
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.last_log = self.log()
        shutil.rmtree(self.directory, ignore_errors=True)

    # --- life ---

    def start(self):
        """Starts it and waits until it serves; the same addresses as before."""
        offset = self.log_path.stat().st_size if self.log_path.exists() else 0
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in self.settings.items()]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([PROGRAM, *flags], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        deadline = time.monotonic() + START_S
        while True:
            new = self.log()[offset:]
            started = re.search(r" service_started .*\bgrpc=(\S+) status=(\S+)", new)
            if started:
                break
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.show_log()
                raise RuntimeError(f"the routing service does not start: {new.strip()[-300:]}")
            time.sleep(0.005)
        self.settings["listen_address"], self.settings["status_address"] = started.groups()
        self.address, self.status_address = started.groups()
        if not self.channel:  # else it finds the service again by itself, and others may be using it
            self.connect()
        grpc.channel_ready_future(self.channel).result(START_S)

    def connect(self):
        # Quick to try again: tests stop and start what they talk to.
        self.channel = grpc.insecure_channel(self.address, options=(
            ("grpc.initial_reconnect_backoff_ms", 50), ("grpc.min_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 200), ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_retries", 0)))
        self.workspaces = workspace_service_pb2_grpc.WorkspaceServiceStub(self.channel)
        self.activities = activity_service_pb2_grpc.ActivityServiceStub(self.channel)
        self.task_channels = task_channel_service_pb2_grpc.TaskChannelServiceStub(self.channel)
        self.workers = worker_service_pb2_grpc.WorkerServiceStub(self.channel)
        self.task_queues = task_queue_service_pb2_grpc.TaskQueueServiceStub(self.channel)
        self.workflows = workflow_service_pb2_grpc.WorkflowServiceStub(self.channel)
        self.tasks = task_service_pb2_grpc.TaskServiceStub(self.channel)
        self.reservations = reservation_service_pb2_grpc.ReservationServiceStub(self.channel)
        self.trunks = trunk_service_pb2_grpc.TrunkServiceStub(self.channel)
        self.inbound_routes = inbound_route_service_pb2_grpc.InboundRouteServiceStub(self.channel)
        self.events = event_service_pb2_grpc.EventServiceStub(self.channel)
        self.sessions = worker_session_service_pb2_grpc.WorkerSessionServiceStub(self.channel)
        self.bridge_link = bridge_link_service_pb2_grpc.BridgeLinkServiceStub(self.channel)

    def stop(self):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise

    def kill(self):
        self.process.kill()
        self.process.wait()

    # --- looking in ---

    def metric(self, name):
        """The sum over all series of a metric, `cordboard_routing_...`."""
        with urllib.request.urlopen(f"http://{self.status_address}/metrics", timeout=10) as page:
            lines = page.read().decode().splitlines()
        values = [float(line.rsplit(" ", 1)[1]) for line in lines if re.match(name + r"[ {]", line)]
        assert values, f"no metric {name}"
        return sum(values)

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.status_address}/readyz", timeout=10):
                return True
        except OSError:
            return False


class Workspace:
    """A workspace on the service with a queue `everyone`, a workflow `main` into it, and short ways
    to the usual requests. Ids in, messages out."""

    def __init__(self, service, workspace_id, reservation_timeout_s=None, expression="1==1"):
        self.service = service
        self.name = f"workspaces/{workspace_id}"
        service.workspaces.CreateWorkspace(workspace_service_pb2.CreateWorkspaceRequest(
            workspace_id=workspace_id, workspace=workspace_pb2.Workspace(display_name=workspace_id)))
        self.add_queue("everyone", expression)
        self.add_workflow("main", '{"task_routing": {"filters": [], "default_filter": {"queue": "everyone"}}}',
                          reservation_timeout_s)

    def add_queue(self, queue_id, expression):
        return self.service.task_queues.CreateTaskQueue(task_queue_service_pb2.CreateTaskQueueRequest(
            parent=self.name, task_queue_id=queue_id,
            task_queue=task_queue_pb2.TaskQueue(display_name=queue_id, target_workers=expression)))

    def add_workflow(self, workflow_id, document, reservation_timeout_s=None):
        workflow = workflow_pb2.Workflow(display_name=workflow_id, configuration=document)
        if reservation_timeout_s:
            workflow.task_reservation_timeout.FromMilliseconds(int(reservation_timeout_s * 1000))
        return self.service.workflows.CreateWorkflow(workflow_service_pb2.CreateWorkflowRequest(
            parent=self.name, workflow_id=workflow_id, workflow=workflow))

    def add_worker(self, worker_id, attributes="{}", activity="", capacities=None):
        channels = [worker_pb2.WorkerChannel(task_channel=f"{self.name}/taskChannels/{channel}", capacity=capacity)
                    for channel, capacity in (capacities or {}).items()]
        return self.service.workers.CreateWorker(worker_service_pb2.CreateWorkerRequest(
            parent=self.name, worker_id=worker_id, worker=worker_pb2.Worker(
                display_name=worker_id, attributes=attributes, channels=channels,
                activity=self.activity(activity) if activity else "")))

    def activity(self, activity_id):
        return f"{self.name}/activities/{activity_id}"

    def set_activity(self, worker_id, activity_id, **more):
        return self.service.workers.SetWorkerActivity(worker_service_pb2.SetWorkerActivityRequest(
            name=f"{self.name}/workers/{worker_id}", activity=self.activity(activity_id), **more))

    def create_task(self, task_id="", channel="", timeout=WAIT_S, request_id="", **fields):
        if channel:
            fields["task_channel"] = f"{self.name}/taskChannels/{channel}"
        return self.service.tasks.CreateTask(task_service_pb2.CreateTaskRequest(
            parent=self.name, task_id=task_id, task=task_pb2.Task(**fields), request_id=request_id),
            timeout=timeout)

    def task(self, task_id, timeout=WAIT_S):
        return self.service.tasks.GetTask(
            task_service_pb2.GetTaskRequest(name=f"{self.name}/tasks/{task_id}"), timeout=timeout)

    def reservations(self, parent):
        """Of a task or worker: parent is `tasks/t` or `workers/w`."""
        return list(self.service.reservations.ListReservations(
            reservation_service_pb2.ListReservationsRequest(parent=f"{self.name}/{parent}", page_size=1000),
            timeout=WAIT_S).reservations)

    def offer(self, task_id):
        """Waits for the task's live reservation."""
        def pending():
            return [r for r in self.reservations(f"tasks/{task_id}") if r.state == reservation_pb2.Reservation.PENDING]
        return wait_for(f"a reservation of {task_id}", pending)[0]

    def accept(self, name, **more):
        return self.service.reservations.AcceptReservation(
            reservation_service_pb2.AcceptReservationRequest(name=name, **more), timeout=WAIT_S)

    def complete(self, name, **more):
        return self.service.reservations.CompleteReservation(
            reservation_service_pb2.CompleteReservationRequest(name=name, **more), timeout=WAIT_S)

    def events(self, resource=""):
        """All events so far, over as many pages as it takes."""
        found, token = [], ""
        while True:
            page = self.service.events.ListEvents(event_service_pb2.ListEventsRequest(
                parent=self.name, resource=resource, page_size=1000, page_token=token), timeout=WAIT_S)
            found += page.events
            token = page.next_page_token
            if not token:
                return found

    def watch(self, after=0, resource="", timeout=WAIT_S):
        return self.service.events.WatchEvents(event_service_pb2.WatchEventsRequest(
            parent=self.name, after_sequence=after, resource=resource), timeout=timeout)


def next_event(watch, event_type):
    """Reads a watch up to the next event of the type."""
    for response in watch:
        for event in response.events:
            if event.event_type == event_type:
                return event
    raise AssertionError(f"the watch ended before {event_type}")


class RoutingTest(unittest.TestCase):
    """A test case whose service's log is shown when something fails: set `service` in setUpClass."""
    service = None

    def run(self, result=None):
        bad = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > bad and self.service:
            self.service.show_log()
        return result

    def fails(self, code, call):
        """The gRPC error of the call, which must have this code."""
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        self.assertEqual(raised.exception.code(), code, raised.exception)
        return raised.exception

    def refused(self, wanted_reason, call):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        self.assertEqual(reason(raised.exception), wanted_reason, raised.exception)
        return raised.exception
