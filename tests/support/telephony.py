"""Stories with real calls: the bridge as a child, phones (SIPp for SIP, rtp_party for the audio), and
a small call centre around them.

    with CallCentre() as centre:
        ada = centre.phone("ada")
        centre.set_activity("ada", "available")
        call = centre.call()
        centre.wait("reservation.created") ...
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import string
import subprocess
import sys
import tempfile
import threading
import time

import audio
import pg
import routing
from routing import (BUILD, WAIT_S, inbound_route_pb2, inbound_route_service_pb2, trunk_pb2, trunk_service_pb2,
                     reservation_service_pb2, task_service_pb2, wait_for)

sys.path.insert(0, str(BUILD / "python"))
import grpc  # noqa: E402
from cordboard.bridge.v1 import (  # noqa: E402
    call_service_pb2, call_service_pb2_grpc, conference_service_pb2, conference_service_pb2_grpc)

SCENARIOS = pathlib.Path(__file__).resolve().parent.parent / "e2e" / "sipp"
CALLER_HZ = 440
WORKER_HZ = {"ada": 1000, "bob": 1300}
LOUD_DBFS = -30  # a party sends at about -10 dBFS; noise and wait audio at these tones are far below


def free_port():
    """A UDP and TCP port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Bridge:
    def __init__(self, routing_address, **settings):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cordboard-bridge-"))
        first = 10000 + os.getpid() % 200 * 100  # tests that run together keep apart
        self.settings = {"listen_address": "127.0.0.1:0", "status_address": "127.0.0.1:0",
                         "sip_listen_address": f"127.0.0.1:{free_port()}", "routing_address": routing_address,
                         "media_first_port": first, "media_last_port": first + 99,
                         "media_port_cooldown": "1s"} | settings
        self.settings["listen_address"] = f"127.0.0.1:{free_port()}"
        self.log_path = self.directory / "log"
        self.process = None
        self.start()

    def start(self):
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in self.settings.items()]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([BUILD / "services/bridge/cordboard-bridge", *flags],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        started = wait_for("the bridge serves", lambda: self.process.poll() is not None or
                           re.search(r" service_started .*\bcontact=sip:(\S+)", self.log()), 30)
        if started is True:
            raise RuntimeError(f"the bridge does not start: {self.log()[-300:]}")
        self.sip_address = started.group(1)
        self.channel = grpc.insecure_channel(self.settings["listen_address"])
        self.calls = call_service_pb2_grpc.CallServiceStub(self.channel)
        self.conferences = conference_service_pb2_grpc.ConferenceServiceStub(self.channel)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def list_calls(self):
        return list(self.calls.ListCalls(call_service_pb2.ListCallsRequest(), timeout=WAIT_S).calls)

    def list_conferences(self):
        return list(self.conferences.ListConferences(
            conference_service_pb2.ListConferencesRequest(), timeout=WAIT_S).conferences)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise

    def remove(self):
        self.channel.close()
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class Phone:
    """One telephone: SIPp speaks SIP by a scenario, rtp_party sends a tone and records what it hears."""

    def __init__(self, directory, name, scenario, arguments, hz, mute=False, sip_port=0, **values):
        self.name = name
        self.hz = hz
        self.heard_path = directory / f"{name}-{time.monotonic_ns()}.wav"
        self.sip_port = sip_port or free_port()
        self.party = subprocess.Popen(
            [BUILD / "tests/support/rtp_party", "--port", "0", "--seconds", "120", "--record", self.heard_path,
             *(["--mute"] if mute else ["--tone", str(hz)])],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.rtp_port = int(re.match(r"port=(\d+)", self.party.stdout.readline()).group(1))
        text = string.Template((SCENARIOS / f"{scenario}.xml").read_text())
        path = directory / f"{name}-{self.sip_port}.xml"
        # Only our own names: SIPp has dollars of its own.
        path.write_text(text.safe_substitute({"RTP_PORT": self.rtp_port} | values))
        self.output_path = path.with_suffix(".out")
        with open(self.output_path, "wb") as output:
            self.sipp = subprocess.Popen(
                ["sipp", "-sf", path, "-i", "127.0.0.1", "-p", str(self.sip_port), "-m", "1", "-nostdin",
                 "-timeout", "100s", "-timeout_error", "-trace_err", "-error_file", path.with_suffix(".err"), *arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=directory)

    def wait_over(self, seconds=WAIT_S):
        """SIPp's exit code, 0 when the scenario went as written; then the recording is complete."""
        code = self.sipp.wait(seconds)
        self.stop_audio()
        return code

    def stop_audio(self):
        if self.party.poll() is None:
            self.party.send_signal(signal.SIGTERM)
            self.party.communicate(timeout=10)

    def heard_seconds(self, hz):
        self.stop_audio()
        return audio.heard_seconds(audio.load(self.heard_path), hz, LOUD_DBFS)

    def remove(self):
        for process in (self.sipp, self.party):
            if process.poll() is None:
                process.kill()
            process.wait()
        self.party.stdout.close()

    def show(self):
        errors = self.output_path.with_suffix(".err")
        if self.sipp.poll() not in (None, 0) and errors.exists():
            sys.stderr.write(f"--- SIPp of {self.name}:\n{errors.read_text(errors='replace')[-3000:]}\n")


class EventLog(threading.Thread):
    """Everything that happens in the workspace, as a watcher sees it, over restarts of the service."""

    def __init__(self, workspace):
        super().__init__(daemon=True)
        self.workspace = workspace
        self.events = []
        self.ended = False
        self.start()

    def run(self):
        while not self.ended:
            try:
                after = self.events[-1].sequence if self.events else 0
                for response in self.workspace.watch(after, timeout=300):
                    self.events.extend(response.events)
            except (grpc.RpcError, ValueError):
                time.sleep(0.05)

    def types(self):
        return [event.event_type for event in self.events]

    def find(self, event_type, start=0):
        return next((event for event in self.events[start:] if event.event_type == event_type), None)


class CallCentre:
    """One workspace with the queue `everyone`, the workers ada and bob (Offline), a trunk on loopback and routes: every
    number is answered when its task is made, 77* when the worker answers, 88* at once."""

    def __init__(self, **settings):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cordboard-story-"))
        self.phones = []
        self.contacts = {worker: free_port() for worker in WORKER_HZ}
        self.cluster = pg.Cluster(durable=True)
        self.database = self.cluster.create_database()
        self.service = routing.RoutingService(database=self.database, heartbeat="1s", **settings)
        self.bridge = Bridge(self.service.address)
        self.workspace = routing.Workspace(self.service, "acme", reservation_timeout_s=30)
        for worker, port in self.contacts.items():
            self.workspace.add_worker(worker, f'{{"contact_uri": "sip:{worker}@127.0.0.1:{port}"}}')
        self.service.trunks.CreateTrunk(trunk_service_pb2.CreateTrunkRequest(
            parent=self.workspace.name, trunk_id="carrier",
            trunk=trunk_pb2.Trunk(display_name="Carrier", source_addresses=["127.0.0.0/8"])))
        answers = inbound_route_pb2.InboundRoute
        for route_id, number, answer in (("plain", "49*", answers.AFTER_TASK), ("early", "77*", answers.ON_WORKER),
                                         ("at-once", "88*", answers.AT_ONCE)):
            self.service.inbound_routes.CreateInboundRoute(inbound_route_service_pb2.CreateInboundRouteRequest(
                parent=self.workspace.name, inbound_route_id=route_id, inbound_route=inbound_route_pb2.InboundRoute(
                    display_name=route_id, called_number=number, answer=answer,
                    workflow=f"{self.workspace.name}/workflows/main")))
        wait_for("the bridge knows the routes", lambda: "routes=3" in self.bridge.log())
        self.log = EventLog(self.workspace)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.show()
        self.close()

    def show(self):
        for event in self.log.events:
            sys.stderr.write(f"    {event.sequence} {event.event_type} {event.actor} {event.description} {event.call.cause}\n")
        sys.stderr.write("".join(f"    | {line}\n" for line in self.bridge.log().splitlines()[-40:]))
        self.service.show_log()
        for phone in self.phones:
            phone.show()

    def close(self):
        self.log.ended = True
        for phone in self.phones:
            phone.remove()
        self.bridge.remove()
        self.service.remove()
        self.cluster.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    # --- phones ---

    def call(self, number="4930123", hold_s=30, scenario="caller", mute=False, **values):
        """A caller; hangs up hold_s after the answer."""
        phone = Phone(self.directory, "caller", scenario, [self.bridge.sip_address], CALLER_HZ, mute, NUMBER=number,
                      FROM="4989555", HOLD_MS=int(hold_s * 1000), **values)
        self.phones.append(phone)
        return phone

    def phone(self, worker, scenario="phone", ring_s=0.2, hold_s=60, mute=False, **values):
        """The worker's phone, ready to be dialled."""
        phone = Phone(self.directory, worker, scenario, [], WORKER_HZ[worker], mute, self.contacts[worker],
                      RING_MS=int(ring_s * 1000), HOLD_MS=int(hold_s * 1000), **values)
        self.phones.append(phone)
        return phone

    # --- what happens ---

    def mark(self):
        """Where the log is now; for wait() to look only at what comes."""
        return len(self.log.events)

    def wait(self, event_type, start=0, seconds=WAIT_S):
        return wait_for(event_type, lambda: self.log.find(event_type, start), seconds)

    def available(self, *workers):
        for worker in workers:
            self.workspace.set_activity(worker, "available")

    def accept(self, start=0):
        """Accepts the next offer as its worker; the event of the offer."""
        offer = self.wait("reservation.created", start)
        self.workspace.accept(offer.reservation.name)
        return offer

    def complete(self, start=0):
        done = self.wait("task.wrapup", start)
        self.service.tasks.CompleteTask(task_service_pb2.CompleteTaskRequest(name=done.task.name), timeout=WAIT_S)
        self.wait("task.completed", start)

    def problems(self):
        """What must hold at rest and does not."""
        return self.database.audit()
