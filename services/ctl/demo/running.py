"""`make run`: both services with a demo workspace, until Ctrl-C.

Everything that is kept is in one data directory; a second run goes on with it.
"""
import ctypes
import errno
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import workspace
from client import CallFailed, Client

START_S = 120
STOP_S = 30
FREE_BYTES = 300 * 1024 * 1024  # a new database takes a quarter of it
PHONES_FROM = 5071


class Stop(Exception):
    """A signal, or something that ends the run; the text is for the user, if any."""


def find_program(programs, service, name):
    """In a build tree, or beside others where programs are installed."""
    for path in (programs / "services" / service / name, programs / name):
        if os.access(path, os.X_OK):
            return path
    raise Stop(f"{name} is not in {programs}; build it first: make run does")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def addresses(ephemeral):
    """What the services listen on: name -> (host:port, what it is, kinds of socket)."""
    tcp, both = (socket.SOCK_STREAM,), (socket.SOCK_DGRAM, socket.SOCK_STREAM)
    usual = {"routing": (7001, "gRPC of the routing service", tcp),
             "routing_status": (7002, "its metrics and health", tcp),
             "bridge": (7011, "gRPC of the bridge", tcp),
             "bridge_status": (7012, "its metrics and health", tcp),
             "sip": (5060, "SIP, UDP and TCP", both)}
    return {name: (f"127.0.0.1:{free_port() if ephemeral else port}", what, kinds)
            for name, (port, what, kinds) in usual.items()}


def private_part(path):
    """The folder on the way to the path that other users may not pass; None when there is none."""
    return next((p for p in (path, *path.parents) if p.exists() and not p.stat().st_mode & 0o001), None)


def data_folder(path):
    """The folder for the data, made if need be. PostgreSQL does not run as root; when root has the
    project in a place where nobody else may look, the data is elsewhere, and `path` a link to it."""
    if not path.exists() and os.geteuid() == 0 and private_part(path.parent.resolve()):
        elsewhere = pathlib.Path(tempfile.mkdtemp(prefix="cordboard-", dir="/var/lib"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(elsewhere)
        print(f"PostgreSQL does not run as root and may not enter {private_part(path.parent.resolve())}: "
              f"{shown(path)} is a link to {elsewhere}", flush=True)
    folder = path.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    return folder


def shown(path):
    """Relative, when that is shorter to read."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("../..") else str(path)


def check_ports(listen):
    for address, what, kinds in listen.values():
        host, port = address.split(":")
        for kind in kinds:
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == socket.SOCK_STREAM))
                try:
                    probe.bind((host, int(port)))
                except OSError as failure:
                    why = "is taken by another program" if failure.errno == errno.EADDRINUSE else failure.strerror
                    raise Stop(f"{address} ({what}) {why}") from None


def end_with_parent():
    """In the child: should this script be killed, its services end as if they were asked to."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Service:
    """A child in a session of its own: Ctrl-C goes to this script alone, which stops them in order."""

    def __init__(self, name, log, command):
        self.name, self.log = name, log
        self.offset = log.stat().st_size if log.exists() else 0
        with open(log, "ab") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            start_new_session=True, preexec_fn=end_with_parent)

    def written(self):
        with open(self.log, "rb") as log:
            log.seek(self.offset)
            return log.read().decode(errors="replace")

    def last_words(self):
        lines = [line for line in self.written().splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing"

    def check(self):
        code = self.process.poll()
        if code is not None:
            how = f"signal {-code}" if code < 0 else f"code {code}"
            raise Stop(f"{self.name} has ended ({how}): {self.last_words()}\n"
                       f"its log: {self.log}")

    def wait_until(self, condition, what):
        deadline = time.monotonic() + START_S
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise Stop(f"{self.name}: {what} takes too long; its log: {self.log}")
            time.sleep(0.05)

    def stop(self):
        """True when it ended well."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(STOP_S) == 0
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


class Run:
    def __init__(self, programs, data, ephemeral):
        self.programs, self.data = programs.resolve(), data_folder(data)
        self.listen = addresses(ephemeral)
        self.phones_from = PHONES_FROM
        if ephemeral:
            self.phones_from = free_port() & ~1
        self.services = []
        self.lock = None
        self.owner = False  # of the data
        self.state = self.data / "run.json"

    def at(self, name):
        return self.listen[name][0]

    def prepare(self):
        self.lock = open(self.data / "run.lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(f"another `make run` uses {self.data}; stop it first") from None
        self.owner = True
        free = shutil.disk_usage(self.data).free
        if free < FREE_BYTES:
            raise Stop(f"the disk of {self.data} is full: {free >> 20} MB are free, "
                       f"{FREE_BYTES >> 20} MB are needed")
        check_ports(self.listen)

    def start_routing(self):
        program = find_program(self.programs, "routing", "cordboard-routing")
        service = Service("the routing service", self.data / "routing.log", [
            program, f"--listen-address={self.at('routing')}", f"--status-address={self.at('routing_status')}",
            f"--data-directory={self.data / 'routing'}"])
        self.services.append(service)
        service.wait_until(lambda: " service_started " in service.written(), "the start")

    def start_bridge(self):
        program = find_program(self.programs, "bridge", "cordboard-bridge")
        service = Service("the bridge", self.data / "bridge.log", [
            program, f"--listen-address={self.at('bridge')}", f"--status-address={self.at('bridge_status')}",
            f"--sip-listen-address={self.at('sip')}", f"--routing-address={self.at('routing')}"])
        self.services.append(service)
        service.wait_until(lambda: " service_started " in service.written(), "the start")
        service.wait_until(lambda: answers(f"http://{self.at('bridge_status')}/readyz"),
                           "the way to the routing service")

    def start(self):
        cordboard = find_program(self.programs, "ctl", "cordboard")
        find_program(self.programs, "bridge", "cordboard-bridge")
        self.prepare()
        new = not (self.data / "routing").exists()
        print(f"Cordboard: starting, with {'new ' if new else 'the '}data in {self.data}", flush=True)
        self.start_routing()
        print(f"  routing  {self.at('routing')}", flush=True)
        made = workspace.load(Client(cordboard, self.at("routing"), self.at("bridge")), "127.0.0.1",
                              self.phones_from)
        self.start_bridge()
        print(f"  bridge   {self.at('bridge')}", flush=True)
        print(f"  demo     {made} resources loaded" if made else "  demo     as it was left", flush=True)
        new_state = self.state.with_suffix(".new")
        new_state.write_text(json.dumps({"pid": os.getpid(), "cordboard": str(cordboard)}
                                        | {name: row[0] for name, row in self.listen.items()}))
        new_state.rename(self.state)

    def watch_over(self):
        while True:
            for service in self.services:
                service.check()
            time.sleep(0.2)

    def stop(self):
        """True when everything ended as it should. The bridge first: its calls' ends are reported."""
        if self.owner:
            self.state.unlink(missing_ok=True)
        well = True
        for service in reversed(self.services):
            well = service.stop() and well
        return well


BANNER = """
Cordboard runs. Everything listens on this machine only; it is for trying out, not for production.

  {routing:<18} gRPC of the routing service      http://{routing_status}/metrics
  {bridge:<18} gRPC of the bridge               http://{bridge_status}/metrics
  {sip:<18} SIP: {german} in German, {english} in English
  workspace "demo"   workers {workers}; their phones:
                     {phones}
  logs               {data}/routing.log, {data}/bridge.log

Try, in a second terminal:

  {call}
  {cordboard} watch demo
  {cordboard} rpc ListWorkers '{{"parent": "workspaces/demo"}}'

Ctrl-C stops everything; the data stays.
"""


def print_banner(run, call_command):
    client = Client(find_program(run.programs, "ctl", "cordboard"), run.at("routing"), run.at("bridge"))
    workers = client.rpc("ListWorkers", parent=workspace.NAME)["workers"]
    contacts = [json.loads(w["attributes"]).get("contact_uri", "none") for w in workers]
    flags = "" if run.at("routing").endswith(":7001") else f" --routing-address={run.at('routing')}"
    print(BANNER.format(
        **{name: row[0] for name, row in run.listen.items()}, german=workspace.GERMAN_NUMBER,
        english=workspace.ENGLISH_NUMBER, workers=", ".join(w["displayName"] for w in workers),
        phones=" ".join(contacts), data=shown(run.data), call=call_command,
        cordboard=shown(find_program(run.programs, "ctl", "cordboard")) + flags), flush=True)


def on_signal(number, _):
    raise Stop("")


def run(programs, data, ephemeral, call_command):
    """The exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    running = None
    problem = ""
    try:
        running = Run(pathlib.Path(programs), pathlib.Path(data), ephemeral)
        running.start()
        print_banner(running, call_command)
        running.watch_over()
    except Stop as stop:
        problem = str(stop)
    except CallFailed as failure:
        problem = f"the demo workspace could not be loaded: {failure}"
    except OSError as failure:
        problem = f"{failure.filename or data}: {failure.strerror}"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # what stops is not to be stopped
    if problem:
        print(f"make run: {problem}", file=sys.stderr, flush=True)
    else:
        print("\nStopping ...", end="", flush=True)
    well = not running or running.stop()
    if not problem:
        print(" done." if well else " not everything ended well; see the logs.", flush=True)
    return 0 if well and not problem else 1
